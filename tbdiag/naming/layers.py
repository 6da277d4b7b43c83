"""Which layer a tensor belongs to, and what it is there, by the words of its tag."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from tbdiag.naming import tables
from tbdiag.naming.tables import Phrase
from tbdiag.naming.words import LONGEST, contains, split

Words = tuple[str, ...]

# grad_norm/fc1, grad_2.0_norm/fc1, fc1/gradient-norm, Gradients/Norm/fc1; gradients/fc1.weight_norm;
# gradients/norm1.weight is not the size of anything.
_SIZE_OF_GRADIENT = re.compile(
    r"(?<![a-z])grad(?:ient)?s?(?:[_ -]?(?:l?\d+(?:\.\d+)?|inf)?[_ -]?|/(?=[a-z]+/))"
    r"(?P<size>norms?|std|stddev|rms)(?![a-z0-9])"
    r"|(?<![a-z])grad(?:ient)?s?[/_.](?P<between>.+)[/_](?P<last>norms?|std|stddev|rms)$",
    re.IGNORECASE,
)


# Where a layer stands between the input and the loss.
_ENTRANCE, _BODY, _CONNECTED, _EXIT = range(4)


class Quantity(StrEnum):
    """What was measured of a layer."""

    PARAMETER = "parameter"
    GRADIENT = "gradient"
    UPDATE = "update"
    ACTIVATION = "activation"


class Part(StrEnum):
    """Which of a layer's parameters a tensor is, or is about."""

    KERNEL = "kernel"  # weights between units; where a tag names none, these are meant
    BIAS = "bias"
    NORM = "norm"
    EMBEDDING = "embedding"
    ADAPTER = "adapter"


class Statistic(StrEnum):
    """What a number tells of a tensor: its norm, its standard deviation, its share of zeros."""

    NORM = "norm"
    SPREAD = "spread"
    ZEROS = "zeros"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTag:
    """A tag, understood: ``quantity`` of the ``part`` of ``layer`` (its words, in order).

    ``function`` is the activation function that the words name, ``""`` where none; ``gate`` tells
    activations that are no plain hidden units. ``statistic`` is None for the tensor itself.
    """

    quantity: Quantity
    layer: Words
    part: Part = Part.KERNEL
    function: str = ""
    gate: bool = False
    statistic: Statistic | None = None


def tensor_tag(tag: str) -> LayerTag | None:
    """What the tag of a histogram says; None where it names no tensor of a layer."""
    return _tensor(tag) if len(tag) <= LONGEST else None


def size_tag(tag: str) -> LayerTag | None:
    """What the tag of a scalar says; None where it is no size or share of a layer's tensor."""
    return _size(tag) if len(tag) <= LONGEST else None


def network_order(layers: Sequence[Words], tags: Sequence[str]) -> tuple[int, ...] | None:
    """The places of ``layers`` from the input to the output; None where that cannot be known.

    Layers that differ by their numbers alone stand in the order of these. Others stand as they were
    logged, which is the order of their definition: unless all ``tags`` of parameters came in the
    order of the alphabet, which tells nothing, or numbers fall on the way, as where hooks log
    the gradients in the order in which they are computed. Then names may tell where each stands.
    """
    numbers = [tuple(int(word) for word in layer if _is_number(word)) for layer in layers]
    families = [tuple(word for word in layer if not _is_number(word)) for layer in layers]
    if len(set(families)) == 1:
        if len(set(numbers)) < len(numbers) or len({len(each) for each in numbers}) > 1:
            return None
        return tuple(sorted(range(len(layers)), key=lambda place: numbers[place]))
    if list(tags) == sorted(tags):
        return _order_by_name(families, numbers)
    last: dict[Words, tuple[int, ...]] = {}
    for family, number in zip(families, numbers, strict=True):
        if number < last.get(family, ()):
            return _order_by_name(families, numbers)
        last[family] = number
    return tuple(range(len(layers)))


def _order_by_name(
    families: Sequence[Words], numbers: Sequence[tuple[int, ...]]
) -> tuple[int, ...] | None:
    """The order that names tell: a stem, one numbered body, connected layers, a head.

    None where two families may stand in the same place, as the branches of a block do.
    """
    places: dict[int, Words] = {}
    for family in families:
        if places.setdefault(_place(family), family) != family:
            return None
    kinds = list(places.values())
    if len({each[:1] for each in kinds}) < len(kinds) or _BODY not in places:
        return None  # features.conv and features.fc are parts of the same blocks
    lone = [family for family in families if _place(family) in (_ENTRANCE, _EXIT)]
    if len(lone) > len(set(lone)) or len(set(zip(families, numbers, strict=True))) < len(families):
        return None
    if any(
        len({len(number) for each, number in zip(families, numbers, strict=True) if each == kind})
        > 1
        for kind in kinds
    ):
        return None
    keys = [(_place(family), number) for family, number in zip(families, numbers, strict=True)]
    return tuple(sorted(range(len(families)), key=keys.__getitem__))


def _place(family: Words) -> int:
    for place, kind in ((_ENTRANCE, "entrance"), (_EXIT, "exit"), (_CONNECTED, "connected")):
        if set(family) & _set(kind):
            return place
    return _BODY


@lru_cache(maxsize=16384)
def _tensor(tag: str) -> LayerTag | None:
    every = split(tag)
    words = _plain(every)
    if not words or _says("state", words):
        return None
    gradient = [word for word in words if word in _set("gradient")]
    updates = [word for word in words if word in _set("update")]
    named = _parameter(words)
    if gradient or updates:
        rest = tuple(word for word in words if word not in {*gradient, *updates})
        quantity = Quantity.GRADIENT if gradient else Quantity.UPDATE
        if "norm" in rest and _parameter(rest) < 0 and gradient:
            return None  # a distribution of norms
        return _of(quantity, rest)
    if _is_activation(words, named):
        return _activation(words)
    filed = every[0] in _set("parameters")  # params/fc1: what is in that folder needs no other word
    if named < 0 and not filed and not (set(words) & _set("norm")):
        return None
    return _of(Quantity.PARAMETER, words)


@lru_cache(maxsize=16384)
def _size(tag: str) -> LayerTag | None:
    words = split(tag)
    if not words or _says("state", words):
        return None
    zeros = _without("zeros", words)
    if zeros is not None:
        rest = _plain(zeros)
        if not rest or _parameter(rest) >= 0 or set(rest) & _set("gradient"):
            return None
        return _activation(rest, Statistic.ZEROS)
    found = _SIZE_OF_GRADIENT.search(tag)
    if found is None:
        return None
    rest = _plain(split(f"{tag[: found.start()]}/{found['between'] or ''}/{tag[found.end() :]}"))
    rest = tuple(word for word in rest if word not in _aside())
    if not rest:
        return None
    norm = (found["size"] or found["last"]).lower().startswith("norm")
    return _of(Quantity.GRADIENT, rest, Statistic.NORM if norm else Statistic.SPREAD)


def _without(kind: str, words: Words) -> Words | None:
    """The words without a phrase of this kind at either end; None where there is none."""
    for phrase in _phrases(kind):
        if words[-len(phrase) :] == phrase:
            return words[: -len(phrase)]
        if words[: len(phrase)] == phrase:
            return words[len(phrase) :]
    return None


def _of(quantity: Quantity, words: Words, statistic: Statistic | None = None) -> LayerTag | None:
    at = _parameter(words)
    layer = words if at < 0 else _names(words[:at]) + words[at + 1 :]
    if at > 0 and len(words) == at + 2 and _is_number(words[-1]) and _names(words[:at]):
        layer = _names(words[:at])  # kernel:0 and kernel_0 number the variables of a name
    if at < 0 and not layer:
        return None
    part = Part.KERNEL
    if _set("adapter") & set(words):
        part = Part.ADAPTER
    elif _set("norm") & set(words):
        part = Part.NORM
    elif at >= 0 and words[at] in _set("bias"):
        part = Part.BIAS
    elif _set("embedding") & set(words):
        part = Part.EMBEDDING
    return LayerTag(quantity=quantity, layer=layer, part=part, statistic=statistic)


def _activation(words: Words, statistic: Statistic | None = None) -> LayerTag:
    named = {w for i, w in enumerate(words) if not _at_an_end(i, words) or w not in _set("output")}
    layer = tuple(
        word
        for place, word in enumerate(words)
        if word not in _set("activation")
        and not (word in _set("output") and _at_an_end(place, words))
    )
    return LayerTag(
        quantity=Quantity.ACTIVATION,
        layer=layer or words,
        function=next((word for word in words if word in _set("function")), ""),
        gate=bool(named & _set("gate")),
        statistic=statistic,
    )


def _is_activation(words: Words, named: int) -> bool:
    if _set("activation") & set(words):
        return named < 0 or words[named] in ("w", "b")
    if named >= 0:
        return False
    return bool(_set("function") & set(words)) or (
        len(words) > 1
        and any(w in _set("output") and _at_an_end(i, words) for i, w in enumerate(words))
    )


def _at_an_end(place: int, words: Words) -> bool:
    return place in (0, len(words) - 1)


def _parameter(words: Words) -> int:
    """Where the last word for weights or biases stands; single letters count where no word does."""
    places = [i for i, w in enumerate(words) if w in _set("weight") or w in _set("bias")]
    whole = [place for place in places if len(words[place]) > 1]
    return (whole or places or [-1])[-1]


def _names(words: Words) -> Words:
    """The words before a parameter's own, without those of a folder it was filed in."""
    return tuple(w for w in words if len(w) == 1 or w not in _set("weight") | _set("bias"))


def _plain(words: Words) -> Words:
    return tuple(word for word in words if word not in _set("filing"))


def _says(kind: str, words: Words) -> bool:
    return any(contains(words, phrase) >= 0 for phrase in _phrases(kind))


def _is_number(word: str) -> bool:
    return word.isdecimal() and len(word) < 9


@cache
def _set(kind: str) -> frozenset[str]:
    return frozenset(tables.raw()["layers"][kind])


@cache
def _phrases(kind: str) -> tuple[Phrase, ...]:
    return tables.phrases(tables.raw()["layers"][kind])


@cache
def _aside() -> frozenset[str]:
    """Words of a norm of the whole model: how it was cut in time, or that it is the total."""
    kinds = ("train", "val", "test", "epoch", "batch", "total", "smooth")
    clipping = {
        "clipped",
        "clip",
        "clipping",
        "unclipped",
        "before",
        "after",
        "pre",
        "post",
        "max",
        "min",
    }
    return frozenset().union(*(tables.words(kind) for kind in kinds)) | clipping
