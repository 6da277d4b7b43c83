"""How far the curves of two runs agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Ints, Series
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Two runs at the steps that their curves share.

    ``shared`` finite points over all curves; ``overlap``, the share of the longer curve's steps that the
    other one logged, too, where it is least. ``apart`` is the largest difference and ``end_apart`` the
    largest one between the medians of the last tenths, both as a share of the values. ``tag`` is the curve
    on which the former shows, the last by name of equals, and ``first_step`` the first step at which that
    one differs, its first one if it never does. ``same_times``: equal to the wall times.
    """

    shared: int
    overlap: float
    apart: float
    end_apart: float
    tag: str
    first_step: int
    from_the_start: bool
    same_times: bool


def agreement(one: Mapping[str, Series], other: Mapping[str, Series]) -> Agreement | None:
    """How far the curves under the same tags agree, None where they share no step."""
    found = [_of_curve(one[tag], other[tag]) for tag in sorted(one.keys() & other.keys())]
    there = [each for each in found if each is not None]
    if not there:
        return None
    worst = max(there, key=lambda each: (each.apart, each.tag))
    return Agreement(
        shared=sum(each.shared for each in there),
        overlap=min(each.overlap for each in there),
        apart=worst.apart,
        end_apart=max(each.end_apart for each in there),
        tag=worst.tag,
        first_step=worst.first_step,
        from_the_start=worst.from_the_start,
        same_times=all(each.same_times for each in there),
    )


def _of_curve(one: Series, other: Series) -> Agreement | None:
    steps, left, right = np.intersect1d(
        one.steps, other.steps, assume_unique=True, return_indices=True
    )
    if not len(steps):
        return None
    a, b = one.values[left], other.values[right]
    size = np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-300)
    off = np.abs(a - b) / size
    ends = median(tail(a)), median(tail(b))
    differs = np.flatnonzero(off > 0)
    return Agreement(
        shared=len(steps),
        overlap=len(np.intersect1d(_steps(one), _steps(other))) / max(one.logged, other.logged),
        apart=float(off.max()),
        end_apart=float(abs(ends[0] - ends[1]) / max(abs(ends[0]), abs(ends[1]), 1e-300)),
        tag=one.tag,
        first_step=int(steps[differs[0]] if len(differs) else steps[0]),
        from_the_start=bool(len(differs)) and int(differs[0]) == 0,
        same_times=bool(np.all(one.wall_times[left] == other.wall_times[right])),
    )


def _steps(curve: Series) -> Ints:
    """All steps that were logged, in any order."""
    return np.concatenate([curve.steps, curve.nonfinite.steps])
