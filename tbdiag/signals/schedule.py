"""What a learning-rate curve does over a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tbdiag.model.series import Series

_SPENT = 0.009


class Shape(StrEnum):
    """The course of a learning rate after its warm-up."""

    CONSTANT = "constant"
    DECAYING = "decaying"
    CYCLIC = "cyclic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A learning rate: its ``shape``, ``peak`` and ``last`` value, and two turning points.

    ``warm_up_end`` is the step at which it first reaches 99 % of its peak, or the first step where
    it never rises; ``idle`` is the share of the run after the last point above 0.9 % of
    the peak, just below what two cuts to a tenth leave; ``changes`` are the steps at which it falls by a tenth or more at once.
    """

    shape: Shape
    peak: float
    last: float
    idle: float
    warm_up_end: int
    changes: tuple[int, ...]


def schedule(rate: Series) -> Schedule | None:
    """The schedule behind a learning-rate curve of n ≥ 2 positive points, else None."""
    values = rate.values
    if len(values) < 2 or values.max() <= 0:
        return None
    peak, low = float(values.max()), float(values.min())
    if low == peak:
        return Schedule(
            shape=Shape.CONSTANT,
            peak=peak,
            last=peak,
            idle=0.0,
            warm_up_end=int(rate.steps[0]),
            changes=(),
        )
    top = int(np.argmax(values >= 0.99 * peak))
    after = values[top:]
    alive = -1 if low >= _SPENT * peak else int(np.flatnonzero(values >= _SPENT * peak)[-1])
    length = float(rate.steps[-1] - rate.steps[0])
    falls = np.flatnonzero(after[1:] <= 0.9 * after[:-1]) + top + 1
    # A rise of half the peak above an earlier low is a restart, not rounding.
    if low < 0.5 * peak and float((after - np.minimum.accumulate(after)).max()) > 0.5 * peak:
        shape = Shape.CYCLIC
    elif after[-1] < 0.9 * peak:
        shape = Shape.DECAYING
    else:
        shape = Shape.CONSTANT
    return Schedule(
        shape=shape,
        peak=peak,
        last=float(values[-1]),
        idle=float(rate.steps[-1] - rate.steps[alive]) / length,
        warm_up_end=int(rate.steps[top]),
        changes=tuple(int(step) for step in rate.steps[falls]),
    )


def held_since_cut(rate: Series, course: Schedule) -> bool:
    """Whether the rate was cut at once, and has been held since the last time."""
    if not course.changes:
        return False
    held = rate.between(course.changes[-1], float(rate.steps[-1])).values
    return len(held) > 1 and bool(held.min() >= 0.9 * held.max())
