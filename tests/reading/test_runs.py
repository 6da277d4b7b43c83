from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tbdiag.errors import ReadError
from tbdiag.model.role import Override, Role
from tbdiag.model.run import Run
from tbdiag.reading import records
from tbdiag.reading.discover import discover
from tbdiag.reading.runs import load, read_all
from tests.reading.eventfiles import (
    NAME,
    event,
    histo,
    hparams,
    scalar,
    scalars,
    start,
    text,
    write,
)


def load_all(root: Path) -> list[Run]:
    return [run for files in discover([root]).runs for run in load(files)]


def load_one(root: Path) -> Run:
    (run,) = load_all(root)
    return run


def test_a_run_holds_all_that_was_logged(tmp_path: Path) -> None:
    weights = histo("w", [1.0, 2.0], [0, 4], min=1.25, max=2.0, num=4, sum=6.0, sum_squares=9.5)
    write(
        tmp_path / "run" / NAME,
        *scalars("loss", range(5)),
        event(3, weights),
        text("note", "hello"),
        hparams({"lr": 0.1}),
    )
    run = load_one(tmp_path)
    assert (run.id, run.path) == ("run", tmp_path / "run")
    assert run.series["loss"].values.tolist() == [0, 1, 2, 3, 4]
    assert run.series["loss"].wall_times.tolist() == [1000, 1001, 1002, 1003, 1004]
    assert run.histograms["w"].steps.tolist() == [3]
    assert run.histograms["w"].records[0].edges.tolist() == [1.25, 2.0]
    assert run.texts == {"note": "hello"}
    assert run.hparams["lr"].value == 0.1
    assert run.provenance.files == (NAME,)
    assert run.provenance.points == 5


def test_nan_and_infinity_stand_apart(tmp_path: Path) -> None:
    numbers = [1.0, float("nan"), 2.0, float("inf"), float("-inf")]
    write(tmp_path / NAME, *(scalar("loss", i, number) for i, number in enumerate(numbers)))
    run = load_one(tmp_path)
    assert run.series["loss"].steps.tolist() == [0, 2]
    assert run.series["loss"].nonfinite.steps.tolist() == [1, 3, 4]
    assert np.isnan(run.series["loss"].nonfinite.values[0])
    assert run.provenance.points == 5


def test_split_folders_prefix_their_tags(tmp_path: Path) -> None:
    write(tmp_path / "k" / "train" / NAME, *scalars("epoch_loss", range(5)))
    write(tmp_path / "k" / "validation" / NAME, *scalars("epoch_loss", range(5)))
    run = load_one(tmp_path)
    assert set(run.series) == {"train/epoch_loss", "validation/epoch_loss"}
    assert run.provenance.files == (f"train/{NAME}", f"validation/{NAME}")


def test_a_lone_train_folder_whose_tags_tell_the_split_is_a_run_itself(tmp_path: Path) -> None:
    logged = [*scalars("train/box_loss", range(3)), *scalars("val/box_loss", range(3))]
    write(tmp_path / "detect" / "train" / NAME, *logged)
    run = load_one(tmp_path)
    assert (run.id, run.path.name) == ("detect/train", "train")
    assert set(run.series) == {"train/box_loss", "val/box_loss"}


def test_add_scalars_gives_one_curve_for_each_key(tmp_path: Path) -> None:
    write(tmp_path / "run" / NAME, *scalars("lr", range(3)))
    for key in ("train", "val"):
        write(tmp_path / "run" / f"a_loss_{key}" / NAME, *scalars("a/loss", range(3)))
    assert set(load_one(tmp_path).series) == {"lr", "a/loss/train", "a/loss/val"}


def test_add_hparams_does_not_disturb_the_curves(tmp_path: Path) -> None:
    write(tmp_path / "run" / NAME, *scalars("acc", range(10)))
    summary = [hparams({"lr": 0.1}, at=2000), scalar("acc", 0, 0.9, at=2000)]
    write(tmp_path / "run" / "1700000100.5" / NAME, *summary)
    write(tmp_path / "run" / "events.out.tfevents.1700000200.host", *summary)
    run = load_one(tmp_path)
    assert run.series["acc"].values.tolist() == [*range(10)]
    assert (run.provenance.restarts, run.provenance.notes) == ((), ())
    assert run.hparams["lr"].source == "event file"


def test_a_resumed_run_is_one_run_with_a_restart(tmp_path: Path) -> None:
    write(tmp_path / "run" / "a.tfevents.1", *scalars("loss", range(60)))
    write(tmp_path / "run" / "a.tfevents.2", *scalars("loss", range(40, 100), at=2000))
    run = load_one(tmp_path)
    assert run.series["loss"].steps.tolist() == [*range(100)]
    (restart,) = run.provenance.restarts
    assert (restart.step, restart.reached, restart.dropped) == (40, 59, 20)
    assert run.provenance.points == 100


def test_a_resume_told_by_a_session_start_is_a_restart_too(tmp_path: Path) -> None:
    write(tmp_path / "run" / "a.tfevents.1", *scalars("loss", range(60)))
    later = [start(40, at=2000), *scalars("loss", range(45, 70), at=2001)]
    write(tmp_path / "run" / "a.tfevents.2", *later)
    run = load_one(tmp_path)
    assert run.series["loss"].steps.tolist() == [*range(40), *range(45, 70)]
    (restart,) = run.provenance.restarts
    assert (restart.step, restart.reached, restart.dropped) == (40, 59, 20)


def test_trainings_that_share_a_folder_are_runs_of_their_own(tmp_path: Path) -> None:
    for number in range(3):
        logged = [hparams({"lr": number}), *scalars("loss", range(5 + number), at=1000 * number)]
        write(tmp_path / "hf" / f"events.out.tfevents.170000000{number}.host.1.0", *logged)
        tail = tmp_path / "hf" / f"events.out.tfevents.170000000{number}.host.1.1"
        write(tail, scalar("eval", 5, at=1000 * number + 50))
    runs = load_all(tmp_path)
    assert [run.id for run in runs] == ["hf [1700000000]", "hf [1700000001]", "hf [1700000002]"]
    assert [len(run.series["loss"]) for run in runs] == [5, 6, 7]
    assert all(len(run.series["eval"]) == 1 for run in runs)
    assert [run.hparams["lr"].value for run in runs] == [0, 1, 2]
    assert runs[0].provenance.notes == (
        "3 trainings were logged into this folder: each is a run of its own",
    )


def test_trainings_that_share_split_folders_stay_paired(tmp_path: Path) -> None:
    for number in range(2):
        for split in ("train", "validation"):
            name = f"events.out.tfevents.170000000{number}.host"
            write(tmp_path / split / name, *scalars("loss", range(4 + number), at=1000 * number))
    runs = load_all(tmp_path)
    assert [[len(curve) for curve in run.series.values()] for run in runs] == [[4, 4], [5, 5]]


def test_histograms_of_an_abandoned_branch_go_too(tmp_path: Path) -> None:
    def weights(step: int, count: int, at: float) -> object:
        made = histo("w", [0.0, 1.0], [0, count], min=0, max=1, num=count, sum=1, sum_squares=1)
        return event(step, made, at=at)

    first = [weights(step, 1, step) for step in range(10)]
    again = [weights(step, 2, 100 + step) for step in range(6, 12)]
    write(tmp_path / "run" / NAME, *first, *again)
    found = load_one(tmp_path).histograms["w"]
    assert found.steps.tolist() == [*range(12)]
    assert [record.size for record in found.records] == [1.0] * 6 + [2.0] * 6


def test_damage_is_told_with_its_place_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "run" / "train" / NAME, *scalars("loss", range(5)))
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0" * 1000)
    write(tmp_path / "run" / "validation" / NAME, *scalars("loss", range(5)))
    torn = tmp_path / "run" / "validation" / NAME
    torn.write_bytes(torn.read_bytes()[:-3])
    run = load_one(tmp_path)
    corrupt, cut = run.provenance.damages
    assert (corrupt.file, corrupt.offset, corrupt.lost) == (f"train/{NAME}", len(whole), 1000)
    assert (cut.file, cut.torn) == (f"validation/{NAME}", True)
    assert (run.provenance.corrupt_bytes, run.provenance.truncated) == (1000, True)
    assert [len(curve) for curve in run.series.values()] == [5, 4]


def test_a_file_that_vanishes_or_is_closed_is_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "run" / "a.tfevents", *scalars("loss", range(5)))
    gone = write(tmp_path / "run" / "b.tfevents", *scalars("loss", range(5)))
    closed = write(tmp_path / "run" / "c.tfevents", *scalars("loss", range(5)))
    (files,) = discover([tmp_path]).runs
    gone.unlink()
    read = records.read

    def guarded(path: Path, limit: int | None = None) -> object:
        if path == closed:
            raise ReadError(f"{path}: Permission denied")
        return read(path, limit)

    monkeypatch.setattr(records, "read", guarded)
    (run,) = load(files)
    assert len(run.series["loss"]) == 5
    assert [(damage.file, damage.reason) for damage in run.provenance.damages] == [
        ("b.tfevents", "cannot be read: No such file or directory"),
        ("c.tfevents", "cannot be read: Permission denied"),
    ]


def test_roles_are_bound_and_may_be_overridden(tmp_path: Path) -> None:
    falling = [scalar(tag, i, 9.0 / (i + 1)) for i in range(20) for tag in ("mine", "loss/train")]
    write(tmp_path / NAME, *falling)
    (files,) = discover([tmp_path]).runs
    (plain,) = load(files)
    assert plain.roles.bound[Role.TRAIN_LOSS].tag == "loss/train"
    (told,) = load(files, {Role.TRAIN_LOSS: Override("mine")})
    assert told.roles.bound[Role.TRAIN_LOSS].tag == "mine"


def test_read_all_goes_through_a_discovery_in_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write(tmp_path / name / NAME, *scalars("loss", range(3)))
    found = discover([tmp_path])
    assert [(files.id, run.id) for files, (run,) in read_all(found)] == [("a", "a"), ("b", "b")]
