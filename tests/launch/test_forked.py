"""A Python function in child processes: stopped, timed out, alone, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tbdiag.launch.base import How, Job
from tbdiag.launch.forked import ForkedLauncher
from tests.launch.contract import awaited, ends, gone

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

Train = Callable[[dict[str, Any], Path], object]


def job(folder: Path, name: str = "t1", *, timeout: float | None = None, **params: object) -> Job:
    return Job(
        id=name,
        argv=(),
        cwd=folder,
        logdir=folder / name,
        output=folder / "trials" / name / "output.txt",
        env={"TBDIAG_PARAMS": json.dumps(params)},
        timeout=timeout,
    )


@pytest.fixture
def make() -> Iterator[Callable[..., ForkedLauncher]]:
    made: list[ForkedLauncher] = []

    def new(train: Train, slots: int = 1) -> ForkedLauncher:
        made.append(ForkedLauncher(train, slots, gpus=()))
        return made[-1]

    yield new
    for launcher in made:
        launcher.close(0)


Make = Callable[..., ForkedLauncher]


def hang(params: dict[str, Any], folder: Path) -> None:
    (folder / "pid").write_text(f"{os.getpid()}\n")
    time.sleep(600)


def deaf(params: dict[str, Any], folder: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hang(params, folder)


def test_it_has_the_state_of_this_process_and_leaves_none(make: Make, tmp_path: Path) -> None:
    data = {"rows": 3}

    def train(params: dict[str, Any], folder: Path) -> None:
        sys.stdout.write(f"trains {params['lr']} {data['rows']}\n")
        os.write(2, b"and says so\n")
        data["rows"] = 0

    launcher = make(train)
    one = job(tmp_path, lr=0.1)
    launcher.start(one)
    assert launcher.running == ("t1",)
    end = ends(launcher)["t1"]
    assert (end.how, end.code, end.well) == (How.EXITED, 0, True)
    assert one.output.read_text() == "trains 0.1 3\nand says so\n"
    assert data["rows"] == 3


def test_an_exception_is_told_with_its_words(make: Make, tmp_path: Path) -> None:
    def train(params: dict[str, Any], folder: Path) -> None:
        raise MemoryError("no room")

    launcher = make(train)
    launcher.start(job(tmp_path))
    end = ends(launcher)["t1"]
    assert (end.how, end.code, end.well) == (How.EXITED, 1, False)
    assert "MemoryError: no room" in end.reason
    assert "Traceback" in job(tmp_path).output.read_text()


@pytest.mark.parametrize(("word", "code"), [(None, 0), (3, 3), ("bad", 1)])
def test_exit_codes(make: Make, tmp_path: Path, word: int | str | None, code: int) -> None:
    launcher = make(lambda params, folder: sys.exit(word))
    launcher.start(job(tmp_path))
    assert ends(launcher)["t1"].code == code


def test_it_is_ended_when_its_time_is_up(make: Make, tmp_path: Path) -> None:
    launcher = make(hang)
    launcher.start(job(tmp_path, timeout=0.5))
    end = ends(launcher)["t1"]
    assert (end.how, end.well) == (How.TIMED_OUT, False)
    assert end.reason == "it was ended after 0.5 s, its limit"
    assert end.ended - end.started >= 0.5


def test_it_is_stopped_and_one_that_does_not_listen_is_killed(make: Make, tmp_path: Path) -> None:
    launcher = make(deaf, 2)
    launcher.start(job(tmp_path))
    launcher.start(job(tmp_path, "t2"))
    with pytest.raises(ValueError, match="slot"):
        launcher.start(job(tmp_path, "t3"))
    pid = int(awaited(tmp_path / "t1" / "pid"))
    awaited(tmp_path / "t2" / "pid")
    launcher.stop("t1", 0.3)
    time.sleep(0.1)
    assert launcher.poll() == []
    while launcher.running == ("t1", "t2"):
        found = dict(launcher.poll())
        time.sleep(0.02)
    assert (found["t1"].how, found["t1"].code) == (How.STOPPED, -signal.SIGKILL)
    assert gone(pid)
    assert dict(launcher.close(0.1))["t2"].how is How.STOPPED
    assert launcher.running == ()


def test_what_it_began_ends_with_it(make: Make, tmp_path: Path) -> None:
    def train(params: dict[str, Any], folder: Path) -> None:
        other = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
        (folder / "pid").write_text(f"{other.pid}\n")

    launcher = make(train)
    launcher.start(job(tmp_path))
    assert ends(launcher)["t1"].well
    assert gone(int(awaited(tmp_path / "t1" / "pid")))


def test_it_ends_itself_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from tbdiag.launch.forked import ForkedLauncher
from tests.launch.test_forked import deaf, job
ForkedLauncher(deaf).start(job(Path(sys.argv[1])))
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    try:
        pid = int(awaited(tmp_path / "t1" / "pid"))
    finally:
        parent.kill()
        parent.wait()
    assert gone(pid)


def test_a_run_that_an_earlier_process_began_is_lost(make: Make, tmp_path: Path) -> None:
    launcher = make(hang)
    assert launcher.adopt(job(tmp_path))
    assert launcher.running == ("t1",)
    assert ends(launcher)["t1"].how is How.LOST
