"""Where a curve was best, and whether it has become worse since."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tbdiag.model.once import once
from tbdiag.model.role import Better, Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.noise import mean, noise
from tbdiag.signals.smoothing import running_median, tail
from tbdiag.signals.trend import Trend, mann_kendall

_LONGEST = 200  # points of which the trend is taken: its cost grows with their square


@dataclass(frozen=True, kw_only=True, eq=False)
class Turn:
    """The best of a curve of n points by its running median: ``index``, ``step``, ``value``.

    ``end`` is the mean of the last tenth. ``worse`` is how far the end is on the bad side of the
    best, in the unit of the curve; ``costs`` (n,) are its values, with the sign turned so that more
    is worse.
    """

    index: int
    step: int
    value: float
    end: float
    worse: float
    costs: Floats

    @once
    def band(self) -> float:
        """The noise of successive differences."""
        return noise(self.costs)

    @once
    def since(self) -> Trend:
        """The trend of the values from the best on: tau > 0 is getting worse."""
        return mann_kendall(_at_most(self.costs[self.index :]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relapse:
    """An ``accuracy`` in the ``role`` that was ``then`` at ``step``, and ``now`` later on."""

    role: Role
    accuracy: Series
    step: int
    then: float
    now: float

    def beyond(self, lost: float) -> bool:
        """Whether more than ``lost`` and three times the noise was lost."""
        gone = self.then - self.now
        return gone > lost and gone > 3 * noise(self.accuracy.values)


def relapse(accuracy: Series, role: Role) -> Relapse:
    """The best of the first fifth of ``accuracy`` (n ≥ 1,) against the median of the last tenth."""
    early = accuracy.values[: max(1, len(accuracy) // 5)]
    at = int(early.argmax())
    return Relapse(
        role=role,
        accuracy=accuracy,
        step=int(accuracy.steps[at]),
        then=float(early[at]),
        now=median(tail(accuracy.values)),
    )


def set_back(accuracy: Series, role: Role) -> Relapse:
    """The start of ``accuracy`` (n ≥ 4,) against the median of what follows in the first half.

    The start is the median of the first twentieth.
    """
    start = max(1, round(0.05 * len(accuracy)))
    return Relapse(
        role=role,
        accuracy=accuracy,
        step=int(accuracy.steps[start - 1]),
        then=median(accuracy.values[:start]),
        now=median(accuracy.values[start : len(accuracy) // 2]),
    )


def turn(curve: Series, better: Better = Better.LOWER) -> Turn:
    """The turn of a curve of n ≥ 1 points that improves in the direction ``better``."""
    sign = 1.0 if better is Better.LOWER else -1.0
    down = sign * curve.values
    calm = running_median(down, 3)
    best = int(calm.argmin())
    low, end = float(calm[best]), mean(tail(down))
    return Turn(
        index=best,
        step=int(curve.steps[best]),
        value=sign * low,
        end=sign * end,
        worse=end - low,
        costs=down,
    )


def _at_most(values: Floats) -> Floats:
    return values if len(values) <= _LONGEST else values[:: len(values) // _LONGEST + 1]


def gained_since(curve: Series, step: int, better: Better) -> tuple[float, Trend]:
    """How much better ``curve`` is at its end than at ``step``, and the trend from there on.

    At ``step`` stands the median of a twentieth of the curve from there on. The trend has tau > 0
    where the curve gets better.
    """
    sign = 1.0 if better is Better.HIGHER else -1.0
    up = sign * curve.values
    place = min(int(np.searchsorted(curve.steps, step)), len(up) - 1)
    window = max(1, len(up) // 20)
    then = median(up[place : place + window + 1])
    return median(tail(up)) - then, mann_kendall(_at_most(up[place:]))
