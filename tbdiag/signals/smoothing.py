"""Calmer versions of a curve: running medians, blocks, tails."""

from __future__ import annotations

import numpy as np

from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median, medians

# Values in all windows together, up to which each is sorted: importing SciPy takes as long as that
# does for many hundred curves.
_SMALL = 1 << 16


def running_median(values: Floats, window: int) -> Floats:
    """The centred running median of ``values`` (n,) over ``window`` points; ends are mirrored."""
    if window < 2 or len(values) < 3:
        return values
    n, size = len(values), min(window, len(values)) | 1
    mirrored = _mirrored(values, size)
    if size == 3:
        return _middle(mirrored[:n], values, mirrored[2:])
    if size == 5:
        a, b, c, d = (mirrored[at : at + n] for at in (0, 1, 3, 4))
        low = np.maximum(np.minimum(a, b), np.minimum(c, d))
        high = np.minimum(np.maximum(a, b), np.maximum(c, d))
        return _middle(low, values, high)
    if size == 9:
        return _middle_of_nine(mirrored)
    if size * n <= _SMALL:
        return medians(_windows(mirrored, size))
    from scipy.ndimage import median_filter

    smooth: Floats = median_filter(values, size=size, mode="reflect")
    return smooth


def slow_median(values: Floats, window: int) -> Floats:
    """The running median of ``values`` (n,) at every twelfth part of the window, linear in between.

    A trend that a window of many points leaves moves little from one point to the next.
    """
    every = window // 12
    if every < 2 or len(values) <= window:
        return running_median(values, window)
    n, size = len(values), window | 1
    places = np.append(np.arange(0, n - 1, every), n - 1)
    return np.interp(np.arange(n), places, medians(_windows(_mirrored(values, size), size)[places]))


def _mirrored(values: Floats, size: int) -> Floats:
    """The values with their ends mirrored, so that a window of ``size`` fits around each of them."""
    half = size // 2
    return np.concatenate([values[half - 1 :: -1], values, values[: -half - 1 : -1]])


def _windows(values: Floats, size: int) -> Floats:
    """All windows of ``size`` values as rows, without a copy."""
    stride, rows = values.strides[0], len(values) - size + 1
    return np.ndarray((rows, size), values.dtype, values, 0, (stride, stride))


def _middle(one: Floats, two: Floats, three: Floats) -> Floats:
    """The median of three values at each of n places."""
    middle: Floats = np.maximum(np.minimum(one, two), np.minimum(np.maximum(one, two), three))
    return middle


def _middle_of_nine(values: Floats) -> Floats:
    """The medians of all windows of nine of the ``values`` (n,); shape (n - 8,).

    A window is three triples. Its median is the middle one of the greatest least value, the middle
    middle value and the least greatest value, as of the pixels of an image (Paeth, 1990), and a
    triple is put in order once for the three windows that share it.
    """
    a, b, c = values[:-2], values[1:-1], values[2:]
    low, high = np.minimum(a, b), np.maximum(a, b)
    middle = np.maximum(low, np.minimum(high, c))
    np.minimum(low, c, out=low)
    np.maximum(high, c, out=high)
    lows = np.maximum(np.maximum(low[:-6], low[3:-3]), low[6:])
    highs = np.minimum(np.minimum(high[:-6], high[3:-3]), high[6:])
    return _middle(lows, _middle(middle[:-6], middle[3:-3], middle[6:]), highs)


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
    values = np.empty(n // size + (rest > 0))
    values[rest > 0 :] = medians(series.values[rest:].reshape(-1, size))
    if rest:
        values[0] = median(series.values[:rest]) if rest > 1 else series.values[0]
    last = slice((rest or size) - 1, None, size)
    return Series(
        series.tag,
        series.steps[last],
        values,
        series.wall_times[last],
        series.nonfinite,
    )


def head(values: Floats, share: float = 0.1, least: int = 3) -> Floats:
    """The first ``share`` of the values, at least ``least`` of them."""
    return values[: max(least, round(share * len(values)))]


def tail(values: Floats, share: float = 0.1, least: int = 3) -> Floats:
    """The last ``share`` of the values, at least ``least`` of them."""
    return values[-max(least, round(share * len(values))) :]
