"""What is written: the summaries of one run, and those of all runs below a folder."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from tbdiag.journal.replay import Attempt
from tbdiag.model.finding import Severity
from tbdiag.model.proposal import State
from tbdiag.model.report import Report, RunReport
from tbdiag.model.run import Run
from tbdiag.summaries import charts, events, wording
from tbdiag.summaries.events import Entry, Moment
from tbdiag.summaries.own import REPORT, RUN

_FORM = 1  # of the summaries; counted up where the same report gives others

_COUNTED = (
    ("findings/errors", Severity.ERROR),
    ("findings/warnings", Severity.WARNING),
)


def moment(run: Run) -> Moment:
    """The last step that the run logged, and when it did."""
    steps = [
        int(each[-1])
        for curve in run.series.values()
        for each in (curve.steps, curve.nonfinite.steps)
        if len(each)
    ]
    steps += [int(each.steps[-1]) for each in run.histograms.values() if len(each.steps)]
    walls = [w.last for w in run.provenance.writings if math.isfinite(w.last)]
    return Moment(max(steps, default=0), max(walls, default=0.0))


def key(*told: object) -> str:
    """What tells whether summaries are still those of what was found."""
    text = json.dumps([_FORM, *told], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def of_run(
    report: RunReport, at: Moment, told: Any, based: str, attempt: Attempt | None
) -> list[Entry]:
    """The summaries of a run: text, counts, a picture for each finding, and ``told``, its JSON."""
    entries = [
        events.text(at, "tbdiag/summary", wording.of_run(report, at.step, attempt)),
        events.document(at, RUN, compact(told), based),
        *(_count(at, tag, report.count(severity), severity) for tag, severity in _COUNTED),
    ]
    turns: Counter[str] = Counter()
    for finding in report.roots:
        from tbdiag.views import closeup  # pictures, and with them matplotlib, only where needed

        name = f"{finding.code} {finding.name}"
        turns[name] += 1
        tag = f"tbdiag/{name}" + (f" {turns[name]}" if turns[name] > 1 else "")
        picture = closeup.png(report.run, finding)
        if picture is not None:
            entries.append(events.image(at, tag, picture, wording.about(finding)))
    return entries


def of_all(
    report: Report,
    folders: Sequence[PurePath],
    at: Moment,
    told: Any,
    based: str,
) -> list[Entry]:
    """The summaries of all runs below a root: overview, layout, and ``told``, the report's JSON.

    ``folders`` are those of the runs of the report.
    """
    entries = [
        events.text(at, "tbdiag/overview", wording.of_all(report)),
        events.document(at, REPORT, compact(told), based),
    ]
    drawn = charts.charts(zip((each.run for each in report), folders, strict=True))
    if drawn:
        entries.append(events.layout(at, charts.TITLE, drawn))
    return entries


def session(attempt: Attempt) -> list[Entry]:
    """The session of a follow-up run that has ended; none of one that still runs."""
    trial = attempt.trial
    if trial is None or trial.state is State.RUNNING:
        return []
    return events.session(
        attempt.proposal.params,
        trial.started,
        trial.ended,
        succeeded=trial.state is State.FINISHED,
    )


def compact(told: Any) -> str:
    """The JSON of a document on one line; equal documents give equal texts."""
    return json.dumps(told, separators=(",", ":"), allow_nan=False)


def _count(at: Moment, tag: str, number: int, severity: Severity) -> Entry:
    about = f"findings of the severity {severity.value}, without those that others explain"
    return events.scalar(at, tag, float(number), about)
