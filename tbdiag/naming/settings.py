"""What a hyperparameter is about: the training, the data, the measure, or mere bookkeeping."""

from __future__ import annotations

from enum import StrEnum
from functools import cache, lru_cache

from tbdiag.model.knob import Knob
from tbdiag.naming import tables
from tbdiag.naming.knobs import knob
from tbdiag.naming.words import LONGEST, contains, split

_RATIOS = frozenset(
    {Knob.LR, Knob.WEIGHT_DECAY, Knob.BATCH_SIZE, Knob.CLIP_NORM, Knob.WIDTH, Knob.EPOCHS}
    | {Knob.MAX_STEPS}
)
_SHARES = frozenset({Knob.DROPOUT, Knob.MOMENTUM, Knob.BETA1, Knob.BETA2, Knob.LABEL_SMOOTHING})


class About(StrEnum):
    """What a setting is about."""

    TRAINING = "training"
    SEED = "seed"
    DATA = "data"  # runs that differ in it learned or were measured on something else
    MEASURE = "measure"  # runs that differ in it have losses that mean something else
    BOOKKEEPING = "bookkeeping"


def canonical(name: str) -> str:
    """The knob's own name where ``name`` stands for one, else ``name`` itself."""
    known = knob(name)
    return name if known is None else known.value


@lru_cache(maxsize=4096)
def about(name: str) -> About:
    """What the setting ``name`` is about; training, unless its words say something else."""
    words = split(name) if len(name) <= LONGEST else ()
    known = knob(name)
    if known is Knob.SEED or words[-1:] == ("seed",):
        return About.SEED
    if known is Knob.LABEL_SMOOTHING:
        return About.MEASURE
    if known is not None:
        return About.TRAINING
    if _is_bookkeeping(words):
        return About.BOOKKEEPING
    if _is_data(words):
        return About.DATA
    return About.MEASURE if not _words("measure").isdisjoint(words) else About.TRAINING


def goes_by_ratio(name: str) -> bool:
    """Whether the setting is one that is searched on a logarithmic scale."""
    return knob(name) in _RATIOS or not _words("ratios").isdisjoint(split(name))


def is_share(name: str) -> bool:
    """Whether the setting is one that cannot exceed 1."""
    return knob(name) in _SHARES or not _words("shares").isdisjoint(split(name))


def _is_bookkeeping(words: tuple[str, ...]) -> bool:
    if not words or not _words("bookkeeping").isdisjoint(words):
        return True
    starts = any(words[: len(each)] == each for each in _phrases("bookkeeping_starts"))
    return starts or (len(words) == 1 and words[0] in _words("bookkeeping_names"))


def _is_data(words: tuple[str, ...]) -> bool:
    if not _words("data_without").isdisjoint(words):
        return False
    named = any(
        contains(words, each) == len(words) - 1 and len(words) - len(each) <= 1
        for each in _phrases("data_names")
    )
    return named or not _words("data").isdisjoint(words)


@cache
def _words(kind: str) -> frozenset[str]:
    return frozenset(tables.raw()["settings"][kind])


@cache
def _phrases(kind: str) -> tuple[tuple[str, ...], ...]:
    return tables.phrases(tables.raw()["settings"][kind])
