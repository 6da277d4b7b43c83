"""What a whole scan adds up to, gathered in one look at each run: rows, the worst findings, next steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tbdiag.detectors import registry
from tbdiag.detectors.base import explanation, rule_name
from tbdiag.model.finding import Confidence, Finding
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Advice, Remedy, Safety
from tbdiag.model.report import RunReport
from tbdiag.views.page.matrix import Row, row, unsure
from tbdiag.views.turned import turned

_SURE = (Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW)
_EXAMPLES = 4  # runs that are named for a finding or a next step

Key = tuple[str, str]  # of a remedy: its title and its knob


@dataclass(slots=True)
class Headline:
    """A rule that fired: the worst of its findings, and the ``runs`` (their places) with it."""

    finding: Finding
    place: int
    number: int
    runs: list[int] = field(default_factory=list)

    @property
    def badness(self) -> tuple[int, int, int, str]:
        """A sort key: the worst first, then what is in most runs, then what is surest."""
        return (
            self.finding.severity.rank,
            -len(self.runs),
            _SURE.index(self.finding.confidence),
            self.finding.code,
        )


@dataclass(slots=True)
class Cure:
    """Something to do in several ``runs`` (their places), with one ``change`` as an example."""

    remedy: Remedy
    runs: list[int] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    rank: int = 2  # of the worst finding that asks for it
    change: str = ""

    @property
    def by_hand(self) -> bool:
        """Whether no setting does it."""
        return self.remedy.safety is Safety.MANUAL or isinstance(self.remedy.change, Advice)


@dataclass(slots=True)
class Overview:
    """All runs at a glance; ``first`` and ``last`` are the wall times between which data was logged."""

    rows: list[Row] = field(default_factory=list)
    headlines: dict[str, Headline] = field(default_factory=dict)
    cures: dict[Key, Cure] = field(default_factory=dict)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    points: int = 0
    first: float | None = None
    last: float | None = None

    def add(self, report: RunReport, place: int) -> None:
        """Takes note of a run."""
        run, findings = report.run, report.findings
        self.rows.append(row(report, place))
        self.points += run.provenance.points
        for each in run.provenance.writings:
            self.first = each.first if self.first is None else min(self.first, each.first)
            self.last = each.last if self.last is None else max(self.last, each.last)
        for code, reason in unsure(report.outcomes):
            self.reasons.setdefault(code, Counter())[reason] += 1
        for number, finding in enumerate(findings):
            if finding.suppressed_by is None:
                self._headline(finding, place, number)
                for remedy in finding.remedies[:1]:
                    self._cure(report, place, finding, remedy)

    def _headline(self, finding: Finding, place: int, number: int) -> None:
        known = self.headlines.get(finding.code)
        if known is None:
            known = self.headlines[finding.code] = Headline(finding, place, number)
        elif _graver(finding, known.finding):
            known.finding, known.place, known.number = finding, place, number
        if known.runs[-1:] != [place]:
            known.runs.append(place)

    def _cure(self, report: RunReport, place: int, finding: Finding, remedy: Remedy) -> None:
        knob = Knob(remedy.knob).value if remedy.knob is not None else ""
        cure = self.cures.setdefault((remedy.title, knob), Cure(remedy))
        cure.codes[finding.code] += 1
        if cure.runs[-1:] != [place]:
            cure.runs.append(place)
        cure.rank = min(cure.rank, finding.severity.rank)
        cure.change = cure.change or turned(report.run, remedy)

    def worst_first(self) -> list[Headline]:
        """The rules that fired, the gravest first."""
        return sorted(self.headlines.values(), key=lambda each: each.badness)

    def next_steps(self) -> list[Cure]:
        """What answers the gravest findings first, then what helps the most runs."""
        return sorted(
            self.cures.values(),
            key=lambda each: (each.rank, each.by_hand, -len(each.runs), each.remedy.title),
        )


def overview(reports: Iterable[RunReport], progress: Callable[[], object]) -> Overview:
    """All runs, each looked at once; ``progress`` is called after each."""
    found = Overview()
    for place, report in enumerate(reports):
        found.add(report, place)
        progress()
    found.rows.sort(key=lambda each: each.badness)
    return found


def known_rules() -> Mapping[str, tuple[str, str]]:
    """The name and the summary of each rule, by its code."""
    return {
        rule.code: (rule_name(rule).replace("-", " "), explanation(rule).summary)
        for rule in registry.every_rule()
    }


def explained(codes: Sequence[str]) -> list[tuple[str, str, str, list[tuple[str, list[str]]]]]:
    """(code, name, summary, sections as paragraphs) of the rules with these codes that are known."""
    wanted = ("What it does", "Why is this bad?", "Remedy", "False alarms")
    found = []
    for rule in registry.every_rule():
        if rule.code in codes:
            told = explanation(rule)
            sections = [
                (title, _paragraphs(told.sections[title]))
                for title in wanted
                if told.sections.get(title)
            ]
            found.append((rule.code, rule_name(rule).replace("-", " "), told.summary, sections))
    return found


def examples(places: Sequence[int]) -> tuple[Sequence[int], int]:
    """The first few places, and how many more there are."""
    return places[:_EXAMPLES], max(len(places) - _EXAMPLES, 0)


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()).replace("`", "") for part in text.split("\n\n") if part.strip()]


def _graver(one: Finding, other: Finding) -> bool:
    def key(each: Finding) -> tuple[int, int]:
        return each.severity.rank, _SURE.index(each.confidence)

    return key(one) < key(other)
