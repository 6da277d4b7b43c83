"""A scan on a Ray cluster says what a scan here says, whatever becomes of the workers."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from tbdiag import __version__
from tbdiag.api import scan
from tbdiag.errors import RequestError
from tbdiag.scale.batches import Batch, Job, diagnosed
from tbdiag.scale.ray import RayPool, _done, reached
from tests.cli.builders import called

SAMPLES = Path(__file__).parent.parent.parent / "sample_logs"
NOW = 1_800_000_000.0

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("cluster")]


def told(**more: object) -> str:
    return scan(SAMPLES, cache=False, now=NOW, **more).to_json()  # type: ignore[arg-type]


def test_the_report_is_the_same_to_the_byte() -> None:
    with RayPool() as pool:
        assert told(pool=pool) == told()


def slow(folder: Path, batch: Batch, job: Job) -> object:
    """As `diagnosed`, but the first worker at it tells who it is, and waits to be killed."""
    try:
        with (folder / "first").open("x") as file:
            file.write(f"{os.getpid()}\n")
    except FileExistsError:
        return diagnosed(batch, job)
    time.sleep(60)
    raise AssertionError("it was not killed")


class Killing(RayPool):
    """A pool of which one worker is killed, by its number, while it is at a batch."""

    __slots__ = ("folder", "killed")

    def map(self, work, batches):  # type: ignore[no-untyped-def]
        assert isinstance(work, partial)
        found = super().map(partial(slow, self.folder, **work.keywords), batches)
        import threading

        def kill() -> None:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                first = self.folder / "first"
                if first.exists() and (text := first.read_text()).endswith("\n"):
                    os.kill(int(text), signal.SIGKILL)
                    self.killed = int(text)
                    return
                time.sleep(0.02)

        killer = threading.Thread(target=kill)
        killer.start()
        yield from found
        killer.join()


def test_a_worker_that_is_killed_costs_nothing_but_time(tmp_path: Path) -> None:
    with Killing() as pool:
        pool.folder, pool.killed = tmp_path, 0
        report = told(pool=pool)
    assert pool.killed
    assert report == told()


def test_nodes_with_another_version_are_refused() -> None:
    answer = _done("0.0.0", len, ())
    assert isinstance(answer, RequestError)
    assert __version__ in str(answer)
    assert "0.0.0" in str(answer)


def test_what_the_nodes_lack_is_told() -> None:
    with RayPool() as pool, pytest.raises(RequestError, match=r"the nodes of the cluster need"):
        list(pool.map(_lacking, range(2)))


def _lacking(number: int) -> int:
    raise ModuleNotFoundError(f"No module named 'tbdiag{number}'")


def test_a_cluster_that_is_there_is_used_again() -> None:
    assert not reached("auto", "a test")


def test_the_command_takes_the_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("scan", SAMPLES, "--format", "json", "--no-cache", "--fail-on", "never")
    here = called(capsys, *words)
    assert called(capsys, *words, "--cluster", "auto") == here
