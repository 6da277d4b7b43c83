"""What a whole report adds up to: rules, answers, and what was not logged."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TypeGuard

from tbdiag.model.finding import Severity
from tbdiag.model.report import Crashed, NotApplicable, Outcome, Passed, Report, RunReport

_WORDS = {"not-applicable": "could not tell"}
_ORDER = ("fired", "passed", "not-applicable", "ignored", "skipped", "crashed")
# Reasons of rules that speak of another kind of run: nothing is missing for them.
_ELSEWHERE = "the run is "
_MISSING = re.compile(r"no (.+?) (?:was|were|is|are) (?:logged|known)")


def coverage(run: RunReport) -> str:
    """``31 rules passed, 12 could not tell``."""
    passed = sum(isinstance(outcome, Passed) for outcome in run.outcomes.values())
    unsure = sum(map(_unsure, run.outcomes.values()))
    told = f"{passed} {'rule' if passed == 1 else 'rules'} passed"
    return f"{told}, {unsure} could not tell" if unsure else told


def answers(outcomes: Mapping[str, Outcome]) -> list[tuple[str, str, list[str]]]:
    """(answer, reason, codes) of a run: all rules that answered so for the same reason together."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for code, outcome in sorted(outcomes.items()):
        reason = getattr(outcome, "reason", "") or getattr(outcome, "error", "")
        groups[outcome.kind, reason].append(code)
    ordered = sorted(groups.items(), key=lambda item: (_ORDER.index(item[0][0]), -len(item[1])))
    return [
        (
            "does not apply" if reason.startswith(_ELSEWHERE) else _WORDS.get(kind, kind),
            reason,
            codes,
        )
        for (kind, reason), codes in ordered
    ]


def _unsure(outcome: Outcome) -> TypeGuard[NotApplicable]:
    """Whether a rule that speaks of such runs could not tell."""
    return isinstance(outcome, NotApplicable) and not outcome.reason.startswith(_ELSEWHERE)


def by_rule(report: Report) -> list[tuple[Severity, str, str, int]]:
    """(severity, code, name, runs) of all root findings, the worst and most frequent first."""
    runs = Counter(
        key
        for run in report
        for key in {(finding.severity, finding.code, finding.name) for finding in run.roots}
    )
    return sorted(
        ((*key, n) for key, n in runs.items()), key=lambda row: (row[0].rank, -row[3], row[1])
    )


def crashes(report: Report) -> list[tuple[str, str, int]]:
    """(code, one of its errors, runs) of the rules that failed; of those about a search, 1 run."""
    found: dict[str, list[str]] = defaultdict(list)
    for outcomes in (*(run.outcomes for run in report), report.search_outcomes):
        for code, outcome in outcomes.items():
            if isinstance(outcome, Crashed):
                found[code].append(outcome.error)
    return [(code, errors[0], len(errors)) for code, errors in sorted(found.items())]


def worth_logging(report: Report) -> tuple[int, list[tuple[str, int, int]]]:
    """How many rules could not tell in some run, and (what was missing, rules, runs) for most first."""
    rules: dict[str, set[str]] = defaultdict(set)
    runs: dict[str, set[int]] = defaultdict(set)
    unsure: set[str] = set()
    for at, run in enumerate(report):
        for code, outcome in run.outcomes.items():
            if not _unsure(outcome):
                continue
            unsure.add(code)
            if missing := _MISSING.match(outcome.reason):
                rules[missing[1]].add(code)
                runs[missing[1]].add(at)
    wanted = [(thing, len(codes), len(runs[thing])) for thing, codes in rules.items()]
    return len(unsure), sorted(wanted, key=lambda row: (-row[1] * row[2], row[0]))
