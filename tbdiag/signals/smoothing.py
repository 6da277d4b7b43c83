"""Calmer versions of a curve: running medians, blocks, tails."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tbdiag.model.series import Floats, Series


def running_median(values: Floats, window: int) -> Floats:
    """The centred running median of ``values`` (n,) over ``window`` points; ends are mirrored."""
    if window < 2 or len(values) < 3:
        return values
    from scipy.ndimage import median_filter

    smooth: Floats = median_filter(values, size=min(window, len(values)) | 1, mode="reflect")
    return smooth


def thinned(series: Series, most: int = 120) -> Series:
    """At most ``most`` points: medians over equal blocks, each at the last step of its block.

    A curve of up to twice as many points stays as it is. NaN and Inf stay apart.
    """
    n = len(series)
    if n <= 2 * most:
        return series
    edges = np.linspace(0, n, most + 1).astype(np.int64)
    medians = [float(np.median(series.values[a:b])) for a, b in pairwise(edges)]
    last = edges[1:] - 1
    return Series(
        series.tag,
        series.steps[last],
        np.array(medians),
        series.wall_times[last],
        series.nonfinite,
    )


def head(values: Floats, share: float = 0.1, least: int = 3) -> Floats:
    """The first ``share`` of the values, at least ``least`` of them."""
    return values[: max(least, round(share * len(values)))]


def tail(values: Floats, share: float = 0.1, least: int = 3) -> Floats:
    """The last ``share`` of the values, at least ``least`` of them."""
    return values[-max(least, round(share * len(values))) :]
