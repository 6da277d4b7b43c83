"""Runs under examination together: which of them can be compared."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import PurePath
from typing import Generic, TypeVar

from tbdiag.model.role import Override
from tbdiag.model.run import Run
from tbdiag.naming.settings import About, about
from tbdiag.reading.hparams import from_name
from tbdiag.reading.spool import HELD, Chosen, Made
from tbdiag.search.entrant import (
    Entrant,
    Objective,
    Standing,
    differing,
    entrant,
    grouped,
    identity,
)

T = TypeVar("T")

_ALIKE = 0.5  # of the settings' names that comparable runs share at least
_HELD = 2  # families of many runs
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


class _Table(Generic[T]):
    """Values by number, each once."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}
        self.values: list[T] = []

    def number(self, value: T) -> int:
        """The number of a value, a new one where it is new."""
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


@dataclass(slots=True)
class _Columns:
    """What tells of each entrant, by number, with which others it can be compared."""

    places: array[int] = field(default_factory=lambda: array("Q"))  # among the runs by id
    kins: array[int] = field(default_factory=lambda: array("L"))
    names: array[int] = field(default_factory=lambda: array("L"))
    homes: array[int] = field(default_factory=lambda: array("L"))
    kin: _Table[tuple[Objective, object]] = field(default_factory=_Table)
    name: _Table[frozenset[str]] = field(default_factory=_Table)
    home: _Table[PurePath] = field(default_factory=_Table)
    entrants: tuple[Entrant, ...] = ()  # of few runs

    def add(self, place: int, each: Entrant) -> None:
        """Adds a row."""
        self.places.append(place)
        self.kins.append(self.kin.number(_kin(each)))
        self.names.append(self.name.number(frozenset(each.settings)))
        self.homes.append(self.home.number(_home(each.run)))


@dataclass(frozen=True, slots=True)
class _Members:
    """The entrants of a family by number, in order of their ids."""

    objective: Objective
    project: str
    numbers: array[int]
    first: str

    @property
    def order(self) -> tuple[int, str]:
        """The largest family comes first."""
        return -len(self.numbers), self.first


class Search:
    """Several runs, grouped into families as the rules want them; nothing here changes a run.

    ``objective`` is the user's own choice of what runs are ranked by: a role or a tag. Without it, it is
    the validation metric, else the validation loss. ``standings`` tell of each run what its curves say
    where that is known. Of more than a thousand runs in a sequence only numbers are held: the entrants of
    a family are made anew whenever it is asked for.
    """

    def __init__(
        self,
        runs: Iterable[Run],
        objective: Override | None = None,
        standings: Iterable[Standing | None] = (),
    ) -> None:
        self._all = runs if isinstance(runs, Sequence) else tuple(runs)
        known = standings if isinstance(standings, Sequence) else tuple(standings)
        self._standings: Sequence[Standing | None] = known or (None,) * len(self._all)
        self._order = _by_id(self._all)
        self._small = len(self._all) <= HELD
        self.objective = objective

    @property
    def runs(self) -> Sequence[Run]:
        """All runs, in order of their ids."""
        return Chosen(self._all, self._order)

    @cached_property
    def entrants(self) -> Sequence[Entrant]:
        """The runs that have settings and an objective, in order of their ids."""
        columns = self._columns
        if self._small:
            return columns.entrants
        return Made(len(columns.places), lambda number: self._at(columns.places[number]))

    @cached_property
    def families(self) -> Sequence[Family]:
        """Groups of two or more comparable runs, the largest first."""
        columns, groups = self._columns, defaultdict(list)
        for number, kin in enumerate(columns.kins):
            groups[kin].append(number)
        members = [
            _Members(columns.kin.values[kin][0], project, array("Q", some), self._id(some[0]))
            for kin, group in groups.items()
            for alike in _alike(group, columns)
            for project, some in _projects(alike, columns)
            if len(some) > 1
        ]
        members.sort(key=lambda each: each.order)
        # Rules come to the same family one after the other.
        family = lru_cache(_HELD)(lambda number: self._family(members[number]))
        found = Made(len(members), family)
        return tuple(found) if self._small else found

    @cached_property
    def _columns(self) -> _Columns:
        columns, held = _Columns(), []
        for place in range(len(self._order)):
            each = self._entrant(place)
            if each is not None and each.settings:
                columns.add(place, each)
                if self._small:
                    held.append(each)
        columns.entrants = tuple(held)
        return columns

    def _entrant(self, place: int) -> Entrant | None:
        number = self._order[place]
        return entrant(self._all[number], self.objective, self._standings[number])

    def _at(self, place: int) -> Entrant:
        found = self._entrant(place)
        assert found is not None
        return found

    def _id(self, number: int) -> str:
        return self._all[self._order[self._columns.places[number]]].id

    def _family(self, members: _Members) -> Family:
        some = tuple([self.entrants[number] for number in members.numbers])
        return Family(objective=members.objective, project=members.project, entrants=some)


def _by_id(runs: Sequence[Run]) -> array[int]:
    """The numbers of the runs in order of their ids, of the same id in order of their paths."""
    ids = [run.id for run in runs]
    order = array("Q")
    for _, alike in groupby(sorted(range(len(ids)), key=ids.__getitem__), ids.__getitem__):
        some = list(alike)
        if len(some) > 1:
            some.sort(key=lambda number: runs[number].path.as_posix())
        order.extend(some)
    return order


def _kin(each: Entrant) -> tuple[Objective, object]:
    """What comparable runs have in common whatever their names."""
    fixed = {About.DATA} if each.objective.higher else {About.DATA, About.MEASURE}
    data = {name: value for name, value in each.settings.items() if about(name) in fixed}
    return each.objective, identity(data)


def _alike(group: Sequence[int], columns: _Columns) -> Iterator[list[int]]:
    """The runs by the names of their settings: each joins the commonest set that is like its own."""
    known = columns.name.values
    counts = Counter(columns.names[each] for each in group)
    order = sorted(counts, key=lambda each: (-counts[each], sorted(known[each])))
    leaders: dict[int, list[int]] = {}
    joined: dict[int, int] = {}
    for number in order:
        own = known[number]
        near = (n for n in leaders if len(known[n] & own) >= _ALIKE * len(known[n] | own))
        joined[number] = next(near, number)
        leaders.setdefault(joined[number], [])
    for each in group:
        leaders[joined[columns.names[each]]].append(each)
    yield from leaders.values()


def _projects(group: Sequence[int], columns: _Columns) -> Iterator[tuple[str, list[int]]]:
    """The runs by the folder of their project; one that is alone in it looks for others above."""
    table = columns.home
    homes = [columns.homes[each] for each in group]
    for _ in range(_CLIMBS):
        counts = Counter(homes)
        homes = [
            table.number(table.values[home].parent) if counts[home] == 1 else home for home in homes
        ]
    found: dict[int, list[int]] = defaultdict(list)
    for home, each in zip(homes, group, strict=True):
        found[home].append(each)
    yield from sorted((table.values[home].as_posix(), some) for home, some in found.items())


def _home(run: Run) -> PurePath:
    """The folder above the run, and above folders that are named for settings (``lr0.1``)."""
    home = run.path.parent
    while home.name and from_name(home.name):
        home = home.parent
    return home
