"""Standard recipes on the user's architecture: the controls that no diagnosis had a hand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tbdiag.advisor.prescribe import Changes, Desk
from tbdiag.advisor.rates import anchor
from tbdiag.advisor.within import chosen, fitted
from tbdiag.config.settings import Value
from tbdiag.model.knob import Knob


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe by knob; ``optimizer`` and ``scheduler`` are words to look for among the choices."""

    name: str
    kind: str  # whose usual rate
    optimizer: tuple[str, ...]
    scheduler: tuple[str, ...]
    numbers: Mapping[Knob, float]


RECIPES = (
    Recipe(
        name="Adam with a cosine",
        kind="adam",
        optimizer=("adam",),
        scheduler=("cosine", "linear", "poly"),
        numbers={
            Knob.WEIGHT_DECAY: 1e-4, Knob.WARMUP: 0.05, Knob.DROPOUT: 0.0,
            Knob.BETA1: 0.9, Knob.BETA2: 0.999, Knob.MOMENTUM: 0.9, Knob.CLIP_NORM: 1.0,
        },
    ),
    Recipe(
        name="momentum with a cosine",
        kind="momentum",
        optimizer=("momentum", "nesterov", "sgd"),
        scheduler=("cosine", "linear", "poly"),
        numbers={
            Knob.WEIGHT_DECAY: 5e-4, Knob.WARMUP: 0.05, Knob.DROPOUT: 0.0,
            Knob.MOMENTUM: 0.9, Knob.CLIP_NORM: 1.0,
        },
    ),
    Recipe(
        name="AdamW with one cycle and dropout",
        kind="adam",
        optimizer=("adamw", "adam"),
        scheduler=("onecycle", "one_cycle", "cosine", "linear"),
        numbers={
            Knob.WEIGHT_DECAY: 0.05, Knob.WARMUP: 0.05, Knob.DROPOUT: 0.2,
            Knob.BETA1: 0.9, Knob.BETA2: 0.99, Knob.MOMENTUM: 0.9, Knob.CLIP_NORM: 1.0,
        },
    ),
)  # fmt: skip


def recipes(desk: Desk) -> Iterator[tuple[str, Changes]]:
    """Each standard recipe by name, as far as the command exposes what it consists of.

    Where the optimizer is not exposed, there is one: the usual rate of the run's own.
    """
    own = desk.kind
    exposed = desk.name(Knob.OPTIMIZER)
    for recipe in RECIPES:
        changes: dict[str, Value] = {}
        kind: str | None = recipe.kind
        if exposed is not None:
            word = _exact(desk, exposed, recipe.optimizer)
            if word is None:
                continue
            changes[exposed] = word
        elif own is not None and recipe.kind != own:
            continue
        elif own is None:
            kind = None
        yield recipe.name, {**changes, **_rest(desk, recipe, kind)}


def _exact(desk: Desk, name: str, words: tuple[str, ...]) -> Value | None:
    """The choice that is one of the words, before one that merely contains it (adam, not adamw)."""
    dimension = desk.space[name]
    known = {str(each).lower(): each for each in getattr(dimension, "values", ())}
    return next((known[word] for word in words if word in known), None) or chosen(dimension, words)


def _rest(desk: Desk, recipe: Recipe, kind: str | None) -> dict[str, Value]:
    changes: dict[str, Value] = {}
    usual = anchor(desk.record, kind, desk.doses)
    wanted: dict[Knob, float] = dict(recipe.numbers)
    if usual is not None:
        wanted[Knob.LR] = usual
    for knob, number in wanted.items():
        name = desk.name(knob)
        value = None if name is None else fitted(desk.space[name], number)
        if name is not None and value is not None:
            changes[name] = value
    scheduler = desk.name(Knob.SCHEDULER)
    if scheduler is not None and (word := chosen(desk.space[scheduler], recipe.scheduler)):
        changes[scheduler] = word
    return {**changes, **desk.standard_init()}
