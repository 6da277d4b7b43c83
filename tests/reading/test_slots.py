"""Runs one after the other: in threads, within a bound of memory, and without what they do not need."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import tbdiag
from tbdiag.api import folders
from tbdiag.cli.options import size
from tbdiag.config import Config
from tbdiag.diagnosis.reports import Folded
from tbdiag.errors import ReadError
from tbdiag.model.run import Run
from tbdiag.reading import ahead, runs
from tbdiag.reading.later import Later
from tbdiag.search.entrant import needed
from tbdiag.views import terminal
from tests.cli.builders import DIVERGED, HEALTHY, ROOT, event_dir
from tests.reading.eventfiles import NAME, scalar, write
from tests.reading.test_cache import assert_equal

NONE = Config()


def sweep(folder: Path) -> Path:
    """Ten runs, of which three are ill."""
    for index in range(10):
        curves = DIVERGED if index == 4 else HEALTHY if index % 4 else None
        event_dir(folder / f"run{index}", *((curves,) if curves else ()))
    return folder


@pytest.mark.parametrize("cache", [False, True])
def test_threads_change_neither_order_nor_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: bool
) -> None:
    sweep(tmp_path)
    names: list[str] = []
    load = runs.load

    def noted(*given: Any) -> tuple[Run, ...]:
        names.append(threading.current_thread().name)
        return load(*given)

    monkeypatch.setattr(runs, "load", noted)
    one = tbdiag.scan(tmp_path, config=NONE, cache=False, jobs=1)
    assert set(names) == {"MainThread"}
    names.clear()
    several = tbdiag.scan(tmp_path, config=NONE, cache=cache, jobs=3)
    assert len(names) == 10
    assert all(name.startswith("tbdiag") for name in names)
    assert several.to_json() == one.to_json()
    for mine, its in zip(one.runs, several.runs, strict=True):
        assert_equal(mine.run, its.run)


def test_what_fails_in_a_thread_is_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(tmp_path)
    load = runs.load

    def failing(files: Any, *rest: Any) -> tuple[Run, ...]:
        if files.id == "run7":
            raise ZeroDivisionError
        return load(files, *rest)

    monkeypatch.setattr(runs, "load", failing)
    with pytest.raises(ZeroDivisionError):
        tbdiag.load(tmp_path, config=NONE, cache=False, jobs=2)


def test_only_so_much_is_read_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep(tmp_path)
    monkeypatch.setattr(ahead, "_WINDOW", 1)
    monkeypatch.setattr(ahead, "SMALL", 0)  # each folder alone
    done: list[str] = []
    load = runs.load

    def noted(files: Any, *rest: Any) -> tuple[Run, ...]:
        done.append(files.id)
        return load(files, *rest)

    monkeypatch.setattr(runs, "load", noted)
    from tbdiag.api.folders import each_run

    for count, _ in enumerate(each_run(tmp_path, config=NONE, cache=False, jobs=2), 1):
        assert len(done) == count


def held(run: Run) -> set[str]:
    """The tags of curves that a run keeps in memory."""
    assert isinstance(run.series, Later)
    return set(run.series._made or run.series._known or ())


@pytest.mark.parametrize("cache", [False, True])
def test_beyond_the_bound_only_what_is_shown_stays(tmp_path: Path, cache: bool) -> None:
    sweep(tmp_path)
    whole = tbdiag.scan(tmp_path, config=NONE, cache=False)
    bound = tbdiag.scan(tmp_path, config=NONE, cache=cache, memory=0)
    text = {"color": False, "width": 80, "ascii": False}
    assert terminal.render(bound, **text) == terminal.render(whole, **text)
    assert bound.to_json() == whole.to_json()
    for one, other in zip(whole.runs, bound.runs, strict=True):
        kept = {each.tag for finding in one.findings for each in finding.evidence}
        kept |= needed(one.run, None)
        assert held(other.run) == kept & set(one.run.series)
        assert_equal(one.run, other.run)
        assert held(other.run) == set(one.run.series)


def test_up_to_the_bound_curves_stay(tmp_path: Path) -> None:
    sweep(tmp_path)
    (first, *_) = tbdiag.load(tmp_path, config=NONE)
    room = 24 * sum(map(len, first.series.values()))
    reports = tbdiag.scan(tmp_path, config=NONE, cache=False, memory=room).runs
    assert [isinstance(each.run.series, Later) for each in reports] == [False, *[True] * 9]


def test_curves_that_are_gone_when_they_are_asked_for_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / NAME, *(scalar("loss", step) for step in range(9)))
    options: dict[str, Any] = {"select": "NUM001", "cache": False, "memory": 0}
    (report,) = tbdiag.scan(tmp_path, config=NONE, **options).runs
    (other,) = tbdiag.scan(tmp_path, config=NONE, **options).runs
    write(path, *(scalar("loss", step) for step in range(12)))
    assert len(report.run.series["loss"]) == 12
    path.unlink()
    assert len(report.run.series["loss"]) == 12
    with pytest.raises(ReadError, match="lost points"):
        _ = other.run.series["loss"]


@pytest.mark.parametrize(
    ("text", "bytes_"), [("2GB", 2 * 10**9), ("500 mb", 5 * 10**8), ("1.5k", 1500), ("0", 0)]
)
def test_sizes_are_written_as_people_write_them(text: str, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("cache", [False, True])
def test_loading_scalars_brings_nothing_heavy_along(tmp_path: Path, cache: bool) -> None:
    event_dir(tmp_path / "run")
    script = f"""
import sys, tbdiag
assert "numpy" not in sys.modules
runs = tbdiag.load({str(tmp_path)!r}, cache={cache})
assert runs[0].series["loss/train"].values[0] > 0
print(*sys.modules)
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TBDIAG_CACHE_DIR": str(tmp_path / "cache")}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script], env=env, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        loaded = {name.split(".")[0] for name in done.stdout.split()}
        heavy = {"pandas", "pydantic", "scipy", "google", "tensorboard", "yaml", "rich", "typer"}
        assert not loaded & heavy
        assert not {"tbdiag.detectors", "tbdiag.views", "importlib.metadata", "argparse"} & set(
            done.stdout.split()
        )


@pytest.mark.parametrize("cache", [False, True])
def test_of_a_large_report_runs_are_kept_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: bool
) -> None:
    sweep(tmp_path)
    for index in range(10):
        (tmp_path / f"run{index}" / "hparams.yaml").write_text(
            f"lr: {index + 1}e-3\nepochs: 9\nd: 1"
        )
    whole = tbdiag.scan(tmp_path, config=NONE, cache=False, now=2e9)
    monkeypatch.setattr(folders, "_WHOLE", 2)
    text = {"color": False, "width": 80, "ascii": False}
    for _ in range(2):  # the second time out of the cache
        small = tbdiag.scan(tmp_path, config=NONE, cache=cache, now=2e9)
        assert [isinstance(each, Folded) for each in small.runs] == [False] * 2 + [True] * 8
        assert small.to_json() == whole.to_json()
        assert terminal.render(small, **text) == terminal.render(whole, **text)
        for one, other in zip(whole.runs, small.runs, strict=True):
            assert_equal(one.run, other.run)


def test_no_curve_is_read_again_for_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(tmp_path)
    for index in range(10):
        (tmp_path / f"run{index}" / "hparams.yaml").write_text(f"lr: {index + 1}e-3\nepochs: 9")
    monkeypatch.setattr(folders, "_WHOLE", 0)
    loads: list[str] = []
    load = runs.load

    def noted(files: Any, *rest: Any) -> tuple[Run, ...]:
        loads.append(files.id)
        return load(files, *rest)

    monkeypatch.setattr(runs, "load", noted)
    found = tbdiag.scan(tmp_path, config=NONE, cache=False)
    assert found.search
    best = {each.run for finding in found.search for each in finding.evidence}
    assert len(loads) - 10 <= len(best)
