"""``tbdiag export`` and ``tbdiag cache``: what they write, show and refuse."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tbdiag
from tests.cli.builders import DIVERGED, HEALTHY, called, event_dir

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with two runs, one of which ends in NaN."""
    monkeypatch.chdir(tmp_path)
    event_dir(tmp_path / "logs" / "bad", DIVERGED)
    event_dir(tmp_path / "logs" / "good", HEALTHY)
    return tmp_path


def test_export_writes_every_point_once_and_exactly(here: Path, capsys: Captured) -> None:
    code, out, err = called(capsys, "export", "logs", "-o", "points.csv")
    assert (code, out, err) == (0, "points.csv: 142 points\n", "")
    frame = pd.read_csv("points.csv")
    assert list(frame) == ["run", "tag", "step", "wall_time", "value"]
    for run in tbdiag.load("logs"):
        for tag, curve in run.series.items():
            rows = frame[(frame.run == run.id) & (frame.tag == tag)]
            assert rows.step.is_monotonic_increasing
            finite = rows[np.isfinite(rows.value)]
            assert finite.value.tolist() == curve.values.tolist()
            assert finite.wall_time.tolist() == curve.wall_times.tolist()
            assert len(rows) == curve.logged


def test_export_keeps_other_files(here: Path, capsys: Captured) -> None:
    (here / "points.csv").write_text("mine")
    code, _, err = called(capsys, "export", "logs", "-o", "points.csv")
    assert code == 2
    assert "--force" in err
    assert (here / "points.csv").read_text() == "mine"
    assert called(capsys, "export", "logs", "-o", "points.csv", "--force")[0] == 0
    assert (here / "points.csv").read_text().startswith("run,tag,")


def test_export_leaves_nothing_half_written(here: Path, capsys: Captured) -> None:
    assert called(capsys, "export", "nowhere", "-o", "points.csv")[0] == 2
    assert called(capsys, "export", "logs", "-o", "points.txt")[0] == 2
    assert [path.name for path in here.iterdir()] == ["logs"]


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_export_to_arrow_or_says_what_is_missing(here: Path, capsys: Captured, suffix: str) -> None:
    code, _, err = called(capsys, "export", "logs", "-o", f"points{suffix}")
    if importlib.util.find_spec("pyarrow") is None:
        assert code == 2
        assert "needs pyarrow" in err
        return
    frame = (pd.read_parquet if suffix == ".parquet" else pd.read_feather)(f"points{suffix}")
    called(capsys, "export", "logs", "-o", "points.csv")
    told = pd.read_csv("points.csv")
    assert frame.value.tolist()[-120:] == told.value.tolist()[-120:]
    assert frame.step.tolist() == told.step.tolist()


def test_cache_shows_and_clears_what_is_kept(here: Path, capsys: Captured) -> None:
    called(capsys, "scan", "logs", "--no-cache")
    assert ": 0 log folders" in called(capsys, "cache")[1]
    called(capsys, "scan", "logs")
    assert ": 1 log folder," in called(capsys, "cache")[1]
    assert "removed" in called(capsys, "cache", "--clear")[1]
    assert ": 0 log folders" in called(capsys, "cache")[1]
