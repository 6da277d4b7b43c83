"""Whether the best of several runs leads the others by more than noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tbdiag.search.entrant import Entrant, grouped, values
from tbdiag.signals.repeats import Noise

Group = tuple[Entrant, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lead:
    """The ``first`` of ``groups`` leads the ``second`` ``by`` so much; ``limit`` is what noise may do.

    A group are repeats of the same settings, which count by their mean. ``tied`` are all groups, the
    first among them, that lie within the noise of the first.
    """

    first: Group
    second: Group
    by: float
    limit: float
    noise: Noise
    tied: tuple[Group, ...]
    groups: int

    @property
    def beyond(self) -> bool:
        """Whether the lead is more than noise."""
        return self.by >= self.limit


def lead(entrants: Sequence[Entrant], noise: Noise, factor: float) -> Lead | None:
    """The lead of the best settings, where a lead below ``factor`` deviations of a run is noise.

    Where all runs have the same settings, each counts alone. None with fewer than two groups, or where
    the first of them failed.
    """
    groups = list(grouped(entrants))
    if len(groups) == 1:
        groups = [(each,) for each in entrants]
    sign = -1 if entrants[0].objective.higher else 1
    groups.sort(key=lambda group: sign * mean(group))
    if len(groups) < 2 or not np.isfinite(best := mean(groups[0])):
        return None

    def limit(group: Group) -> float:
        return noise.limit(factor, len(groups[0]), len(group))

    return Lead(
        first=groups[0],
        second=groups[1],
        by=abs(mean(groups[1]) - best),
        limit=limit(groups[1]),
        noise=noise,
        tied=tuple(group for group in groups if abs(mean(group) - best) < limit(group)),
        groups=len(groups),
    )


def mean(group: Sequence[Entrant]) -> float:
    """The mean of the best values of repeats; infinite where one of them failed."""
    return float(np.mean(values(group)))
