"""Whether a curve swings, and how often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats
from tbdiag.signals.medians import median


@dataclass(frozen=True, slots=True)
class Swing:
    """A periodic part: ``period`` in points, and the ``share`` of the variance it holds (0 to 1)."""

    period: float
    share: float


def strongest_swing(values: Floats) -> Swing:
    """The strongest periodic part of the detrended ``values`` (n,), by the peak of their spectrum.

    The share counts the peak's bin and its two neighbours in a Hann-windowed periodogram; pure noise
    reaches about 0.15 at n = 50. Periods longer than a third of the curve do not count as swings.
    """
    n = len(values)
    if n < 12:
        return Swing(0.0, 0.0)
    at = np.arange(n) - (n - 1) / 2
    line = values.mean() + at * ((at @ values) / (at @ at))
    power = np.abs(np.fft.rfft((values - line) * np.hanning(n))) ** 2
    power[:3] = 0.0
    total = float(power.sum())
    if total <= 0:
        return Swing(0.0, 0.0)
    peak = int(power.argmax())
    share = float(power[max(peak - 1, 0) : peak + 2].sum()) / total
    return Swing(n / peak, share)


def without_trend(values: Floats, window: int) -> Floats:
    """``values`` (n,) minus their mean over ``window`` points around each; shape (n - window + 1,).

    A course that repeats itself every ``window`` points stays whole. What lies more than five robust
    deviations off is drawn in, so that a steep start or a spike does not rule what is left.
    """
    if len(values) < window:
        return np.zeros(0)
    sums = np.cumsum(np.concatenate([[0.0], values]))
    means = (sums[window:] - sums[:-window]) / window
    rest = values[window // 2 : window // 2 + len(means)] - means
    limit = 5 * 1.4826 * median(np.abs(rest))
    clipped: Floats = np.clip(rest, -limit, limit)
    return clipped


def autocorrelation(values: Floats, lag: int) -> float:
    """How much ``values`` (n,) agree with themselves ``lag`` points later, from -1 to 1.

    Pearson's coefficient of the two parts; 0 for fewer than three pairs or where nothing varies.
    """
    one, other = values[:-lag], values[lag:]
    if lag < 1 or len(one) < 3:
        return 0.0
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / scale if scale > 0 else 0.0


def folded(values: Floats, period: int) -> tuple[Floats, float]:
    """The mean course of ``values`` (n,) over a ``period``, shape (period,), and its standard error.

    The place 0 of the course is that of the first value; an incomplete last period does not count.
    """
    turns = values[: len(values) // period * period].reshape(-1, period)
    course: Floats = turns.mean(axis=0)
    error = float((turns - course).std()) / max(len(turns), 1) ** 0.5
    return course, error
