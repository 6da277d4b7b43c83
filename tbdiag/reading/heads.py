"""What a report tells of runs without their curves: small, and the same wherever it was found out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePath
from typing import Any, NamedTuple

from tbdiag.model.histogram import Histograms
from tbdiag.model.place import back
from tbdiag.model.role import RoleMap
from tbdiag.model.run import HParam, Provenance, Run
from tbdiag.model.series import Series
from tbdiag.reading.later import Later
from tbdiag.reading.plain import plain, restored

Answer = tuple[bytes, bytes]  # outcomes and findings as JSON


class Head(NamedTuple):
    """What a report says of a run without its curves: roles, provenance and hparams are JSON."""

    id: str
    path: str
    filled: bool
    roles: bytes
    provenance: bytes
    hparams: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What was found out about the runs of one folder, fit for pickle.

    ``answers`` holds outcomes and findings of each run under the name of what was asked, None where
    that cannot be kept; ``record`` their columns for the cache, if they were asked for. ``lost`` are files
    of settings that could not be read, and why.
    """

    heads: tuple[Head, ...]
    answers: dict[str, list[Answer | None]] = field(default_factory=dict)
    record: bytes | None = None
    lost: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where the curves, histograms and texts of a run are looked for when they are asked for."""

    series: Callable[[], Mapping[str, Series]]
    histograms: Callable[[], Mapping[str, Histograms]]
    texts: Callable[[], Mapping[str, str]]


def head_of(run: Run) -> Head:
    """The head of a run; raises TypeError for what could not come back."""
    roles, provenance, hparams = (
        json.dumps(plain(each)).encode() for each in (run.roles, run.provenance, run.hparams)
    )
    filled = bool(run.series or run.histograms)
    return Head(run.id, str(run.path), filled, roles, provenance, hparams)


class HeadRun(Run):
    """The run of a head: what is asked of it is made anew each time, so that thousands are small."""

    __slots__ = ("_head", "_lookup", "_path")
    _head: Head
    _lookup: Lookup
    _path: str

    def __new__(cls, **fields: Any) -> Run:  # type: ignore[misc]  # a copy with changes is a plain run
        """A plain run of all fields, as `dataclasses.replace` asks for."""
        return Run(**fields)

    @property
    def id(self) -> str:
        """The name of the run."""
        return self._head.id

    @property
    def path(self) -> PurePath:
        """Where it stands."""
        return back(self._path)

    @property
    def series(self) -> Mapping[str, Series]:
        """The curves, looked for when they are asked for."""
        return Later(self._lookup.series)

    @property
    def histograms(self) -> Mapping[str, Histograms]:
        """The histograms, as `series`."""
        return Later(self._lookup.histograms)

    @property
    def texts(self) -> Mapping[str, str]:
        """The texts, as `series`."""
        return Later(self._lookup.texts)

    @property
    def hparams(self) -> Mapping[str, HParam]:
        """The hyperparameters."""
        found: Mapping[str, HParam] = _value(_HPARAMS, self._head.hparams)
        return dict(found)

    @property
    def roles(self) -> RoleMap:
        """Which curve plays which role."""
        roles: RoleMap = _value(RoleMap, self._head.roles)
        return roles

    @property
    def provenance(self) -> Provenance:
        """Where it came from."""
        provenance: Provenance = _value(Provenance, self._head.provenance)
        return provenance


def run_of(head: Head, lookup: Lookup, path: str) -> Run:
    """The run of a head, found at ``path``."""
    return Run(
        id=head.id,
        path=back(path),
        series=Later(lookup.series),
        histograms=Later(lookup.histograms),
        texts=Later(lookup.texts),
        hparams=Later(lambda: dict(_value(_HPARAMS, head.hparams))),
        roles=_value(RoleMap, head.roles),
        provenance=_value(Provenance, head.provenance),
    )


def points_of(head: Head) -> int:
    """The points that the run holds."""
    provenance: Provenance = _value(Provenance, head.provenance)
    return provenance.points


@lru_cache(maxsize=512)
def _value(kind: Any, text: bytes) -> Any:
    """The value that was told as ``text``; equal texts share it while they are in use."""
    return restored(kind, json.loads(text))


_HPARAMS: Any = Mapping[str, HParam]
