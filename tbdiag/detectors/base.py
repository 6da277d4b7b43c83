"""What a rule is: a frozen dataclass whose fields are its thresholds."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, field, fields
from functools import cache
from itertools import chain
from typing import Annotated, Any, ClassVar, final, get_args, get_origin, get_type_hints

from tbdiag.case import Case
from tbdiag.model.finding import Confidence, Evidence, Finding, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.search import Family, Search

SECTIONS = (
    "What it does",
    "Why is this bad?",
    "How it is detected",
    "Remedy",
    "False alarms",
    "References",
)


_SHOWN = 5  # tags in doubt that a reason lists


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a threshold means, and its bounds: ``above`` is exclusive, ``at_least``/``at_most`` not."""

    meaning: str
    _: KW_ONLY
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    def problem(self, value: float) -> str | None:
        """Why ``value`` is out of bounds, or None."""
        if self.above is not None and not value > self.above:
            return f"must be above {self.above:g}"
        if self.at_least is not None and not value >= self.at_least:
            return f"must be at least {self.at_least:g}"
        if self.at_most is not None and not value <= self.at_most:
            return f"must be at most {self.at_most:g}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A run on which the rule must fire, or must not.

    ``onset`` is the step before which nothing is wrong yet: cut off there, the run must be silent.
    """

    name: str
    run: Run
    fires: bool
    onset: int | None = None


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How a finding of a rule reads where only the look of all curves together speaks for it.

    ``kind`` is what the classifier calls such runs, ``whose`` how a sentence about "runs" goes on.
    """

    kind: str
    whose: str
    remedies: tuple[Remedy, ...] = ()


def fires(name: str, run: Run, *, onset: int | None = None) -> Sample:
    """A sample on which the rule must fire."""
    return Sample(name=name, run=run, fires=True, onset=onset)


def silent(name: str, run: Run) -> Sample:
    """A sample on which the rule must be silent: a healthy control or a trap."""
    return Sample(name=name, run=run, fires=False)


@dataclass(frozen=True, kw_only=True)
class Detector(ABC):
    """A rule. Subclasses set the class attributes, add thresholds as fields, and implement `check`.

    ``needs`` lists the curves without which the rule cannot tell (a tuple inside it: any one of
    them), ``points`` how many points the first of them must have. ``explains`` lists the codes
    whose findings on the same run are mere consequences of this one, ``leads`` those that stand
    behind it: it is the likelier cause, though not so surely that they are hidden. ``amid`` lists the codes of
    which one must have fired on the run before this rule is asked at all; empty for a rule that
    stands by itself. ``suspicion`` is what it says of a run on which no rule found anything wrong, but which looks
    like those that it is about; None for a rule that never says so. ``scale_free`` claims that multiplying every loss by a constant changes nothing,
    ``timely`` that the answer depends on the time at which the run is looked at.
    """

    code: ClassVar[str]
    severity: ClassVar[Severity]
    since: ClassVar[str]
    needs: ClassVar[tuple[Role | tuple[Role, ...], ...]] = ()
    points: ClassVar[int] = 1
    explains: ClassVar[tuple[str, ...]] = ()
    leads: ClassVar[tuple[str, ...]] = ()
    amid: ClassVar[tuple[str, ...]] = ()
    suspicion: ClassVar[Suspicion | None] = None
    scale_free: ClassVar[bool] = True
    timely: ClassVar[bool] = False
    supervised: ClassVar[bool] = True  # not for reinforcement learning and GAN runs

    @abstractmethod
    def check(self, case: Case) -> Iterator[Finding]:
        """The findings on this case; never changes it. Called only where `blocked` is None."""

    @classmethod
    @abstractmethod
    def samples(cls) -> Iterator[Sample]:
        """At least one run on which the rule fires, and one on which it must not."""

    def cannot_tell(self, case: Case) -> str | None:
        """A reason of the rule's own why it cannot tell, or None."""
        return None

    def undecided(self, case: Case) -> str | None:
        """Why having found nothing does not clear the case, with what to log; None where it does.

        Asked only where `check` found nothing.
        """
        return None

    def lacking(self, case: Case) -> str | None:
        """Why the curves that the case has do not let the rule tell, with what to log; else None.

        By `Case.outline` alone, so that the answer holds for every case of the same outline.
        """
        fewest, lengths = self.points, case.lengths
        for need in self.needs:
            roles = need if isinstance(need, tuple) else (need,)
            most, longest = -1, roles[0]
            for role in roles:
                length = lengths.get(role, -1)
                if length > most:
                    most, longest = length, role
            if most < 0:
                return _missing(case, roles)
            if most < fewest:
                points = f"{most} usable point{'s' * (most != 1)}"
                return f"the {longest.phrase} has only {points}; {fewest} are needed"
            fewest = 0  # of the first alone
        return None

    @final
    def blocked(self, case: Case) -> str | None:
        """Why the rule cannot tell on this case, with what to log; None where it can."""
        reason = self.lacking(case)
        return self.cannot_tell(case) if reason is None else reason

    def finding(
        self,
        message: str,
        *evidence: Evidence,
        confidence: Confidence = Confidence.MEDIUM,
        severity: Severity | None = None,
        remedies: tuple[Remedy, ...] = (),
    ) -> Finding:
        """A finding of this rule."""
        return Finding(
            code=self.code,
            name=rule_name(type(self)),
            message=message,
            severity=severity or self.severity,
            confidence=confidence,
            evidence=evidence,
            remedies=remedies,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSample:
    """Runs on which a rule about several runs must fire, or must not."""

    name: str
    runs: tuple[Run, ...]
    fires: bool


def search_fires(name: str, runs: Iterable[Run]) -> SearchSample:
    """Runs on which a rule about several must fire."""
    return SearchSample(name=name, runs=tuple(runs), fires=True)


def search_silent(name: str, runs: Iterable[Run]) -> SearchSample:
    """Runs on which a rule about several must be silent: a healthy control or a trap."""
    return SearchSample(name=name, runs=tuple(runs), fires=False)


@dataclass(frozen=True, kw_only=True)
class SearchDetector(ABC):
    """A rule about several runs together; otherwise like a `Detector`.

    It looks at each family of at least ``runs`` comparable runs, and answers once for the search.
    """

    code: ClassVar[str]
    severity: ClassVar[Severity]
    since: ClassVar[str]
    runs: ClassVar[int] = 2
    explains: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def check(self, family: Family) -> Iterator[Finding]:
        """The findings on one family; never changes it. Called only where `unsure` is None."""

    @classmethod
    @abstractmethod
    def samples(cls) -> Iterator[SearchSample]:
        """At least one search on which the rule fires, and one on which it must not."""

    def unsure(self, family: Family) -> str | None:
        """Why the rule cannot tell about this family of enough runs, or None."""
        return None

    def asked(self, search: Search) -> tuple[Iterable[Family], str]:
        """The families that the rule can tell about, each as it is come to; none, and the reason."""
        reasons: list[str] = []
        able = self._able(search, reasons)
        first = next(able, None)
        if first is not None:
            return chain([first], able), ""
        if reasons:
            return (), reasons[0]
        needed = f"{self.runs} comparable runs are needed"
        if len(search.runs) < self.runs:
            return (), f"there {_are(len(search.runs), 'run')}; {needed}"
        if len(search.entrants) < self.runs:
            told = _are(len(search.entrants), "run")
            return (), f"there {told} with hyperparameters and a validation curve; {needed}"
        most = len(search.families[0].entrants) if search.families else 1  # the largest
        return (), f"at most {most} of the runs share settings, data and validation curve; {needed}"

    def _able(self, search: Search, reasons: list[str]) -> Iterator[Family]:
        """The families that the rule can tell about; why not about others is added to ``reasons``."""
        for family in search.families:
            if len(family.entrants) >= self.runs:
                reason = self.unsure(family)
                if reason is None:
                    yield family
                else:
                    reasons.append(reason)

    def finding(
        self,
        message: str,
        *evidence: Evidence,
        subject: str,
        confidence: Confidence = Confidence.MEDIUM,
        remedies: tuple[Remedy, ...] = (),
    ) -> Finding:
        """A finding of this rule; ``subject`` tells it from those on other runs or settings."""
        return Finding(
            code=self.code,
            name=rule_name(type(self)),
            message=message,
            severity=self.severity,
            confidence=confidence,
            evidence=evidence,
            remedies=remedies,
            subject=subject,
        )


Rule = Detector | SearchDetector


def _missing(case: Case, roles: tuple[Role, ...]) -> str:
    """Why there is no curve in any of these roles."""
    ambiguous = case.run.roles.ambiguous
    tags = [tag for role in roles for tag in ambiguous.get(role, ())] if ambiguous else []
    wanted = _one_of(roles)
    if not tags:
        return f"no {wanted} was logged"
    more = f" and {len(tags) - _SHOWN} more" if len(tags) > _SHOWN else ""
    return f"several tags could be the {wanted}: {', '.join(tags[:_SHOWN])}{more}"


@cache
def _one_of(roles: tuple[Role, ...]) -> str:
    return " or ".join(role.phrase for role in roles)


def _are(n: int, noun: str) -> str:
    return f"is {n} {noun}" if n == 1 else f"are {n} {noun}s"


@cache
def rule_name(rule: type[Rule]) -> str:
    """The rule's name as users write it: the class name in kebab case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", rule.__name__).lower()


def thresholds(rule: type[Rule]) -> dict[str, tuple[type[Any], Any, Threshold]]:
    """Field name → (type, default, meaning and bounds), in order of declaration."""
    hints = get_type_hints(rule, include_extras=True)
    found = {}
    for each in fields(rule):
        hint = hints[each.name]
        if get_origin(hint) is not Annotated:
            raise TypeError(f"{rule.__name__}.{each.name} has no Threshold")
        kind, *notes = get_args(hint)
        meaning = next(note for note in notes if isinstance(note, Threshold))
        found[each.name] = (kind, each.default, meaning)
    return found


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule's docstring as data: the ``summary`` line and the text of each section, in order."""

    summary: str
    sections: dict[str, str] = field(default_factory=dict)


def explanation(rule: type[Rule]) -> Explanation:
    """The docstring of a rule, split at its ``##`` headings, and what it may suspect."""
    head, *parts = re.split(r"^## +", inspect.cleandoc(rule.__doc__ or ""), flags=re.MULTILINE)
    sections = {}
    for part in parts:
        title, _, text = part.partition("\n")
        sections[title.strip()] = text.strip()
    suspicion = rule.suspicion if issubclass(rule, Detector) else None
    if suspicion is not None and "How it is detected" in sections:
        sections["How it is detected"] += (
            f"\n\nWhere no rule finds anything wrong, and all curves together look like those of runs {suspicion.whose},"
            " a note of low confidence says so (`suspicions` in the configuration)."
        )
    return Explanation(head.strip().partition("\n")[0], sections)
