"""Calmer versions of a curve: running medians, blocks, tails."""

from __future__ import annotations

import numpy as np

from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median


def running_median(values: Floats, window: int) -> Floats:
    """The centred running median of ``values`` (n,) over ``window`` points; ends are mirrored."""
    if window < 2 or len(values) < 3:
        return values
    from scipy.ndimage import median_filter

    smooth: Floats = median_filter(values, size=min(window, len(values)) | 1, mode="reflect")
    return smooth


def thinned(series: Series, most: int = 120) -> Series:
    """At most ``most`` points: medians over equal blocks, each at the last step of its block.

    What does not fill a block stands as one of its own at the front. A curve of up to twice as many
    points stays as it is. NaN and Inf stay apart.
    """
    n = len(series)
    if n <= 2 * most:
        return series
    size = -(-n // most)
    rest = n % size
    medians = np.median(series.values[rest:].reshape(-1, size), axis=1)
    last = np.arange(rest + size - 1, n, size)
    if rest:
        medians = np.concatenate([[median(series.values[:rest])], medians])
        last = np.concatenate([[rest - 1], last])
    return Series(
        series.tag,
        series.steps[last],
        medians,
        series.wall_times[last],
        series.nonfinite,
    )


def head(values: Floats, share: float = 0.1, least: int = 3) -> Floats:
    """The first ``share`` of the values, at least ``least`` of them."""
    return values[: max(least, round(share * len(values)))]


def tail(values: Floats, share: float = 0.1, least: int = 3) -> Floats:
    """The last ``share`` of the values, at least ``least`` of them."""
    return values[-max(least, round(share * len(values))) :]
