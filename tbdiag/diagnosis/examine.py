"""A case and its detectors: exactly one outcome for each rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from tbdiag.case import Case, Kind
from tbdiag.detectors import registry
from tbdiag.detectors.base import Detector, Rule, Sample, SearchDetector, SearchSample
from tbdiag.diagnosis.priority import ordered
from tbdiag.model.finding import Finding
from tbdiag.model.report import (
    Crashed,
    Fired,
    Ignored,
    NotApplicable,
    Outcome,
    Passed,
    RunReport,
    Skipped,
)
from tbdiag.model.run import Run
from tbdiag.search import Family, Search

# Most runs of a scan get the same answers, so that each is made and kept once.
_PASSED = Passed()
_not_applicable = lru_cache(maxsize=256)(NotApplicable)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSelection:
    """The rules about several runs as configured, like a `Selection`."""

    detectors: tuple[SearchDetector, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The rules as configured: ``detectors`` run; ``skipped`` and ``ignored`` map code → reason.

    ``search`` are those about several runs together. ``digest`` names the configuration: equal digests
    mean equal thresholds and selection.
    """

    detectors: tuple[Detector, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
    search: SearchSelection = field(default_factory=SearchSelection)
    digest: str = ""

    @cached_property
    def asked(self) -> tuple[Detector, ...]:
        """The detectors in the order in which they are asked: those that speak ``amid`` others last."""
        return tuple(sorted(self.detectors, key=lambda each: bool(each.amid)))


def examine(run: Run, selection: Selection, now: float | None = None) -> RunReport:
    """Every selected rule on this run; a rule that fails is recorded, and the others go on.

    ``now`` is the wall time at which the run is looked at; without it no run is taken for live.
    Rules that speak only ``amid`` the findings of others come last.
    """
    cases = _cases(run, now)
    outcomes: dict[str, Outcome] = {
        code: Skipped(reason) for code, reason in selection.skipped.items()
    }
    found: list[Finding] = []
    fired: list[str] = []
    for detector in selection.asked:
        code, answer = detector.code, _answer(detector, cases, outcomes)
        if isinstance(answer, Fired):
            answer = _unless_ignored(answer, detector, selection)
            if isinstance(answer, Fired):
                found += answer.findings
                fired.append(code)
        outcomes[code] = answer
    findings = ordered(found, selection.detectors)
    for code in fired:
        outcomes[code] = Fired(tuple(f for f in findings if f.code == code))
    return RunReport(
        run=run, outcomes={code: outcomes[code] for code in sorted(outcomes)}, findings=findings
    )


def examine_search(
    search: Search, selection: SearchSelection
) -> tuple[dict[str, Outcome], tuple[Finding, ...]]:
    """Every selected rule on the runs together: one outcome for each code, and all findings."""
    outcomes: dict[str, Outcome] = {
        code: Skipped(reason) for code, reason in selection.skipped.items()
    }
    asked = [_Asked(detector, search) for detector in selection.detectors]
    while sum(each.step() for each in asked):  # one family after the other: they may be made anew
        pass
    for each in asked:
        outcome, reason = each.outcome, selection.ignored.get(each.detector.code)
        if reason is not None and isinstance(outcome, Fired):
            outcome = Ignored(reason)
        outcomes[each.detector.code] = outcome
    outcomes = dict(sorted(outcomes.items()))
    found = [each for outcome in outcomes.values() for each in getattr(outcome, "findings", ())]
    return outcomes, tuple(sorted(found, key=lambda each: (each.severity.rank, each.code)))


class _Asked:
    """A rule about several runs that is asked about one family after the other."""

    def __init__(self, detector: SearchDetector, search: Search) -> None:
        self.detector = detector
        self.outcome: Outcome = Passed()
        self._families: Iterator[Family] = iter(())
        try:
            families, reason = detector.asked(search)
            self._families = iter(families)
            if not families:
                self.outcome = NotApplicable(reason)
        except Exception as error:  # a defect of one rule must not cost the report
            self._crashed(error)

    def step(self) -> bool:
        """Asks about the next family; whether there was one."""
        try:
            family = next(self._families, None)
            found = () if family is None else tuple(self.detector.check(family))
        except Exception as error:  # likewise
            self._crashed(error)
            return False
        if found:
            before = self.outcome.findings if isinstance(self.outcome, Fired) else ()
            self.outcome = Fired((*before, *found))
        return family is not None

    def _crashed(self, error: Exception) -> None:
        self.outcome, self._families = Crashed(f"{type(error).__name__}: {error}"), iter(())


def tried(rule: type[Rule]) -> list[tuple[Sample | SearchSample, Finding | None]]:
    """Each sample of the rule, with the first finding on it where there is one."""
    if issubclass(rule, SearchDetector):
        chosen = SearchSelection(detectors=(rule(),))
        return [
            (each, next(iter(examine_search(Search(each.runs), chosen)[1]), None))
            for each in rule.samples()
        ]
    return [
        (each, next((f for f in _beside(rule, each.run) if f.code == rule.code), None))
        for each in rule.samples()
    ]


def _beside(rule: type[Detector], run: Run) -> tuple[Finding, ...]:
    """All findings of the rule and of those that it speaks amid."""
    company = (each for each in registry.rules() if each.code in rule.amid)
    return examine(run, Selection(detectors=tuple(each() for each in (rule, *company)))).findings


def timely(run: Run, selection: Selection, now: float | None) -> Iterator[tuple[str, Outcome]]:
    """The code and the outcome of each rule whose answer depends on the time, by itself."""
    asked = [detector for detector in selection.detectors if detector.timely]
    cases = _cases(run, now) if asked else ()
    for detector in asked:
        yield detector.code, _unless_ignored(_answer(detector, cases, {}), detector, selection)


def _unless_ignored(outcome: Outcome, detector: Detector, selection: Selection) -> Outcome:
    reason = selection.ignored.get(detector.code)
    return Ignored(reason) if reason is not None and isinstance(outcome, Fired) else outcome


def _cases(run: Run, now: float | None) -> tuple[Case, ...]:
    """The run as one case, or, where only parts of the loss were logged, as one for each part."""
    if not run.roles.parts:
        return (Case(run, now),)
    return tuple(
        Case(run.with_roles(replace(run.roles, bound={**run.roles.bound, **part}, parts=())), now)
        for part in run.roles.parts
    )


def _answer(
    detector: Detector, cases: tuple[Case, ...], outcomes: Mapping[str, Outcome]
) -> Outcome:
    """The outcome of a rule on the cases of a run, where ``outcomes`` are those of earlier rules."""
    findings: list[Finding] = []
    reasons: list[str] = []
    looked = False
    for case in cases:
        if detector.supervised and case.kind is not Kind.SUPERVISED:
            return Skipped(f"the rule does not speak of {case.kind} runs")
        try:
            reason = detector.blocked(case)
            if reason is None and detector.amid:
                reason = _alone(detector, outcomes)
            if reason is not None:
                reasons.append(reason)
                continue
            found, looked = [*detector.check(case)], True
            for each in found:
                if each not in findings:
                    findings.append(each)
            reason = None if found else detector.undecided(case)
            if reason is not None:
                reasons.append(reason)
        except Exception as error:  # a defect of one rule must not cost the report
            return Crashed(f"{type(error).__name__}: {error}")
    if findings:
        return Fired(tuple(findings))
    return _not_applicable(reasons[0], looked) if len(reasons) == len(cases) else _PASSED


def _alone(detector: Detector, outcomes: Mapping[str, Outcome]) -> str | None:
    """Why a rule that speaks only amid findings of others is not asked, None where it is."""
    if any(isinstance(outcomes.get(code), Fired) for code in detector.amid):
        return None
    return f"it speaks only beside one of {', '.join(detector.amid)}, and none of them fired"
