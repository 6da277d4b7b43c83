"""Whether a curve swings, and how often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats


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
    at = np.arange(n)
    line = np.polynomial.Polynomial.fit(at, values, 1)(at)
    power = np.abs(np.fft.rfft((values - line) * np.hanning(n))) ** 2
    power[:3] = 0.0
    total = float(power.sum())
    if total <= 0:
        return Swing(0.0, 0.0)
    peak = int(power.argmax())
    share = float(power[max(peak - 1, 0) : peak + 2].sum()) / total
    return Swing(n / peak, share)
