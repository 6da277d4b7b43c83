"""What makes a sign of a wrong rate weigh more, or less."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.detectors.base import Detector
from tbdiag.detectors.optimization.learning_rate_too_high import LearningRateTooHigh
from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow, _per_batch
from tbdiag.detectors.optimization.no_learning import NoLearning
from tbdiag.detectors.optimization.schedule_decays_too_early import ScheduleDecaysTooEarly
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Severity
from tbdiag.model.report import Fired
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy


def severity(rule: Detector, run: Run) -> Severity | None:
    found = examine(run, Selection(detectors=(rule,))).outcomes[rule.code]
    return found.findings[0].severity if isinstance(found, Fired) else None


BOUNCES = {Role.TRAIN_LOSS: noisy(decay(24, 1.9, 1.0, 8), 0.04)}
CONSTANT = {Role.LEARNING_RATE: flat(24, 0.1)}


def test_means_over_epochs_bounce_at_a_constant_rate_for_the_rate() -> None:
    assert (
        severity(LearningRateTooHigh(early=0.01, climbing=0.9), a_run({**BOUNCES, **CONSTANT}))
        is Severity.WARNING
    )
    falls = {Role.LEARNING_RATE: cosine(24, 0.1)}
    assert (
        severity(LearningRateTooHigh(early=0.01, climbing=0.9), a_run({**BOUNCES, **falls})) is None
    )
    dropped = a_run({**BOUNCES, **CONSTANT}, hparams={"dropout": 0.5})
    assert severity(LearningRateTooHigh(early=0.01, climbing=0.9), dropped) is None
    calm = {Role.TRAIN_LOSS: noisy(decay(24, 1.9, 1.0, 8), 0.012)}
    assert (
        severity(
            LearningRateTooHigh(early=0.01, climbing=0.9, noise=0.005), a_run({**calm, **CONSTANT})
        )
        is None
    )


@pytest.mark.parametrize(
    ("rate", "told"), [(0.07, Severity.NOTE), (0.7, Severity.WARNING), (0.01, None)]
)
def test_an_unusual_rate_that_was_lowered_is_a_note(rate: float, told: Severity | None) -> None:
    run = a_run(
        {
            Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.9, 8), 0.003),
            Role.LEARNING_RATE: cosine(60, rate),
        },
        hparams={"optimizer": "adam"},
    )
    assert severity(LearningRateTooHigh(), run) is told


def test_losses_that_stand_are_a_trace_of_such_a_rate() -> None:
    stands = decay(40, 2.0, 0.2, 40)
    run = {Role.TRAIN_LOSS: stands, Role.LEARNING_RATE: flat(40, 0.2)}
    settings = {"optimizer": "adam"}
    both = a_run({**run, Role.VAL_LOSS: 0.9 * stands}, hparams=settings)
    assert severity(LearningRateTooHigh(), both) is Severity.WARNING
    learns = a_run(
        {**run, Role.TRAIN_LOSS: stands * np.linspace(1, 0.8, 40), Role.VAL_LOSS: stands},
        hparams=settings,
    )
    assert severity(LearningRateTooHigh(), learns) is None


def test_what_is_learned_by_heart_is_no_wandering() -> None:
    early = 1.3 * np.exp(jitter(24, 0.05, 4)) * decay(24, 1.0, 0.75, 6)
    climbs = {
        Role.TRAIN_LOSS: decay(24, 1.6, 0.4, 2),
        Role.VAL_LOSS: early + np.clip(np.linspace(-0.5, 0.5, 24), 0, 1),
    }
    assert severity(LearningRateTooHigh(), a_run(climbs)) is None
    level = {**climbs, Role.VAL_LOSS: 1.3 * np.exp(jitter(24, 0.05, 4))}
    assert severity(LearningRateTooHigh(), a_run(level)) is Severity.WARNING


@pytest.mark.parametrize(("samples", "told"), [(150, None), (15_000, Severity.ERROR)])
def test_few_samples_lose_an_accuracy_by_chance(samples: int, told: Severity | None) -> None:
    run = a_run(
        {
            Role.TRAIN_LOSS: decay(24, 2.1, 1.7, 2),
            Role.VAL_METRIC: np.concatenate([[0.15, 0.17], flat(22, 0.10)]),
        },
        hparams={"val_samples": samples},
    )
    assert severity(LearningRateTooHigh(), run) is told


SLOW = 0.7 + 1.6 * np.exp(-np.arange(13) / 9)


def test_a_trend_of_few_points_is_a_note_where_validation_rose() -> None:
    def run(n: int, rises: bool) -> Run:
        train = decay(n, 2.3, 0.6, 1.5)
        val = train * 1.02
        if rises:
            val[n - 3] = val[n - 4] * 1.001
        return a_run(
            {Role.TRAIN_LOSS: train, Role.VAL_LOSS: val, Role.LEARNING_RATE: flat(n, 1e-3)}
        )

    rule = LearningRateTooLow(rails=0.0, silk=0.0, late_rises=0.0)
    assert severity(rule, run(15, rises=True)) is Severity.NOTE
    assert severity(rule, run(15, rises=False)) is Severity.WARNING
    assert severity(rule, run(40, rises=True)) is Severity.WARNING


def test_next_to_nothing_moved_in_few_epochs_is_a_warning() -> None:
    def run(end: float) -> Run:
        falls = np.linspace(2.3, end, 10)
        return a_run(
            {Role.TRAIN_LOSS: falls, Role.VAL_LOSS: falls, Role.LEARNING_RATE: flat(10, 1e-4)}
        )

    assert severity(LearningRateTooLow(), run(2.28)) is Severity.WARNING
    assert severity(LearningRateTooLow(), run(2.0)) is Severity.NOTE


@pytest.mark.parametrize(("apart", "told"), [(1.05, Severity.WARNING), (3.0, None)])
def test_steps_that_learn_by_heart_are_not_small(apart: float, told: Severity | None) -> None:
    falls = 2.3 - 1.4 * np.linspace(0, 1, 30)
    run = {Role.TRAIN_LOSS: falls, Role.VAL_LOSS: apart * falls, Role.LEARNING_RATE: flat(30, 1e-4)}
    assert severity(LearningRateTooLow(), a_run(run)) is told


def test_rails_beside_single_batches_have_to_be_smoother() -> None:
    soon = decay(600, 2.3, 1.2, 15) - np.linspace(0, 0.1, 600)
    assert severity(LearningRateTooLow(), _per_batch(soon)) is Severity.WARNING
    assert severity(LearningRateTooLow(silk=0.0), _per_batch(soon)) is None


def test_of_two_losses_alone_rails_of_the_whole_run_are_a_note() -> None:
    falls = 30 + 4000 * np.exp(-np.arange(40) / 6)
    run = {Role.TRAIN_LOSS: falls, Role.VAL_LOSS: 1.05 * falls}
    assert severity(LearningRateTooLow(whole=50, ample=9.0), a_run(run)) is None
    assert severity(LearningRateTooLow(ample=9.0), a_run(run)) is Severity.NOTE
    told = {**run, Role.VAL_METRIC: decay(40, 0.2, 0.9)}
    assert severity(LearningRateTooLow(ample=9.0), a_run(told)) is None


def test_a_rate_that_was_spent_stands_before_what_it_left_unlearned() -> None:
    spent = {
        Role.TRAIN_LOSS: decay(40, 1.62, 1.609, 40),
        Role.VAL_LOSS: decay(40, 1.62, 1.6095, 40),
        Role.TRAIN_METRIC: 0.2 + jitter(40, 0.004),
        Role.VAL_METRIC: 0.2 + jitter(40, 0.004, 1),
        Role.LEARNING_RATE: np.where(np.arange(40) < 3, 0.1, 1e-5),
    }
    report = examine(a_run(spent), Selection(detectors=(NoLearning(), ScheduleDecaysTooEarly())))
    assert [finding.code for finding in report.roots] == ["OPT007", "OPT004"]


@pytest.mark.parametrize(("rises", "told"), [(1, Severity.NOTE), (4, None)])
def test_one_rise_is_no_noise_of_a_constant_rate(rises: int, told: Severity | None) -> None:
    val = 1.5 * decay(30, 1.0, 0.2, 1.5)
    for at in range(16, 16 + 3 * rises, 3):
        val[at] = val[at - 1] * 1.002
    run = {Role.TRAIN_LOSS: noisy(decay(30, 1.0, 0.2, 1.5), 0.02), Role.VAL_LOSS: val}
    assert (
        severity(
            LearningRateTooLow(rails=0.0, silk=0.0, left=9.0, ample=9.0),
            a_run({**run, Role.LEARNING_RATE: flat(30, 1e-3)}),
        )
        is told
    )
