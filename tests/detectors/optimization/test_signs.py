"""Single signs of wrong rates, and what looks like them."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.detectors.base import Detector
from tbdiag.detectors.gradients.frozen_weights import FrozenWeights
from tbdiag.detectors.optimization.learning_rate_too_high import LearningRateTooHigh
from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow
from tbdiag.detectors.optimization.no_learning import NoLearning
from tbdiag.detectors.optimization.schedule_decays_too_early import ScheduleDecaysTooEarly
from tbdiag.detectors.optimization.stopped_too_early import StoppedTooEarly
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Severity
from tbdiag.model.report import Fired, NotApplicable, Passed
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Series
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy

FALLS_WILDLY = decay(40, 1.4, 0.01, 5) * np.exp(jitter(40, 0.8, 3) * np.linspace(1, 0, 40))
RATE = {Role.LEARNING_RATE: cosine(40, 0.01)}
STEPS = {Role.LEARNING_RATE: np.repeat([0.1, 0.01, 0.001], [20, 10, 10])}


def severity(rule: Detector, run: Run) -> Severity | None:
    found = examine(run, Selection(detectors=(rule,))).outcomes[rule.code]
    assert isinstance(found, Fired | Passed | NotApplicable)
    return found.findings[0].severity if isinstance(found, Fired) else None


@pytest.mark.parametrize(("size", "told"), [(1.0, Severity.WARNING), (0.25, None)])
def test_both_losses_waver_by_as_much_as_is_left_of_them(
    size: float, told: Severity | None
) -> None:
    calms = np.linspace(1, 0, 40) * size
    losses = {
        Role.TRAIN_LOSS: decay(40, 1.4, 0.004, 5) * np.exp(0.8 * jitter(40, 1.0, 1) * calms),
        Role.VAL_LOSS: decay(40, 1.4, 0.06, 5) * np.exp(0.8 * jitter(40, 1.0, 2) * calms),
    }
    assert severity(LearningRateTooHigh(), a_run({**losses, **RATE})) is told


def test_a_training_loss_that_falls_no_more_while_validation_does_is_held_up_by_dropout() -> None:
    bounces = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.9, 40), 0.04), **RATE}
    assert severity(LearningRateTooHigh(), a_run(bounces)) is Severity.WARNING
    falls = {**bounces, Role.VAL_LOSS: decay(40, 1.6, 0.4, 3)}
    assert severity(LearningRateTooHigh(), a_run(falls)) is None


def test_a_rate_that_was_gone_holds_nothing_up() -> None:
    stands = {Role.TRAIN_LOSS: decay(60, 4.4, 3.1, 400), Role.LEARNING_RATE: flat(60, 0.1)}
    assert severity(LearningRateTooHigh(), a_run(stands)) is Severity.WARNING
    gone = {**stands, Role.LEARNING_RATE: np.repeat([0.1, 1e-5], [6, 54])}
    assert severity(LearningRateTooHigh(), a_run(gone)) is None
    assert severity(ScheduleDecaysTooEarly(), a_run(gone)) is Severity.WARNING
    low = {**gone, Role.TRAIN_LOSS: decay(60, 4.4, 0.1, 400)}
    assert severity(ScheduleDecaysTooEarly(), a_run(low)) is None


def test_of_a_regression_the_first_loss_tells_little() -> None:
    way = 1 - np.cumsum(RATE[Role.LEARNING_RATE]) / 0.21
    slow = {Role.TRAIN_LOSS: 4000 * way**4 + 30, Role.VAL_LOSS: 4100 * way**4 + 40, **RATE}
    assert severity(LearningRateTooLow(), a_run(slow)) is Severity.WARNING
    accuracies = {Role.VAL_METRIC: 1 - 0.7 * way**4}
    assert severity(LearningRateTooLow(), a_run({**slow, **accuracies})) is None


def test_what_left_a_plateau_did_not_crawl() -> None:
    # A transformer that adds digits, whose rate was well chosen.
    plateau = [2.1, 2.005, 1.922, 1.795, 1.213, 0.718, 0.536, 0.458, 0.407, 0.39, 0.36, 0.315, 0.318,
               0.298, 0.306, 0.295, 0.289, 0.275, 0.28, 0.279]  # fmt: skip
    val = [2.045, 1.958, 1.875, 1.592, 0.766, 0.62, 0.55, 0.449, 0.411, 0.394, 0.368, 0.339, 0.329,
           0.325, 0.32, 0.31, 0.304, 0.303, 0.3028, 0.3016]  # fmt: skip
    rate = {Role.LEARNING_RATE: np.linspace(0.024, 0.0001, 20)}
    accuracy = {Role.VAL_METRIC: 1 - np.array(val) / 2.4}
    leaves = {Role.TRAIN_LOSS: np.array(plateau), Role.VAL_LOSS: np.array(val), **rate}
    assert severity(LearningRateTooLow(), a_run({**leaves, **accuracy})) is None
    anyhow = LearningRateTooLow(leaps=9.0)
    assert severity(anyhow, a_run({**leaves, **accuracy})) is Severity.WARNING


def test_ten_epochs_far_from_done_are_a_note() -> None:
    few = {Role.TRAIN_LOSS: np.linspace(2.3, 2.1, 11), Role.VAL_LOSS: np.linspace(2.31, 2.12, 11)}
    run = a_run({**few, Role.LEARNING_RATE: flat(11, 1e-4)})
    assert severity(LearningRateTooLow(), run) is Severity.NOTE
    half = {role: 1.4 * (values - 1.98) / 0.3 for role, values in few.items()}
    rate = {Role.LEARNING_RATE: flat(11, 0.1)}
    assert severity(LearningRateTooLow(), a_run({**half, **rate})) is Severity.NOTE  # on rails
    wavers = half[Role.VAL_LOSS] * np.exp(jitter(11, 0.02, 1))
    assert severity(LearningRateTooLow(), a_run({**half, **rate, Role.VAL_LOSS: wavers})) is None


def test_a_validation_loss_that_rose_once_leaves_a_low_rate_open() -> None:
    # Images of spots, counted at a tenth of the rate that was tuned.
    train = [1.43, 1.046, 0.819, 0.688, 0.669, 0.614, 0.556, 0.531, 0.546, 0.516, 0.474, 0.505, 0.483,
             0.457, 0.47, 0.481]  # fmt: skip
    val = [1.365, 1.085, 0.835, 0.722, 0.686, 0.676, 0.658, 0.624, 0.646, 0.607, 0.6072, 0.601, 0.599,
           0.6, 0.597, 0.597]  # fmt: skip
    run = {Role.TRAIN_LOSS: np.array(train), Role.LEARNING_RATE: cosine(16, 0.005)}
    rule = Selection(detectors=(LearningRateTooLow(),))
    found = examine(a_run({**run, Role.VAL_LOSS: np.array(val)}), rule).outcomes["OPT002"]
    assert isinstance(found, NotApplicable)
    assert "ten times" in found.reason
    jumps = np.array(val) * np.exp(jitter(16, 0.2, 1))
    assert examine(a_run({**run, Role.VAL_LOSS: jumps}), rule).outcomes["OPT002"] == Passed()


@pytest.mark.parametrize("end", [0.8, 1.2])
def test_small_or_few_steps_are_a_note_of_much_to_gain_and_left_open_else(end: float) -> None:
    on = np.linspace(2.3, end, 30) * np.exp(jitter(30, 0.012, 4))
    val = 1.02 * np.linspace(2.3, end + 0.1, 30) + jitter(30, 0.04)
    run = a_run({Role.TRAIN_LOSS: on, Role.VAL_LOSS: val})
    found = examine(run, Selection(detectors=(LearningRateTooLow(),))).outcomes["OPT002"]
    if end < 1:
        assert severity(LearningRateTooLow(), run) is Severity.NOTE
    else:
        assert isinstance(found, NotApplicable)
        assert "ten times" in found.reason


def test_early_rises_of_validation_are_left_open_where_nobody_logged_the_rate() -> None:
    losses = {Role.TRAIN_LOSS: decay(40, 2.3, 0.02, 9), Role.VAL_LOSS: 0.4 + FALLS_WILDLY}
    found = examine(a_run(losses), Selection(detectors=(LearningRateTooHigh(),))).outcomes["OPT001"]
    assert isinstance(found, NotApplicable)
    assert "rose at" in found.reason


def test_a_stretched_schedule_has_more_of_its_high_rate() -> None:
    fell = np.concatenate([np.linspace(2.0, 1.0, 20), flat(20, 0.9) + jitter(20, 0.001)])
    assert severity(StoppedTooEarly(), a_run({Role.VAL_LOSS: fell, **STEPS})) is Severity.NOTE
    stood = np.concatenate([decay(20, 2.0, 1.0, 12), flat(20, 0.9) + jitter(20, 0.001)])
    assert severity(StoppedTooEarly(), a_run({Role.VAL_LOSS: stood, **STEPS})) is None


def test_what_learns_by_heart_is_promised_nothing() -> None:
    fell = [
        1.4368,
        1.1754,
        1.0412,
        0.9614,
        0.9224,
        0.91,
        0.8915,
        0.8947,
        0.8787,
        0.8788,
        0.8791,
        0.879,
    ]
    run = {Role.VAL_LOSS: np.array(fell), Role.LEARNING_RATE: cosine(12, 0.01)}
    level = {**run, Role.TRAIN_LOSS: decay(12, 1.8, 0.8)}
    assert severity(StoppedTooEarly(), a_run(level)) is Severity.NOTE
    by_heart = {**run, Role.TRAIN_LOSS: decay(12, 1.8, 0.2)}
    assert severity(StoppedTooEarly(), a_run(by_heart)) is None


def test_few_samples_guess_among_the_classes_that_the_loss_tells() -> None:
    guesses = {
        Role.TRAIN_LOSS: np.linspace(1.40, 1.32, 20),
        Role.TRAIN_METRIC: np.linspace(0.22, 0.37, 20),
        Role.VAL_LOSS: np.linspace(1.392, 1.45, 20),
        Role.VAL_METRIC: flat(20, 0.212) + jitter(20, 0.01),
    }
    assert severity(NoLearning(), a_run(guesses)) is Severity.ERROR
    learned = {**guesses, Role.VAL_METRIC: np.linspace(0.2, 0.35, 20)}
    assert severity(NoLearning(), a_run(learned)) is None


def test_frozen_layers_of_a_run_that_learned_are_left_open_without_settings() -> None:
    steps = (1, 20, 40)
    fixed = {step: jitter(600, 0.1) for step in steps}
    moving = {step: jitter(600, 0.1) * (1 + step / 100) for step in steps}
    learns = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.01), 0.01)}
    layers = {"fc1.weight": fixed, "head.weight": moving}
    rule = Selection(detectors=(FrozenWeights(),))
    found = examine(a_run(learns, histograms=layers), rule).outcomes["GRD006"]
    assert isinstance(found, NotApplicable)
    assert "hyperparameters" in found.reason
    told = a_run(learns, histograms=layers, hparams={"lr": 0.1})
    assert isinstance(examine(told, rule).outcomes["GRD006"], Passed)


def promised(kept: float, norms: Floats, **settings: float | str) -> Run:
    """A loss per batch, one each second step, that fell by a share ``kept`` of what its norms promised."""
    steps, rate = np.arange(0, 400, 2), 2e-4
    fall = float(np.sum(norms**2)) * 2 * rate / (1 - 0.9) * kept
    losses = noisy(decay(200, 2.0, 2.0 - fall, 8), 0.05)
    return a_run(
        {
            Role.TRAIN_LOSS: Series.of("loss", steps, losses),
            Role.GRAD_NORM: Series.of("grad_norm", steps, norms),
            Role.LEARNING_RATE: Series.of("lr", steps, flat(200, rate)),
        },
        hparams={"optimizer": "sgd", "epochs": 10, **settings},
    )


NORMS = noisy(flat(200, 2.0), 0.1)


@pytest.mark.parametrize(("kept", "told"), [(0.3, Severity.WARNING), (0.03, None), (1.2, None)])
def test_steps_that_keep_what_gradients_promise_are_small(
    kept: float, told: Severity | None
) -> None:
    assert severity(LearningRateTooLow(), promised(kept, NORMS)) is told


def test_a_promise_is_told_only_where_steps_are_those_of_the_optimizer() -> None:
    assert severity(LearningRateTooLow(), promised(0.3, NORMS, epochs=400)) is None
    assert severity(LearningRateTooLow(), promised(0.3, NORMS, optimizer="adam")) is None
    clipped = np.minimum(noisy(flat(200, 2.0), 0.1), 1.9)  # and logged after that
    assert severity(LearningRateTooLow(), promised(0.3, clipped)) is None


def test_validation_that_fell_each_of_a_few_times_clears_no_rate() -> None:
    batches = Series.of("loss", np.arange(1, 121), noisy(decay(120, 2.3, 1.4, 2), 0.05))
    val = Series.of("val", np.arange(20, 121, 20), np.array([2.2, 2.0, 1.9, 1.8, 1.7, 1.6]))
    run = a_run({Role.TRAIN_LOSS: batches, Role.VAL_LOSS: val, Role.LEARNING_RATE: flat(120, 1e-3)})
    found = examine(run, Selection(detectors=(LearningRateTooLow(),))).outcomes["OPT002"]
    assert isinstance(found, NotApplicable)
    assert "each of its 6" in found.reason


@pytest.mark.parametrize(("rate", "open_"), [(1e-5, True), (1e-2, False)])
def test_adam_cannot_have_moved_weights_by_more_than_the_sum_of_its_rate(
    rate: float, open_: bool
) -> None:
    losses = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 1.9, 6), 0.02)}
    stated = {"optimizer": "adam", "epochs": 3}
    run = a_run({**losses, Role.LEARNING_RATE: flat(60, rate)}, hparams=stated)
    found = examine(run, Selection(detectors=(LearningRateTooLow(),))).outcomes["OPT002"]
    assert isinstance(found, NotApplicable if open_ else Passed)


@pytest.mark.parametrize(("pace", "told"), [(1.0, Severity.NOTE), (6.0, None)])
def test_a_lone_loss_that_falls_late_and_on_is_a_note(pace: float, told: Severity | None) -> None:
    lone = noisy(decay(300, 2.3, 0.9, pace), 0.1)
    run = a_run({Role.TRAIN_LOSS: lone, Role.LEARNING_RATE: flat(300, 1e-4)})
    assert severity(LearningRateTooLow(), run) is told
