from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tbdiag.errors import NoRunsError
from tbdiag.reading import discover as discover_module
from tbdiag.reading.discover import Discovery, discover
from tests.reading.eventfiles import NAME, hparams, scalar, scalars, write


def runs(found: Discovery) -> dict[str, list[tuple[str, str]]]:
    """Every run's id with (path below the run, prefix) of its files."""
    return {
        run.id: [
            (Path(os.path.relpath(file.path, run.path)).as_posix(), file.prefix)
            for file in run.files
        ]
        for run in found.runs
    }


def touch(*paths: Path) -> None:
    for path in paths:
        write(path)


def test_each_folder_is_a_run_named_by_its_path_in_natural_order(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    touch(logs / NAME, logs / "run_10" / NAME, logs / "run_2" / NAME, logs / "a/b" / NAME)
    found = discover([logs])
    assert [run.id for run in found.runs] == ["a/b", "logs", "run_2", "run_10"]
    assert found.bytes == sum(path.stat().st_size for path in logs.rglob(NAME))
    assert found == discover([logs])


def test_files_of_one_folder_are_one_run_in_name_order(tmp_path: Path) -> None:
    names = ["events.out.tfevents.2.host", "events.out.tfevents.1.host", "events.out.tfevents"]
    touch(*(tmp_path / "run" / name for name in names))
    (run,) = discover([tmp_path]).runs
    assert [file.path.name for file in run.files] == sorted(names)


def test_what_is_no_log_of_a_training_is_left_out(tmp_path: Path) -> None:
    touch(
        tmp_path / "run" / ("._" + NAME),
        tmp_path / "run" / "host.profile-empty",
        tmp_path / "run" / "events.out.tfevents.1.host.profile-empty",
        tmp_path / "run" / "tbdiag" / "events.out.tfevents.1.host.tbdiag",
        tmp_path / ".tbdiag" / NAME,
        tmp_path / "run" / "notes.txt",
    )
    assert discover([tmp_path]) == Discovery()
    touch(tmp_path / "tbdiag" / NAME, tmp_path / "run" / "events.out.tfevents.1.host.tbdiag")
    assert [run.id for run in discover([tmp_path]).runs] == ["run", "tbdiag"]


@pytest.mark.parametrize(
    ("train", "validation"),
    [
        ("train", "validation"),
        ("training", "val"),
        ("learn", "test"),
        ("train_log", "valid_log"),
        ("Train", "Eval"),
        ("train", "dev"),
    ],
)
def test_split_folders_are_one_run(tmp_path: Path, train: str, validation: str) -> None:
    touch(tmp_path / "log" / train / NAME, tmp_path / "log" / validation / NAME)
    assert runs(discover([tmp_path])) == {
        "log": sorted(
            [(f"{train}/{NAME}", f"{train}/"), (f"{validation}/{NAME}", f"{validation}/")]
        )
    }
    assert list(runs(discover([tmp_path / "log"]))) == ["log"]
    assert list(runs(discover([tmp_path / "log" / train, tmp_path / "log" / validation]))) == [
        "log"
    ]


def test_an_estimators_evaluation_belongs_to_its_model(tmp_path: Path) -> None:
    model = tmp_path / "model"
    touch(model / NAME, model / "eval" / NAME, model / "eval_holdout" / NAME)
    assert runs(discover([tmp_path])) == {
        "model": [(NAME, ""), (f"eval/{NAME}", "eval/"), (f"eval_holdout/{NAME}", "eval_holdout/")]
    }


def test_a_lone_split_folder_belongs_to_its_parent(tmp_path: Path) -> None:
    touch(tmp_path / "a/log/validation" / NAME, tmp_path / "b/train" / NAME)
    assert runs(discover([tmp_path])) == {
        "a/log": [(f"validation/{NAME}", "validation/")],
        "b": [(f"train/{NAME}", "train/")],
    }


def test_runs_that_happen_to_be_named_train_or_test_are_runs(tmp_path: Path) -> None:
    touch(*(tmp_path / "yolo" / name / NAME for name in ("train", "train2", "train3")))
    touch(*(tmp_path / "mine" / name / NAME for name in ("test", "run1")))
    assert list(runs(discover([tmp_path]))) == [
        "mine/run1",
        "mine/test",
        "yolo/train",
        "yolo/train2",
        "yolo/train3",
    ]


def test_sub_runs_of_add_scalars_are_curves_of_their_parent(tmp_path: Path) -> None:
    write(tmp_path / "run" / NAME, *scalars("other", range(3)))
    for key in ("train", "my_val"):
        write(tmp_path / "run" / f"loss_all_{key}" / NAME, *scalars("loss/all", range(3)))
    write(tmp_path / "run" / "loss_of_another_kind" / NAME, *scalars("loss/all", range(3)))
    found = discover([tmp_path])
    assert [run.id for run in found.runs] == ["run", "run/loss_of_another_kind"]
    assert [file.key for file in found.runs[0].files] == ["", "my_val", "train"]


def test_the_sub_run_of_add_hparams_belongs_to_its_parent(tmp_path: Path) -> None:
    for sub in ("1699887583.123", "hyperparameters"):
        write(tmp_path / sub / "run" / NAME, *scalars("loss", range(3)))
        write(tmp_path / sub / "run" / sub / NAME, hparams({"lr": 0.1}), scalar("hparam/acc", 0))
        (run,) = discover([tmp_path / sub]).runs
        assert [(file.path.parent.name, file.hparams_only) for file in run.files] == [
            ("run", False),
            (sub, True),
        ]


def test_the_runs_of_a_sweep_stay_apart(tmp_path: Path) -> None:
    write(tmp_path / "sweep" / NAME)  # Keras: the experiment's configuration
    for number in range(3):
        folder = tmp_path / "sweep" / f"run-{number}"
        write(folder / NAME, hparams({"units": number}), scalar("accuracy", 1))
    assert [run.id for run in discover([tmp_path]).runs] == [
        "sweep",
        "sweep/run-0",
        "sweep/run-1",
        "sweep/run-2",
    ]


def test_a_path_may_be_a_file_and_files_of_one_folder_are_one_run(tmp_path: Path) -> None:
    first, second = tmp_path / "run" / NAME, tmp_path / "run" / "events.out.tfevents.2"
    touch(first, second)
    assert runs(discover([first])) == {"run": [(NAME, "")]}
    assert list(runs(discover([second, first]))) == ["run"]


def test_paths_that_cannot_be_scanned_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NoRunsError, match=r"missing does not exist$"):
        discover([tmp_path / "missing"])
    (tmp_path / "train.py").write_text("")
    with pytest.raises(NoRunsError, match=r"train\.py is not an event file"):
        discover([tmp_path / "train.py"])
    assert discover([tmp_path]) == Discovery()


def test_runs_of_several_roots_are_told_apart(tmp_path: Path) -> None:
    touch(*(tmp_path / root / "run" / NAME for root in ("a/logs", "b/logs", "c/other")))
    touch(tmp_path / "c/other/single" / NAME)
    found = discover([tmp_path / root for root in ("a/logs", "b/logs", "c/other")])
    ids = [run.id for run in found.runs]
    assert len(set(ids)) == 4
    assert {"logs/run", "other/run", "single"} <= set(ids)


def test_overlapping_paths_are_read_once(tmp_path: Path) -> None:
    touch(tmp_path / "a/b" / NAME, tmp_path / "a/c" / NAME)
    found = discover([tmp_path / "a/b", tmp_path / "a", tmp_path / "a/c" / NAME])
    assert [run.id for run in found.runs] == ["b", "c"]


def test_links_may_form_loops_and_count_once(tmp_path: Path) -> None:
    touch(tmp_path / "logs/run_7" / NAME, tmp_path / "elsewhere/far" / NAME)
    logs = tmp_path / "logs"
    (logs / "latest").symlink_to("run_7")
    (logs / "run_7" / "up").symlink_to(logs)
    (logs / "run_7" / "again.tfevents").symlink_to(NAME)
    (logs / "broken").symlink_to("nowhere")
    (logs / "outside").symlink_to(tmp_path / "elsewhere")
    assert [run.id for run in discover([logs]).runs] == ["outside/far", "run_7"]
    assert len(discover([logs]).runs[1].files) == 1
    assert [run.id for run in discover([logs], follow_symlinks=False).runs] == ["run_7"]


def test_a_broken_link_to_an_event_file_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to("nowhere")
    found = discover([tmp_path])
    assert found.runs == ()
    assert found.unread == ((str(tmp_path / NAME), "No such file or directory"),)


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "closed" / NAME, tmp_path / "open" / NAME, tmp_path / "open" / "b.tfevents")
    os.mkfifo(tmp_path / "open" / "pipe.tfevents")
    scandir, access = os.scandir, os.access

    def guarded(path: str):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(discover_module.os, "scandir", guarded)
    monkeypatch.setattr(
        discover_module.os, "access", lambda path, mode: "b.tf" not in path and access(path, mode)
    )
    found = discover([tmp_path])
    assert runs(found) == {"open": [(NAME, "")]}
    assert found.unread == (
        (str(tmp_path / "closed"), "Permission denied"),
        (str(tmp_path / "open" / "b.tfevents"), "Permission denied"),
        (str(tmp_path / "open" / "pipe.tfevents"), "not a regular file"),
    )


@pytest.mark.parametrize("name", ["a=1; b=[2,  3]", "ünï-中文", " blank ", "[x](y)", "-n"])
def test_any_name_is_a_name(tmp_path: Path, name: str) -> None:
    touch(tmp_path / name / NAME)
    assert list(runs(discover([tmp_path]))) == [name]


def test_a_name_that_is_no_unicode_is_printable(tmp_path: Path) -> None:
    touch(Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff")) / NAME)
    (run,) = discover([tmp_path]).runs
    assert run.id == r"bad\xff"
    assert run.files[0].path.exists()
    run.id.encode("utf-8")


def test_five_hundred_runs_are_found_at_once(tmp_path: Path) -> None:
    for number in range(500):
        folder = tmp_path / f"run_{number}"
        folder.mkdir()
        (folder / NAME).write_bytes(b"")
    started = time.process_time()
    assert len(discover([tmp_path]).runs) == 500
    assert time.process_time() - started < 0.5
