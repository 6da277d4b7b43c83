"""How the points of a run lie in time: epochs, evaluations, and what comes round again."""

from __future__ import annotations

import numpy as np

from tbdiag.model.series import Floats, Ints, Series
from tbdiag.signals.medians import median


def steps_per_epoch(epoch: Series) -> float | None:
    """The length of an epoch in steps, by a curve that counts epochs; None where it never counts."""
    if len(epoch) < 2:
        return None
    counted = float(epoch.values[-1] - epoch.values[0])
    return float(epoch.steps[-1] - epoch.steps[0]) / counted if counted > 0 else None


def come_round(steps: Ints, period: float, width: float = 0.05) -> bool:
    """Whether most of three or more ``steps`` (m,) stand at one place of the ``period``.

    Most is seven of ten, one place is the share ``width`` of the period to both sides.
    """
    if len(steps) < 3 or period <= 0:
        return False
    phases: Floats = np.asarray(steps, dtype=np.float64) / period
    away = np.abs((phases[:, None] - phases[None, :] + 0.5) % 1 - 0.5)
    return bool((away <= width).mean(axis=1).max() >= 0.7)


def evenly_spaced(steps: Ints, tolerance: float = 0.05) -> bool:
    """Whether four or more ``steps`` (m,) stand at equal distances, or at whole multiples of one."""
    if len(steps) < 4:
        return False
    gaps = np.diff(steps).astype(np.float64)
    ratios = gaps / gaps.min()
    return bool(np.all(np.abs(ratios - np.round(ratios)) <= tolerance) and median(ratios) < 3)


def half_an_interval_earlier(means: Floats) -> Floats:
    """Means over intervals (n,) as values at the end of each: halfway to the next one; the last
    moves on by half of what the change before it promises, and not beyond.
    """
    if len(means) < 2:
        return means
    ends = np.empty_like(means)
    np.add(means[:-1], means[1:], out=ends[:-1])
    ends[:-1] /= 2
    ends[-1] = means[-1] + (means[-1] - means[-2]) / 2
    return ends


def evaluated(curve: Series) -> bool:
    """Whether a curve with a value per epoch was measured at points in time, not summed on the way.

    It was where it has a value before an epoch has passed.
    """
    if len(curve) < 3:
        return False
    gaps, least = curve.steps[1:] - curve.steps[:-1], max(2 * int(curve.steps[0]), 1)
    wider = 2 * np.count_nonzero(gaps > least)
    return median(gaps) > least if wider == len(gaps) else bool(wider > len(gaps))
