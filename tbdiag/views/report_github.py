"""The report as workflow commands of GitHub Actions: an annotation for each root finding.

GitHub shows ten errors, ten warnings and ten notices of a step, so the worst runs come first.
"""

from __future__ import annotations

from collections.abc import Iterator

from tbdiag.model.finding import Finding, Severity
from tbdiag.model.report import Report
from tbdiag.views.tally import Tally
from tbdiag.views.text import count, printable

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_UNREAD = 10


def chunks(report: Report) -> Iterator[str]:
    """A line that sums up, then one for each annotation; text from files cannot end its line."""
    found = ", ".join(count(report.count(each), each.value) for each in reversed(Severity))
    told = f"tbdiag {report.version}: {found} in {count(len(report.runs), 'run')}"
    if report.unread:
        told += f", {count(len(report.unread), 'path')} not examined"
    yield f"{told}\n"
    for number in Tally.of(report, 0).ill:
        each = report.runs[number]
        for finding in each.roots:
            yield _line(finding, each.run.id)
    for finding in report.search:
        if finding.suppressed_by is None:
            yield _line(finding, finding.subject or "the search as a whole")
    for path, reason in report.unread[:_UNREAD]:
        yield f"::warning title={_property(f'{path} was not examined')}::{_data(reason)}\n"


def _line(finding: Finding, where: str) -> str:
    title = _property(f"{finding.code} {finding.name}: {where}")
    advice = f" Next: {finding.remedies[0].title}." if finding.remedies else ""
    return (
        f"::{_COMMANDS[finding.severity]} title={title}::{_data(f'{finding.message}.{advice}')}\n"
    )


def _data(text: str) -> str:
    """A message as the runner reads it; nothing in it can begin a command of its own."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
