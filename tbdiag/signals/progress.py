"""How far a loss has come, how fast, and whether it still moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise
from tbdiag.signals.smoothing import running_median, tail
from tbdiag.signals.trend import Trend, mann_kendall, theil_sen


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The course of a loss of n points in a handful of numbers, none of which depends on its scale.

    ``first``, ``best`` and ``last`` are levels: where it began, the lowest running median, the
    median of the last tenth. ``left`` is last/first, NaN for a loss that is not positive throughout.
    ``regained`` is how much of the fall from first to best was lost again by the end. ``ready`` is
    the share of the run after which nine tenths of that fall were done. ``trend`` tests the second
    half; ``drop`` is the fall of the log loss that its slope projects for another half run, and
    ``sure_drop`` the least one within the 90 % interval, both 0 where the loss is not positive.
    ``noise`` is that of the second half, relative to its level; ``swing`` relative to the fall.
    """

    first: float
    best: float
    last: float
    best_at: int
    left: float
    regained: float
    ready: float
    trend: Trend
    drop: float
    sure_drop: float
    noise: float
    swing: float


def progress(values: Floats, first: float | None = None) -> Progress:
    """The progress of ``values`` (n ≥ 4,), where ``first`` is a better known loss at the start."""
    n = len(values)
    half = values[n // 2 :]
    start = float(values[0]) if first is None else first
    calm = running_median(values, 5)
    best_at = int(calm.argmin())
    best, last = float(calm[best_at]), median(tail(values))
    fall = start - best
    positive = bool(values.min() > 0) and start > 0
    slope = theil_sen(np.arange(len(half), dtype=np.float64), np.log(half)) if positive else None
    done = np.flatnonzero(calm <= start - 0.9 * fall)
    level, jumps = max(abs(median(half)), 1e-300), noise(half)
    return Progress(
        first=start,
        best=best,
        last=last,
        best_at=best_at,
        left=last / start if positive else float("nan"),
        regained=(last - best) / fall if fall > 0 else float("inf") if last > best else 0.0,
        ready=float(done[0]) / n if len(done) else 1.0,
        trend=mann_kendall(half),
        drop=-slope.median * len(half) if slope else 0.0,
        sure_drop=-slope.high * len(half) if slope else 0.0,
        noise=jumps / level,
        swing=jumps / fall if fall > 0 else float("inf"),
    )
