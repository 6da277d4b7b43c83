"""The report as text for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tbdiag.model.finding import Finding, Severity
from tbdiag.model.report import Outcome, Report, RunReport
from tbdiag.model.run import Run
from tbdiag.views.exhibit import exhibit, measures, steps
from tbdiag.views.paper import Paper, Piece
from tbdiag.views.tally import Tally, answers, coverage, looked
from tbdiag.views.text import count
from tbdiag.views.turned import turned

_FULL = 20  # runs shown in full unless told otherwise
_BRIEF = 30  # runs shown in one line each after those
_HEALTHY = 8  # healthy runs listed before they are counted only
_LISTED = 8  # unread files, damaged files, rules: then "and 5 more"


def render(
    report: Report,
    *,
    color: bool,
    width: int = 80,
    show_passed: bool = False,
    top: int | None = None,
    ascii: bool = False,  # noqa: A002 -- the word for it, and nothing here needs the builtin
) -> str:
    """The report, worst runs first, in lines of at most ``width`` columns (40 at least).

    The first ``top`` runs with findings (20 unless told otherwise) are shown in full, more of them in
    one line each, and then only counted. ``show_passed`` shows every run and what each rule
    answered. Text from files is escaped; there are escape sequences only with ``color``, and without
    them the text is the same; ``ascii`` keeps it to ASCII.
    """
    paper = Paper(color=color, width=width, only_ascii=ascii)
    tally = Tally.of(report, max(_LISTED, _HEALTHY))
    ill = tally.ill
    full = len(ill) if show_passed and top is None else _FULL if top is None else max(top, 0)
    for number in ill[:full]:
        run = report.runs[number]
        _run(paper, run)
        if show_passed:
            _answers(paper, run.outcomes)
    _brief(paper, report, ill[full:])
    if show_passed:
        for run in report:
            if not run.roots:
                paper.gap()
                _healthy(paper, run)
                _answers(paper, run.outcomes)
    else:
        _healthy_runs(paper, report, tally)
    if report.search or (show_passed and report.search_outcomes):
        paper.gap()
        paper.ends([("the search as a whole", "name")], fill=paper.rule)
        shown = report.search if show_passed else report.search[:_LISTED]
        for finding in shown:
            _finding(paper, finding, None, ())
        if left := len(report.search) - len(shown):
            paper.gap()
            paper.line((f"and {count(left, 'more finding')} about the search", "dim"), indent=2)
        if show_passed:
            _answers(paper, report.search_outcomes)
    _unexamined(paper, report, tally)
    _totals(paper, report, tally, folded=len(ill) > full)
    return paper.text()


def _counts(run: RunReport | Report) -> list[Piece]:
    pieces: list[Piece] = []
    for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE):
        if n := run.count(severity):
            pieces += [(", ", "dim")] if pieces else []
            pieces.append((count(n, severity.value), severity.value))
    return pieces


def _where(run: Run) -> list[Piece]:
    """The path with the run's name standing out, or both where they differ."""
    path = run.path.as_posix()
    if path.endswith(run.id):
        return [(path[: len(path) - len(run.id)], "dim"), (run.id, "name")]
    return [(run.id, "name"), ("  ", ""), (path, "dim")]


def _run(paper: Paper, report: RunReport) -> None:
    paper.gap()
    paper.ends(_where(report.run), _counts(report), fill=paper.rule)
    orphans = list(report.findings)
    for root in report.roots:
        same = [each for each in orphans if each.suppressed_by == root.code]
        orphans = [each for each in orphans if each is not root and each not in same]
        _finding(paper, root, report.run, same)
    for finding in orphans:
        paper.gap()
        words = f"{finding.name} ({finding.code}), explained by {finding.suppressed_by}"
        paper.flow(words, indent=2, style="dim", label=("also:", "dim"))
    for role, tags in sorted(report.run.roles.ambiguous.items()):
        paper.gap()
        words = f"the {role.phrase} could be {', '.join(tags)}; name it under [roles]"
        paper.flow(words, indent=2, label=("ambiguous:", "dim"), most=3)


def _finding(paper: Paper, finding: Finding, run: Run | None, same: Sequence[Finding]) -> None:
    severity = finding.severity.value
    paper.gap()
    paper.ends(
        [(severity, severity), (f"[{finding.code}]", severity), (" ", ""), (finding.name, "name")],
        [(f"{finding.confidence.value} confidence", "dim")],
        indent=2,
    )
    paper.flow(finding.message, indent=4)
    for at, evidence in enumerate(finding.evidence):
        curve = None if run is None else run.series.get(evidence.tag)
        if at == 0 and curve is not None and curve.logged:
            paper.gap()
            exhibit(paper, curve, evidence, indent=4, style=severity)
            continue
        drawn = run is not None and (curve is not None or evidence.tag in run.histograms)
        span = steps(*evidence.span) if drawn else ""
        facts = [span, evidence.note, measures(evidence.measures)]
        tag = paper.cut(evidence.tag, paper.width // 2)
        tag += f" of {paper.cut(evidence.run, paper.width // 2)}" if evidence.run else ""
        words = ": ".join(fact for fact in facts if fact)
        words = f"{tag}, {words}" if words else tag
        paper.flow(words, indent=4, style="dim", label=("see" if at == 0 else "and", "dim"))
    if not finding.remedies and not same:
        return
    paper.gap()
    if finding.remedies:
        first = finding.remedies[0]
        change = "" if run is None else turned(run, first)
        words = f"{first.title} ({change})" if change else first.title
        paper.flow(words, indent=4, label=("next:", "ok"), most=4)
    if same:
        names = ", ".join(dict.fromkeys(f"{each.name} ({each.code})" for each in same))
        paper.flow(names, indent=4, style="dim", label=("also explained by this:", "dim"), most=3)


def _brief(paper: Paper, report: Report, numbers: Sequence[int]) -> None:
    """One line for each of the first runs, and then what is left in one."""
    paper.gap()
    for run in (report.runs[number] for number in numbers[:_BRIEF]):
        codes = list(dict.fromkeys(finding.code for finding in run.roots))
        more = f" +{len(codes) - 4}" if len(codes) > 4 else ""
        worst = run.worst.value if run.worst else ""
        right = [(" ".join(codes[:4]) + more, worst)]
        paper.ends([(f"{worst:<8}", worst), (run.run.id, "name")], right, indent=2)
    if left := numbers[_BRIEF:]:
        paper.line((f"and {count(len(left), 'more run')} with findings", "dim"), indent=2)


def _healthy_runs(paper: Paper, report: Report, tally: Tally) -> None:
    """One line for each, or their number; a run in which nothing could be told is never folded."""
    paper.gap()
    if tally.healthy_runs <= _HEALTHY:
        for number in tally.healthy:
            _healthy(paper, report.runs[number])
    else:
        paper.line(("ok", "ok"), ("  ", ""), (f"{tally.healthy_runs} runs without findings", ""))
    for number in tally.blind[:_LISTED]:
        _healthy(paper, report.runs[number])
    _more(paper, tally.blind_runs, "run", " in which no rule could tell", indent=0)


def _healthy(paper: Paper, run: RunReport) -> None:
    word: Piece = ("ok", "ok") if looked(run.outcomes) else ("??", "warning")
    paper.ends([word, ("  ", ""), (run.run.id, "name")], [(coverage(run), "dim")])


def _answers(paper: Paper, outcomes: Mapping[str, Outcome]) -> None:
    paper.gap()
    for kind, reason, codes in answers(outcomes):
        words = f"{reason}: {' '.join(codes)}" if reason else " ".join(codes)
        paper.flow(words, indent=2, label=(f"{kind}:", "ok" if kind == "passed" else "dim"))


def _unexamined(paper: Paper, report: Report, tally: Tally) -> None:
    paper.gap()
    for path, reason in report.unread[:_LISTED]:
        _file(paper, "unread", path, reason)
    _more(paper, len(report.unread), "path", " that could not be read")
    for path, damage in tally.damages[:_LISTED]:
        _file(
            paper,
            "damaged",
            path,
            f"{damage.reason} at byte {damage.offset}, {count(damage.lost, 'byte')} lost",
        )
    _more(paper, tally.damaged, "damaged file")


def _file(paper: Paper, word: str, path: str, reason: str) -> None:
    paper.line((f"{word}: ", "warning"), (paper.cut(path, paper.width - 12), ""))
    paper.flow(reason, indent=4, style="dim", most=3)


def _more(paper: Paper, n: int, noun: str, rest: str = "", *, indent: int = 4) -> None:
    if n > _LISTED:
        paper.line((f"and {count(n - _LISTED, f'more {noun}')}{rest}", "dim"), indent=indent)


def _totals(paper: Paper, report: Report, tally: Tally, *, folded: bool) -> None:
    if folded:
        paper.gap()
        for severity, code, name, runs in tally.rules[: 2 * _LISTED]:
            left = [(f"{severity.value:<8}", severity.value), (code, "dim"), ("  ", ""), (name, "")]
            paper.ends(left, [(count(runs, "run"), "dim")], indent=2)
    for code, error, runs in tally.crashes.told:
        paper.gap()
        paper.line(("failed: ", "error"), (f"{code} in {count(runs, 'run')}", "name"))
        paper.flow(f"{error}; this is a defect of tbdiag, please report it", indent=4, most=3)
    wanted = tally.worth.wanted
    if unsure := len(tally.worth.unsure):
        paper.gap()
        paper.line(
            (f"{count(unsure, 'rule')} could not tell in some runs", "name"),
            ("; worth logging:" if wanted else "", ""),
        )
        for thing, rules, runs in wanted[:3]:
            gain = f"{count(rules, 'rule')} in {count(runs, 'run')}"
            paper.ends([(thing, "")], [(gain, "dim")], indent=2)
    paper.gap()
    found = _counts(report) or [("no findings", "ok")]
    clean, blind = tally.healthy_runs, tally.blind_runs
    paper.line(("Found ", ""), *found, (f" in {count(len(report.runs), 'run')}", ""))
    rest = [f"{count(clean, 'run')} without findings"] if clean and found[0][1] != "ok" else []
    rest += [f"{count(blind, 'run')} that no rule could judge"] if blind else []
    rest += [f"{count(len(report.unread), 'path')} unread"] if report.unread else []
    if rest:
        paper.line((", ".join(rest), "dim"))
