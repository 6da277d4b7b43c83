"""What the texts say: one of each run, one of all of them."""

from __future__ import annotations

from collections.abc import Sequence

from tbdiag.journal.replay import Attempt
from tbdiag.model.finding import Evidence, Finding, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.report import Report, RunReport
from tbdiag.model.run import Run
from tbdiag.summaries.markdown import NAME, code, link, plain
from tbdiag.views.exhibit import measures, steps
from tbdiag.views.suggestions import shown
from tbdiag.views.tally import coverage, worth_logging
from tbdiag.views.text import count
from tbdiag.views.turned import turned

_GRAVEST_FIRST = sorted(Severity, key=lambda each: each.rank)
_ROWS = 200  # runs in the table; more of them nobody reads
_NAMED = 3  # things worth logging, or not examined, that are named


def of_run(report: RunReport, step: int, attempt: Attempt | None = None) -> str:
    """The findings of a run with evidence and remedy; ``attempt`` tells how a follow-up came about."""
    about = f"**{_counts(report.roots)}** at step {step:,}"
    lines = [f"{about} · {link('open in Diagnosis', report.run.id)}"]
    if attempt is not None:
        lines += ["", _origin(attempt)]
    left = [each for each in report.findings if each.suppressed_by is not None]
    for root in report.roots:
        same = [each for each in left if each.suppressed_by == root.code]
        left = [each for each in left if each not in same]
        lines += ["", *_finding(root, report.run, same)]
    for role, tags in sorted(report.run.roles.ambiguous.items()):
        named = ", ".join(code(tag) for tag in tags)
        lines += ["", f"The {role.phrase} could be {named}: name it under `[roles]`."]
    return "\n".join([*lines, "", f"{coverage(report)}", ""])


def of_all(report: Report) -> str:
    """A table of the runs, the worst first, and what was found about them together."""
    found = [finding for run in report for finding in run.roots] + [*report.search]
    lines = [
        f"**{count(len(report.runs), 'run')}: {_counts(found)}** · {link('open in Diagnosis', '')}"
    ]
    lines += ["", "| run | the worst finding | where | next |", "|---|---|---|---|"]
    ordered = sorted(report, key=_badness)
    lines += [_row(run) for run in ordered[:_ROWS]]
    if len(ordered) > _ROWS:
        lines += ["", f"and {count(len(ordered) - _ROWS, 'run')} more"]
    for finding in report.search:
        lines += ["", *_finding(finding, None, ())]
    if report.unread:
        named = [f"{code(path)} ({plain(reason)})" for path, reason in report.unread[:_NAMED]]
        lines += ["", f"{count(len(report.unread), 'path')} not examined: {', '.join(named)}"]
    unsure, missing = worth_logging(report)
    if missing:
        named = [plain(thing) for thing, _, _ in missing[:_NAMED]]
        lines += ["", f"{count(unsure, 'rule')} could not tell; worth logging: {', '.join(named)}"]
    return "\n".join([*lines, ""])


def about(finding: Finding) -> str:
    """What stands with the picture of a finding."""
    return plain(finding.message)


def _badness(run: RunReport) -> tuple[int, ...]:
    return tuple(-run.count(severity) for severity in _GRAVEST_FIRST)


def _counts(found: Sequence[Finding]) -> str:
    told = [
        (sum(each.severity is severity for each in found), severity) for severity in _GRAVEST_FIRST
    ]
    return ", ".join(count(n, severity.value) for n, severity in told if n) or "no findings"


def _row(report: RunReport) -> str:
    name = link(plain(report.run.id, NAME), report.run.id)
    if not report.roots:
        return f"| {name} | none | | |"
    worst = report.roots[0]
    where = worst.evidence[0] if worst.evidence else None
    remedy = worst.remedies[0] if worst.remedies else None
    more = "" if len(report.roots) == 1 else _counts(report.roots[1:])
    cells = [
        name,
        f"{worst.severity.value}: {worst.code} {worst.name}" + (f", and {more}" if more else ""),
        "" if where is None else f"{code(where.tag)}, {steps(*where.span)}",
        "" if remedy is None else _step(report.run, remedy),
    ]
    return f"| {' | '.join(cells)} |"


def _finding(finding: Finding, run: Run | None, same: Sequence[Finding]) -> list[str]:
    sure = f"{finding.severity.value}, {finding.confidence.value} confidence"
    lines = [
        f"### {finding.code} {finding.name}",
        "",
        f"{plain(finding.message)} *({sure})*",
        "",
        *(f"- {_evidence(each)}" for each in finding.evidence),
    ]
    if finding.remedies:
        first = finding.remedies[0]
        lines += ["", f"**Next: {_step(run, first)}.** {plain(first.because)}"]
        lines += ["", *(f"- or: {_step(run, each)}" for each in finding.remedies[1:])]
    if same:
        names = dict.fromkeys(f"{each.code} {each.name}" for each in same)
        lines += ["", f"Explained by it: {', '.join(names)}"]
    return lines


def _step(run: Run | None, remedy: Remedy) -> str:
    change = "" if run is None else turned(run, remedy)
    return plain(f"{remedy.title} ({change})" if change else remedy.title)


def _evidence(evidence: Evidence) -> str:
    whose = f" of {code(evidence.run)}" if evidence.run else ""
    told = [f"{code(evidence.tag)}{whose}, {steps(*evidence.span)}", plain(evidence.note)]
    numbers = plain(measures(evidence.measures))
    return ": ".join(filter(None, told)) + (f" ({numbers})" if numbers else "")


def _origin(attempt: Attempt) -> str:
    proposal, verdict = attempt.proposal, attempt.verdict
    turns = ", ".join(
        plain(f"{t.name} {shown(t.before)} → {shown(t.after)}") for t in proposal.turns
    )
    parent = link(plain(proposal.parent, NAME), proposal.parent)
    told = f"Follow-up of {parent}: {turns or 'the same settings'}."
    if verdict is None:
        return told
    seeds = f", on {len(verdict.repeats) + 1} seeds" if verdict.repeats else ""
    return f"{told} **{verdict.decision.value}**{seeds}: {plain(verdict.reason)}"
