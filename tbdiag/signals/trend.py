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
    score = float(np.triu(np.sign(values[None, :] - values[:, None]), 1).sum())
    ties = np.unique(values, return_counts=True)[1].astype(np.float64)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
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
    first, second = _pairs(n)
    slopes = np.sort((y[second] - y[first]) / (x[second] - x[first]))
    spread = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(round((len(slopes) - spread) / 2), 0)
    high = min(round((len(slopes) + spread) / 2), len(slopes) - 1)
    return Slope(median(slopes), float(slopes[low]), float(slopes[high]))
