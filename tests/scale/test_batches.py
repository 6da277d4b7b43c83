"""Runs diagnosed elsewhere: the same report, in batches of bounded size."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tbdiag
from tbdiag.api.folders import scan
from tbdiag.config import Config
from tbdiag.diagnosis.select import select
from tbdiag.reading.discover import discover
from tbdiag.scale.batches import Job, batches, diagnosed
from tests.cli.builders import DIVERGED, HEALTHY, event_dir, process
from tests.reading.eventfiles import NAME, scalar

NONE = Config()


@dataclass
class Elsewhere:
    """A pool whose workers share nothing with whoever asks."""

    workers: int = 2
    batches: int = 0

    def map(self, work: Callable[[Any], Any], batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            self.batches += 1
            work, batch = pickle.loads(pickle.dumps((work, batch)))
            yield pickle.loads(pickle.dumps(work(batch)))

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, *error: object) -> None: ...


def sweep(folder: Path, runs: int = 12) -> Path:
    for index in range(runs):
        curves = DIVERGED if index == 4 else HEALTHY if index % 4 else None
        event_dir(folder / f"run{index}_lr{index}e-3", *((curves,) if curves else ()))
    return folder


@pytest.mark.parametrize("cache", [False, True])
def test_where_runs_are_diagnosed_changes_nothing_in_the_report(
    tmp_path: Path, cache: bool
) -> None:
    sweep(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / NAME).write_bytes(b"")
    here = tbdiag.scan(tmp_path, config=NONE, cache=False, now=2e9)
    pool = Elsewhere()
    there = scan(tmp_path, config=NONE, cache=cache, now=2e9, pool=pool)
    assert pool.batches > 1
    assert there.to_json() == here.to_json()
    assert there.unread == here.unread
    for mine, its in zip(here.runs, there.runs, strict=True):
        assert its.run.series.keys() == mine.run.series.keys()
        for tag, curve in mine.run.series.items():
            assert its.run.series[tag].values.tolist() == curve.values.tolist()


def test_what_came_back_is_kept_and_not_asked_for_again(tmp_path: Path) -> None:
    sweep(tmp_path)
    first = scan(tmp_path, config=NONE, now=2e9, pool=Elsewhere())
    pool = Elsewhere()
    again = scan(tmp_path, config=NONE, now=2e9, pool=pool)
    assert pool.batches == 0
    assert again.to_json() == first.to_json()
    with (tmp_path / "run3_lr3e-3" / NAME).open("ab") as file:
        from tests.reading.eventfiles import data

        file.write(data(scalar("loss/train", 61, 0.5)))
    event_dir(tmp_path / "run99")
    grown = scan(tmp_path, config=NONE, now=2e9, pool=pool)
    assert pool.batches == 1
    assert grown.to_json() == tbdiag.scan(tmp_path, config=NONE, cache=False, now=2e9).to_json()


def test_batches_are_bounded_and_hold_each_folder_once(tmp_path: Path) -> None:
    folders = discover([sweep(tmp_path)]).runs
    size = folders[0].bytes
    parts = list(batches(((each, None) for each in folders), most_bytes=3 * size))
    assert [each.id for part in parts for each, _ in part.items] == [each.id for each in folders]
    assert all(part.bytes <= 3 * size for part in parts)
    assert len(list(batches(((each, None) for each in folders), most_runs=5))) == 3
    assert len(list(batches(((each, None) for each in folders), most_bytes=1))) == len(folders)


def test_a_batch_tells_results_not_curves(tmp_path: Path) -> None:
    folders = discover([sweep(tmp_path)]).runs
    (part,) = batches((each, None) for each in folders)
    found = diagnosed(part, Job(selection=select(NONE)))
    size = len(pickle.dumps(found)) / len(found)
    assert size < 12_000
    assert all(told is not None and told.record is None for told in found)


@pytest.mark.parametrize("cache", [(), ("--no-cache",)])
def test_the_command_scans_in_as_many_processes_as_it_is_told(
    tmp_path: Path, cache: tuple[str, ...]
) -> None:
    sweep(tmp_path / "logs")
    words = ("scan", "logs", "--format", "json", *cache)
    several = process(*words, "--jobs", "2", cwd=tmp_path)
    assert several.stderr == b""
    one = process(*words, cwd=tmp_path, TBDIAG_CACHE_DIR=str(tmp_path / "other"))
    assert several.stdout == one.stdout
    assert several.returncode == one.returncode == 1
