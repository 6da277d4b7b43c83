"""Runs under examination together: which of them can be compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import PurePath

from tbdiag.model.role import Override
from tbdiag.model.run import Run
from tbdiag.naming.settings import About, about
from tbdiag.reading.hparams import from_name
from tbdiag.search.entrant import (
    Entrant,
    Objective,
    Standing,
    differing,
    entrant,
    grouped,
    identity,
)

_ALIKE = 0.5  # of the settings' names that comparable runs share at least
_CLIMBS = 2  # folders that a run alone in its own is looked for company above


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Family:
    """Comparable runs: one objective, one project, the same data; ``entrants`` in order of their ids."""

    objective: Objective
    project: str
    entrants: tuple[Entrant, ...]

    @property
    def varied(self) -> tuple[str, ...]:
        """The settings in which the runs differ, seeds aside, by name."""
        return differing([each.settings for each in self.entrants])

    @property
    def ranked(self) -> tuple[Entrant, ...]:
        """The best run first; of equals, the first by id."""
        sign = -1 if self.objective.higher else 1
        return tuple(sorted(self.entrants, key=lambda each: sign * each.value))

    @property
    def repeats(self) -> tuple[tuple[Entrant, ...], ...]:
        """The runs grouped by their settings: those of a group differ in seeds at most."""
        return grouped(self.entrants)


class Search:
    """Several runs, grouped into families as the rules want them; nothing here changes a run.

    ``objective`` is the user's own choice of what runs are ranked by: a role or a tag. Without it, it is
    the validation metric, else the validation loss. ``standings`` tell of each run what its curves say
    where that is known.
    """

    def __init__(
        self,
        runs: Iterable[Run],
        objective: Override | None = None,
        standings: Iterable[Standing | None] = (),
    ) -> None:
        several = list(zip_longest(runs, standings))
        several.sort(key=lambda each: (each[0].id, each[0].path.as_posix()))
        self.runs = tuple(run for run, _ in several)
        self._standings = tuple(each for _, each in several)
        self.objective = objective

    @cached_property
    def entrants(self) -> tuple[Entrant, ...]:
        """The runs that have settings and an objective, in order of their ids."""
        known = zip(self.runs, self._standings, strict=True)
        found = (entrant(run, self.objective, standing) for run, standing in known)
        return tuple(each for each in found if each is not None and each.settings)

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """Groups of two or more comparable runs, the largest first."""
        groups: dict[tuple[object, ...], list[Entrant]] = defaultdict(list)
        for each in self.entrants:
            groups[_kin(each)].append(each)
        families = [
            Family(objective=members[0].objective, project=project, entrants=tuple(members))
            for group in groups.values()
            for alike in _alike(group)
            for project, members in _projects(alike)
            if len(members) > 1
        ]
        return tuple(sorted(families, key=lambda f: (-len(f.entrants), f.entrants[0].run.id)))


def _kin(each: Entrant) -> tuple[object, ...]:
    """What comparable runs have in common whatever their names."""
    fixed = {About.DATA} if each.objective.higher else {About.DATA, About.MEASURE}
    data = {name: value for name, value in each.settings.items() if about(name) in fixed}
    return each.objective, identity(data)


def _alike(group: Sequence[Entrant]) -> Iterator[list[Entrant]]:
    """The runs by the names of their settings: each joins the commonest set that is like its own."""
    names = [frozenset(each.settings) for each in group]
    counts = Counter(names)
    order = sorted(counts, key=lambda each: (-counts[each], sorted(each)))
    leaders: dict[frozenset[str], list[Entrant]] = {}
    joined: dict[frozenset[str], frozenset[str]] = {}
    for own in order:
        near = (lead for lead in leaders if len(lead & own) >= _ALIKE * len(lead | own))
        joined[own] = next(near, own)
        leaders.setdefault(joined[own], [])
    for each, own in zip(group, names, strict=True):
        leaders[joined[own]].append(each)
    yield from leaders.values()


def _projects(group: Sequence[Entrant]) -> Iterator[tuple[str, list[Entrant]]]:
    """The runs by the folder of their project; one that is alone in it looks for others above."""
    homes = [_home(each.run) for each in group]
    for _ in range(_CLIMBS):
        counts = Counter(homes)
        homes = [home.parent if counts[home] == 1 else home for home in homes]
    found: dict[str, list[Entrant]] = defaultdict(list)
    for home, each in zip(homes, group, strict=True):
        found[home.as_posix()].append(each)
    yield from sorted(found.items())


def _home(run: Run) -> PurePath:
    """The folder above the run, and above folders that are named for settings (``lr0.1``)."""
    home = run.path.parent
    while home.name and from_name(home.name):
        home = home.parent
    return home
