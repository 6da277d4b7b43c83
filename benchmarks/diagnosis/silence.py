"""What the rules answered where a fault was not named, and where there was none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum

from benchmarks.diagnosis.answers import Answer, Judged
from benchmarks.diagnosis.intervals import Share, wilson
from benchmarks.diagnosis.labels import Label
from benchmarks.diagnosis.page import Table
from benchmarks.gallery.labels import FAMILIES

DETAILS = (
    ("histograms logged", ("full",)),
    ("logged as usual", ("usual",)),
    ("hardly anything logged", ("sparse", "curve-only")),
)
_ANSWERED = ("fired", "passed", "not-applicable")


class Silence(StrEnum):
    """What became of a fault."""

    NAMED = "named"
    OPEN = "cannot tell"  # the rule for it said that what was logged does not tell
    MISSED = "missed silently"  # the rule for it passed, or fired as a consequence of another


def rule_for(label: Label) -> str:
    """The code of the rule that is there for the fault: the first that names it in the table."""
    return FAMILIES[label.family].codes[0]


def silence(label: Label, answer: Answer) -> Silence:
    """What the rule for the fault answered, where nothing named it."""
    if label.named_by(answer.codes):
        return Silence.NAMED
    unable = answer.outcomes.get(rule_for(label)) in ("not-applicable", "skipped")
    return Silence.OPEN if unable else Silence.MISSED


def split(judged: Sequence[Judged]) -> Table:
    """A row for all faulty runs, and one for each detail of the log."""

    def rows() -> Iterator[tuple[object, ...]]:
        for name, kinds in (("all", None), *DETAILS):
            own = [
                silence(label, answer)
                for label, answer in judged
                if label.faulty and (kinds is None or label.detail in kinds)
            ]
            if own:
                counts = Counter(own)
                yield name, len(own), *(wilson(counts[each], len(own)) for each in Silence)

    return Table.of(("log", "faulty runs", *(each.value for each in Silence)), rows())


def cleared(judged: Sequence[Judged]) -> Table:
    """How the rules that are there for a fault answer on healthy runs, by the detail of the log."""

    def rows() -> Iterator[tuple[object, ...]]:
        for name, kinds in DETAILS:
            own = [each for each in judged if not each[0].faulty and each[0].detail in kinds]
            counts = answers(own)
            total = sum(counts.values())
            if total:
                yield name, len(own), *(_share(counts[kind], total) for kind in _ANSWERED)

    return Table.of(("log", "healthy and traps", "fired", "passed", "cannot tell"), rows())


def answers(judged: Sequence[Judged]) -> Counter[str]:
    """The kinds of answers that the rules for faults gave, where they speak of the run at all."""
    there_for = {family.codes[0] for family in FAMILIES.values() if family.codes}
    return Counter(
        kind
        for _, answer in judged
        for code, kind in answer.outcomes.items()
        if code in there_for and kind in _ANSWERED
    )


def _share(part: int, whole: int) -> str:
    share: Share = wilson(part, whole)
    return f"{share.value:.1%}"
