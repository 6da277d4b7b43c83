"""Whether a curve rises or falls, how fast, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from tbdiag.model.series import Floats, Ints
from tbdiag.signals.medians import median


@dataclass(frozen=True, slots=True)
class Trend:
    """Kendall's ``tau`` against time, from −1 (falls at every pair) to 1, and its two-sided ``p``."""

    tau: float
    p: float


@dataclass(frozen=True, slots=True)
class Slope:
    """Change per unit of x: the median slope and its confidence interval [low, high]."""

    median: float
    low: float
    high: float


@lru_cache(maxsize=32)  # thinned curves have few lengths, and the pairs cost more than their slopes
def _pairs(n: int) -> tuple[Ints, Ints]:
    return np.triu_indices(n, 1)


def mann_kendall(values: Floats) -> Trend:
    """The Mann–Kendall test on ``values`` (n,), with the correction of the variance for ties.

    Mann (1945), Kendall (1975). Takes n² memory: thin long curves first. Fewer than three points,
    or a constant curve, have tau 0 and p 1.
    """
    n = len(values)
    if n < 3:
        return Trend(0.0, 1.0)
    first, second = _pairs(n)
    before, after = values.take(first), values.take(second)
    rises, falls = np.count_nonzero(after > before), np.count_nonzero(after < before)
    score = float(rises - falls)
    tied = 0.0
    if rises + falls < len(first):
        ties = np.unique(values, return_counts=True)[1].astype(np.float64)
        tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    variance = (n * (n - 1) * (2 * n + 5) - tied) / 18
    if variance <= 0:
        return Trend(0.0, 1.0)
    z = max(abs(score) - 1, 0.0) / math.sqrt(variance)
    return Trend(score / (n * (n - 1) / 2), math.erfc(z / math.sqrt(2)))


def theil_sen(x: Floats, y: Floats, level: float = 0.9) -> Slope:
    """The median of the slopes between all pairs of points, with the interval at ``level``.

    ``x`` (n,) strictly increasing, ``y`` (n,). Theil (1950), Sen (1968): the interval takes the
    order statistics that Kendall's variance gives. Fewer than two points have slope 0.
    """
    n = len(x)
    if n < 2:
        return Slope(0.0, 0.0, 0.0)
    slopes = _slopes(x, y)
    low, high = _interval(n, level)
    half, odd = divmod(len(slopes), 2)
    slopes.partition(sorted({low, max(half - 1, 0), half, high}))
    middle = slopes[half] if odd else (slopes[half - 1] + slopes[half]) / 2
    return Slope(float(middle), float(slopes[low]), float(slopes[high]))


def median_slope(x: Floats, y: Floats) -> float:
    """What `theil_sen` gives for the median, without the interval."""
    return median(_slopes(x, y)) if len(x) > 1 else 0.0


def _slopes(x: Floats, y: Floats) -> Floats:
    """The slopes between all pairs of n points, shape (n(n - 1)/2,)."""
    first, second = _pairs(len(y))
    slopes = y.take(second)
    slopes -= y.take(first)
    slopes /= _distances(x.tobytes())
    return slopes


@lru_cache(maxsize=32)  # nearly always 0, 1, 2, …
def _distances(x: bytes) -> Floats:
    places: Floats = np.frombuffer(x, dtype=np.float64)
    first, second = _pairs(len(places))
    return places.take(second) - places.take(first)


@lru_cache(maxsize=128)
def _interval(n: int, level: float) -> tuple[int, int]:
    """The places of the interval's ends among the ordered slopes of n points."""
    count = n * (n - 1) // 2
    spread = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return max(round((count - spread) / 2), 0), min(round((count + spread) / 2), count - 1)
