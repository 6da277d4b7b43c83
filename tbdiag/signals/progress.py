"""How far a loss has come, how fast, and whether it still moves."""

from __future__ import annotations

import numpy as np

from tbdiag.model.once import once
from tbdiag.model.series import Floats
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise
from tbdiag.signals.smoothing import running_median, tail
from tbdiag.signals.trend import Slope, Trend, mann_kendall, theil_sen


class Progress:
    """The course of a loss of n ≥ 4 points in a handful of numbers, none of which depends on its scale.

    ``first``, ``best`` and ``last`` are levels: where it began, the lowest running median, the
    median of the last tenth. ``left`` is last/first, NaN for a loss that is not positive throughout.
    ``regained`` is how much of the fall from first to best was lost again by the end. What takes longer
    is worked out when somebody asks.
    """

    def __init__(self, values: Floats, first: float | None = None) -> None:
        self.first = start = float(values[0]) if first is None else first
        self._n, self._half = len(values), values[len(values) // 2 :]
        self._calm = running_median(values, 5)
        self.best_at = int(self._calm.argmin())
        self.best, self.last = float(self._calm[self.best_at]), median(tail(values))
        self._fall = fall = start - self.best
        self._positive = bool(values.min() > 0) and start > 0
        self.left = self.last / start if self._positive else float("nan")
        up = self.last - self.best
        self.regained = up / fall if fall > 0 else float("inf") if up > 0 else 0.0

    @once
    def ready(self) -> float:
        """The share of the run after which nine tenths of the fall from first to best were done."""
        done = np.flatnonzero(self._calm <= self.first - 0.9 * self._fall)
        return float(done[0]) / self._n if len(done) else 1.0

    @once
    def trend(self) -> Trend:
        """The trend of the second half."""
        return mann_kendall(self._half)

    @once
    def noise(self) -> float:
        """The noise of the second half, relative to its level."""
        return noise(self._half) / max(abs(median(self._half)), 1e-300)

    @property
    def drop(self) -> float:
        """The fall of the log loss that the second half projects for another half run.

        0 where the loss is not positive.
        """
        return 0.0 if self._slope is None else -self._slope.median * len(self._half)

    @property
    def sure_drop(self) -> float:
        """The least such fall within the 90 % interval."""
        return 0.0 if self._slope is None else -self._slope.high * len(self._half)

    @once
    def _slope(self) -> Slope | None:
        if not self._positive:
            return None
        return theil_sen(np.arange(len(self._half), dtype=np.float64), np.log(self._half))
