"""Tags that could play a role, and what their curves say about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np

from tbdiag.model.series import Series
from tbdiag.naming.meaning import Meaning, Words

FEW = 8  # points: a shorter curve carries no trend
SAME = 1.5  # curves whose numbers of points differ by less are logged equally often
COUNTED = 0.9  # share of steps of exactly one that tells a counter
SAMPLE = 200  # points looked at to see how a curve goes

_GRAINS = {"epoch": 0, "": 1, "batch": 2}


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A tag with its meaning and its curve."""

    tag: str
    meaning: Meaning
    curve: Series

    @property
    def logged(self) -> int:
        """How many points were logged, NaN and Inf included."""
        return self.curve.logged

    @property
    def zero(self) -> bool:
        """Whether every point is zero: the quantity was switched off."""
        return not len(self.curve.nonfinite) and not bool(np.any(self.curve.values))

    @property
    def grain(self) -> int:
        """0 for a tag that says it is per epoch, 2 for one per batch, else 1."""
        return _GRAINS[self.meaning.grain]


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate that plays a role, or the tags that could play it equally well."""

    chosen: Candidate | None = None
    tied: tuple[str, ...] = ()


def choose(candidates: Iterable[Candidate], key: Callable[[Candidate], Any]) -> Choice:
    """The candidate with the lowest ``key``; equal ones are tied unless their curves are equal."""
    ranked = sorted(candidates, key=lambda candidate: (key(candidate), candidate.tag))
    if not ranked:
        return Choice()
    best = key(ranked[0])
    rivals = [c for c in ranked if key(c) == best and not same_curve(c.curve, ranked[0].curve)]
    if rivals:
        return Choice(tied=tuple(sorted({ranked[0].tag, *(c.tag for c in rivals)})))
    return Choice(ranked[0])


def coarsest(candidates: Sequence[Candidate], twin: int | None, *, validation: bool) -> Choice:
    """The candidate logged least often that is still a curve.

    ``twin`` is the number of points of the curve on the other split: the candidate that matches it
    comes first. On validation a tag that says it is per epoch comes before all else.
    """
    several = any(c.logged > 1 for c in candidates)

    def key(candidate: Candidate) -> tuple[int, ...]:
        n = candidate.logged
        aside = several and n == 1
        matched = twin is not None and abs(n - twin) <= max(1, twin // 10)
        rank = (n < FEW, candidate.grain)
        unsaid = not validation and not candidate.meaning.split
        return (
            aside,
            not matched,
            *(rank[::-1] if validation else rank),
            candidate.meaning.smooth,
            unsaid,
        )

    if not candidates:
        return Choice()
    best = min(map(key, candidates))
    level = [c for c in candidates if key(c) == best]
    fewest = min(c.logged for c in level)
    return choose((c for c in level if c.logged < SAME * fewest), lambda _: 0)


def same_curve(one: Series, other: Series) -> bool:
    """Whether two curves hold the same values."""
    return one is other or (
        len(one) == len(other)
        and one.logged == other.logged
        and bool(np.array_equal(one.values, other.values))
    )


def unnumbered(
    candidates: Sequence[Candidate], stem: Callable[[Meaning], Words]
) -> list[Candidate]:
    """The candidates without families that differ in a number only (``loss_0``, ``loss_1`` …)."""
    numbers: dict[tuple[Any, ...], set[Words]] = {}
    families: list[tuple[Any, ...] | None] = []
    for candidate in candidates:
        said = candidate.meaning
        digits, rest = _parted(stem(said))
        family = (said.split, said.grain, said.quantity, rest) if digits else None
        if family:
            numbers.setdefault(family, set()).add(digits)
        families.append(family)
    return [
        candidate
        for candidate, family in zip(candidates, families, strict=True)
        if family is None or len(numbers[family]) < 2
    ]


@lru_cache(maxsize=16384)
def _parted(words: Words) -> tuple[Words, Words]:
    """The words that are numbers, and the others."""
    digits = tuple(word for word in words if word.isdigit())
    return digits, tuple(word for word in words if not word.isdigit())


def counters(candidates: Sequence[Candidate]) -> set[str]:
    """The tags whose curves count up in whole numbers: step and value were handed over in turn."""
    heads = {c.tag: c.curve.values[:SAMPLE] for c in candidates if len(c.curve) > FEW}
    if not heads:
        return set()
    values = np.concatenate(list(heads.values()))
    ends = list(accumulate(map(len, heads.values())))
    with np.errstate(over="ignore"):
        ones = values[1:] - values[:-1] == 1
    ones[np.array(ends[:-1], dtype=np.intp) - 1] = False  # from one curve to the next
    found = np.add.reduceat(ones, [0, *ends[:-1]], dtype=np.int64).tolist()
    return {
        tag
        for (tag, head), n in zip(heads.items(), found, strict=True)
        if n > COUNTED * (len(head) - 1)
    }


def is_accuracy(train: Series, val: Series) -> bool:
    """Whether a pair of so-called losses is an accuracy: within 0 and 1, and rising together.

    Diverging losses rise too, but fall first or leave that interval.
    """
    return all(_rises(curve) for curve in (train, val))


def _rises(curve: Series) -> bool:
    values = curve.values
    if len(values) < FEW or len(curve.nonfinite) or values.min() < 0 or values.max() > 1:
        return False
    values = values[np.linspace(0, len(values) - 1, min(len(values), SAMPLE)).astype(int)]
    ranks = np.argsort(np.argsort(values))
    trend = float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])
    early = values[: max(2, len(values) // 10)]
    return bool(np.ptp(values) > 0 and trend > 0.7 and early.max() < np.median(values))
