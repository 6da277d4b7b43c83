"""What a tag says about its curve, by its words alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from tbdiag.model.role import Better, Role
from tbdiag.naming import tables
from tbdiag.naming.tables import Pattern, Phrase
from tbdiag.naming.words import LONGEST, contains, split

Words = tuple[str, ...]

_SHORT_VAL = re.compile(r"(?:^|/)v(?=[_\-. ]|[A-Z])")  # v_loss, vLoss


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """A tag, understood.

    ``role`` is the part that the words name outright (a rate, a norm, a policy loss …). ``loss``
    and ``quantity`` (a metric's name) tell what is measured; ``split`` is ``train``, ``val``,
    ``test`` or empty, ``grain`` ``epoch``, ``batch`` or empty. ``stem`` holds the words that none
    of these explain: two tags of equal stem measure the same thing. ``term`` is the stem as a loss,
    where the words of a role count as the name of one term (``policy``, ``d``).
    """

    words: Words = ()
    role: Role | None = None
    loss: bool = False
    quantity: str = ""
    better: Better = Better.LOWER
    balanced: str = ""
    split: str = ""
    grain: str = ""
    stem: Words = ()
    term: Words = ()
    total: bool = False
    smooth: bool = False

    @property
    def component(self) -> bool:
        """Whether the term is one of a sum, as ``box`` and ``mask`` are."""
        return not tables.words("component").isdisjoint(self.term)

    @property
    def main(self) -> bool:
        """Whether the term is the main objective, as ``cross_entropy`` is."""
        return _lettered(self.term) in _phrases("data")

    @property
    def family(self) -> Words:
        """The stem without its numbers."""
        return _lettered(self.stem)


def meaning(tag: str) -> Meaning:
    """What ``tag`` says; a tag of more than `LONGEST` characters says nothing."""
    return _meaning(tag) if len(tag) <= LONGEST else Meaning()


@lru_cache(maxsize=16384)
def _meaning(tag: str) -> Meaning:
    words = _words(tag)
    if not words or (len(words) > 2 and words[-1].isdigit() and words[-2] in tables.words("epoch")):
        return Meaning(words=words)  # …/epoch_7 is no curve: it is one epoch of one
    core = tuple(word for word in words if word not in _filed())
    if core[:1] == ("v",) and _SHORT_VAL.search(tag):
        core = core[1:]
    forms = (words, core, _lettered(core))
    role, named = _role(forms)
    metric, metric_at = _quantity(forms)
    measured = _of(metric) if metric else frozenset()
    loss_at = max(contains(words, phrase) for phrase in _phrases("phrases") + _phrases("named"))
    loss = loss_at >= 0 and (
        metric is None or metric.name in tables.raw()["losses"]["metrics"] or loss_at > metric_at
    )
    balanced = next((p for p in tables.patterns("balanced") if _matches(p, forms)), None)
    metric = metric or balanced
    if loss or not tables.words("void").isdisjoint(set(words) - measured):
        loss = loss and tables.words("void").isdisjoint(words)
        metric = balanced = None
    term = tuple(word for word in core if (word,) not in _phrases("phrases"))
    pattern = named or metric
    explained = _of(pattern) | pattern.filing if pattern else frozenset()
    stem = tuple(word for word in term if word not in explained)
    running = contains(words, ("epoch", "metrics")) >= 0
    return Meaning(
        words=words,
        role=role,
        loss=loss,
        quantity=metric.name if metric else "",
        better=metric.better if metric else Better.LOWER,
        balanced=balanced.name if balanced else "",
        split=_split(tag, words) or ("val" if metric and metric.evaluated else ""),
        grain="" if running else _grain(words),
        stem=_unnumbered(metric.name, stem) if metric else stem,
        term=term,
        total=not tables.words("total").isdisjoint(words),
        smooth=running or not tables.words("smooth").isdisjoint(set(words) - measured),
    )


def _words(tag: str) -> Words:
    words = tuple(part for word in split(tag) for part in _unglued(word))
    text = f" {' '.join(words)} ".replace(" default policy ", " ").replace(
        " b loss ", " batch loss "
    )
    return tuple(text.split())


def _split(tag: str, words: Words) -> str:
    """The innermost word for a split; a leading ``v`` stands for validation."""
    for word in reversed(words):
        for side in ("train", "val", "test"):
            if word in tables.words(side):
                return "val" if _SHORT_VAL.search(tag) else side
    return "val" if _SHORT_VAL.search(tag) else ""


def _grain(words: Words) -> str:
    for word in reversed(words):
        for grain in ("epoch", "batch"):
            if word in tables.words(grain):
                return grain
    return ""


def _role(forms: tuple[Words, Words, Words]) -> tuple[Role | None, Pattern | None]:
    aside = tables.words("train") | tables.words("val") | tables.words("test")
    bare = tuple(w for w in forms[0] if w not in aside and w not in tables.words("noise"))
    for name, entries in tables.raw()["exact"].items():
        if " ".join(bare) in entries or " ".join(forms[0]) in entries:
            return Role(name), None
    for pattern in tables.patterns("roles"):
        if _matches(pattern, forms):
            return Role(pattern.name), pattern
    return None, None


def _quantity(forms: tuple[Words, Words, Words]) -> tuple[Pattern | None, int]:
    """The metric with the longest phrase, and where its last word stands among the words."""
    best: tuple[int, Pattern, str] | None = None
    for pattern in tables.patterns("metrics"):
        phrase = _matches(pattern, forms)
        if phrase and (best is None or len(phrase) > best[0]):
            best = (len(phrase), pattern, phrase[-1])
    return (None, -1) if best is None else (best[1], contains(forms[0], (best[2],)))


def _matches(pattern: Pattern, forms: tuple[Words, Words, Words]) -> Phrase:
    if not pattern.without.isdisjoint(forms[0]):
        return ()
    for phrase in pattern.phrases:
        if any(contains(form, phrase) >= 0 for form in forms):
            return phrase
    return ()


def _unnumbered(quantity: str, stem: Words) -> Words:
    """The stem without numbers that are part of a metric's plain name: acc@1, mAP at .50 to .95."""
    digits = tuple(word for word in stem if word.isdigit())
    plain = quantity == "accuracy" and digits == ("1",)
    plain |= quantity == "map" and digits[-1:] == ("95",)
    return _lettered(stem) if plain else stem


def _lettered(words: Words) -> Words:
    return tuple(word for word in words if not word.isdigit())


@lru_cache(maxsize=4096)
def _unglued(word: str) -> Words:
    """The parts of two words written as one: trainloss, valacc."""
    for end in ("loss", "accuracy", "acc", "error"):
        start = word.removesuffix(end)
        if start != word and start in _filed():
            return (start, end)
    return (word,)


@cache
def _filed() -> frozenset[str]:
    kinds = ("train", "val", "test", "epoch", "batch", "total", "smooth", "noise")
    return frozenset().union(*(tables.words(kind) for kind in kinds))


@cache
def _phrases(kind: str) -> tuple[Phrase, ...]:
    return tables.phrases(tables.raw()["losses"][kind])


@cache
def _of(pattern: Pattern) -> frozenset[str]:
    return frozenset(word for phrase in pattern.phrases for word in phrase)
