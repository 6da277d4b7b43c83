"""A report as a page, with what was tried in the folders that were scanned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from tbdiag.errors import JournalError
from tbdiag.journal import replay
from tbdiag.journal.file import Journal
from tbdiag.journal.replay import History
from tbdiag.views.page.document import MOST_RUNS, Progress, Subject, chunks

if TYPE_CHECKING:
    from tbdiag.api.report import Report


def pieces(
    report: Report, *, max_runs: int = MOST_RUNS, progress: Progress | None = None
) -> Iterator[str]:
    """The page piece by piece; see `tbdiag.views.page.document.chunks`."""
    return chunks(report, subject(report), max_runs=max_runs, progress=progress)


def subject(report: Report) -> Subject:
    """What the page is about: the folders, and the first journal of follow-up runs beside them."""
    history: History | None = None
    told: list[str] = []
    for folder in _folders(report):
        journal = Journal.beside(folder)
        if not journal.path.exists():
            continue
        if history is not None:
            told.append(f"{_shown(folder, report.here)} has a journal of its own: tbdiag journal")
            continue
        try:
            history = replay.replayed(journal)
        except JournalError as error:
            told.append(f"the journal cannot be read: {error}")
    words = tuple(dict.fromkeys(_shown(each, report.here) for each in report.roots))
    return Subject(
        places=tuple(_named(each, report.here) for each in words),
        words=words,
        far=any(not isinstance(each, Path) for each in report.roots),
        history=history,
        journals=tuple(told),
    )


def _folders(report: Report) -> list[Path]:
    """The local folders that were scanned, and those above them that are runs themselves."""
    runs = {str(each.run.path) for each in report} if report.here is not None else set()
    found: dict[Path, None] = {}
    for root in report.roots:
        if isinstance(root, Path):
            found[root] = None
            if _shown(root, report.here) in runs or str(root) in runs:
                found[root.parent] = None
    return list(found)


def _shown(folder: PurePath, here: Path | None) -> str:
    """A folder as commands take it: relative to where the scan was made, if it lies below."""
    if here is None or not isinstance(folder, Path) or not folder.is_relative_to(here):
        return str(folder)
    return str(folder.relative_to(here))


def _named(word: str, here: Path | None) -> str:
    """A folder as users name it: the one where the scan was made by its own name."""
    return here.name or word if word == "." and here is not None else word
