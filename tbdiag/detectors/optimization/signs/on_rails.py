"""A validation loss that falls as if on rails: steps so small that their noise does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tbdiag.case import Case
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import tail

if TYPE_CHECKING:
    from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow

_METRICS = (Role.TRAIN_METRIC, Role.VAL_METRIC)


def alone(limits: LearningRateTooLow, case: Case) -> float | None:
    """What is left of a validation loss that falls as if on rails with no training loss beside it.

    None where it does not, or has not far to go.
    """
    if not on_rails(limits, case):
        return None
    values = case.the(Role.VAL_LOSS).values
    left = median(tail(values)) / float(values[0])
    return left if limits.stuck < left < 1 else None


def on_rails(limits: LearningRateTooLow, case: Case) -> bool:
    """Whether validation falls as if on rails by the way of the rate, beside a training loss no lower."""
    if not _beside(limits, case):
        return False
    even = case.paced(Role.VAL_LOSS)
    alone = case.curve(Role.TRAIN_LOSS) is None
    if even.min() <= 0 or (case.schedule is None and not alone):
        return False  # without the rate a smooth end may be a schedule's
    log = np.log(even)
    if log[3 * len(log) // 4] - log[-1] <= (limits.creeps if alone else limits.onward):
        return False
    return _bends(log[len(log) // 3 :]) < (
        limits.rails if _began_slowly(limits, case) else limits.silk
    )


def _began_slowly(limits: LearningRateTooLow, case: Case) -> bool:
    """Whether a loss per batch, where that is all of training, made its way late as well; True for means over epochs."""
    train, batches = case.curve(Role.TRAIN_LOSS), case.curve(Role.BATCH_LOSS)
    alike = train is not None and batches is not None and batches.tag == train.tag
    return train is None or not alike or by_a_tenth(train) < limits.tenth


def began_on_rails(limits: LearningRateTooLow, case: Case) -> bool:
    """The same of the first half, where nobody knows what the rate did later."""
    if case.schedule is not None or not (_beside(limits, case) and _began_slowly(limits, case)):
        return False
    values = case.thinned(case.the(Role.VAL_LOSS)).values
    n = len(values)
    return _bends(np.log(values[n // 6 : n // 2 + 1])) < limits.rails


def never_left_them(limits: LearningRateTooLow, case: Case) -> bool:
    """The same of a whole run of which nothing but its two losses is known, whose first one may be anything."""
    if case.curve(Role.VAL_LOSS) is None or any(case.curve(role) is not None for role in _METRICS):
        return False
    values = case.thinned(case.the(Role.VAL_LOSS)).values
    if len(values) < limits.whole or not began_on_rails(limits, case):
        return False
    log = np.log(values)
    # What arrived is smooth as well, where no batch scatters.
    return (
        log[3 * len(log) // 4] - log[-1] > limits.creeps
        and _bends(log[len(log) // 3 :]) < limits.rails
    )


def _bends(log: Floats) -> float:
    """The third differences of a logarithm (n,) over its first ones, medians both; infinite of few points.

    The noise of a step grows with its size and the way that it makes with it, so that their ratio knows
    neither the scale of the loss nor how often it was logged.
    """
    moves = np.diff(log)
    if len(moves) < 4:
        return float("inf")
    way = median(np.abs(moves))
    return median(np.abs(np.diff(moves, 2))) / way if way > 0 else float("inf")


def _beside(limits: LearningRateTooLow, case: Case) -> bool:
    """Whether validation hardly rose, and stands beside training, which was not there at once."""
    val, train = case.curve(Role.VAL_LOSS), case.curve(Role.TRAIN_LOSS)
    if val is None or not limits.evaluations <= len(val) <= limits.most:
        return False
    if rises(val, 0)[1] > limits.late_rises or val.values.min() <= 0:
        return False
    if train is None:
        return True
    if not median(tail(case.course(Role.TRAIN_LOSS).values)) > 0:
        return False
    ends = median(tail(val.values)) / median(tail(case.course(Role.TRAIN_LOSS).values))
    # Averaged weights are smooth at any rate, and there at once.
    return limits.aside < ends < limits.apart and case.headway.ready > limits.soon


def rises(curve: Series | None, least: int) -> tuple[float, float]:
    """The share of steps that go up in the first half of a curve, and in all, 0 if it has fewer points."""
    if curve is None or len(curve) < max(least, 4):
        return 0.0, 0.0
    up = np.diff(curve.values) > 0
    return float(np.mean(up[: len(curve) // 2 - 1])), float(np.mean(up))


def by_a_tenth(batches: Series) -> float:
    """The share of the fall of a loss per batch that came by the first tenth of the run."""
    values, n = batches.values, len(batches)
    first, last = median(values[:3]), median(tail(values))
    soon = median(values[n // 20 : max(3 * n // 20, n // 20 + 1)])
    return (first - soon) / (first - last) if first > last else 1.0
