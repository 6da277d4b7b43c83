"""The rules that weigh a loss against its learning rate, beyond their samples."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.base import Detector
from tbdiag.detectors.optimization.learning_rate_too_high import LearningRateTooHigh
from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow
from tbdiag.detectors.optimization.no_learning import NoLearning
from tbdiag.detectors.optimization.optimizer_rate_mismatch import OptimizerRateMismatch
from tbdiag.detectors.optimization.stopped_too_early import StoppedTooEarly
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.report import Fired, NotApplicable
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.signals.stated import Family, stated_optimizer
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy

BOUNCES = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.9, 40), 0.12)}


def found(rule: Detector, run: Run) -> list[Finding]:
    case = Case(run)
    return [] if rule.blocked(case) is not None else list(rule.check(case))


def test_a_longer_run_is_told_in_epochs_where_they_are_known() -> None:
    falling = noisy(decay(40, 2.3, 0.3, 2), 0.003)
    by_steps = found(StoppedTooEarly(), a_run({Role.VAL_LOSS: falling}, every=100))
    assert "; 1,950 more steps: about −" in by_steps[0].message
    counted = {Role.VAL_LOSS: falling, Role.EPOCH: np.arange(1, 41)}
    by_epochs = found(StoppedTooEarly(), a_run(counted, every=100))
    assert "; 20 more epochs: about −" in by_epochs[0].message


@pytest.mark.parametrize("shape", [cosine(60, 0.1), 0.1 * 0.93 ** np.arange(60)])
def test_a_schedule_hides_no_crawl_and_makes_none(shape: np.ndarray) -> None:
    way = np.cumsum(shape) / shape.sum()
    crawl = a_run({Role.TRAIN_LOSS: noisy(2.3 - 0.9 * way, 0.001), Role.LEARNING_RATE: shape})
    done = a_run(
        {
            Role.TRAIN_LOSS: noisy(0.5 + 1.8 * np.exp(-12 * way), 0.001),
            Role.LEARNING_RATE: shape,
        }
    )
    assert found(LearningRateTooLow(), crawl)
    assert found(StoppedTooEarly(), crawl)
    assert not found(LearningRateTooLow(), done)
    assert not found(StoppedTooEarly(), done)


def test_slow_training_that_validation_does_not_reward_is_no_low_rate() -> None:
    loss = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 1), 0.003)}
    frozen = {**loss, Role.VAL_LOSS: noisy(flat(60, 1.5), 0.001) - 0.0001 * np.arange(60)}
    rate = {Role.LEARNING_RATE: flat(60, 1e-4)}
    assert found(LearningRateTooLow(), a_run({**loss, **rate}))
    assert not found(LearningRateTooLow(), a_run(frozen))


def test_what_was_learned_and_lost_is_the_rates_fault_and_not_no_learning() -> None:
    lost = a_run(
        {
            Role.TRAIN_LOSS: noisy(flat(40, 1.79), 0.002),
            Role.TRAIN_METRIC: np.concatenate([[0.4], flat(39, 1 / 6)]) + jitter(40, 0.003),
        }
    )
    (finding,) = found(LearningRateTooHigh(), lost)
    assert finding.severity is Severity.ERROR
    assert "from 40" in finding.message
    assert not found(NoLearning(), lost)


@pytest.mark.parametrize(
    ("name", "momentum", "family"),
    [
        ("AdamW", None, Family.ADAM),
        ("torch.optim.Adam", 0.9, Family.ADAM),
        ("adamw_torch_fused", None, Family.ADAM),
        ("paged_adamw_8bit", None, Family.ADAM),
        ("AdamOptimizer", None, Family.ADAM),
        ("SGD", None, Family.SGD),
        ("sgd", 0.9, Family.MOMENTUM),
        ("GradientDescentOptimizer", None, Family.SGD),
        ("MomentumOptimizer", None, Family.MOMENTUM),
        ("adafactor", None, None),
        ("adagrad", None, None),
        ("lion", None, None),
        (None, None, None),
        (3, None, None),
    ],
)
def test_optimizers_are_known_by_their_names(
    name: str | int | None, momentum: float | None, family: Family | None
) -> None:
    assert stated_optimizer(name, momentum) is family


def test_a_mismatch_is_asked_for_only_beside_a_fault_of_the_rate() -> None:
    settings = {"optimizer": "adam", "lr": 0.3}
    both = Selection(detectors=(OptimizerRateMismatch(), LearningRateTooHigh()))
    outcomes = examine(a_run(BOUNCES, hparams=settings), both).outcomes
    assert isinstance(outcomes["OPT010"], Fired)
    assert outcomes["OPT010"].findings[0].suppressed_by == "OPT001"
    healthy = a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.1, 10), 0.02)}, hparams=settings)
    reason = examine(healthy, both).outcomes["OPT010"]
    assert isinstance(reason, NotApplicable)
    assert "none of them fired" in reason.reason
    ignored = Selection(detectors=both.detectors, ignored={"OPT001": "known"})
    assert isinstance(
        examine(a_run(BOUNCES, hparams=settings), ignored).outcomes["OPT010"], NotApplicable
    )


def test_a_mismatch_lacks_its_settings_before_it_lacks_company() -> None:
    alone = Selection(detectors=(OptimizerRateMismatch(),))
    outcome = examine(a_run(BOUNCES), alone).outcomes["OPT010"]
    assert isinstance(outcome, NotApplicable)
    assert "learning rate is not known" in outcome.reason
