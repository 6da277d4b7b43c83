"""Runs on a Ray cluster whose nodes share no disk, and whose controller is killed."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tbdiag.errors import LaunchError
from tbdiag.launch import handed as notes
from tbdiag.launch import record
from tbdiag.launch.base import How, Job
from tbdiag.launch.cluster import ClusterLauncher
from tbdiag.launch.local import LocalLauncher
from tests.launch.contract import DEAF, FAMILY, HANG, POLITE, awaited, ends, gone, job

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("cluster")]

ROOT = Path(__file__).parent.parent.parent


def on_ray(slots: int = 1, **more: Any) -> ClusterLauncher:
    from tbdiag.launch.ray import RayScheduler

    return ClusterLauncher(RayScheduler(**more), slots)


LOGS = """
import os, sys, time
folder = sys.argv[1]
os.makedirs(os.path.join(folder, "version_0"))
events = open(os.path.join(folder, "version_0", "events.out.tfevents.1.node"), "wb")
events.write(b"first ")
events.flush()
open(os.path.join(folder, "hparams.yaml"), "w").write("lr: 0.1")
open(os.path.join(folder, "model.ckpt"), "wb").write(bytes(2 << 20))
print("half", flush=True)
while not os.path.exists(sys.argv[2]):
    time.sleep(0.02)
events.write(b"second" * (2 << 20))
events.close()
print("whole")
sys.exit(3)
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The disk of the node, on which the same paths lie below another folder."""
    node, original = tmp_path / "node", notes.task

    def task(job: Job, token: str, **more: Any) -> dict[str, Any]:
        given = original(job, token, **more)
        for name in ("output", "logdir"):
            given[name] = str(node / Path(given[name]).relative_to(tmp_path))
        return given

    monkeypatch.setattr(notes, "task", task)
    node.mkdir()
    return node


def settled(launcher: ClusterLauncher, what: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not what():
        assert time.monotonic() < until
        assert launcher.poll() == []
        time.sleep(0.05)


def test_what_a_run_writes_on_its_own_disk_is_brought_back(tmp_path: Path, elsewhere: Path) -> None:
    words = (str(elsewhere / "logs" / "t1"), str(tmp_path / "go"))
    one = replace(job(tmp_path, LOGS, *words), logdir=tmp_path / "logs" / "t1")
    launcher = on_ray()
    launcher.start(one)
    events = one.logdir / "version_0" / "events.out.tfevents.1.node"
    settled(launcher, lambda: events.exists() and events.read_bytes() == b"first ")
    settled(launcher, lambda: one.output.read_text() == "half\n")  # while it runs
    (tmp_path / "go").touch()
    end = ends(launcher)["t1"]
    assert (end.how, end.code) == (How.EXITED, 3)
    assert end.reason == 'it ended with exit code 3; the last that it printed: "whole"'
    assert events.read_bytes() == b"first " + b"second" * (2 << 20)
    assert (one.logdir / "hparams.yaml").read_text() == "lr: 0.1"
    assert not (one.logdir / "model.ckpt").exists()  # large, and nothing that tbdiag reads
    assert (elsewhere / "logs" / "t1" / "model.ckpt").exists()
    later = on_ray()
    assert later.adopt(one)
    assert ends(later)["t1"] == end


def test_a_run_on_its_own_disk_is_found_by_a_later_launcher(
    tmp_path: Path, elsewhere: Path
) -> None:
    del elsewhere
    one = job(tmp_path, POLITE, str(tmp_path / "ready"))
    on_ray().start(one)
    awaited(tmp_path / "ready")
    later = on_ray()
    assert later.adopt(one)
    later.stop("t1", 20)
    end = ends(later)["t1"]
    assert (end.how, end.code) == (How.STOPPED, 0)
    assert one.output.read_text() == "saved the last checkpoint\n"


CONTROLLER = """
import pickle, sys, time
from tbdiag.launch.cluster import ClusterLauncher
from tbdiag.launch.ray import RayScheduler
launcher = ClusterLauncher(RayScheduler(address=sys.argv[3]))
launcher.start(pickle.load(open(sys.argv[1], "rb")))
print("started", file=open(sys.argv[2], "w"), flush=True)
time.sleep(600)
"""


def test_a_run_outlives_its_controller_and_is_found_again(tmp_path: Path) -> None:
    import ray

    one = job(tmp_path, POLITE, str(tmp_path / "ready"))
    (tmp_path / "job").write_bytes(pickle.dumps(one))
    address = ray.get_runtime_context().gcs_address
    words = [str(tmp_path / "job"), str(tmp_path / "started"), address]
    controller = subprocess.Popen(
        [sys.executable, "-c", CONTROLLER, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    awaited(tmp_path / "ready")
    awaited(tmp_path / "started")
    controller.kill()
    controller.wait()
    time.sleep(1.0)  # Ray finds out
    told = record.read(record.place(one))
    assert told is not None
    assert told.how is None
    later = on_ray()
    assert later.adopt(one)
    later.stop("t1", 20)
    end = ends(later)["t1"]
    assert (end.how, end.code) == (How.STOPPED, 0)


def test_a_run_that_has_no_place_yet_waits_and_can_be_taken_out(tmp_path: Path) -> None:
    launcher = on_ray(resources={"no such thing": 1})
    one = job(tmp_path, "print('x', file=open('count', 'a'))")
    launcher.start(one)
    time.sleep(0.5)
    assert launcher.poll() == []
    launcher.stop("t1", 0)
    assert ends(launcher)["t1"].how is How.STOPPED
    assert not (tmp_path / "count").exists()


def test_the_resources_are_those_that_were_asked_for(tmp_path: Path) -> None:
    launcher = on_ray(2, cpus=2)
    for name in ("a", "b"):
        launcher.start(job(tmp_path, f"print('{name}', file=open('{name}', 'w'))" + HANG, id=name))
    awaited(tmp_path / "a")
    time.sleep(1.0)
    assert not (tmp_path / "b").exists()  # there is no room beside the first
    launcher.close(0)


def test_a_node_without_tbdiag_runs_it(tmp_path: Path) -> None:
    from ray import cloudpickle

    from tbdiag.launch import node, supervise

    on_ray()  # which says what is sent as text
    one = job(tmp_path, "print('hello')")
    task = notes.task(one, "token")
    sent = tmp_path / "sent"
    source = Path(supervise.__file__).read_text()
    sent.write_bytes(cloudpickle.dumps((node.Node, task, source)))
    script = (
        "import sys; sys.modules['tbdiag'] = None; from ray import cloudpickle; "
        f"kind, task, source = cloudpickle.load(open({str(sent)!r}, 'rb')); "
        "print(kind(task, source).wait()['code'])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )
    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr
    assert one.output.read_text() == "hello\n"


def test_launchers_do_not_take_each_others_runs(tmp_path: Path) -> None:
    one = job(tmp_path, DEAF, str(tmp_path / "ready"))
    launcher = on_ray()
    launcher.start(one)
    with pytest.raises(LaunchError, match=r"t1 was handed to ray: go on with --launcher ray"):
        LocalLauncher(gpus=()).adopt(one)
    with pytest.raises(LaunchError, match=r"t1 was started before"):
        LocalLauncher(gpus=()).start(one)
    launcher.close(0)
    other = job(tmp_path, DEAF, str(tmp_path / "ready2"), id="t2")
    local = LocalLauncher(gpus=())
    local.start(other)
    awaited(tmp_path / "ready2")
    with pytest.raises(LaunchError, match=r"t2 was started on .* without Ray"):
        on_ray().adopt(other)
    told = record.read(record.place(other))
    assert told is not None
    assert told.child is not None
    local.close(0)
    assert gone(told.child[0])
    later = on_ray()  # what is over is over, whoever started it
    assert later.adopt(other)
    assert ends(later)["t2"].how is How.STOPPED


def test_a_launcher_that_died_while_it_handed_over_has_started_nothing(tmp_path: Path) -> None:
    one = job(tmp_path, "print('x', file=open('count', 'a'))")
    handed = notes.claim(one, "ray", 1.0)
    later = on_ray()
    assert later.adopt(one)
    end = ends(later)["t1"]
    assert (end.how, "withdrawn" in end.reason) == (How.LOST, True)
    scheduler = later.scheduler
    handle = scheduler.submit(one, handed)  # as if it had been on its way all the time
    until = time.monotonic() + 30
    while scheduler.see(one, handle).page is None:
        assert time.monotonic() < until
        time.sleep(0.1)
    scheduler.release(handle)
    assert not (tmp_path / "count").exists()


def test_a_worker_that_ray_ends_takes_its_run_with_it(tmp_path: Path) -> None:
    one = job(tmp_path, FAMILY + HANG, str(tmp_path / "pid"))
    launcher = on_ray()
    launcher.start(one)
    pid = int(awaited(tmp_path / "pid"))
    told = record.read(record.place(one))
    assert told is not None
    assert told.child is not None
    launcher.scheduler.cancel(told.handle)  # which ends the children of the worker as well
    end = ends(launcher)["t1"]
    assert (end.how, end.code) == (How.LOST, -9)
    assert gone(told.child[0])
    assert gone(pid)
