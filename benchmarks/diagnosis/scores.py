"""The arithmetic of right and wrong: labels and answers in, counts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.diagnosis.answers import Answer, Judged, Statement
from benchmarks.diagnosis.intervals import Share, clustered, wilson
from benchmarks.diagnosis.labels import Label
from tbdiag.model.finding import Confidence, Severity


class Verdict(StrEnum):
    """What an answer to a faulty run is worth."""

    NAMED = "named"
    WRONG = "wrong"  # not named, and a warning or error about something else
    SILENT = "silent"  # not named, and no such warning


def verdict(label: Label, answer: Answer) -> Verdict:
    """Whether the fault is among what is said, at any severity."""
    if label.named_by(answer.codes):
        return Verdict.NAMED
    return Verdict.WRONG if unrelated(label, answer) else Verdict.SILENT


def first_right(label: Label, answer: Answer) -> bool:
    """Whether the foremost statement names the fault."""
    return bool(answer.statements) and label.named_by(answer.statements[0].codes)


def only_suspected(label: Label, answer: Answer) -> bool:
    """Whether the fault is named, and by nothing but the look of all curves together."""
    naming = [each for each in answer.statements if label.named_by(each.codes)]
    return bool(naming) and all(each.suspected for each in naming)


def wrongly_suspected(label: Label, answer: Answer) -> bool:
    """Whether something untrue of the run is said for the look of its curves."""
    return any(each.suspected and not label.right(each.codes) for each in answer.statements)


def unrelated(label: Label, answer: Answer) -> list[Statement]:
    """The warnings and errors that are not true of the run; on a healthy one, its false alarms."""
    return [each for each in answer.statements if each.loud and not label.right(each.codes)]


def cries(label: Label, answer: Answer, severity: Severity) -> bool:
    """Whether something untrue of the run is said at this severity or a graver one."""
    return any(each.severity.rank <= severity.rank for each in unrelated(label, answer))


def share(
    judged: Iterable[Judged],
    holds: Callable[[Label, Answer], bool],
    which: Callable[[Label], bool] = lambda label: True,
) -> Share:
    """On how many of the runs for which ``which`` is true ``holds`` is, clustered by task."""
    chosen = [(label, answer) for label, answer in judged if which(label)]
    return clustered(
        [holds(label, answer) for label, answer in chosen], [label.task for label, _ in chosen]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """Warnings and errors counted by what they are worth; ``precision`` is the share that is true."""

    naming: int
    related: int
    unrelated: int  # on runs with another fault
    alarms: int  # on healthy runs and traps
    precision: Share


def statements(judged: Sequence[Judged]) -> Statements:
    """All warnings and errors of a tool."""
    kinds: Counter[str] = Counter()
    right, tasks = [], []
    for label, answer in judged:
        for each in (each for each in answer.statements if each.loud):
            kinds[_worth(label, each)] += 1
            right.append(label.right(each.codes))
            tasks.append(label.task)
    return Statements(
        naming=kinds["naming"],
        related=kinds["related"],
        unrelated=kinds["unrelated"],
        alarms=kinds["alarm"],
        precision=clustered(right, tasks),
    )


def _worth(label: Label, statement: Statement) -> str:
    if label.named_by(statement.codes):
        return "naming"
    if label.right(statement.codes):
        return "related"
    return "unrelated" if label.faulty else "alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyScore:
    """How one kind of fault fared.

    ``precision``: of the runs on which one of the family's codes was said, those where it is true.
    ``mistaken`` counts the codes of untrue warnings on its runs, most frequent first.
    """

    family: str
    tasks: int
    recall: Share
    first: Share
    precision: Share
    silent: int
    wrong: int
    mistaken: tuple[tuple[str, int], ...]


def by_family(judged: Sequence[Judged]) -> list[FamilyScore]:
    """A score for each family of faults, in order of their names."""
    return [
        _family(family, judged)
        for family in sorted({label.family for label, _ in judged if label.faulty})
    ]


def _family(family: str, judged: Sequence[Judged]) -> FamilyScore:
    own = [(label, answer) for label, answer in judged if label.family == family and label.faulty]
    codes = frozenset(code for label, _ in own for code in label.codes)
    said = [
        label.right(each.codes & codes)
        for label, answer in judged
        for each in answer.statements
        if each.codes & codes
    ]
    verdicts = Counter(verdict(label, answer) for label, answer in own)
    mistaken = Counter(
        "/".join(sorted(each.codes)) for label, answer in own for each in unrelated(label, answer)
    )
    return FamilyScore(
        family=family,
        tasks=len({label.task for label, _ in own}),
        recall=wilson(verdicts[Verdict.NAMED], len(own)),
        first=wilson(sum(first_right(label, answer) for label, answer in own), len(own)),
        precision=wilson(sum(said), len(said)),
        silent=verdicts[Verdict.SILENT],
        wrong=verdicts[Verdict.WRONG],
        mistaken=tuple(mistaken.most_common()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScore:
    """How one rule fared over all runs, by what its root findings are worth.

    ``recall``: of the runs whose fault the code names, those on which it was said. Another code may
    name the same fault, so that a low recall is no fault of the rule. ``loud_alarms`` counts the
    warnings and errors among ``alarms``, which are the findings on healthy runs and traps.
    """

    code: str
    naming: int
    related: int
    unrelated: int
    alarms: int
    loud_alarms: int
    precision: Share
    recall: Share


def by_rule(judged: Sequence[Judged], codes: Iterable[str]) -> list[RuleScore]:
    """A score for each of ``codes``."""
    return [_rule(code, judged) for code in codes]


def _rule(code: str, judged: Sequence[Judged]) -> RuleScore:
    kinds: Counter[str] = Counter()
    loud = hits = total = 0
    for label, answer in judged:
        said = [each for each in answer.statements if code in each.codes]
        if code in label.codes:
            total += 1
            hits += bool(said)
        if said:
            worth = _worth(label, said[0])
            kinds[worth] += 1
            loud += worth == "alarm" and any(each.loud for each in said)
    true = kinds["naming"] + kinds["related"]
    return RuleScore(
        code=code,
        naming=kinds["naming"],
        related=kinds["related"],
        unrelated=kinds["unrelated"],
        alarms=kinds["alarm"],
        loud_alarms=loud,
        precision=wilson(true, sum(kinds.values())),
        recall=wilson(hits, total),
    )


def by_confidence(judged: Sequence[Judged]) -> dict[tuple[Confidence, bool], Share]:
    """(confidence, whether a warning or error) → the share of such findings that is true."""
    right: dict[tuple[Confidence, bool], list[bool]] = {}
    for label, answer in judged:
        for each in answer.statements:
            if each.confidence is not None:
                key = (each.confidence, each.loud)
                right.setdefault(key, []).append(label.right(each.codes))
    return {key: wilson(sum(hits), len(hits)) for key, hits in right.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """How often "longer training would help" came true, and how often what came was foretold."""

    precision: Share
    recall: Share


def longer(judged: Sequence[Judged], code: str, *, hidden: bool = False) -> Foretold:
    """How ``code`` compares with really training longer; ``hidden`` findings count where asked."""
    said, true, tasks = [], [], []
    for label, answer in judged:
        if label.facts.longer_helps is None:
            continue
        heard = (*answer.statements, *answer.hidden) if hidden else answer.statements
        said.append(any(code in each.codes for each in heard))
        true.append(label.facts.longer_helps)
        tasks.append(label.task)
    both = [a and b for a, b in zip(said, true, strict=True)]
    return Foretold(
        precision=_among(both, said, tasks),
        recall=_among(both, true, tasks),
    )


def _among(hits: Sequence[bool], chosen: Sequence[bool], tasks: Sequence[str]) -> Share:
    kept = [i for i, each in enumerate(chosen) if each]
    return clustered([hits[i] for i in kept], [tasks[i] for i in kept])


class Sized(StrEnum):
    """What an inferred number of validation samples is worth."""

    EXACT = "exact"
    UNKNOWN = "unknown"  # not told, or a range that holds the truth
    WRONG = "wrong"


def sized(label: Label, answer: Answer, *, reported: bool) -> Sized | None:
    """What the size that was found is worth; None where the truth is not known.

    The size that a finding reports where ``reported``, else the one read off the accuracies.
    """
    truth = label.facts.validation_samples
    found = answer.reported if reported else answer.inferred
    if truth is None:
        return None
    if found is None:
        return Sized.UNKNOWN
    if found.exact:
        return Sized.EXACT if found.most == truth else Sized.WRONG
    return Sized.UNKNOWN if found.least <= truth <= found.most else Sized.WRONG
