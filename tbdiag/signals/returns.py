"""What the return of an agent does over a run, noise set apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats, Ints

_BLOCKS = 40
_EACH = 2  # points per block at least, where there are that many
_WIDE = 3  # blocks that tell a level
_ENOUGH = 24  # levels that tell how they wander
_CALM, _CALM_SD = 0.3, 0.385  # a quantile of the size of a normal variable, in standard deviations
_TAMED = 0.01  # share of the points at either end that are drawn in


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Returns:
    """The course of a return that is better the higher it is.

    ``levels`` (k,) are the means of blocks of points, three blocks wide, and ``places`` (k,) the
    index of the last point of its middle block. ``first``, ``best`` and ``last`` are levels: of the beginning, the
    highest, of the last fifth. ``error`` is the standard error of a level.
    """

    levels: Floats
    places: Ints
    first: float
    best: float
    last: float
    best_at: int
    error: float

    def above(self, one: float, other: float, errors: float) -> bool:
        """Whether a level lies above another by more than so many standard errors of both."""
        return one - other > errors * self.error * 2**0.5

    @property
    def learned(self) -> float:
        """How much the best level lies above the first, 0 where it does not."""
        return max(self.best - self.first, 0.0)


def returns(values: Floats) -> Returns | None:
    """The course of the returns (n,), None for fewer than twelve.

    Levels are means, for it is the mean that a policy is trained on, and the median of returns with
    two modes jumps where the mean hardly moves; the most extreme hundredth at either end is drawn
    in first. The error of a level is the larger of what the spread within blocks and what the
    differences between them give.
    """
    n = len(values)
    if n < 12:
        return None
    tame = np.clip(values, *np.quantile(values, [_TAMED, 1 - _TAMED]))
    blocks = min(_BLOCKS, max(n // _EACH, 8))
    cuts = np.linspace(0, n, blocks + 1).round().astype(np.int64)
    counts = np.diff(cuts)
    means = np.add.reduceat(tame, cuts[:-1]) / counts
    within = np.sqrt(np.mean((tame - np.repeat(means, counts)) ** 2) / float(counts.mean()))
    levels = np.convolve(means, np.ones(_WIDE) / _WIDE, "valid")
    best = int(levels.argmax())
    return Returns(
        levels=levels,
        places=cuts[_WIDE - 1 : -1] - 1,
        first=float(means[:2].mean()),
        best=float(levels[best]),
        last=float(means[-max(blocks // 5, 2) :].mean()),
        best_at=best,
        error=max(float(within) / _WIDE**0.5, _wandering(levels)),
    )


def _wandering(levels: Floats) -> float:
    """The standard deviation of the levels (k,) around lines through them, over spans of some length.

    By second differences of levels that share no point: their lower quantile, for a learning agent
    bends the curve at some places, noise at all. A return that is itself a mean over many episodes
    wanders slowly, which the spread within blocks does not show. Too few levels do not tell.
    """
    k, found = len(levels), 0.0
    if k < _ENOUGH:
        return 0.0
    for lag in range(_WIDE, k // 8 + 1):
        bends = np.abs(levels[: -2 * lag] - 2 * levels[lag:-lag] + levels[2 * lag :])
        found = max(found, float(np.quantile(bends, _CALM)) / _CALM_SD / 6**0.5)
    return found
