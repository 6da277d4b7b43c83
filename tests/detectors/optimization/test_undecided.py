"""Where finding nothing about the rate clears nobody, and what would have to be logged."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.detectors.base import Detector
from tbdiag.detectors.optimization.learning_rate_too_high import LearningRateTooHigh
from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow, _per_batch
from tbdiag.detectors.validation.validation_better_than_training import (
    ValidationBetterThanTraining,
)
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.report import Fired, NotApplicable, Outcome, Passed
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy

CALM = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.6, 6), 0.002)}
WAVERS = {Role.VAL_LOSS: decay(60, 2.4, 0.7, 6) + jitter(60, 0.02, 3)}
RATE = {Role.LEARNING_RATE: cosine(60, 0.1)}


def outcome(rule: Detector, run: Run) -> Outcome:
    return examine(run, Selection(detectors=(rule,))).outcomes[rule.code]


def reason(rule: Detector, run: Run) -> str:
    found = outcome(rule, run)
    assert isinstance(found, NotApplicable)
    return found.reason


def test_single_batches_hide_whether_the_steps_are_small() -> None:
    soon = decay(600, 2.3, 1.2, 15) - np.linspace(0, 0.1, 600)
    wavers = _per_batch(soon, jitter(20, 0.0006))
    assert "mean loss of each epoch" in reason(LearningRateTooLow(), wavers)


def test_a_validation_loss_that_rises_now_and_then_clears_a_low_rate() -> None:
    assert outcome(LearningRateTooLow(), a_run({**CALM, **WAVERS, **RATE})) == Passed()


def test_without_a_rate_a_loss_that_never_rose_is_left_open() -> None:
    slow = decay(20, 2.3, 0.4, 6)  # too few evaluations to tell an end from an anneal
    run = a_run({Role.TRAIN_LOSS: noisy(slow, 0.001), Role.VAL_LOSS: slow})
    assert "log the learning rate" in reason(LearningRateTooLow(), run)


def test_a_steady_fall_without_validation_is_left_open() -> None:
    steady = {Role.TRAIN_LOSS: decay(60, 2.3, 0.6, 3.5) * np.exp(jitter(60, 0.001))}
    assert "log the validation loss" in reason(
        LearningRateTooLow(), a_run(steady, hparams={"lr": 1e-3, "dropout": 0.5})
    )
    bounces = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.6, 6), 0.1)}
    constant = {Role.LEARNING_RATE: flat(60, 0.1)}
    assert outcome(LearningRateTooLow(), a_run({**bounces, **constant})) == Passed()
    # By the way that a schedule allowed, the same loss falls on.
    assert "log the validation loss" in reason(LearningRateTooLow(), a_run({**bounces, **RATE}))


def test_what_was_looked_at_is_told_from_what_was_not() -> None:
    found = outcome(LearningRateTooHigh(), a_run(CALM))
    assert isinstance(found, NotApplicable)
    assert found.looked
    short = outcome(LearningRateTooHigh(), a_run({Role.TRAIN_LOSS: np.array([2.0, 1.0])}))
    assert isinstance(short, NotApplicable)
    assert not short.looked


def test_a_calm_end_means_nothing_where_nobody_logged_the_rate() -> None:
    assert "log the learning rate" in reason(LearningRateTooHigh(), a_run(CALM))


@pytest.mark.parametrize("known", ["curve", "setting"])
def test_a_calm_end_clears_a_rate_that_is_known(known: str) -> None:
    run = a_run({**CALM, **RATE}) if known == "curve" else a_run(CALM, hparams={"lr": 0.1})
    assert outcome(LearningRateTooHigh(), run) == Passed()


def test_what_was_found_is_said_whatever_else_is_open() -> None:
    bounces = a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.9, 40), 0.12)})
    assert isinstance(outcome(LearningRateTooHigh(), bounces), Fired)


def test_a_lead_that_dropout_explains_is_left_open() -> None:
    pair = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.6), 0.01), Role.VAL_LOSS: decay(40, 2.2, 0.3)}
    rule = ValidationBetterThanTraining()
    assert "dropout may put validation ahead" in reason(rule, a_run(pair, hparams={"dropout": 0.3}))
    level = {**pair, Role.VAL_LOSS: pair[Role.TRAIN_LOSS]}
    assert outcome(rule, a_run(level, hparams={"dropout": 0.3})) == Passed()


def test_a_lead_on_another_scale_is_left_open() -> None:
    pair = {Role.TRAIN_LOSS: 64 * decay(40, 2.3, 0.6), Role.VAL_LOSS: decay(40, 2.2, 0.3)}
    assert "on different scales" in reason(ValidationBetterThanTraining(), a_run(pair))
    assert (
        outcome(ValidationBetterThanTraining(), a_run({**pair, Role.VAL_LOSS: flat(40, 200.0)}))
        == Passed()
    )
