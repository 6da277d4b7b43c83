"""A case and its detectors: exactly one outcome for each rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from tbdiag.case import Case, Kind, Outline
from tbdiag.detectors import registry
from tbdiag.detectors.base import Detector, Rule, Sample, SearchDetector, SearchSample
from tbdiag.diagnosis.priority import ordered
from tbdiag.diagnosis.suspicion import suspect
from tbdiag.model.finding import Finding, Severity
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

_OUTLINES = 1000  # of the cases that were met, for each of which it is kept what is to be asked

# Most runs of a scan get the same answers, so that each is made and kept once.
_PASSED = Passed()
_not_applicable = lru_cache(maxsize=256)(NotApplicable)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSelection:
    """The rules about several runs as configured, like a `Selection`."""

    detectors: tuple[SearchDetector, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked about cases of one outline: ``settled`` is known by that, in order of codes.

    The rules to be ``asked``, told by their codes, have a place there as well, as if they had passed.
    """

    settled: Mapping[str, Outcome]
    asked: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The rules as configured: ``detectors`` run; ``skipped`` and ``ignored`` map code → reason.

    ``search`` are those about several runs together. Where ``suspicious``, a rule also says what a run looks like
    on which none found anything wrong. ``digest`` names the configuration: equal digests
    mean equal thresholds and selection.
    """

    detectors: tuple[Detector, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
    search: SearchSelection = field(default_factory=SearchSelection)
    suspicious: bool = False
    digest: str = ""

    @cached_property
    def asked(self) -> tuple[Detector, ...]:
        """The detectors in the order in which they are asked: those that speak ``amid`` others last."""
        return tuple(sorted(self.detectors, key=lambda each: bool(each.amid)))

    @cached_property
    def suspecting(self) -> Mapping[str, Detector]:
        """The detectors that may suspect something, by what the classifier calls it."""
        return {each.suspicion.kind: each for each in self.detectors if each.suspicion is not None}

    @cached_property
    def points(self) -> int:
        """The most points that one of the detectors needs."""
        return max((each.points for each in self.detectors), default=1)

    @cached_property
    def questions(self) -> dict[Outline | None, Questions]:
        """What is asked about cases of each outline that was met; under None, about several together."""
        return {}


def examine(run: Run, selection: Selection, now: float | None = None) -> RunReport:
    """Every selected rule on this run; a rule that fails is recorded, and the others go on.

    ``now`` is the wall time at which the run is looked at; without it no run is taken for live.
    Rules that speak only ``amid`` the findings of others come last.
    """
    return examine_all((run,), selection, now)[0]


def examine_all(
    runs: Iterable[Run], selection: Selection, now: float | None = None
) -> list[RunReport]:
    """What `examine` tells of each of the runs, each of which stands for itself.

    A rule is asked about all of them before the next one is: what it needs is in the processor's caches
    then, which of sixteen runs saves a fourth of the time.
    """
    examined = [_Examined(run, selection, now) for run in runs]
    for detector in selection.asked:
        for each in examined:
            if detector.code in each.asked:
                each.ask(detector)
    return [each.report() for each in examined]


class _Examined:
    """A run while the rules are asked about it: those of the codes ``asked``."""

    def __init__(self, run: Run, selection: Selection, now: float | None) -> None:
        self._run, self._selection, self._cases = run, selection, _cases(run, now)
        self._single = self._cases[0] if len(self._cases) == 1 else None
        questions = _questions(selection, self._single)
        self.asked, self._outcomes = questions.asked, dict(questions.settled)
        self._found: list[Finding] = []
        self._fired: list[str] = []

    def ask(self, detector: Detector) -> None:
        """Notes what a rule answers."""
        if self._single is None:
            answer = _answer(detector, self._cases, self._outcomes)
        else:
            answer = _ask(detector, self._single, self._outcomes)
        if answer is _PASSED:
            return
        if isinstance(answer, Fired):
            answer = _unless_ignored(answer, detector, self._selection)
            if isinstance(answer, Fired):
                self._found += answer.findings
                self._fired.append(detector.code)
        self._outcomes[detector.code] = answer

    def report(self) -> RunReport:
        """All that was answered, after the last rule."""
        self._suspect()
        findings = ordered(self._found, self._selection.detectors)
        for code in self._fired:
            self._outcomes[code] = Fired(tuple(f for f in findings if f.code == code))
        return RunReport(run=self._run, outcomes=self._outcomes, findings=findings)

    def _suspect(self) -> None:
        """Notes what the run looks like, where no rule found anything wrong."""
        case = self._single
        if not self._selection.suspicious or case is None or case.kind is not Kind.SUPERVISED:
            return
        if any(each.severity is not Severity.NOTE for each in self._found):
            return
        try:
            suspected = [*suspect(case, self._selection.suspecting)]
        except Exception as error:  # likewise, and it may concern each of them
            suspecting = self._selection.suspecting.values()
            crashed = {each.code: _crashed(error) for each in suspecting if self._open(each, case)}
            self._outcomes |= crashed
            return
        for rule, found in suspected:
            if isinstance(found, Finding) and self._open(rule, case):
                self._found.append(found)
                self._fired.append(rule.code)
            elif isinstance(found, str) and self._outcomes[rule.code] is _PASSED:
                self._outcomes[rule.code] = _not_applicable(found, looked=True)

    def _open(self, rule: Detector, case: Case) -> bool:
        """Whether a rule has looked, or could not tell for want of more than its curves."""
        if rule.code in self._selection.ignored:
            return False
        answered = isinstance(self._outcomes[rule.code], Passed | NotApplicable)
        return answered and rule.lacking(case) is None


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
        self.outcome, self._families = _crashed(error), iter(())


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


def _questions(selection: Selection, case: Case | None) -> Questions:
    """What is to be asked about the case; about several together, which is None, all is."""
    outline = None if case is None else case.outline(selection.points)
    known = selection.questions.get(outline)
    if known is None:
        if len(selection.questions) >= _OUTLINES:
            selection.questions.clear()
        known = selection.questions[outline] = _prepared(selection, case)
    return known


def _prepared(selection: Selection, case: Case | None) -> Questions:
    settled: dict[str, Outcome] = {
        code: Skipped(reason) for code, reason in selection.skipped.items()
    }
    asked = set()
    for detector in selection.detectors:
        outcome = None if case is None else _settled(detector, case)
        if outcome is None:
            asked.add(detector.code)
        settled[detector.code] = outcome or _PASSED
    return Questions(dict(sorted(settled.items())), frozenset(asked))


def _settled(detector: Detector, case: Case) -> Outcome | None:
    """The outcome of a rule where the outline of the case settles it; None where it is to be asked."""
    if detector.supervised and case.kind is not Kind.SUPERVISED:
        return Skipped(f"the rule does not speak of {case.kind} runs")
    try:
        reason = detector.lacking(case)
    except Exception as error:  # a defect of one rule must not cost the report
        return _crashed(error)
    return None if reason is None else _not_applicable(reason)


def _ask(detector: Detector, case: Case, outcomes: Mapping[str, Outcome]) -> Outcome:
    """The outcome of a rule that the case does not lack anything for; ``outcomes`` are of earlier rules."""
    try:
        reason = detector.cannot_tell(case)
        if reason is None and detector.amid:
            reason = _alone(detector, outcomes)
        if reason is not None:
            return _not_applicable(reason)
        found = _distinct(detector.check(case))
        if found:
            return Fired(found)
        reason = detector.undecided(case)
        return _PASSED if reason is None else _not_applicable(reason, looked=True)
    except Exception as error:  # likewise
        return _crashed(error)


def _answer(
    detector: Detector, cases: tuple[Case, ...], outcomes: Mapping[str, Outcome]
) -> Outcome:
    """The outcome of a rule on the cases of a run, where ``outcomes`` are those of earlier rules."""
    answers = [_settled(detector, case) or _ask(detector, case, outcomes) for case in cases]
    for each in answers:
        if isinstance(each, Skipped | Crashed):
            return each
    found = _distinct(f for each in answers if isinstance(each, Fired) for f in each.findings)
    if found:
        return Fired(found)
    unsure = [each for each in answers if isinstance(each, NotApplicable)]
    if len(unsure) < len(cases):
        return _PASSED
    return _not_applicable(unsure[0].reason, looked=any(each.looked for each in unsure))


def _distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for each in findings:
        if each not in found:
            found.append(each)
    return tuple(found)


def _crashed(error: Exception) -> Crashed:
    return Crashed(f"{type(error).__name__}: {error}")


def _alone(detector: Detector, outcomes: Mapping[str, Outcome]) -> str | None:
    """Why a rule that speaks only amid findings of others is not asked, None where it is."""
    if any(isinstance(outcomes.get(code), Fired) for code in detector.amid):
        return None
    return f"it speaks only beside one of {', '.join(detector.amid)}, and none of them fired"
