"""Where a curve is going if training goes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats
from tbdiag.signals.trend import of_halves


@dataclass(frozen=True, slots=True)
class Forecast:
    """The change that more training would bring: the expected one and its interval [low, high]."""

    expected: float
    low: float
    high: float

    @property
    def phrase(self) -> str:
        """The change in words: ``about −0.03 (−0.05 … −0.01)``."""
        return f"about {_signed(self.expected)} ({_signed(self.low)} … {_signed(self.high)})"


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{abs(value):.2g}"


def forecast(x: Floats, y: Floats, ahead: float, window: float = 0.3) -> Forecast:
    """The change of ``y`` over ``ahead`` units of ``x`` beyond the end, by the trend of the end.

    ``x``, ``y``: shape (n,). The trend is that of Theil and Sen over the last ``window`` of the
    points, at least six. Curves flatten, and a straight line does not: the expected change is what
    the line gives when its slope decays as it did from the first half of the window to the second.
    """
    count = max(6, round(window * len(x)))
    x, y = x[-count:], y[-count:]
    slope, early, late = of_halves(x, y)
    span = float(x[-1] - x[0]) if len(x) > 1 else 0.0
    keep = 1.0
    if early * slope.median > 0 and span > 0:
        # The slope falls by `decay` over half the window; its integral over `ahead` is geometric.
        decay = min(max(late / early, 0.05), 1.0)
        halves = 2 * ahead / span
        keep = 1.0 if decay == 1.0 else (1 - decay**halves) / (-np.log(decay) * halves)
        keep *= float(np.sqrt(decay))
    gains = [keep * ahead * s for s in (slope.median, slope.low, slope.high)]
    return Forecast(*gains)
