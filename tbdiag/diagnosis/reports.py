"""The reports of a scan in their order: the first as they are, the others put aside as text."""

from __future__ import annotations

import json
import struct
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from tbdiag.diagnosis.remember import (
    Remembered,
    findings_of,
    lasting,
    outcomes_of,
    told_place,
)
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.report import Outcome, RunReport
from tbdiag.model.run import Run
from tbdiag.reading.heads import HeadRun, Lookup
from tbdiag.reading.plain import restored
from tbdiag.reading.slots import Slot
from tbdiag.reading.spool import Made, Numbered, Spool
from tbdiag.search.entrant import Standing

_TEXTS = 8  # of a run that are put aside
_ROW = struct.Struct(f"<QI{_TEXTS}q{_TEXTS}I")
_SHARED = 256  # texts that were put aside and may come again


class _Row(NamedTuple):
    """Where the texts of a run stand: place and length of each, below zero among the shared ones."""

    slot: int
    number: int
    places: tuple[int, ...]
    lengths: tuple[int, ...]


class Folded(RunReport):
    """A run and what was answered, read from where it was put aside whenever somebody asks."""

    __slots__ = ("_at", "_reports")
    _reports: Reports
    _at: int

    def __init__(self, reports: Reports, at: int) -> None:
        object.__setattr__(self, "_reports", reports)
        object.__setattr__(self, "_at", at)

    @property
    def run(self) -> Run:
        """The run."""
        return self._reports.run(self._at)

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """The outcome of each rule."""
        return outcomes_of(self._reports.text(self._at, _OUTCOMES), self.findings)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, roots first."""
        return _findings(self._reports.text(self._at, _FINDINGS))

    def count(self, severity: Severity) -> int:
        """How many root findings have this severity."""
        return self._reports.counted(self._at, severity)


class FoldedRun(HeadRun):
    """The run of a report that was put aside: as small as a number."""

    __slots__ = ("_at", "_reports")
    _reports: Reports
    _at: int

    @property
    def _head(self) -> _FoldedHead:  # type: ignore[override]  # which has what a head has
        return _FoldedHead(self._reports, self._at)

    @property
    def _lookup(self) -> Lookup:  # type: ignore[override]  # made anew each time
        return self._reports.lookup(self._at)

    @property
    def _path(self) -> str:  # type: ignore[override]
        return _str(self._reports.text(self._at, _SHOWN))


@dataclass(frozen=True, slots=True)
class _FoldedHead:
    """What a `Head` tells, each part of it read when it is asked for."""

    reports: Reports
    at: int

    @property
    def id(self) -> str:
        return _str(self.reports.text(self.at, _ID))

    @property
    def roles(self) -> bytes:
        return self.reports.text(self.at, _ROLES)

    @property
    def provenance(self) -> bytes:
        return self.reports.text(self.at, _PROVENANCE)

    @property
    def hparams(self) -> bytes:
        return self.reports.text(self.at, _HPARAMS)


_ID, _SHOWN, _ROLES, _PROVENANCE, _HPARAMS, _OUTCOMES, _FINDINGS, _STANDING = range(_TEXTS)
_ALIKE = (_ROLES, _OUTCOMES)  # of many runs
_COUNTED = tuple(Severity)


class Reports(Numbered[RunReport]):
    """Reports by number, the first ``held`` of them as they were given.

    Of each of the others 20 bytes stay in memory, in whose place 2 to 5 kB are written to a file
    that has no name. ``slots`` are those of all folders, where curves are looked for.
    """

    def __init__(self, slots: Sequence[Slot], held: int) -> None:
        self._slots, self._most = slots, held
        self._held: list[RunReport] = []
        self._placed: list[Standing | None] = []  # of those
        self._odd: dict[int, RunReport] = {}  # later ones that cannot be put aside
        self._spool = Spool()
        self._rows = array("Q")
        self._counts = {severity: array("I") for severity in _COUNTED}
        self._common = Spool()  # texts that many runs share
        self._shared: dict[bytes, int] = {}
        self._again = lru_cache(_SHARED)(self._common.get)
        self._last = -1, _Row(0, 0, (), ())

    @property
    def full(self) -> bool:
        """Whether the next one is put aside."""
        return len(self._held) >= self._most

    def add(
        self, report: RunReport, standing: Standing | None, at: int, slot: Slot, number: int
    ) -> None:
        """Adds the report on a run, which is that ``number`` in the ``slot`` at its place.

        ``standing`` is the run's place in a search, which is told of those that are put aside.
        """
        if not self.full:
            self._held.append(report)
            self._placed.append(standing)
            return
        for severity, counts in self._counts.items():
            counts.append(report.count(severity))
        answer = report.answer if isinstance(report, Remembered) else lasting(report)
        try:
            head = slot.head(number)
        except TypeError:
            answer = None
        if answer is None or standing is None:
            self._odd[len(self._rows)] = report
            self._rows.append(0)
            return
        texts = (
            *(_bytes(each) for each in (head.id, str(report.run.path))),
            *(head.roles, head.provenance, head.hparams, *answer, told_place(standing)[0]),
        )
        places = [
            self._shared_place(text) if which in _ALIKE else self._spool.add(text)
            for which, text in enumerate(texts)
        ]
        self._rows.append(self._spool.add(_ROW.pack(at, number, *places, *map(len, texts))))

    def _shared_place(self, text: bytes) -> int:
        """Where a text stands among those that runs share: one that came lately stands there once."""
        found = self._shared.get(text)
        if found is None:
            found = self._shared[text] = -1 - self._common.add(text)
            if len(self._shared) > _SHARED:
                del self._shared[next(iter(self._shared))]
        return found

    def __len__(self) -> int:
        return len(self._held) + len(self._rows)

    def item(self, number: int) -> RunReport:
        """The report on the run of that number."""
        if number < len(self._held):
            return self._held[number]
        at = number - len(self._held)
        return self._odd.get(at) or Folded(self, at)

    @property
    def runs(self) -> Sequence[Run]:
        """Their runs."""
        return Made(len(self), lambda number: self.item(number).run)

    @property
    def standings(self) -> Sequence[Standing | None]:
        """The places of the runs in a search, where they were told."""
        return Made(len(self), self._standing)

    def _standing(self, number: int) -> Standing | None:
        if number < len(self._held):
            return self._placed[number]
        at = number - len(self._held)
        if at in self._odd:
            return None
        found: Standing = restored(Standing, json.loads(self.text(at, _STANDING)))
        return found

    def text(self, at: int, which: int) -> bytes:
        """One of the texts of a run, the one put aside as number ``at``."""
        row = self._row(at)
        place, length = row.places[which], row.lengths[which]
        return self._spool.get(place, length) if place >= 0 else self._again(-1 - place, length)

    def run(self, at: int) -> Run:
        """A run that was put aside."""
        run = object.__new__(FoldedRun)
        object.__setattr__(run, "_reports", self)
        object.__setattr__(run, "_at", at)
        return run

    def lookup(self, at: int) -> Lookup:
        """Where the curves of a run are looked for."""
        row = self._row(at)
        slot, provenance = self._slots[row.slot], self.run(at).provenance
        return Lookup(
            lambda: slot.series(row.number, provenance.points),
            lambda: slot.histograms(row.number, provenance.points),
            lambda: slot.texts(row.number, provenance.points),
        )

    def counted(self, at: int, severity: Severity) -> int:
        """How many root findings of this severity a run has."""
        return self._counts[severity][at]

    def _row(self, at: int) -> _Row:
        number, row = self._last
        if number != at:
            slot, which, *rest = _ROW.unpack(self._spool.get(self._rows[at], _ROW.size))
            row = _Row(slot, which, tuple(rest[:_TEXTS]), tuple(rest[_TEXTS:]))
            self._last = at, row
        return row


@lru_cache(maxsize=64)
def _findings(text: bytes) -> tuple[Finding, ...]:
    """The findings, the same ones while somebody works with them."""
    return findings_of(text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _str(text: bytes) -> str:
    return text.decode("utf-8", "surrogatepass")
