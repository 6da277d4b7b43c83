"""What a model of all runs so far promises: where it looks, what it never does, what it learns."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tbdiag.advisor.chart import Chart
from tbdiag.advisor.outlook import excess, outlook
from tbdiag.advisor.position import Position
from tbdiag.advisor.prescribe import Desk, Space
from tbdiag.advisor.promising import promising
from tbdiag.advisor.propose import Policy, proposals, propose
from tbdiag.advisor.record import Record
from tbdiag.config.training import Choices, Range
from tbdiag.model.proposal import Origin, Params
from tbdiag.model.run import Scalar
from tests.advisor.builders import PARAMS, SPACE, a_record

WIDE: Space = {
    **SPACE,
    "seed": Choices((0, 1, 2)),
    "train_size": Choices((500, 1000)),
    "init_scale": Range(low=0.1, high=10.0, log=True),
    "temperature": Range(low=0.0, high=5.0),
    "augment": Choices(("none", "flip", "both")),
}
MORE: Mapping[str, Scalar] = {"init_scale": 1.0, "temperature": 1.0, "augment": "none"}


def _with(params: Mapping[str, Scalar]) -> dict[str, Any]:
    return {**MORE, **params}


def at(*records: Record, space: Space = WIDE, pending: Sequence[Params] = ()) -> Position:
    return Position(records=records, start=records[0], space=space, pending=pending, name="test")


def first(position: Position, n: int = 20, seed: int = 0) -> list[Params]:
    desk = Desk.on(position.best, position.space, position.records)
    found = promising(position, desk, np.random.default_rng(seed))
    return [params for params, _ in zip(found, range(n), strict=False)]


def tried(*pairs: tuple[float, Mapping[str, Scalar]]) -> list[Record]:
    return [
        a_record(f"r{i}", loss, origin=Origin.MOVE if i else None, **_with(params))
        for i, (loss, params) in enumerate(pairs)
    ]


def test_the_same_chance_names_the_same_settings() -> None:
    runs = tried((1.0, {}), (0.8, {"lr": 0.01}), (0.9, {"dropout": 0.3}))
    assert first(at(*runs)) == first(at(*runs))
    assert first(at(*runs)) != first(at(*runs), seed=1)


def test_only_exposed_settings_of_the_training_move() -> None:
    bare = {name: WIDE[name] for name in ("lr", "dropout", "seed", "train_size", "epochs")}
    for space in (WIDE, bare):
        moved = set()
        for params in first(at(*tried((1.0, {}), (0.9, {"lr": 0.01})), space=space), 60):
            moved |= {name for name, value in params.items() if value != {**PARAMS, **MORE}[name]}
        assert not moved & {"seed", "train_size", "epochs"}
        assert moved <= set(space)
        assert {"lr", "dropout"} <= moved


def test_nothing_is_promised_where_nothing_may_move() -> None:
    assert first(at(a_record("bad", 1.0), space={"seed": Choices((0, 1))})) == []


def test_rates_that_findings_speak_against_are_left_alone() -> None:
    bad = a_record("bad", 2.0, "NUM001", lr=0.02)
    low = a_record("low", 1.0, "OPT002", lr=0.001)
    position = at(bad, low, space=SPACE)
    found = [each for each in first(position, 200) if each["optimizer"] == "adam"]
    rates = {each["lr"] for each in found if each["lr"] != low.params["lr"]}
    assert rates
    assert all(0.001 < float(str(rate)) < 0.02 for rate in rates)


def test_what_was_good_draws_it_and_what_was_bad_repels_it() -> None:
    runs = tried(
        (1.0, {"lr": 1e-3}), (1.0, {"dropout": 0.3}), (0.5, {"lr": 0.01}),
        (0.4, {"lr": 0.01, "weight_decay": 0.01}), (1.2, {"lr": 0.05}),
    )  # fmt: skip
    best = first(at(*runs), 10)
    decades = [
        abs(math.log10(float(str(p["lr"])) / 0.01)) for p in best if p["optimizer"] == "adam"
    ]
    assert np.median(decades) < 0.4


def test_it_finds_a_bowl_in_a_few_runs() -> None:
    space = {"lr": SPACE["lr"], "dropout": SPACE["dropout"], "optimizer": SPACE["optimizer"]}

    def loss(params: Params) -> float:
        rate, dropout = float(str(params["lr"])), float(str(params["dropout"]))
        other = 0.3 * (params["optimizer"] != "adamw")
        return 1 + math.log10(rate / 0.02) ** 2 + 20 * (dropout - 0.3) ** 2 + other

    start = a_record("start", loss(PARAMS), **_with({}))
    runs = [start]
    for number in range(14):
        position = Position(records=runs, start=start, space=space, name="bowl")
        params = first(position, 1)[0]
        runs.append(a_record(f"f{number}", loss(params), origin=Origin.MOVE, **_with(params)))
    assert min(run.loss for run in runs) < 1.1


def test_what_runs_at_the_moment_is_not_promised_again() -> None:
    runs = tried((1.0, {}), (0.8, {"lr": 0.01}))
    one = first(at(*runs), 1)[0]
    other = first(at(*runs, pending=[one]), 1)[0]
    assert other != one
    changed = [name for name in one if one[name] != other[name]]
    assert changed


def test_thousands_of_past_runs_take_a_moment() -> None:
    rng = np.random.default_rng(0)
    some = a_record("some", 1.0, **_with({}))
    runs = [
        replace(
            some,
            id=f"p{i}",
            params={**some.params, "lr": float(f"{10 ** rng.uniform(-4, -1):.5g}")},
        )
        for i in range(3000)
    ]
    began = time.process_time()
    assert first(at(*runs), 1)
    assert time.process_time() - began < 20


def test_next_to_nothing_is_no_run() -> None:
    runs = tried((1.0, {}), (0.5, {"lr": 0.01}))
    chart = Chart(space=WIDE, start=runs[0])
    places = chart.places([run.params for run in runs])
    for params in first(at(*runs), 100):
        distances = np.linalg.norm(places - chart.places([params]), axis=1)
        assert distances.min() > 0.199


def test_every_second_follow_up_is_the_models_and_says_so() -> None:
    runs = tried(*((1.0 - i / 100, {"lr": 1e-3 * (1 + i)}) for i in range(6)))
    move = propose(at(*runs))
    assert move is not None
    assert move.origin is Origin.MOVE
    assert "taken together" in move.why
    without = propose(at(*runs), Policy(model=False))
    assert without is not None
    assert "random step" in without.why
    assert len({str(m.params) for m in proposals(at(*runs), 4)}) == 4


def test_the_excess_is_a_ratio_and_an_error_where_it_can_be() -> None:
    ratio = excess([1.0, 1.1, 2.0])
    assert excess([10.0, 11.0, 20.0]) == pytest.approx(ratio)
    assert ratio[0] == 0 < ratio[1] < ratio[2]
    shares = excess([-0.9, -0.89, -0.8], higher=True)
    assert shares == pytest.approx(excess([0.1, 0.11, 0.2]))
    assert excess([-90.0, -89.0, -80.0], higher=True) == pytest.approx(shares)
    returns = excess([-300.0, -200.0, -100.0], higher=True)
    assert returns[0] == 0 < returns[1] < returns[2]
    assert np.isfinite(excess([0.0, 0.0])).all()
    failed = excess([1.0, math.inf, 50.0])
    assert failed[1] == failed[2]
    assert np.isfinite(excess([math.inf, math.inf])).all()


def test_far_from_all_runs_little_is_known() -> None:
    runs = tried((1.0, {}), (0.8, {"lr": 0.01}))
    chart = Chart(space=WIDE, start=runs[0])
    near = {**runs[1].params, "lr": 0.011}
    far = {**runs[1].params, "lr": 1e-5, "dropout": 0.7, "augment": "both", "temperature": 5.0}
    seen = outlook(chart, runs, (), [near, far])
    assert seen.deviation[1] > 2 * seen.deviation[0]
    assert (seen.improvement >= 0).all()


def test_places_of_words_and_of_settings_that_nobody_knows() -> None:
    start = a_record("start", 1.0, **_with({}))
    chart = Chart(space=WIDE, start=start)
    here, wider, other, warm = chart.places(
        [
            start.params,
            {**start.params, "hidden": "128,128"},
            {**start.params, "augment": "flip"},
            {**start.params, "temperature": 5.0},
        ]
    )
    for there in (wider, other, warm):
        assert np.linalg.norm(there - here) > 0.3
    odd = {**start.params, "temperature": "hot", "lr": 0.0, "optimizer": "lion"}
    assert np.isfinite(chart.places([odd, start.params])).all()
    assert (
        chart.usual([{**start.params, "lr": 1e-5}, start.params])[0]
        > chart.usual([start.params])[0]
    )


def test_longer_runs_have_batches_beside_their_own() -> None:
    short = Chart(space=SPACE, start=a_record("short", 1.0, batch_size=128))
    assert (
        short.usual([{**PARAMS, "batch_size": 32}])[0]
        < short.usual([{**PARAMS, "batch_size": 128}])[0]
    )


def test_another_optimizer_keeps_what_rate_and_decay_mean() -> None:
    adam = {**PARAMS, "optimizer": "adam", "lr": 6e-3, "weight_decay": 0.004}
    chart = Chart(space=SPACE, start=a_record("start", 1.0, **adam))
    momentum, adamw = ({**adam, "optimizer": each} for each in ("momentum", "adamw"))
    assert chart.moved("lr", adam, momentum) == pytest.approx(0.06)
    assert chart.moved("weight_decay", adam, momentum) == 0.004
    assert chart.moved("weight_decay", adam, adamw) == pytest.approx(0.08)
    assert chart.moved("weight_decay", adamw, adam) == pytest.approx(0.0002)
    assert chart.moved("dropout", adam, adamw) is None
    assert chart.moved("lr", adam, {**adam, "optimizer": "of my own"}) is None
    alike, same_number = chart.places([{**adamw, "weight_decay": 0.08}, adamw])
    here = chart.places([adam])[0]
    assert np.linalg.norm(alike - here) < np.linalg.norm(same_number - here)


def test_candidates_with_another_optimizer_have_its_rates() -> None:
    runs = tried(*((1.0 + n / 100, {"lr": 3e-3 * 1.5**n, "optimizer": "adam"}) for n in range(4)))
    near = [
        p for p in first(at(*runs), 80) if p["optimizer"] == "momentum" and p["hidden"] == "64,64"
    ]
    rates = [float(p["lr"]) for p in near]
    assert len(rates) > 3
    assert float(np.median(rates)) > 0.015  # what is usual with Adam is .003
