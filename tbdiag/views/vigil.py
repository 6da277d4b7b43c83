"""Runs while they are trained, as text: what came up, and how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from tbdiag.diagnosis.vigil import Alert, is_premature
from tbdiag.model.finding import Severity
from tbdiag.model.report import Report, RunReport
from tbdiag.views.paper import Paper
from tbdiag.views.so_far import COLUMNS, curve, latest
from tbdiag.views.text import count

_MOST = 12  # runs drawn at a time


def opening(paper: Paper, report: Report, under_way: int) -> None:
    """What is there when watching begins."""
    found = ", ".join(count(report.count(each), each.value) for each in reversed(Severity))
    paper.flow(
        f"watching {count(len(report.runs), 'run')}, {under_way} of them under way: {found};"
        " Ctrl-C ends with the report",
        indent=0,
    )


def alerted(paper: Paper, alert: Alert, now: float, zone: tzinfo | None = None) -> None:
    """One alert, with the time at which it was seen and what to do."""
    finding, severity = alert.finding, alert.finding.severity.value
    time = datetime.fromtimestamp(now, zone).strftime("%H:%M:%S")
    head = [(time, "dim"), ("  ", "")]
    if alert.gone:
        over = f"{finding.name} ({finding.code}) is gone"
        paper.line(*head, ("ok", "ok"), ("  ", ""), (alert.run, "name"), ("  ", ""), (over, ""))
        return
    word = f"{severity}[{finding.code}]"
    paper.line(
        *head, (word, severity), ("  ", ""), (alert.run, "name"), ("  ", ""), (finding.name, "")
    )
    paper.flow(finding.message, indent=10, most=3)
    if finding.remedies:
        paper.flow(finding.remedies[0].title, indent=10, label=("next:", "ok"), most=2)


def table(paper: Paper, reports: Sequence[RunReport]) -> None:
    """A line for each run that is under way: its loss so far, its findings."""
    for each in reports[:_MOST]:
        found = [finding for finding in each.roots if not is_premature(finding)]
        codes = " ".join([*dict.fromkeys(finding.code for finding in found)][:4])
        worst = found[0].severity.value if found else "ok"
        drawn = curve(each.run, only_ascii=paper.only_ascii)
        left = [(drawn.ljust(COLUMNS), ""), ("  ", ""), (each.run.id, "name"), ("  ", "")]
        paper.ends([*left, (latest(each.run), "dim")], [(codes or "ok", worst)])
    if len(reports) > _MOST:
        paper.line((f"and {count(len(reports) - _MOST, 'more run')} under way", "dim"))
