"""OPT004 beyond its samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.optimization.no_learning import NoLearning
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Scale
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.synth import a_run, decay, flat, jitter, noisy


@pytest.mark.parametrize(
    ("hparams", "factor"),
    [
        ({"lr": 5e-6, "optim": "adamw_torch"}, 10),
        ({"lr": 0.3, "optimizer": "Adam"}, 0.1),
        ({"lr": 5e-6}, 0.1),  # whether that is low nobody knows
        ({}, 0.1),
    ],
)
def test_the_rate_is_first_moved_towards_the_usual_one(
    hparams: dict[str, float | str], factor: float
) -> None:
    curves = {Role.TRAIN_LOSS: math.log(4) + jitter(40, 0.002), Role.VAL_METRIC: flat(40, 0.25)}
    (finding,) = NoLearning().check(Case(a_run(curves, hparams=hparams)))
    first, second = finding.remedies[:2]
    assert first.knob is second.knob is Knob.LR
    assert first.change == Scale(factor)
    assert second.change == Scale(0.1 if factor == 10 else 10)


FIVE = math.log(5)
GUESSES = {
    Role.TRAIN_LOSS: noisy(decay(30, 1.7, 0.8, 8), 0.01),
    Role.VAL_LOSS: FIVE * 1.02 + 0.3 * np.linspace(0, 1, 30),
    Role.VAL_METRIC: 0.2 + jitter(30, 0.008),
}


def found(run: Run) -> Finding | None:
    return next(iter(NoLearning().check(Case(run))), None)


def test_validation_that_guesses_needs_no_accuracy_of_training() -> None:
    finding = found(a_run(GUESSES))
    assert finding is not None
    assert "among 5 classes" in finding.message
    assert "while training" not in finding.message
    assert found(a_run({**GUESSES, Role.VAL_METRIC: 0.216 + jitter(30, 0.002)})) is not None
    learns = {**GUESSES, Role.VAL_METRIC: np.linspace(0.2, 0.45, 30)}
    assert found(a_run(learns)) is None


def test_worse_than_guessing_is_not_learned_either() -> None:
    falls = {**GUESSES, Role.VAL_LOSS: FIVE + 0.001 + 0.3 * np.linspace(0, 1, 30)}
    worse = {**falls, Role.VAL_METRIC: np.linspace(0.22, 0.11, 30)}
    assert found(a_run(worse)) is not None
    assert found(a_run(worse, hparams={"num_classes": 5})) is not None
    better = {**falls, Role.VAL_METRIC: np.linspace(0.22, 0.33, 30)}
    assert found(a_run(better)) is None


@pytest.mark.parametrize(("right", "fires"), [(0.17, True), (0.24, False)])
def test_a_loss_tells_what_guessing_gets_right(right: float, fires: bool) -> None:
    # Six classes, of which the training set had others: neither loss nor accuracy is that of a sixth.
    loss = 1.66 + 0.1 * np.linspace(0, 1, 30)
    run = a_run(
        {
            Role.TRAIN_LOSS: GUESSES[Role.TRAIN_LOSS],
            Role.VAL_LOSS: loss,
            Role.VAL_METRIC: right + jitter(30, 0.004),
        }
    )
    assert math.exp(-1.66) == pytest.approx(0.19, abs=0.001)
    assert (found(run) is not None) is fires


def test_validation_alone_is_a_warning() -> None:
    val = {
        Role.VAL_LOSS: FIVE + 0.001 + 0.3 * np.linspace(0, 1, 12),
        Role.VAL_METRIC: 0.2 + jitter(12, 0.004),
    }
    finding = found(a_run(val))
    assert finding is not None
    assert finding.severity is Severity.WARNING
    assert found(a_run({**val, Role.VAL_LOSS: decay(12, FIVE, 0.9)})) is None


def test_the_rate_is_suspected_only_where_training_learned_nothing_either() -> None:
    heart = found(a_run({**GUESSES, Role.TRAIN_METRIC: decay(30, 0.2, 0.9)}))
    nothing = found(
        a_run(
            {
                **GUESSES,
                Role.TRAIN_LOSS: flat(30, FIVE) + jitter(30, 0.01),
                Role.TRAIN_METRIC: 0.2 + jitter(30, 0.005),
            }
        )
    )
    assert heart is not None
    assert nothing is not None
    assert all(remedy.knob is not Knob.LR for remedy in heart.remedies)
    assert any(remedy.knob is Knob.LR for remedy in nothing.remedies)


@pytest.mark.parametrize(("samples", "fires"), [(300, True), (30_000, False)])
def test_few_samples_stray_from_guessing(samples: int, fires: bool) -> None:
    curves = {
        Role.TRAIN_LOSS: decay(20, 2.4, math.log(8) * 0.985, 20) + jitter(20, 0.004),
        Role.VAL_METRIC: 0.155 + jitter(20, 0.004),
    }
    run = a_run(curves, hparams={"val_samples": samples})
    assert Case(run).validation_size() is not None
    assert (found(run) is not None) is fires


def test_an_accuracy_that_rises_is_no_guess_whatever_its_loss_says() -> None:
    loss = {
        Role.TRAIN_LOSS: GUESSES[Role.TRAIN_LOSS],
        Role.VAL_LOSS: 1.66 + np.linspace(0, 0.1, 30),
    }
    stays = found(a_run({**loss, Role.VAL_METRIC: 0.17 + jitter(30, 0.004)}))
    assert stays is not None
    assert stays.severity is Severity.WARNING
    assert "about 5 classes" in stays.message
    assert found(a_run({**loss, Role.VAL_METRIC: np.linspace(0.08, 0.20, 30)})) is None
