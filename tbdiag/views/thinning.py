"""Curves in as many points as a screen can show, so that no spike and no NaN is lost."""

from __future__ import annotations

import numpy as np

from tbdiag.model.series import Floats, Ints

_BLOCK = 128  # values that are averaged at once


def outline(x: Floats, y: Floats, columns: int) -> Ints:
    """Which of the points (n,) to draw: the first, lowest, highest and last of each column.

    ``x`` does not decrease, ``y`` is finite. What is drawn of them covers the very pixels that all points
    would cover where the picture is ``columns`` pixels wide: Jugel et al., "M4: a visualization-oriented
    time series data aggregation", VLDB 2014.
    """
    n = len(x)
    if n <= 4 * columns:
        return np.arange(n)
    column = columns_of(x, columns)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    sizes = np.diff(starts, append=n)
    keep = np.zeros(n, dtype=bool)
    keep[starts] = True
    keep[starts + sizes - 1] = True
    for extreme in (np.minimum, np.maximum):
        of_column = np.repeat(extreme.reduceat(y, starts), sizes)
        reached = np.flatnonzero(y == of_column)
        _, first = np.unique(column[reached], return_index=True)
        keep[reached[first]] = True
    return np.flatnonzero(keep)


def columns_of(x: Floats, columns: int) -> Ints:
    """The column (n,) of each x: 0 to ``columns - 1``, from the least x to the greatest."""
    if not len(x):
        return np.zeros(0, dtype=np.int64)
    low, width = float(x.min()), float(np.ptp(x))
    if width <= 0:
        return np.zeros(len(x), dtype=np.int64)
    return np.minimum(((x - low) * (columns / width)).astype(np.int64), columns - 1)


def sparse(x: Floats, kinds: Ints, columns: int) -> Ints:
    """Which of the points (n,) to mark: the first of its kind in each column."""
    if not len(x):
        return np.zeros(0, dtype=np.int64)
    _, first = np.unique(columns_of(x, columns) * 4 + kinds, return_index=True)
    return np.sort(first)


def smoothed(values: Floats, weight: float) -> Floats:
    """The moving average (n,) that TensorBoard draws: exponential, without the bias of its start.

    ``weight`` is in [0, 1): what the past counts for. Blocks of values are averaged by one product of
    matrices, and each block's end is carried into the next.
    """
    n = len(values)
    if not n:
        return values
    back = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
    inside = np.where(back >= 0, (1 - weight) * weight ** np.maximum(back, 0), 0.0)
    blocks = np.zeros((-(-n // _BLOCK), _BLOCK))
    blocks.reshape(-1)[:n] = values
    average = blocks @ inside.T
    fading = weight ** np.arange(1, _BLOCK + 1)
    carried = 0.0
    for block in average:
        block += carried * fading
        carried = float(block[-1])
    return average.reshape(-1)[:n] / (1 - weight ** np.arange(1, n + 1))
