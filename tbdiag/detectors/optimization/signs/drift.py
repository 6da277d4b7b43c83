"""Steps so small that nothing but their number holds a run up, told without a smooth loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.optimization.signs.on_rails import rises
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.descent import kept_promise
from tbdiag.signals.forecast import forecast
from tbdiag.signals.medians import median
from tbdiag.signals.schedule import Shape
from tbdiag.signals.smoothing import tail
from tbdiag.signals.stated import Family
from tbdiag.signals.trend import kendall

if TYPE_CHECKING:
    from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow

_USUAL_MOMENTUM = 0.9  # what is hardly ever stated of plain gradient descent
_MOST_MOMENTUM = 0.999
_FEWEST = 3  # evaluations of which a fall at every one means anything


def drifts(limits: LearningRateTooLow, case: Case, left: float) -> float | None:
    """The share of what gradients promised that came true, where that is more than tuned rates keep.

    None where it is not, is not known, or where validation stands aside or gains nothing.
    """
    kept = _kept(case)
    # More than all cannot come true: then the loss, or its gradient, is on another scale.
    if kept is None or not limits.promise < kept <= 1:
        return None
    return kept if _has_a_way_to_go(limits, case, left) else None


def _kept(case: Case) -> float | None:
    """The share of what gradients promised that came true, None where it is not known."""
    norm, rate = case.curve(Role.GRAD_NORM), case.curve(Role.LEARNING_RATE)
    if norm is None or rate is None or case.optimizer not in (Family.SGD, Family.MOMENTUM):
        return None
    if not _counts_updates(case, norm):
        return None
    stated = case.number(Knob.MOMENTUM)
    momentum = min(_USUAL_MOMENTUM if stated is None else max(stated, 0.0), _MOST_MOMENTUM)
    fall = case.progress.first - case.progress.last
    return kept_promise(fall, rate, norm, momentum, case.number(Knob.CLIP_NORM))


def _has_a_way_to_go(limits: LearningRateTooLow, case: Case, left: float) -> bool:
    """Whether much of the loss is left, or validation, no worse than training, still gains."""
    val = case.curve(Role.VAL_LOSS)
    if val is None or len(val) < limits.evaluations:
        return left > limits.unspent
    train = median(tail(case.course(Role.TRAIN_LOSS).values))
    if not train > 0 or median(tail(val.values)) / train > limits.beside:
        return False
    even = case.paced(Role.VAL_LOSS)
    if rises(val, 0)[0] > limits.rises or kendall(even[len(even) // 2 :]) > -limits.validated:
        return False
    return left > limits.unspent or sure_gain(even) > limits.sure_gain * abs(median(tail(even)))


def _counts_updates(case: Case, norm: Series) -> bool:
    """Whether the steps of the gradient norm are those of the optimizer, and not epochs."""
    epochs = case.number(Knob.EPOCHS)
    if epochs is not None:
        return float(norm.steps[-1]) >= 2 * epochs
    if case.epoch_steps is not None:
        return case.epoch_steps >= 2
    train, batches = case.curve(Role.TRAIN_LOSS), case.curve(Role.BATCH_LOSS)
    if train is None or batches is None or batches.tag == train.tag:
        return False
    return min(len(batches), len(norm)) >= 2 * len(train)


def goes_on(limits: LearningRateTooLow, case: Case, left: float) -> bool:
    """Whether a run ends as it began: both losses fall on, and validation hardly ever rose.

    At a constant rate a run whose steps are as long as they may be ends in its own noise. Where nothing was logged of
    the rate, a schedule may have calmed the end; it would have slowed it, too.
    """
    val, course, seen = case.curve(Role.VAL_LOSS), case.schedule, case.headway
    if val is None or not limits.points <= len(val) <= limits.most:
        return False
    even = case.paced(Role.VAL_LOSS)
    if course is None:  # by how both fall, for a schedule is slow at its end
        if case.number(Knob.LR) is not None or not limits.unspent < left < 1:
            return False
        if seen.sure_drop <= limits.unslowed or seen.ready <= limits.late:
            return False
        steady = rises(val, 0)[0] <= limits.seldom
        return steady and sure_gain(even) > limits.much * abs(median(tail(even)))
    if (
        course.shape is not Shape.CONSTANT
        or len(val) < limits.few
        or rises(val, 0)[1] > limits.late_rises
    ):
        return False
    return seen.sure_drop > limits.drop and sure_gain(even) > limits.lasting * abs(
        median(tail(even))
    )


def stays_ahead(limits: LearningRateTooLow, case: Case, left: float) -> bool:
    """Whether a loss with nothing beside it made most of its fall late on its way, and has as much to go.

    By the way that the rate allowed, so that no schedule brings it. Gradients that promised far more speak against it.
    """
    if case.curve(Role.VAL_LOSS) is not None or case.schedule is None:
        return False
    seen = case.headway
    if not limits.unspent < left < 1 or seen.ready <= limits.lone or seen.sure_drop <= limits.ahead:
        return False
    kept = _kept(case)
    return kept is None or kept > limits.promise / 2


def few_fell(limits: LearningRateTooLow, case: Case) -> str | None:
    """Why a few evaluations, each below the one before, tell nothing of the steps; None if they rose."""
    val = case.curve(Role.VAL_LOSS)
    if val is None or not _FEWEST <= len(val) < limits.evaluations:
        return None
    levels = val.values
    if np.any(np.diff(levels) >= 0) or not levels[-1] > 0:
        return None
    late = float(levels[-2] / levels[-1]) - 1.0
    if late <= limits.lasting:
        return None
    return (
        f"validation fell at each of its {len(val)} evaluations, by {late:.0%} at the last, which are too few to"
        " tell small steps from few: evaluate more often, or run an epoch at three times the rate"
    )


def hardly_moved_weights(limits: LearningRateTooLow, case: Case, left: float) -> str | None:
    """Whether Adam, whose steps are about as long as the rate, cannot have moved any weight far."""
    if case.optimizer is not Family.ADAM or not left > limits.far:
        return None
    rate, norm = case.curve(Role.LEARNING_RATE), case.the(Role.TRAIN_LOSS)
    if rate is None or len(rate) < 2 or not _counts_updates(case, norm):
        return None
    way = float(np.mean(np.maximum(rate.values, 0.0))) * float(norm.steps[-1] - norm.steps[0])
    if not 0 < way < limits.way:
        return None
    return (
        f"Adam moves a weight by about the rate at each step, which is {way:.2g} in all, and {left:.0%} of the first"
        " loss is left: enough for weights that were trained before, next to nothing for new ones"
    )


def sure_gain(even: Floats) -> float:
    """The least fall of a curve (n,) that half as much again would bring, by the 90 % interval."""
    return -forecast(np.arange(len(even), dtype=np.float64), even, len(even) / 2).high
