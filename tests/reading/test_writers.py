"""Who wrote at the same time as another, told from whole event files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tbdiag
from tbdiag.config import Config
from tbdiag.model.run import Mixture, Provenance, Writing
from tbdiag.reading.columns import Points
from tbdiag.reading.discover import discover
from tbdiag.reading.plain import plain, restored
from tbdiag.reading.runs import load
from tbdiag.reading.writers import part_of, turns_within
from tests.reading.eventfiles import scalar, scalars, write

FIRST = "events.out.tfevents.1700000000.gpu1.lab.org.11.0"
SECOND = "events.out.tfevents.1700000001.gpu1.lab.org.12.0"


def provenances(folder: Path) -> list[Provenance]:
    return [run.provenance for files in discover([folder]).runs for run in load(files)]


def mixtures(folder: Path) -> list[Mixture]:
    return [each for told in provenances(folder) for each in told.mixtures]


def test_each_file_tells_who_wrote_it_and_when(tmp_path: Path) -> None:
    write(tmp_path / FIRST, *scalars("loss", range(10), at=1000))
    write(tmp_path / "events.out.tfevents.1700000050.节点", *scalars("lr", range(10), at=1020))
    (told,) = provenances(tmp_path)
    assert told.writings == (
        Writing(file=FIRST, first=1000, last=1009, host="gpu1.lab.org", process=11),
        Writing(file="events.out.tfevents.1700000050.节点", first=1020, last=1029, host="节点"),
    )


def test_two_trainings_of_one_folder_at_once_lie_apart(tmp_path: Path) -> None:
    write(tmp_path / FIRST, *scalars("loss", range(20), at=1000))
    write(tmp_path / SECOND, *scalars("loss", range(20), at=1005.5))
    found = mixtures(tmp_path)
    assert len(found) == 2  # one for each of the two runs
    assert found[0] == found[1]
    assert (found[0].files, found[0].writers, found[0].processes) == ((FIRST, SECOND), 2, True)
    assert (found[0].first, found[0].last) == (1006, 1018.5)
    assert (found[0].points, found[0].tags, found[0].apart) == (28, 1, True)


def test_a_process_that_outlived_a_resume_is_mixed_in(tmp_path: Path) -> None:
    write(tmp_path / FIRST, *scalars("loss", range(40), at=1000))
    write(tmp_path / SECOND, *scalars("loss", range(10, 50), at=1020.5))
    (found,) = mixtures(tmp_path)
    assert not found.apart
    assert (found.writers, found.first, found.last) == (2, 1021, 1038.5)


@pytest.mark.parametrize("start", [10, 40])
def test_a_resumed_run_is_written_by_one_after_the_other(tmp_path: Path, start: int) -> None:
    write(tmp_path / FIRST, *scalars("loss", range(40), at=1000))
    write(tmp_path / SECOND, *scalars("loss", range(start, 60), at=5000))
    assert mixtures(tmp_path) == []


def test_training_and_validation_have_folders_of_their_own(tmp_path: Path) -> None:
    write(tmp_path / "run" / "train" / FIRST, *scalars("epoch_loss", range(20), at=1000))
    write(tmp_path / "run" / "validation" / SECOND, *scalars("epoch_loss", range(20), at=1000.5))
    (told,) = provenances(tmp_path)
    assert (len(told.writings), told.mixtures) == (2, ())


def test_two_writers_of_disjoint_tags_do_not_mix(tmp_path: Path) -> None:
    write(tmp_path / FIRST, *scalars("loss", range(20), at=1000))
    write(tmp_path / FIRST.replace("11.0", "11.1"), *scalars("lr", range(20), at=1000.5))
    assert mixtures(tmp_path) == []


def test_two_writers_of_one_process_are_told_as_such(tmp_path: Path) -> None:
    write(tmp_path / FIRST, *scalars("loss", range(20), at=1000))
    write(tmp_path / FIRST.replace("11.0", "11.1"), *scalars("loss", range(20), at=1000.5))
    assert not mixtures(tmp_path)[0].processes


def test_a_copy_is_no_second_writer(tmp_path: Path) -> None:
    write(tmp_path / FIRST, *scalars("loss", range(40), at=1000))
    shutil.copy(tmp_path / FIRST, tmp_path / f"{FIRST}.bak")
    write(tmp_path / SECOND, *scalars("loss", range(30), at=1000))  # an older copy
    assert mixtures(tmp_path) == []


def test_the_ranks_of_one_training_are_one_group(tmp_path: Path) -> None:
    for rank in range(4):
        name = FIRST.replace(".11.0", f".{11 + rank}.0")
        write(tmp_path / name, *scalars("loss", range(20), at=1000 + rank / 10))
    found = mixtures(tmp_path)
    assert [each.writers for each in found] == [4, 4, 4, 4]
    assert len(found[0].files) == 4


def in_turns(*rows: Sequence[int]) -> list[int]:
    """The steps of several rows, one of each in turn."""
    longest = max(map(len, rows))
    return [row[i] for i in range(longest) for row in rows if i < len(row)]


def test_two_writers_of_one_file_take_turns(tmp_path: Path) -> None:
    write(tmp_path / FIRST, *scalars("loss", in_turns(range(500, 540), range(40)), at=1000))
    (found,) = mixtures(tmp_path)
    assert (found.files, found.writers, found.apart) == ((FIRST,), 2, False)
    assert found.points == 80


@pytest.mark.parametrize(
    "steps",
    [
        [*range(100), *range(60, 140), *range(90, 200)],  # resumed twice
        [*range(50)] * 3,  # started over twice
        [*range(20)] * 8,  # a counter of batches that each epoch begins anew
        [*range(100)],
    ],
)
def test_restarts_are_no_second_writer(steps: list[int]) -> None:
    points = Points.of(steps, steps, range(len(steps)))
    part = part_of(FIRST, {"loss": points})
    assert part is not None
    assert turns_within(part, ["loss"]) is None


@given(st.lists(st.integers(0, 60), max_size=60))
def test_any_steps_are_looked_at(steps: list[int]) -> None:
    part = part_of(FIRST, {"loss": Points.of(steps, steps, range(len(steps)))})
    found = turns_within(part, ["loss"]) if part else None
    assert found is None or 2 <= found.writers <= 4


def test_what_was_mixed_comes_back_out_of_the_cache(tmp_path: Path) -> None:
    write(tmp_path / FIRST, *scalars("loss", range(40), at=1000))
    write(tmp_path / SECOND, *scalars("loss", range(10, 50), at=1020.5))
    (told,) = provenances(tmp_path)
    assert restored(Provenance, plain(told)) == told
    for _ in range(2):  # the second time out of the cache
        (run,) = tbdiag.load(tmp_path, config=Config())
        assert run.provenance == told


def test_a_scan_names_what_was_mixed(tmp_path: Path) -> None:
    write(tmp_path / FIRST, *scalars("loss", range(40), at=1000))
    write(tmp_path / SECOND, *scalars("loss", range(10, 50), at=1020.5))
    texts = []
    for _ in range(2):  # the second time out of the cache
        report = tbdiag.scan(tmp_path, select="LOG", config=Config())
        texts.append(report.to_json())
        finding = next(each for each in report.runs[0].findings if each.code == "LOG002")
        assert finding.message == (
            "2 processes logged the same curve into 2 files of this run at once for 18 s"
        )
    assert texts[0] == texts[1]


def test_the_files_of_one_moment_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path / FIRST, scalar("accuracy", 0, at=1000))
    write(tmp_path / SECOND, scalar("accuracy", 0, at=1000))
    assert mixtures(tmp_path) == []
