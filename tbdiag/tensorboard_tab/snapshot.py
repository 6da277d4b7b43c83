"""One diagnosis of all runs, held so that a page about ten thousand of them is made quickly."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbdiag.tensorboard_tab.rows import Row, row

if TYPE_CHECKING:
    from tbdiag.api.intake import Progress
    from tbdiag.api.report import Report
    from tbdiag.model.role import Override
    from tbdiag.model.run import Run

_OWN = re.compile(r"events\.out\.tfevents\.(\d{1,12})\.tbdiag\.[0-9a-f]+\.tbdiag")
_UNREAD = 50  # paths that could not be examined, and are told


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """A diagnosis as of ``at``, in seconds since the epoch.

    ``origin`` is ``"scan"``, or ``"stored"`` where it was read from the logs; then there is no
    `report` with curves, but the ``document`` of its runs (RunV1 in `tbdiag.views.schema_v1`).
    """

    places: tuple[str, ...]
    at: float
    origin: str
    summary: Mapping[str, int]
    search: Mapping[str, Any]
    unread: Sequence[Mapping[str, Any]]
    document: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    report: Report | None = None
    objective: Override | None = None  # what runs are ranked by, where the configuration says it

    @property
    def id(self) -> str:
        """Differs between diagnoses."""
        return f"{self.origin}-{self.at:.6f}"

    @cached_property
    def runs(self) -> Mapping[str, Run]:
        """The runs by id; empty where the report was stored."""
        return {each.run.id: each.run for each in self.report} if self.report else {}

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {each.run.id: at for at, each in enumerate(self.report)} if self.report else {}

    def __contains__(self, run: object) -> bool:
        return run in (self._places if self.report else self.document)

    def entry(self, run: str) -> Mapping[str, Any]:
        """What the report says about a run; raises KeyError where it does not know it."""
        if self.report is None:
            return self.document[run]
        from tbdiag.views.json_v1 import document

        one = replace(self.report, runs=(self.report.runs[self._places[run]],))
        return document(one)["runs"][0]

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """One for each run, in the order of the report."""
        names = self._places if self.report else self.document
        return tuple(row(self.entry(name)) for name in names)

    @cached_property
    def outcomes(self) -> dict[str, dict[str, int]]:
        """How many runs had which outcome, for each rule."""
        counts: dict[str, Counter[str]] = {}
        if self.report:
            for each in self.report:
                for code, outcome in each.outcomes.items():
                    counts.setdefault(code, Counter())[outcome.kind] += 1
        for entry in self.document.values():
            for code, kind in entry["outcomes"].items():
                counts.setdefault(code, Counter())[kind] += 1
        return {code: dict(counts[code]) for code in sorted(counts)}


def scanned(
    places: Sequence[str],
    memory: int,
    config: Path | None = None,
    progress: Progress | None = None,
) -> Snapshot:
    """A fresh diagnosis of all runs below ``places``; raises RequestError."""
    from tbdiag.api import scan
    from tbdiag.api.planning import nearest
    from tbdiag.errors import NoRunsError
    from tbdiag.model.finding import Severity
    from tbdiag.views.json_v1 import document

    if not places:
        raise NoRunsError("TensorBoard was started without a log folder")
    settings = nearest(list(places), config)
    at = time.time()
    report = scan(list(places), config=settings, memory=memory, progress=progress)
    bare = document(replace(report, runs=()))
    summary = {f"{each.value}s": report.count(each) for each in Severity}
    found = Snapshot(
        places=tuple(places),
        at=at,
        origin="scan",
        summary={"runs": len(report.runs), **summary},
        search=bare["search"],
        unread=bare["unread"][:_UNREAD],
        report=report,
        objective=settings.train.objective if settings.train else None,
    )
    _ = found.rows, found.outcomes  # made here rather than when the first page waits for them
    return found


def stored(places: Sequence[str]) -> Snapshot | None:
    """The newest report that lies in the logs; None where there is none, or several folders."""
    if len(places) != 1 or "://" in places[0]:
        return None
    try:
        found = import_module("tbdiag.summaries").stored(Path(places[0]))
        return None if found is None else from_document(tuple(places), found, written(places))
    except (AttributeError, ImportError):  # nothing can write reports
        return None
    except (OSError, ValueError):  # what lies there is no report of ours
        return None


def from_document(places: tuple[str, ...], found: Any, at: float) -> Snapshot:
    """A snapshot of a report as JSON says it; raises ValueError where it is none."""
    from tbdiag.views.schema_v1 import parsed

    told = parsed(found)
    snapshot = Snapshot(
        places=places,
        at=at,
        origin="stored",
        summary={key: value for key, value in told["summary"].items() if isinstance(value, int)},
        search=told["search"],
        unread=told["unread"][:_UNREAD],
        document={entry["run"]: entry for entry in told["runs"]},
    )
    _ = snapshot.rows, snapshot.outcomes
    return snapshot


def written(places: Sequence[str]) -> float:
    """When the newest report in the logs was written, 0 where there is none, or its name is odd."""
    if len(places) != 1:
        return 0.0
    try:
        names = [_OWN.fullmatch(each.name) for each in Path(places[0], "tbdiag").iterdir()]
    except (OSError, ValueError):
        return 0.0
    return max((float(match[1]) for match in names if match), default=0.0)
