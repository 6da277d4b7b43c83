"""Local runs when their watchers are killed, and what each slot sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tbdiag.errors import LaunchError
from tbdiag.launch import local, record, supervise
from tbdiag.launch.base import How
from tbdiag.launch.local import LocalLauncher
from tests.launch.contract import FAMILY, HANG, POLITE, awaited, ends, gone, job

CONTROLLER = """
import pickle, sys
from tbdiag.launch.local import LocalLauncher
launcher = LocalLauncher()
launcher.start(pickle.load(open(sys.argv[1], "rb")))
print("started", file=open(sys.argv[2], "w"), flush=True)
import time
time.sleep(600)
"""


def launcher(slots: int = 1) -> LocalLauncher:
    return LocalLauncher(slots=slots, gpus=())


def killed_controller(folder: Path, script: str, *arguments: str) -> local.Job:
    """A job whose controller, another process, was killed right after it had started it."""
    import pickle

    one = job(folder, script, *arguments)
    (folder / "job").write_bytes(pickle.dumps(one))
    words = [sys.executable, "-c", CONTROLLER, str(folder / "job"), str(folder / "started")]
    controller = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    awaited(folder / "started")
    controller.kill()
    controller.wait()
    return one


def test_a_run_outlives_its_controller_and_is_found_again(tmp_path: Path) -> None:
    one = killed_controller(tmp_path, POLITE, str(tmp_path / "ready"))
    awaited(tmp_path / "ready")
    later = launcher()
    assert later.adopt(one)
    assert later.poll() == []
    assert dict(later.close(20))["t1"].code == 0
    assert one.output.read_text() == "saved the last checkpoint\n"


def test_a_run_that_ends_while_nobody_looks_is_not_lost(tmp_path: Path) -> None:
    script = "import time, sys; time.sleep(0.3); print('done'); sys.exit(7)"
    one = killed_controller(tmp_path, script)
    later = launcher()
    assert later.adopt(one)
    end = ends(later)["t1"]
    assert (end.how, end.code) == (How.EXITED, 7)
    assert end.reason == 'it ended with exit code 7; the last that it printed: "done"'


def test_a_time_limit_holds_without_a_controller(tmp_path: Path) -> None:
    one = replace(job(tmp_path, "import time; time.sleep(600)"), timeout=0.5)
    first = launcher()
    first.start(one)
    later = launcher()  # and nobody asks the first one any more
    assert later.adopt(one)
    assert ends(later)["t1"].how is How.TIMED_OUT
    assert ends(first)["t1"].how is How.TIMED_OUT


def test_of_a_run_whose_supervisor_is_killed_nothing_is_left(tmp_path: Path) -> None:
    one = job(tmp_path, FAMILY + HANG, str(tmp_path / "pid"))
    starter = launcher()
    starter.start(one)
    pid = int(awaited(tmp_path / "pid"))
    told = record.read(record.place(one))
    assert told is not None
    assert told.child is not None
    os.kill(told.supervisor[0], signal.SIGKILL)
    end = ends(starter)["t1"]
    assert (end.how, end.reason) == (How.LOST, "its supervisor was killed")
    assert gone(told.child[0])
    assert gone(pid)


def test_two_launchers_at_once_start_a_run_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = job(tmp_path, "print('x', file=open('count', 'a'))")
    first, second = launcher(), launcher()
    first.start(one)
    exists = Path.exists  # as if both had looked before one of them started it
    monkeypatch.setattr(Path, "exists", lambda path: path.suffix != ".run" and exists(path))
    with pytest.raises(LaunchError, match="t1 was started before"):
        second.start(one)
    monkeypatch.undo()
    assert ends(first)["t1"].well
    assert (second.running, (tmp_path / "count").read_text()) == ((), "x\n")


def test_a_launcher_that_dies_while_it_starts_has_started_nothing(tmp_path: Path) -> None:
    one = job(tmp_path, "print('x', file=open('count', 'a'))")
    path = record.place(one)
    path.parent.mkdir(parents=True)
    claimed, answer = os.pipe()
    words = [sys.executable, supervise.__file__, str(path), '{"slot": 0}', "inf", "1", str(answer)]
    watch = subprocess.Popen(
        [*words, *one.argv], cwd=tmp_path, stdin=subprocess.PIPE, pass_fds=[answer]
    )
    os.close(answer)
    assert os.read(claimed, 1) == b"."
    os.close(claimed)
    told = record.read(path)
    assert told is not None
    assert told.unborn
    assert watch.stdin is not None
    watch.stdin.close()  # as the system does for the dead
    assert watch.wait() == supervise.WITHDRAWN
    assert not path.exists()
    assert not launcher().adopt(one)
    assert not (tmp_path / "count").exists()


def rewritten(one: local.Job, **fields: object) -> None:
    path = record.place(one)
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"host": "h", "boot": supervise.boot(), "slot": 0, "supervisor": [1, "0"]}
    told |= {"started": 1.0, "child": None, "how": None, "code": None} | fields
    path.write_text(json.dumps(told))


def test_a_run_of_another_machine_is_not_taken_for_lost(tmp_path: Path) -> None:
    one = job(tmp_path, "")
    rewritten(one, host="node17", boot="another", child=[1, "0"])
    with pytest.raises(LaunchError, match="t1 was started on node17 and may still run there"):
        launcher().adopt(one)
    rewritten(one, host="node17", boot="another", how="exited", code=0, ended=9.0)
    later = launcher()
    assert later.adopt(one)
    assert ends(later)["t1"].well


def test_numbers_that_belong_to_others_by_now_are_left_alone(tmp_path: Path) -> None:
    words = [sys.executable, "-c", f"import time{HANG}"]
    stranger = subprocess.Popen(words, start_new_session=True)
    try:
        one = job(tmp_path, "")
        rewritten(one, supervisor=[stranger.pid, "0"], child=[stranger.pid, "0"])
        later = launcher()
        assert later.adopt(one)
        later.stop("t1", 0)
        assert ends(later)["t1"].how is How.STOPPED
        assert stranger.poll() is None
        born = supervise.born(stranger.pid)
        rewritten(one, boot="before the last reboot", child=[stranger.pid, born])
        monkey = launcher()
        monkey._runs["t1"] = local._Run(
            job=one, slot=0, started=0.0, process=None, record=record.read(record.place(one))
        )
        assert ends(monkey)["t1"].how is How.LOST
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_claim_without_words_is_no_run(tmp_path: Path) -> None:
    one = job(tmp_path, "")
    record.place(one).parent.mkdir(parents=True)
    record.place(one).touch()  # its supervisor died before it had started anything
    now = iter(range(100))
    later = LocalLauncher(gpus=(), clock=lambda: float(next(now)), sleep=lambda seconds: None)
    assert not later.adopt(one)
    later.start(one)
    assert ends(launcher_at_real_time(later))["t1"].well


def launcher_at_real_time(faked: LocalLauncher) -> LocalLauncher:
    faked.clock, faked.sleep = time.monotonic, time.sleep
    return faked


def test_a_full_disk_loses_no_exit_code(tmp_path: Path) -> None:
    # the page is there before the run starts; what is said later goes into the same bytes
    path = tmp_path / "run"
    page = supervise._Record(str(path), {"started": 1.0})
    size = path.stat().st_size
    page.write(how="exited", code=0, ended=2.0)
    assert (path.stat().st_size, size) == (supervise.PAGE, supervise.PAGE)
    told = json.loads(path.read_text())
    assert told == {"started": 1.0, "how": "exited", "code": 0, "ended": 2.0}


def test_what_cannot_be_watched_is_not_started(tmp_path: Path) -> None:
    one = job(tmp_path, "print('x', file=open('count', 'a'))")
    long = replace(one, output=one.output.with_name("o" * 253))  # with .run it is no name any more
    starter = launcher()
    with pytest.raises(LaunchError, match=r"not started: OSError: .*File name too long"):
        starter.start(long)
    assert (starter.running, (tmp_path / "count").exists()) == ((), False)


def test_each_slot_sees_gpus_of_its_own(tmp_path: Path) -> None:
    script = "import os; print(os.environ['CUDA_VISIBLE_DEVICES'])"
    starter = LocalLauncher(slots=2, gpus=("GPU-a", "GPU-b", "GPU-c"))
    jobs = [job(tmp_path, script, id=name) for name in ("a", "b")]
    for each in jobs:
        starter.start(each)
    ends(starter)
    assert [each.output.read_text() for each in jobs] == ["GPU-a,GPU-c\n", "GPU-b\n"]


def test_a_single_slot_sees_what_tbdiag_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    one = job(tmp_path, "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'))")
    starter = LocalLauncher(slots=1, gpus=("GPU-a",))
    starter.start(one)
    ends(starter)
    assert one.output.read_text() == "None\n"


def test_a_program_that_cannot_be_executed_is_told(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text("no program at all")
    (tmp_path / "train.sh").chmod(0o755)
    one = replace(job(tmp_path, ""), argv=("./train.sh",))
    starter = launcher()
    starter.start(one)
    end = ends(starter)["t1"]
    assert (end.well, end.code) == (False, 127)
    assert end.reason == "it could not be started: Exec format error"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    one = replace(job(tmp_path, ""), cwd=tmp_path / "nowhere")
    with pytest.raises(LaunchError, match=r"t1 cannot be started in .*nowhere: No such file"):
        launcher().start(one)
