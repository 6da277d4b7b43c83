"""Which runs are comparable: the same objective, project, data and kind of settings."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
import pytest

from tbdiag.model.role import Better, Override, Role, RoleMap
from tbdiag.model.run import HParam, Run
from tbdiag.search import Search
from tbdiag.search.entrant import differing, entrant, needed, numeric, settings_of
from tbdiag.search.noise import noise
from tbdiag.synth import a_run, a_search, flat

RATES = [{"lr": 10.0**-at, "epochs": 40} for at in range(2, 6)]


def families(*runs: Run, objective: Override | None = None) -> list[list[str]]:
    return [[each.run.id for each in f.entrants] for f in Search(runs, objective).families]


def moved(run: Run, path: str) -> Run:
    return replace(run, id=path, path=PurePosixPath("logs", path))


def with_settings(run: Run, **settings: object) -> Run:
    new = {name: HParam(value, "sample") for name, value in settings.items()}
    return replace(run, hparams={**run.hparams, **new})


def test_runs_of_a_folder_are_a_family() -> None:
    assert families(*a_search(RATES, [0.4] * 4)) == [["run00", "run01", "run02", "run03"]]


def test_other_data_are_another_family() -> None:
    runs = a_search(RATES, [0.4] * 4)
    halves = [with_settings(run, dataset=name) for run, name in zip(runs, "aabb", strict=True)]
    assert families(*halves) == [["run00", "run01"], ["run02", "run03"]]


def test_another_loss_matters_to_losses_only() -> None:
    def mixed(accuracies: list[float] | None) -> list[Run]:
        runs = a_search(RATES[:2], [0.4, 0.4], accuracies=accuracies)
        return [with_settings(run, loss=name) for run, name in zip(runs, "ab", strict=True)]

    assert families(*mixed(None)) == []
    assert len(families(*mixed([0.8, 0.9]))) == 1


def test_other_settings_are_another_program() -> None:
    runs = a_search(
        [{"lr": 1.0, "a": 1}, {"lr": 2.0, "a": 2}, {"x": 1, "y": 2}, {"x": 2, "y": 3}], [0.4] * 4
    )
    assert families(*runs) == [["run00", "run01"], ["run02", "run03"]]


def test_one_more_flag_is_the_same_program() -> None:
    runs = a_search(
        [{"lr": 1.0, "a": 1}, {"lr": 2.0, "a": 2}, {"lr": 3.0, "a": 2, "b": 1}], [0.4] * 3
    )
    assert len(families(*runs)) == 1


def test_two_projects_below_one_folder() -> None:
    one, two, three, four = a_search(RATES, [0.4] * 4)
    found = families(moved(one, "a/x"), moved(two, "a/y"), moved(three, "b/x"), moved(four, "b/y"))
    assert found == [["a/x", "a/y"], ["b/x", "b/y"]]


@pytest.mark.parametrize(
    "paths",
    [
        ["lr0.1/seed0", "lr0.1/seed1", "lr0.2/seed0", "lr0.2/seed1"],
        ["one/runs/Nov01", "two/runs/Nov02", "three/runs/Nov03", "four/runs/Nov04"],
        ["a", "b", "sub/c", "d"],
    ],
)
def test_folders_that_are_named_for_settings_or_hold_one_run_are_no_projects(
    paths: list[str],
) -> None:
    runs = a_search(RATES, [0.4] * 4)
    (found,) = families(*(moved(run, path) for run, path in zip(runs, paths, strict=True)))
    assert sorted(found) == sorted(paths)


def test_the_order_of_the_runs_means_nothing() -> None:
    runs = [
        *a_search(RATES, [0.4] * 4, folder="logs/a"),
        *(replace(run, id=f"b{run.id}") for run in a_search(RATES, [0.4] * 4, folder="logs/b")),
        *(with_settings(r, dataset="z") for r in a_search(RATES[:2], [0.4] * 2, folder="logs/c")),
    ]
    expected = families(*runs)
    for seed in range(5):
        shuffled = list(runs)
        random.Random(seed).shuffle(shuffled)
        assert families(*shuffled) == expected


def test_runs_without_settings_or_validation_are_in_none() -> None:
    bare = a_search([{}, {}], [0.4, 0.5])
    assert families(*bare) == []
    blind = [replace(run, roles=RoleMap()) for run in a_search(RATES, [0.4] * 4)]
    assert families(*blind) == []


def test_the_users_objective_comes_first() -> None:
    runs = a_search(RATES[:2], [0.4, 0.3], accuracies=[0.8, 0.7])
    (family,) = Search(runs).families
    assert (family.objective.role, family.ranked[0].run.id) == (Role.VAL_METRIC, "run00")
    (family,) = Search(runs, Override("val_loss")).families
    assert (family.objective.role, family.ranked[0].run.id) == (Role.VAL_LOSS, "run01")
    (family,) = Search(runs, Override("loss/train", Better.HIGHER)).families
    assert (family.objective.higher, family.ranked[0].run.id) == (True, "run00")
    assert families(*runs, objective=Override("eval/bleu")) == []


def test_seeds_and_bookkeeping_are_no_settings() -> None:
    (run,) = a_search([{"learning_rate": 0.1, "seed": 3, "output_dir": "x", "bs": 32}], [0.4])
    assert settings_of(run) == ({"lr": 0.1, "batch_size": 32}, {"seed": 3})


def test_the_curve_of_the_rate_stands_in_for_its_setting() -> None:
    curves = {Role.VAL_LOSS: flat(9, 1.0), Role.LEARNING_RATE: flat(9, np.float32(0.01))}
    assert settings_of(a_run(curves, hparams={"stages": 3}))[0] == {"stages": 3, "lr": 0.01}


def test_values_are_told_apart_by_what_they_mean() -> None:
    assert differing([{"a": 1}, {"a": 1.0}]) == ()
    assert differing([{"a": "1e-3"}, {"a": 0.001}]) == ()
    assert differing([{"a": True}, {"a": False}]) == ("a",)
    assert differing([{"a": None}, {}]) == ("a",)
    assert (numeric("1e-3"), numeric(True), numeric("nan"), numeric("adam")) == (
        0.001,
        None,
        None,
        None,
    )


def test_a_run_that_failed_is_the_worst() -> None:
    runs = a_search(RATES[:3], [0.4, np.nan, 0.3])
    (family,) = Search(runs).families
    assert [each.run.id for each in family.ranked] == ["run02", "run00", "run01"]


def test_copies_are_no_repeats() -> None:
    (run,) = a_search([{"lr": 0.1, "seed": 1}], [0.4])
    twin = replace(run, id="twin")
    entrants = [each for each in map(entrant, (run, twin)) if each is not None]
    found = noise(entrants, metric_sd=0.0019, loss_sd=0.01, weight=2.0)
    assert found is not None
    assert found.repeats == 0


@pytest.mark.parametrize(("scale", "samples"), [(1, 397), (100, 397)])
def test_the_validation_set_is_read_off_shares_and_percents(scale: int, samples: int) -> None:
    runs = a_search(RATES[:2], [0.4, 0.3], accuracies=[0.8, 0.9], samples=samples)
    entrants = []
    for run in runs:
        curve = run.series["accuracy/val"]
        series = {**run.series, curve.tag: curve.with_values(scale * curve.values)}
        found = entrant(replace(run, series=series))
        assert found is not None
        entrants.append(found)
    chance = noise(entrants, metric_sd=0.0019, loss_sd=0.01, weight=2.0)
    assert chance is not None
    assert chance.samples == samples
    assert chance.error == pytest.approx(scale * 0.0152, rel=0.05)
    assert chance.seed_sd == pytest.approx(scale * 0.0019)


def test_grouping_reads_no_curve() -> None:
    class Unread(dict):
        def __getitem__(self, tag: str) -> object:
            raise AssertionError(f"{tag} was read")

        __contains__ = __getitem__

    runs = a_search([{**each, "seed": 1} for each in RATES], [0.4] * 4)
    unread = [replace(run, series=Unread(run.series)) for run in runs]
    (family,) = Search(unread).families
    assert (family.varied, len(family.repeats)) == (("lr",), 4)


def test_what_is_needed_of_a_run_is_its_objective_and_its_rate() -> None:
    curves = {Role.TRAIN_LOSS: flat(9, 1.0), Role.VAL_LOSS: flat(9, 1.0)}
    run = a_run({**curves, Role.LEARNING_RATE: flat(9, 0.1)})
    assert needed(run) == {"loss/val", "lr"}
    assert needed(run, Override("train_loss")) == {"loss/train", "lr"}
    assert needed(a_run({Role.TRAIN_LOSS: flat(9, 1.0)})) == frozenset()
