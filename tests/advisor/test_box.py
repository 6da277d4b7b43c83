"""The usual part of a space: narrow, but wide enough for the run and never wider than the space."""

from __future__ import annotations

import pytest

from tbdiag.advisor.box import box
from tbdiag.advisor.prescribe import Desk, Space
from tbdiag.config.training import Choices, Range
from tbdiag.model.run import Scalar
from tests.advisor.builders import SPACE, a_record


def around(space: Space = SPACE, **params: Scalar) -> Space:
    record = a_record("run", 1.0, **params)
    return box(Desk.on(record, space, [record]))


def test_rates_lie_around_the_usual_one() -> None:
    rates = around()["lr"]
    assert isinstance(rates, Range)
    assert rates.log
    assert (rates.low, rates.high) == (pytest.approx(3e-4), pytest.approx(0.09))
    alone = {name: each for name, each in SPACE.items() if name != "optimizer"}
    of_sgd = around(alone, optimizer="sgd", lr=0.2)["lr"]
    assert isinstance(of_sgd, Range)
    assert (of_sgd.low, of_sgd.high) == (pytest.approx(0.02), pytest.approx(2.0))


def test_the_run_itself_is_never_left_out() -> None:
    found = around(lr=1.5, dropout=0.7, optimizer="sgd", batch_size=16, weight_decay=1e-7)
    for name, value in {"lr": 1.5, "dropout": 0.7, "weight_decay": 1e-7}.items():
        limits = found[name]
        assert isinstance(limits, Range)
        assert limits.low <= value <= limits.high
    for name, word in {"optimizer": "sgd", "batch_size": 16}.items():
        choices = found[name]
        assert isinstance(choices, Choices)
        assert word in choices.values


def test_what_is_unusual_is_not_searched() -> None:
    found = around()
    assert found["optimizer"] == Choices(("momentum", "adam", "adamw"))
    assert found["batch_size"] == Choices((32, 64, 128))
    dropout = found["dropout"]
    assert isinstance(dropout, Range)
    assert (dropout.low, dropout.high) == (0.0, 0.4)
    assert "epochs" not in found


def test_ranges_stay_within_the_space_and_on_its_steps() -> None:
    space: Space = {
        "lr": Range(low=0.01, high=0.05, log=True),
        "dropout": Range(low=0.1, high=0.9, step=0.25),
        "warmup": Range(low=0, high=500, step=1),
        "momentum": Range(low=0.0, high=0.5),
    }
    found = around(space, warmup=100, momentum=0.3)
    assert found["lr"] == Range(low=0.01, high=0.03, log=True)
    assert found["dropout"] == space["dropout"]
    assert found["warmup"] == space["warmup"]
    momentum = found["momentum"]
    assert isinstance(momentum, Range)
    assert momentum.high <= 0.5


def test_initial_weights_stay_near_their_scale() -> None:
    space: Space = {**SPACE, "init_scale": Range(low=0.01, high=100.0, log=True)}
    limits = around(space, init_scale=1.0)["init_scale"]
    assert isinstance(limits, Range)
    assert (limits.low, limits.high) == (0.5, 2.0)
