"""Which setting a hyperparameter's name stands for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache

from tbdiag.model.knob import Knob
from tbdiag.model.run import HParam
from tbdiag.naming import tables
from tbdiag.naming.words import LONGEST, split

_RATE = (Knob.LR, Knob.WARMUP, Knob.SCHEDULER)
_GROUPS = re.compile(r"[./:\[\]]+")
Stated = Callable[[], float | None]


def unstated() -> float | None:
    """What settings that nobody read tell."""
    return None


def stated_epochs(hparams: Mapping[str, HParam]) -> float | None:
    """How many epochs the settings speak of, None where they do not, or say that there is no end (-1)."""
    for name, hparam in hparams.items():
        value = hparam.value
        if knob(name) is Knob.EPOCHS and value is not None and not isinstance(value, bool):
            try:
                epochs = float(value)
            except ValueError:
                return None
            return epochs if 0 < epochs < math.inf else None
    return None


def knob(name: str) -> Knob | None:
    """The knob that ``name`` stands for, or None: a name is never guessed.

    Groups before the name (``optimizer.lr``, ``model_dropout``) are seen through; those that make
    it another setting (``val.batch_size``, ``early_stopping.seed``) are not.
    """
    return _knob(name) if len(name) <= LONGEST else None


@lru_cache(maxsize=4096)
def _knob(name: str) -> Knob | None:
    groups = [split(group) for group in _GROUPS.split(name)]
    groups = [group for group in groups if group]
    if not groups:
        return None
    *outer, last = groups
    before = [word for group in outer for word in group]
    if not _names("foreign").isdisjoint(before):
        return None
    with_group = outer[-1] + last if outer else ()
    found = _known().get(with_group) or _unwrapped(last)
    if not _names("rate").isdisjoint(before) and found not in _RATE:
        return None
    return found


def _unwrapped(words: tuple[str, ...]) -> Knob | None:
    """The knob of the words, or of what is left without containers before them."""
    while words:
        found = _known().get(words)
        if found is not None or words[0] not in _names("containers"):
            return found
        words = words[1:]
    return None


@cache
def _known() -> dict[tuple[str, ...], Knob]:
    table = tables.raw()["knobs"]
    return {phrase: Knob(name) for name in table for phrase in tables.phrases(table[name])}


@cache
def _names(kind: str) -> frozenset[str]:
    return frozenset(tables.raw()["knob_names"][kind])
