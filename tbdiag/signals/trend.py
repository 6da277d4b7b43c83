"""Whether a curve rises or falls, how fast, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from tbdiag.model.series import Flags, Floats, Ints
from tbdiag.signals.medians import median

_MATRIX = 80  # values of which all pairs both ways are compared sooner than each pair once


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


def _differences(values: Floats) -> Floats:
    """Between the two of each pair of n ≥ 2 values, shape (n(n - 1)/2,), as if they stood in a ring.

    Row d of the ring holds what comes d places later minus what is there; half of the rows are all pairs.
    Rows lie in a few cache lines, and the indices of all pairs do not.
    """
    n, stride = len(values), values.itemsize
    ring = np.concatenate([values, values])
    later = np.ndarray((n // 2, n), np.float64, ring, stride, (stride, stride))
    found: Floats = (later - ring[:n]).reshape(-1)
    return found if n % 2 else found[: -n // 2]


@lru_cache(maxsize=32)  # thinned curves have few lengths
def _turned(n: int) -> Floats:
    """1 for each of the `_differences` that goes forward, −1 for those around the end of the ring."""
    return np.sign(_differences(np.arange(n, dtype=np.float64)))


@lru_cache(maxsize=32)
def _later(n: int) -> Flags:
    """Which of n × n pairs go forward in time: those above the diagonal."""
    return np.triu(np.ones((n, n), dtype=np.bool_), 1)


def _rises_and_falls(values: Floats) -> tuple[int, int]:
    """How many of the pairs of n ≥ 2 values rise in time, and how many fall."""
    if len(values) > _MATRIX:
        changes = _differences(values)
        changes *= _turned(len(values))
        return int(np.count_nonzero(changes > 0)), int(np.count_nonzero(changes < 0))
    higher = values[:, None] < values
    all_of_them = int(np.count_nonzero(higher))
    higher &= _later(len(values))
    rises = int(np.count_nonzero(higher))
    return rises, all_of_them - rises


def mann_kendall(values: Floats) -> Trend:
    """The Mann–Kendall test on ``values`` (n,), with the correction of the variance for ties.

    Mann (1945), Kendall (1975). Takes n² memory: thin long curves first. Fewer than three points,
    or a constant curve, have tau 0 and p 1.
    """
    n = len(values)
    if n < 3:
        return Trend(0.0, 1.0)
    rises, falls = _rises_and_falls(values)
    score = float(rises - falls)
    tied = 0.0
    if rises + falls < n * (n - 1) // 2:
        ties = np.unique(values, return_counts=True)[1].astype(np.float64)
        tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    variance = (n * (n - 1) * (2 * n + 5) - tied) / 18
    if variance <= 0:
        return Trend(0.0, 1.0)
    z = max(abs(score) - 1, 0.0) / math.sqrt(variance)
    return Trend(score / (n * (n - 1) / 2), math.erfc(z / math.sqrt(2)))


def kendall(values: Floats) -> float:
    """The tau of `mann_kendall` alone, in half the time."""
    n = len(values)
    if n < 3:
        return 0.0
    rises, falls = _rises_and_falls(values)
    return float(rises - falls) / (n * (n - 1) / 2)


def theil_sen(x: Floats, y: Floats, level: float = 0.9) -> Slope:
    """The median of the slopes between all pairs of points, with the interval at ``level``.

    ``x`` (n,) strictly increasing, ``y`` (n,). Theil (1950), Sen (1968): the interval takes the
    order statistics that Kendall's variance gives. Fewer than two points have slope 0.
    """
    return _slope(_slopes(x, y), len(x), level) if len(x) > 1 else Slope(0.0, 0.0, 0.0)


def of_halves(x: Floats, y: Floats) -> tuple[Slope, float, float]:
    """What `theil_sen` gives for ``x`` (n,) and ``y`` (n,), and the median slopes of its two halves."""
    n = len(x)
    if n < 4:
        half = n // 2
        halves = median_slope(x[:half], y[:half]), median_slope(x[half:], y[half:])
        return theil_sen(x, y), *halves
    slopes = _slopes(x, y)
    early, late = (median(slopes[places]) + 0.0 for places in _halves(n))
    return _slope(slopes, n, 0.9), early, late


@lru_cache(maxsize=32)
def _halves(n: int) -> tuple[Ints, Ints]:
    """The places of the pairs within the first and within the second half, among all of n points."""
    pairs, half, now = n * (n - 1) // 2, n // 2, np.arange(n)
    later = (now + now[1 : half + 1, None]) % n
    early, late = (now < half) & (later < half), (now >= half) & (later >= half)
    first, second = (np.flatnonzero(each.reshape(-1)[:pairs]) for each in (early, late))
    return first, second


def _slope(slopes: Floats, n: int, level: float) -> Slope:
    """The median of all ``slopes`` between n points, which it puts in order, with the interval."""
    low, high = _interval(n, level)
    half, odd = divmod(len(slopes), 2)
    slopes.partition(sorted({low, max(half - 1, 0), half, high}))
    middle = slopes[half] if odd else (slopes[half - 1] + slopes[half]) / 2
    return Slope(float(middle) + 0.0, float(slopes[low]) + 0.0, float(slopes[high]) + 0.0)


def median_slope(x: Floats, y: Floats) -> float:
    """What `theil_sen` gives for the median, without the interval."""
    return median(_slopes(x, y)) + 0.0 if len(x) > 1 else 0.0


def _slopes(x: Floats, y: Floats) -> Floats:
    """The slopes between all pairs of n points, shape (n(n - 1)/2,); a level pair may have −0.0."""
    slopes = _differences(y)
    slopes /= _distances(x.tobytes())
    return slopes


@lru_cache(maxsize=32)  # nearly always those of 0, 1, 2, …
def _distances(x: bytes) -> Floats:
    return _differences(np.frombuffer(x, dtype=np.float64))


@lru_cache(maxsize=128)
def _interval(n: int, level: float) -> tuple[int, int]:
    """The places of the interval's ends among the ordered slopes of n points."""
    count = n * (n - 1) // 2
    spread = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return max(round((count - spread) / 2), 0), min(round((count + spread) / 2), count - 1)
