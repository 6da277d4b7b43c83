"""How summaries get into a folder: once, whole, with nothing lost, whoever else is writing."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from tbdiag.errors import SummaryError
from tbdiag.summaries import events, files, is_own, own
from tbdiag.summaries.events import Entry, Moment
from tests.cli.builders import event_dir


def a_view(step: int, wall: float | None = None, *, words: str = "") -> list[Entry]:
    """What a scan tells at a step, by default at as many seconds."""
    at = Moment(step, float(step) if wall is None else wall)
    return [
        events.scalar(at, "findings/errors", float(step), ""),
        events.text(at, "tbdiag/summary", words or f"at {step}"),
        events.document(at, own.RUN, f'{{"step":{step}}}', f"key {step} {words}"),
    ]


def keep(folder: Path, view: Sequence[Entry], now: float = 1_700_000_000.0) -> bool:
    keys = [each.content.decode() for each in view if each.content]
    return files.keep(folder, keys, lambda: view, lambda: now, anywhere=True)


def told(folder: Path) -> list[tuple[str, int]]:
    """(tag, step) of all that the folder's files hold."""
    found = [own.content(folder / name) for name in own.names(folder)]
    return sorted((each.tag, each.step) for data in found if data for each in events.unpacked(data))


def steps(folder: Path) -> list[int]:
    return [step for tag, step in told(folder) if tag == "findings/errors"]


def full(folder: Path) -> list[str]:
    return [name for name in own.names(folder) if own.content(folder / name)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run" / "tbdiag"


def test_the_same_is_written_once(folder: Path) -> None:
    assert keep(folder, a_view(5), now=1e9)
    before = sorted(folder.iterdir())
    assert not keep(folder, a_view(5), now=2e9)
    assert sorted(folder.iterdir()) == before
    assert is_own(before[0])


def test_equal_summaries_are_equal_bytes_whatever_the_time(tmp_path: Path) -> None:
    for name, now in (("a", 1e9), ("b", 2e9)):
        keep(tmp_path / name / "tbdiag", a_view(5), now=now)
    (one,), (other,) = ((tmp_path / name / "tbdiag").iterdir() for name in "ab")
    assert one.read_bytes() == other.read_bytes()
    assert one.name.split(".")[4:] == other.name.split(".")[4:], "the digest is part of the name"


def test_a_key_that_is_known_spares_the_making(folder: Path) -> None:
    view = a_view(5)
    keep(folder, view)

    def make() -> list[Entry]:
        raise AssertionError("nothing had to be made")

    assert not files.keep(folder, [view[-1].content.decode()], make)


def test_a_file_that_was_cut_is_written_again(folder: Path) -> None:
    keep(folder, a_view(5))
    (name,) = full(folder)
    path = folder / name
    path.write_bytes(path.read_bytes()[:-20])
    assert keep(folder, a_view(5))
    assert told(folder) == sorted((each.tag, 5) for each in a_view(5))


def test_steps_become_a_history_of_which_only_numbers_and_texts_are_kept(folder: Path) -> None:
    for step in (10, 20, 30):
        assert keep(folder, a_view(step))
    assert steps(folder) == [10, 20, 30]
    assert [step for tag, step in told(folder) if tag == own.RUN] == [30]
    assert [step for tag, step in told(folder) if tag == "tbdiag/summary"] == [10, 20, 30]


def test_a_history_is_bounded(folder: Path) -> None:
    for step in range(1, 16):
        keep(folder, a_view(step))
    assert len(steps(folder)) == 15
    assert [step for tag, step in told(folder) if tag == "tbdiag/summary"] == [*range(6, 16)]


def test_names_sort_later_also_where_the_clock_went_back(folder: Path) -> None:
    seen: list[str] = []
    for step, now in ((1, 1_700_000_000), (2, 1_700_000_000), (3, 1_600_000_000)):
        keep(folder, a_view(step), now=float(now))
        seen.append(full(folder)[0])
    assert seen == sorted(seen)
    assert len(set(seen)) == 3


def test_the_former_file_becomes_a_stub_and_goes_with_the_next(folder: Path) -> None:
    keep(folder, a_view(1))
    (first,) = full(folder)
    keep(folder, a_view(2))
    assert (folder / first).read_bytes() == events.header()
    assert len(list(folder.iterdir())) == 2
    keep(folder, a_view(3))
    assert not (folder / first).exists()
    assert len(list(folder.iterdir())) == 2


def test_a_training_that_was_started_over_voids_later_steps(folder: Path) -> None:
    keep(folder, a_view(10, wall=100.0))
    keep(folder, a_view(20, wall=200.0))
    keep(folder, a_view(15, wall=300.0))
    assert steps(folder) == [10, 15]


def test_a_scan_that_saw_less_does_not_undo_one_that_saw_more(folder: Path) -> None:
    keep(folder, a_view(20, wall=200.0))
    assert keep(folder, a_view(10, wall=100.0)), "it was late, but its step is news"
    assert steps(folder) == [10, 20]
    assert [step for tag, step in told(folder) if tag == own.RUN] == [20]


def test_a_write_that_fails_leaves_what_there_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(folder, a_view(1))
    before = {path: path.read_bytes() for path in folder.iterdir()}

    def full_disk(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full_disk)
        with pytest.raises(SummaryError, match="No space left on device"):
            keep(folder, a_view(2))
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert keep(folder, a_view(2))


def test_a_writer_killed_before_the_former_file_was_emptied_costs_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(folder, a_view(1))
    with monkeypatch.context() as patch:
        patch.setattr(files, "_retire", lambda former: None)
        keep(folder, a_view(2))
    assert len(full(folder)) == 2
    assert keep(folder, a_view(3))
    assert steps(folder) == [1, 2, 3]
    assert len(full(folder)) == 1


def test_no_file_is_ever_seen_that_is_not_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fsync = os.fsync

    def looked(descriptor: int) -> None:
        seen.extend(path.name for path in folder.iterdir() if "tfevents" in path.name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", looked)
    keep(folder, a_view(1))
    assert seen, "the draft and the folder were brought onto the disk"
    assert all(own.content(folder / name) for name in seen)


def test_drafts_of_killed_writers_are_removed_when_they_are_old(folder: Path) -> None:
    keep(folder, a_view(1))
    old, new = (folder / f".{digit * 16}.1.tbdiag-draft" for digit in "ab")
    for path in (old, new):
        path.write_bytes(b"torn")
    os.utime(old, (0, 0))
    keep(folder, a_view(2))
    assert (old.exists(), new.exists()) == (False, True)


def test_a_run_of_the_users_is_not_written_into(tmp_path: Path) -> None:
    run = event_dir(tmp_path / "tbdiag")
    with pytest.raises(SummaryError, match="holds a run"):
        keep(run, a_view(1))
    assert len(list(run.iterdir())) == 1


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "tbdiag").write_text("a file")
    with pytest.raises(SummaryError, match=r"tbdiag: File exists"):
        keep(tmp_path / "tbdiag", a_view(1))


def _write_many(folder: Path, first: int, locks: bool) -> None:
    if not locks:
        files.locked = lambda *_: nullcontext()  # type: ignore[assignment]
    for step in range(first, 40, 4):
        keep(folder, a_view(step))


@pytest.mark.parametrize("locks", [True, False])
def test_scans_at_once_lose_nothing(folder: Path, locks: bool) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_many, args=(folder, n, locks)) for n in (1, 2, 3, 4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join(60)
    assert [each.exitcode for each in writers] == [0] * 4
    assert len(full(folder)) == 1 or not locks
    assert not [path for path in folder.iterdir() if own.is_draft(path.name)]
    assert {*steps(folder)} == {*range(1, 40)}
    keep(folder, a_view(40))
    assert steps(folder) == [*range(1, 41)], "where there are no locks, the next scan joins it all"


def test_a_session_leaves_the_users_files_and_their_order_alone(tmp_path: Path) -> None:
    run = event_dir(tmp_path / "run")
    (before,) = run.iterdir()
    data = before.read_bytes()
    session = events.session({"lr": 0.1}, 1.0, 2.0, succeeded=True)
    assert files.keep_session(run, session)
    assert not files.keep_session(run, session)
    assert before.read_bytes() == data
    assert sorted(path.name for path in run.iterdir())[0] == before.name
    (own_file,) = own.names(run)
    assert b"session_log" not in (run / own_file).read_bytes()
    assert files.keep_session(run, [])
    assert own.content(run / own_file) is None
    assert not full(run)
