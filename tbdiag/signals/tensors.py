"""What a histogram tells of the tensor behind it: its size, its zeros, its mass at the ends."""

from __future__ import annotations

import math

import numpy as np

from tbdiag.model.histogram import Histogram

# A bucket this much narrower than the tensor's size holds zeros and next to nothing else.
_FINE = 1e-3
_ENOUGH = 200  # numbers whose distribution can be told
_KOLMOGOROV = 1.36  # its limit at 5 %, times the square root of the count


def rms(record: Histogram) -> float:
    """The root mean square, exact where the writer logged the sum of squares; NaN for none."""
    return math.sqrt(max(record.squares, 0.0) / record.size) if record.size else math.nan


def norm(record: Histogram) -> float:
    """The Euclidean norm; NaN for an empty histogram."""
    return math.sqrt(max(record.squares, 0.0)) if record.size else math.nan


def least(record: Histogram) -> float:
    """The least number; NaN for none. TensorFlow puts one value into a bucket of width 1 about it."""
    alone = np.count_nonzero(record.counts) == 1 and record.spread == 0
    return record.mean if alone else record.low


def zeros(record: Histogram) -> tuple[float, bool]:
    """The share of numbers that are exactly zero, and whether the buckets are fine enough to tell.

    Narrow buckets around zero (TensorFlow's and PyTorch's default ones are 1e-12 wide) give the share
    itself. In wide ones a continuous density puts about as much mass into the next bucket as
    into that of zero, so that the excess over the fuller neighbour estimates the share; it is
    an upper bound where the density is sharply peaked.
    """
    size = record.size
    if not size:
        return math.nan, False
    left, right, counts = record.edges[:-1], record.edges[1:], record.counts
    at = np.flatnonzero((left <= 0) & (right >= 0))
    if not len(at):
        return 0.0, True
    level = rms(record)
    if level == 0:
        return 1.0, True
    near = (np.abs(left) <= _FINE * level) & (np.abs(right) <= _FINE * level)
    if near[at].any():
        return float(counts[at][near[at]].sum()) / size, True
    first, last = int(at[0]), int(at[-1])
    beside = [counts[i] for i in (first - 1, last + 1) if 0 <= i < len(counts)]
    share = float(counts[at].sum() - max(beside, default=0.0)) / size
    return max(share, 0.0), False


def mass(record: Histogram, low: float, high: float) -> float:
    """The share of numbers from ``low`` to ``high``, linear within a bucket; NaN for none."""
    size = record.size
    if not size:
        return math.nan
    heights = np.concatenate([[0.0], np.cumsum(record.counts)])
    below, above = np.interp([low, high], record.edges, heights)
    return float(above - below) / size


def uniform(record: Histogram) -> bool:
    """Whether the numbers may have been drawn evenly from an interval around zero.

    PyTorch draws the first weights of linear and convolutional layers so; what was trained is
    bell-shaped. Kolmogorov and Smirnov's test at 5 %, against the ends that were logged, for 200
    numbers or more; fewer cannot tell, which is no.
    """
    n, width = record.size, record.high - record.low
    if n < _ENOUGH or width <= 0 or not record.low < 0 < record.high:
        return False
    limits = np.clip(record.edges[1:-1], record.low, record.high)
    below = np.cumsum(record.counts)[:-1] / n
    away = np.abs(below - (limits - record.low) / width)
    return bool(away.max(initial=0.0) * math.sqrt(n) < _KOLMOGOROV)


def same(first: Histogram, second: Histogram) -> bool:
    """Whether two records tell of the same numbers, to the last bit of what was logged."""
    return (
        first.squares == second.squares
        and first.total == second.total
        and np.array_equal(first.counts, second.counts)
        and np.array_equal(first.edges, second.edges)
    )
