"""The report as Markdown: for a merge request, a job's summary, a wiki."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tbdiag.model.finding import Finding, Severity
from tbdiag.model.report import Report, RunReport
from tbdiag.model.run import Run
from tbdiag.views.exhibit import measures, steps
from tbdiag.views.markup import code, plain
from tbdiag.views.sparkline import sparkline
from tbdiag.views.tally import Tally
from tbdiag.views.text import count, number
from tbdiag.views.turned import turned

_FULL = 50  # runs shown in full
_LISTED = 20  # rules, and paths that could not be read
_COLUMNS = 40


def chunks(report: Report) -> Iterator[str]:
    """What was found, rule by rule, then each run with findings, the worst first.

    Beyond fifty the runs are only counted, so that the page fits into a comment. Whatever text from files
    holds, it is text: marks and tags in it are escaped, and so are control characters.
    """
    tally = Tally.of(report, 0)
    yield f"<!-- tbdiag {plain(report.version)} -->\n\n## {_sum(report)}\n\n"
    if rules := tally.rules:
        yield "| | rule | runs |\n|---|---|--:|\n"
        for severity, rule, name, runs in rules[:_LISTED]:
            yield f"| {severity.value} | {code(rule)} {plain(name)} | {runs} |\n"
        yield "\n"
        if len(rules) > _LISTED:
            yield f"And {count(len(rules) - _LISTED, 'more rule')}.\n\n"
    for at in tally.ill[:_FULL]:
        yield _run(report.runs[at])
    if len(tally.ill) > _FULL:
        yield f"And {count(len(tally.ill) - _FULL, 'more run')} with findings.\n\n"
    if report.search:
        yield "### The search as a whole\n\n"
        yield "".join(_finding(each, None, ()) for each in report.search[:_LISTED]) + "\n"
    if tally.healthy_runs:
        yield f"{count(tally.healthy_runs, 'run')} without findings.\n\n"
    if tally.blind_runs:
        yield f"{count(tally.blind_runs, 'run')} in which no rule could tell.\n\n"
    yield from _unread(report.unread)


def _sum(report: Report) -> str:
    found = [count(n, each.value) for each in reversed(Severity) if (n := report.count(each))]
    worst = ", ".join(found) or "no findings"
    return f"tbdiag: {worst} in {count(len(report.runs), 'run')}"


def _run(report: RunReport) -> str:
    text = f"### {plain(report.run.id)}\n\n"
    for root in report.roots:
        same = [each for each in report.findings if each.suppressed_by == root.code]
        text += _finding(root, report.run, same)
    return f"{text}\n"


def _finding(finding: Finding, run: Run | None, same: Sequence[Finding]) -> str:
    lines = [
        f"- **{finding.severity.value}** {code(finding.code)} {plain(finding.name)}: {plain(finding.message)}"
    ]
    for evidence in finding.evidence[:1]:
        curve = None if run is None else run.series.get(evidence.tag)
        where = f"{code(evidence.tag)}, {steps(*evidence.span)}"
        facts = [plain(each) for each in (evidence.note, measures(evidence.measures)) if each]
        lines.append(f"  {': '.join([where, *facts])}  ")
        if curve is not None and curve.logged:
            ends = (float(curve.values[at]) if len(curve) else math.nan for at in (0, -1))
            first, last = map(number, ends)  # a curve may have no finite point
            lines.append(f"  {code(f'{first} {sparkline(curve, _COLUMNS).text()} {last}')}  ")
    if finding.remedies:
        first_one = finding.remedies[0]
        change = "" if run is None else turned(run, first_one)
        lines.append(
            f"  *Next:* {plain(first_one.title)}" + (f" ({code(change)})" if change else "")
        )
    if same:
        names = dict.fromkeys(f"{plain(each.name)} ({code(each.code)})" for each in same)
        lines.append(f"  *Also explained by this:* {', '.join(names)}")
    return "\n".join(lines) + "\n"


def _unread(unread: Sequence[tuple[str, str]]) -> Iterator[str]:
    if not unread:
        return
    yield "### Not examined\n\n"
    for path, reason in unread[:_LISTED]:
        yield f"- {code(path)}: {plain(reason)}\n"
    if len(unread) > _LISTED:
        yield f"- and {count(len(unread) - _LISTED, 'more path')}\n"
