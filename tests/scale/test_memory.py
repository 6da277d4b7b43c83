"""Reports of many runs are put aside on disk: they say the same, and memory stays flat."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tbdiag
from benchmarks.scale import sweeps
from tbdiag.api import folders
from tbdiag.config import Config
from tbdiag.diagnosis.reports import Folded, Reports
from tbdiag.reading import spool
from tbdiag.search import families
from tbdiag.views import terminal
from tests.scale.test_batches import Elsewhere

ROOT = Path(__file__).parents[2]
NONE = Config()
TEXT = {"color": False, "width": 80, "ascii": False}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hundred runs, of which half can be compared."""
    folder = tmp_path_factory.mktemp("many")
    sweeps.write(folder, 300)
    for number, run in enumerate(sorted(folder.glob("*/*"))):
        if number % 2:
            (run / "hparams.yaml").write_text(f"dataset: other\nlr: {number}e-3\ndropout: 0.1\n")
    (folder / "empty").mkdir()
    (folder / "empty" / sweeps.NAME).write_bytes(b"")
    return folder


def put_aside(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(folders, "_WHOLE", held)
    monkeypatch.setattr(spool, "HELD", held)
    monkeypatch.setattr(families, "HELD", held)
    monkeypatch.setattr("tbdiag.reading.discover.HELD", held)
    monkeypatch.setattr(spool, "MEMORY", 4096)


@pytest.fixture(scope="module")
def whole(logs: Path) -> tbdiag.Report:
    """The report that holds all of its runs."""
    return tbdiag.scan(logs, config=NONE, cache=False, now=2e9)


@pytest.mark.parametrize(("held", "pool"), [(0, False), (100, True)])
def test_a_report_that_is_put_aside_says_the_same(
    logs: Path, whole: tbdiag.Report, monkeypatch: pytest.MonkeyPatch, held: int, pool: bool
) -> None:
    assert whole.search
    put_aside(monkeypatch, held)
    aside = folders.scan(
        logs, config=NONE, cache=False, now=2e9, pool=Elsewhere() if pool else None
    )
    assert isinstance(aside.runs, Reports)
    assert sum(isinstance(each, Folded) for each in aside) == 300 - held
    assert aside.to_json() == whole.to_json()
    for shown in ({}, {"show_passed": True}, {"top": 3}):
        assert terminal.render(aside, **TEXT, **shown) == terminal.render(whole, **TEXT, **shown)
    assert aside.to_frame().equals(whole.to_frame())
    assert (aside.unread, aside.search) == (whole.unread, whole.search)
    assert aside.search_outcomes == whole.search_outcomes
    for number in (0, 7, 150, -1):
        one, other = whole.runs[number], aside.runs[number]
        assert (one.findings, one.outcomes, one.worst) == (
            other.findings,
            other.outcomes,
            other.worst,
        )
        assert (one.run.id, one.run.hparams) == (other.run.id, dict(other.run.hparams))
        for tag, curve in one.run.series.items():
            np.testing.assert_array_equal(curve.values, other.run.series[tag].values)


def test_curves_of_a_run_that_was_put_aside_are_read_once(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_aside(monkeypatch, 0)
    report = folders.scan(logs, config=NONE, cache=False, now=2e9)
    from tbdiag.reading import runs

    loads: list[str] = []
    load = runs.load
    monkeypatch.setattr(
        runs, "load", lambda files, *rest: (loads.append(files.id), load(files, *rest))[1]
    )
    for _ in range(3):
        run = report.runs[5].run
        assert [len(run.series[tag]) for tag in ("loss/val", "lr")] == [60, 60]
    assert len(loads) == 1


PROGRAM = """
import resource, sys
from tbdiag.api import folders
from tbdiag.config import Config
from tbdiag.views import json_v1, terminal
report = folders.scan(sys.argv[1], config=Config(), cache=sys.argv[2] == "kept", now=1.8e9)
terminal.render(report, color=False)
size = sum(map(len, json_v1.chunks(report)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, len(report.runs), size)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is told in other units")
@pytest.mark.parametrize("times", [0, 2], ids=["without a cache", "with the cache"])
def test_memory_does_not_grow_with_the_runs(tmp_path: Path, times: int) -> None:
    peaks = []
    for runs in (1_000, 4_000):
        logs = tmp_path / f"logs{runs}"
        sweeps.write(logs, runs)
        for _ in range(max(times, 1)):  # nothing was kept, and then nothing is new
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, str(logs), "kept" if times else "none"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            )
            peak, found, _ = map(int, done.stdout.split())
            assert found == runs
            peaks.append(peak)
    for small, large in zip(peaks[: len(peaks) // 2], peaks[len(peaks) // 2 :], strict=True):
        assert large < small + 16  # of 13 MB of reports, and of 5 MB of what was listed
