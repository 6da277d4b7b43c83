"""Lines of many points, made fit to be drawn."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tbdiag.model.series import Floats

_DRAWN = 2000  # columns of a line; of more points only the extremes of each are drawn


def thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """At most twice `_DRAWN` points: the lowest and the highest of each of so many blocks."""
    if len(x) <= 2 * _DRAWN:
        return x, y
    edges = np.linspace(0, len(x), _DRAWN + 1).astype(np.int64)
    kept = np.unique(
        [a + at for a, b in pairwise(edges) for at in (int(y[a:b].argmin()), int(y[a:b].argmax()))]
    )
    return x[kept], y[kept]


def smoothed(y: Floats, *, log: bool) -> Floats:
    """The centred running mean over a fiftieth of the points, geometric on a logarithmic scale.

    At the ends it is the mean of what there is within reach.
    """
    values = np.log(y) if log else y
    half, n = max(len(y) // 100, 2), len(y)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    low = np.maximum(np.arange(n) - half, 0)
    high = np.minimum(np.arange(n) + half + 1, n)
    means: Floats = (sums[high] - sums[low]) / (high - low)
    return np.exp(means) if log else means
