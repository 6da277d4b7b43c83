"""How much a curve jumps around its own trend."""

from __future__ import annotations

import numpy as np

from tbdiag.model.series import Floats
from tbdiag.signals.medians import median

# A median absolute deviation times this is the standard deviation of a normal variable.
_MAD_TO_SD = 1.4826


def noise(values: Floats) -> float:
    """The standard deviation of ``values`` (n,) around a slow trend, by successive differences.

    von Neumann (1941), with the median absolute deviation in place of the mean square, so that
    spikes and steps do not count. Zero for fewer than three points.
    """
    if len(values) < 3:
        return 0.0
    steps = values[1:] - values[:-1]
    return float(_MAD_TO_SD * median(np.abs(steps - median(steps))) / np.sqrt(2))


def spread(values: Floats) -> float:
    """The robust standard deviation of ``values`` (n,) around their median; zero for none."""
    if not len(values):
        return 0.0
    return float(_MAD_TO_SD * median(np.abs(values - median(values))))


def wavering(logs: Floats) -> float:
    """The noise of the logarithms of a loss (n,) about its slow descent; no steep fall counts as such."""
    return spread(np.diff(logs, 2)) / 6**0.5


def mean(values: Floats) -> float:
    """The mean of ``values`` (n ≥ 1,), to the last bit that of NumPy, whose own takes three times as long."""
    return float(np.add.reduce(values)) / len(values)


def deviation(values: Floats) -> float:
    """The standard deviation of ``values`` (n ≥ 1,), to the last bit that of NumPy, in half the time."""
    off = values - mean(values)
    return float(np.sqrt(np.add.reduce(off * off) / len(values)))


def roughness(values: Floats, *, clip: float | None = None) -> float:
    """The lag-1 autocorrelation of successive differences of ``values`` (n,).

    −0.5 for independent noise around a slow trend, towards 1 for a curve that was smoothed before it
    was logged. Zero for fewer than five points or a constant curve. With ``clip`` a difference counts
    for no more than so many robust standard deviations, so that one leap does not decide.
    """
    if len(values) < 5:
        return 0.0
    steps = values[1:] - values[:-1]
    steps = steps - mean(steps)
    if clip is not None:
        steps = steps - median(steps)
        most = clip * spread(steps)
        steps = np.clip(steps, -most, most)
    energy = float((steps**2).sum())
    return float((steps[1:] * steps[:-1]).sum()) / energy if energy > 0 else 0.0


def detrended(values: Floats, window: int = 9) -> Floats:
    """``values`` (n,) minus their running median over ``window`` points."""
    from tbdiag.signals.smoothing import slow_median

    return values - slow_median(values, window)
