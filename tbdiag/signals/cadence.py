"""The pace at which a run logs: its usual interval, its pauses, the time of a step."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tbdiag.model.series import Floats, Ints, Series
from tbdiag.signals.medians import median, medians

_UNITS = ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"))
_COARSE = 0.1  # share of intervals without any length that tells wall times of whole seconds


def spoken(seconds: float) -> str:
    """A time in the largest unit that it fills: ``2.5 h``, ``40 min``, ``3 days``."""
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    count = float(f"{seconds / size:.2g}")
    return "1 day" if (count, unit) == (1.0, "days") else f"{count:g} {unit}"


def usual_interval(walls: Floats) -> float:
    """The median time between successive points of the wall times (n,); 0 for fewer than two.

    Where several writers logged at once the times may go back between two points: those are left out.
    """
    between = walls[1:] - walls[:-1]
    if not len(between):
        return 0.0
    forward = between if between.min() >= 0 else between[between >= 0]
    return median(forward) if len(forward) else 0.0


def in_one_go(curve: Series, resumes: Iterable[float]) -> Series | None:
    """A curve of n ≥ 1 points from the last of the ``resumes``, which are wall times, on.

    None where time goes back in it.
    """
    walls = curve.wall_times
    start = max((at for at in resumes if at <= walls[-1]), default=-np.inf)
    first = 0 if start <= walls[0] else int(np.searchsorted(np.maximum.accumulate(walls), start))
    rest = curve if first == 0 else curve.between(curve.steps[first], curve.steps[-1])
    walls = rest.wall_times
    return rest if bool((walls[1:] >= walls[:-1]).all()) else None


def evenly_spaced(places: Ints, ratio: float) -> bool:
    """Whether three or more places (n,), in order, are apart by distances within ``ratio``."""
    if len(places) < 3:
        return False
    between = np.diff(places)
    return bool(between.max() <= ratio * between.min())


def step_times(series: Series, blocks: int) -> tuple[Ints, Floats]:
    """The seconds per step along a curve of n points, as the median of each of ``blocks`` blocks.

    The steps (blocks,) are those at which the blocks begin. Pauses within a block do not count,
    unless the wall times are so coarse that only means tell them. Fewer points make fewer blocks.
    """
    counted = (series.steps[1:] - series.steps[:-1]).astype(np.float64)
    spent = series.wall_times[1:] - series.wall_times[:-1]
    size = max(len(spent) // blocks, 1)
    n = len(spent) // size
    keep: slice = slice(len(spent) - n * size, None)  # the first steps are those to spare
    per_step = (spent / counted)[keep].reshape(n, size)
    if np.count_nonzero(spent <= 0) > _COARSE * len(spent):
        times = spent[keep].reshape(n, size).sum(1) / counted[keep].reshape(n, size).sum(1)
    else:
        times = medians(per_step)
    return series.steps[:-1][keep][::size], times
