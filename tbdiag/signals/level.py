"""The best and the last value of a curve, as far as its noise lets them be told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Series
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import running_median, tail, thinned

_FEW, _MANY = 8, 30  # points: with fewer the raw curve is judged, with more a calmer one
_NARROW, _WIDE = 3, 5  # windows of the running median between and beyond them


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Where a curve stands: its ``best`` running median at ``step``, and the median of its tail."""

    best: float
    step: int
    last: float


def level(curve: Series, *, higher: bool) -> Level | None:
    """The level of ``curve``, where ``higher`` is better or not; None where no point is finite.

    The best is a running median of three or five points, so that no lucky evaluation decides; the
    last is the median of the last tenth. A curve of fewer than eight points is taken as it is, one of
    hundreds of points is thinned first.
    """
    if not len(curve):
        return None
    curve = thinned(curve)
    n = len(curve)
    calm = running_median(curve.values, 1 if n < _FEW else _NARROW if n < _MANY else _WIDE)
    at = int(np.argmax(calm) if higher else np.argmin(calm))
    last = float(curve.values[-1]) if n < _FEW else median(tail(curve.values))
    return Level(best=float(calm[at]), step=int(curve.steps[at]), last=last)
