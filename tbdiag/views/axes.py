"""Steps as places on an x axis: as they are, as time since the start, as time of day."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Ints, Series


class Axis(StrEnum):
    """What x counts."""

    STEP = "step"
    RELATIVE = "relative"  # seconds since the first point of the run
    WALL = "wall"  # seconds since the epoch


class Clock:
    """When the steps of a run were logged, by the curve of it that tells most of them."""

    def __init__(self, run: Run, preferred: Iterable[Series] = ()) -> None:
        curves = [each for each in run.series.values() if len(each)]
        told = [each for each in preferred if len(each)] or curves
        longest = max(told, key=len, default=None)
        self._steps: Ints = np.zeros(0, np.int64) if longest is None else longest.steps
        self._walls: Floats = (
            np.zeros(0)
            if longest is None
            else np.maximum.accumulate(longest.wall_times)  # clocks are set back
        )
        self.start = min((float(each.wall_times[0]) for each in curves), default=0.0)

    def places(self, axis: Axis, steps: ArrayLike, walls: Floats | None = None) -> Floats:
        """Where the ``steps`` (n,) stand, never decreasing; ``walls`` are their own times if known."""
        at = np.asarray(steps, dtype=np.float64)
        if axis is Axis.STEP or not len(self._steps):
            return at
        if walls is None:
            walls = np.interp(at, self._steps, self._walls)
        walls = np.maximum.accumulate(walls) if len(walls) else walls
        return walls - self.start if axis is Axis.RELATIVE else walls
