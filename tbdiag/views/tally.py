"""What a whole report adds up to: rules, answers, and what was not logged."""

from __future__ import annotations

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from tbdiag.model.finding import Severity
from tbdiag.model.report import Crashed, NotApplicable, Outcome, Passed, Report, RunReport
from tbdiag.model.run import Damage

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


@dataclass(slots=True)
class Tally:
    """What all runs of a report add up to, told in one pass: they may be many, and read anew each time.

    ``ill`` are the numbers of the runs with findings, the worst first; of the ``healthy``, the ``blind``
    (in which no rule could tell) and the damaged files the first few stand here, and how many there are.
    """

    ill: Sequence[int] = ()
    healthy: list[int] = field(default_factory=list)
    blind: list[int] = field(default_factory=list)
    damages: list[tuple[str, Damage]] = field(default_factory=list)
    healthy_runs: int = 0
    blind_runs: int = 0
    damaged: int = 0
    worth: Worth = field(default_factory=lambda: Worth())
    crashes: Crashes = field(default_factory=lambda: Crashes())
    _rules: Counter[tuple[Severity, str, str]] = field(default_factory=Counter)

    @classmethod
    def of(cls, report: Report, few: int) -> Tally:
        """The tally of a report, with the ``few`` first of what is listed."""
        found, marks = cls(), array("q")
        for number, run in enumerate(report):
            marks.append(_goodness(run))
            found._take(number, run, few, ill=marks[-1] < 0)
        found.crashes.take(report.search_outcomes)
        ill = (number for number, mark in enumerate(marks) if mark < 0)
        found.ill = array("Q", sorted(ill, key=marks.__getitem__))
        return found

    def _take(self, number: int, run: RunReport, few: int, *, ill: bool) -> None:
        outcomes = run.outcomes
        if ill:
            self._rules.update({(each.severity, each.code, each.name) for each in run.roots})
        elif looked(outcomes):
            self.healthy_runs += 1
            if self.healthy_runs <= few:
                self.healthy.append(number)
        else:
            self.blind_runs += 1
            if self.blind_runs <= few:
                self.blind.append(number)
        self.worth.take(outcomes)
        self.crashes.take(outcomes)
        damages = run.run.provenance.damages
        for damage in damages:
            if not damage.torn:
                self.damaged += 1
                if self.damaged <= few:
                    own = run.run.id
                    path = damage.file if own in damage.file else f"{own}/{damage.file}"
                    self.damages.append((path, damage))

    @property
    def rules(self) -> list[tuple[Severity, str, str, int]]:
        """(severity, code, name, runs) of all root findings, the worst and most frequent first."""
        rows = ((*key, n) for key, n in self._rules.items())
        return sorted(rows, key=lambda row: (row[0].rank, -row[3], row[1]))


@dataclass(slots=True)
class Crashes:
    """The rules that failed."""

    _found: dict[str, tuple[str, int]] = field(default_factory=dict)

    def take(self, outcomes: Mapping[str, Outcome]) -> None:
        """Takes in the answers about a run."""
        for code, outcome in outcomes.items():
            if isinstance(outcome, Crashed):
                error, runs = self._found.get(code, (outcome.error, 0))
                self._found[code] = error, runs + 1

    @property
    def told(self) -> list[tuple[str, str, int]]:
        """(code, one of its errors, runs) of each."""
        return [(code, *told) for code, told in sorted(self._found.items())]


@dataclass(slots=True)
class Worth:
    """What it would be worth to log: the rules that could not tell, and what they missed."""

    unsure: set[str] = field(default_factory=set)
    _rules: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _runs: Counter[str] = field(default_factory=Counter)

    def take(self, outcomes: Mapping[str, Outcome]) -> None:
        """Takes in the answers about a run."""
        missed = set()
        for code, outcome in outcomes.items():
            if not _unsure(outcome):
                continue
            self.unsure.add(code)
            if missing := _MISSING.match(outcome.reason):
                self._rules[missing[1]].add(code)
                missed.add(missing[1])
        self._runs.update(missed)

    @property
    def wanted(self) -> list[tuple[str, int, int]]:
        """(what was missing, rules, runs) for most first."""
        rows = [(thing, len(codes), self._runs[thing]) for thing, codes in self._rules.items()]
        return sorted(rows, key=lambda row: (-row[1] * row[2], row[0]))


def _goodness(run: RunReport) -> int:
    """0 where there are no findings, and lower the worse they are."""
    errors, warnings, notes = map(run.count, (Severity.ERROR, Severity.WARNING, Severity.NOTE))
    return -(errors << 40 | warnings << 20 | notes)


def looked(outcomes: Mapping[str, Outcome]) -> bool:
    """Whether any rule could tell."""
    return any(isinstance(outcome, Passed) for outcome in outcomes.values())


def crashes(report: Report) -> list[tuple[str, str, int]]:
    """(code, one of its errors, runs) of the rules that failed; of those about a search, 1 run."""
    found = Crashes()
    for outcomes in (*(run.outcomes for run in report), report.search_outcomes):
        found.take(outcomes)
    return found.told


def worth_logging(report: Report) -> tuple[int, list[tuple[str, int, int]]]:
    """How many rules could not tell in some run, and (what was missing, rules, runs) for most first."""
    worth = Worth()
    for run in report:
        worth.take(run.outcomes)
    return len(worth.unsure), worth.wanted
