"""A report into the folders that it tells of: what each run's folder and each root gets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain
from pathlib import Path, PurePath
from typing import Any

from tbdiag.errors import JournalError, SummaryError
from tbdiag.journal.file import Journal
from tbdiag.journal.replay import Attempt, replayed
from tbdiag.model.report import Report, RunReport
from tbdiag.reading.listing import OWN_FOLDER
from tbdiag.summaries import contents, files, own, places
from tbdiag.summaries.events import Entry, Moment
from tbdiag.views import json_v1

Progress = Callable[[int, int], object]  # folders done, folders in all
_LOGGED = "event file"  # the source of hyperparameters that a run itself told HPARAMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of the summaries: folders ``written`` and ``unchanged``; (folder, why it was not)."""

    written: tuple[Path, ...] = ()
    unchanged: tuple[Path, ...] = ()
    failed: tuple[tuple[PurePath, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A run with its folder, its moment, its JSON, and how it came about if it is a follow-up."""

    report: RunReport
    folder: PurePath
    at: Moment
    told: Mapping[str, Any]
    attempt: Attempt | None

    def key(self, version: str) -> str:
        verdict = None if self.attempt is None else repr(self.attempt.verdict)
        return contents.key(version, self.told, self.at.step, self.at.wall, verdict)

    @property
    def session(self) -> list[Entry]:
        """What HPARAMS is told of a follow-up run that told it nothing itself."""
        own_words = any(each.source == _LOGGED for each in self.report.run.hparams.values())
        return [] if self.attempt is None or own_words else contents.session(self.attempt)


@dataclass(frozen=True, slots=True)
class _Work:
    """Summaries that belong into a folder: upon what they are based, and how they are made."""

    key: str
    make: Callable[[], list[Entry]]


def write(
    report: Report,
    roots: Sequence[PurePath],
    here: Path,
    *,
    out: Path | None = None,
    overview: bool = True,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.time,
) -> Written:
    """Writes what a report tells into ``tbdiag/`` folders of its runs and of the ``roots``.

    ``roots`` are the folders that were scanned, ``here`` the one to which the paths of runs are relative.
    With ``out``, the folders stand below it as they would below the root; runs that a URL names are
    written nowhere else. Without ``overview`` only the runs get theirs. Where a folder cannot be written,
    the result says so; raises SummaryError where none can.
    """
    parts = _parts(report, _document(report, here, roots), here)
    stands = places.bases(roots, out)
    work = _work(report, parts, stands, out, overview=overview)
    written: list[Path] = []
    unchanged: list[Path] = []
    failed: list[tuple[PurePath, str]] = []
    for done, (folder, parcels) in enumerate(work.items(), start=1):
        make = partial(_made, parcels)
        try:
            if not isinstance(folder, Path):
                raise SummaryError(f"{folder} is not on this machine; {files.ELSEWHERE}")
            keys = [each.key for each in parcels]
            fresh = files.keep(folder, keys, make, clock, anywhere=out is not None)
            (written if fresh else unchanged).append(folder)
        except SummaryError as error:
            failed.append((folder, str(error)))
        if progress is not None:
            progress(done, len(work))
    for part in parts:
        if out is None and isinstance(part.folder, Path):
            try:
                _tell_session(part, part.folder, clock)
            except SummaryError as error:
                failed.append((part.folder, str(error)))
    if failed and not (written or unchanged):
        raise SummaryError(failed[0][1])
    return Written(written=tuple(written), unchanged=tuple(unchanged), failed=tuple(failed))


def _work(
    report: Report,
    parts: Sequence[_Part],
    stands: Mapping[PurePath, PurePath],
    out: Path | None,
    *,
    overview: bool,
) -> dict[PurePath, list[_Work]]:
    """All that is to be written, by folder: that of a run which is the root gets both."""
    work: dict[PurePath, list[_Work]] = {}
    folders = places.places([(each.report, each.folder) for each in parts], stands, out)
    for part, folder in zip(parts, folders, strict=True):
        key = part.key(report.version)
        make = partial(contents.of_run, part.report, part.at, part.told, key, part.attempt)
        work.setdefault(folder, []).append(_Work(key, make))
    for root, base in stands.items() if overview else ():
        inside = [each for each in parts if each.folder.is_relative_to(root)]
        if inside:
            at = Moment(max(e.at.step for e in inside), max(e.at.wall for e in inside))
            part_of = replace(report, runs=tuple(each.report for each in inside))
            document = _document(part_of, Path(), ()) | {"runs": [each.told for each in inside]}
            key = contents.key(document, [each.key(report.version) for each in inside])
            folders_of = [each.folder for each in inside]
            make = partial(contents.of_all, part_of, folders_of, at, document, key)
            work.setdefault(base / OWN_FOLDER, []).append(_Work(key, make))
    return work


def _made(parcels: Sequence[_Work]) -> list[Entry]:
    return list(chain.from_iterable(each.make() for each in parcels))


def _document(report: Report, here: Path, roots: Sequence[PurePath]) -> dict[str, Any]:
    """The report as JSON, with paths that are true wherever the log folder is mounted."""
    document: dict[str, Any] = json.loads(json_v1.render(report))
    for each in (*document["runs"], *document["unread"]):
        each["path"] = places.beneath(each["path"], here, roots)
    return document


def _parts(report: Report, document: Mapping[str, Any], here: Path) -> list[_Part]:
    attempts = cache(_attempts)
    parts = []
    for each, told in zip(report, document["runs"], strict=True):
        folder = places.whole(each.run.path, here)
        parts.append(
            _Part(
                report=each,
                folder=folder,
                at=contents.moment(each.run),
                told=told,
                attempt=attempts(folder.parent).get(folder.name),
            )
        )
    return parts


def _attempts(folder: PurePath) -> Mapping[str, Attempt]:
    """The follow-up runs in a folder, by their names; none where no journal can be read."""
    if not isinstance(folder, Path):
        return {}
    journal = Journal.beside(folder)
    try:
        return replayed(journal).attempts if journal.path.exists() else {}
    except (JournalError, OSError):
        return {}


def _tell_session(part: _Part, folder: Path, clock: Callable[[], float]) -> None:
    session = part.session
    if session or (folder.is_dir() and own.names(folder)):
        files.keep_session(folder, session, clock)
