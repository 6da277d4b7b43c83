"""Standard recipes on the user's architecture: the controls that no diagnosis had a hand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tbdiag.advisor.prescribe import Changes, Desk
from tbdiag.advisor.rates import anchor
from tbdiag.advisor.within import chosen, fitted, sizes
from tbdiag.config.training import Value
from tbdiag.model.knob import Knob


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe by knob; ``optimizer`` and ``scheduler`` are words to look for among the choices.

    ``times`` is its rate in usual ones of its ``kind``. Runs that are short anyway also get its ``batch``
    size, and ``wider`` times the width: what longer ones can afford is not for a recipe to say.
    """

    name: str
    kind: str  # whose usual rate
    optimizer: tuple[str, ...]
    scheduler: tuple[str, ...]
    numbers: Mapping[Knob, float]
    times: float = 1.0
    batch: int | None = None
    wider: float = 1.0


_COUPLED = 0.01  # decay at most, where it is not apart from the gradient

_USUAL: Mapping[Knob, float] = {
    Knob.BETA1: 0.9, Knob.BETA2: 0.999, Knob.MOMENTUM: 0.9, Knob.CLIP_NORM: 1.0,
}  # fmt: skip

RECIPES = (
    Recipe(
        name="AdamW with one cycle, decay and dropout",
        kind="adam", times=10.0, batch=32,
        optimizer=("adamw", "adam"),
        scheduler=("onecycle", "one_cycle", "cosine", "linear"),
        numbers={Knob.WEIGHT_DECAY: 0.1, Knob.WARMUP: 0.05, Knob.DROPOUT: 0.2, **_USUAL},
    ),
    Recipe(
        name="Adam with a cosine, much decay and dropout",
        kind="adam", times=3.0, batch=64, wider=2.0,
        optimizer=("adam",),
        scheduler=("cosine", "linear", "poly"),
        numbers={Knob.WEIGHT_DECAY: 0.01, Knob.WARMUP: 0.05, Knob.DROPOUT: 0.4, **_USUAL},
    ),
    Recipe(
        name="Adam with one cycle and small batches",
        kind="adam", times=3.0, batch=16, wider=2.0,
        optimizer=("adam",),
        scheduler=("onecycle", "one_cycle", "cosine", "linear"),
        numbers={Knob.WEIGHT_DECAY: 0.01, Knob.WARMUP: 0.05, Knob.DROPOUT: 0.0, **_USUAL},
    ),
    Recipe(
        name="AdamW with a cosine and decay, no dropout",
        kind="adam", times=10.0, batch=16, wider=2.0,
        optimizer=("adamw", "adam"),
        scheduler=("cosine", "linear", "poly"),
        numbers={Knob.WEIGHT_DECAY: 0.1, Knob.WARMUP: 0.05, Knob.DROPOUT: 0.0, **_USUAL},
    ),
    Recipe(
        name="momentum with a cosine",
        kind="momentum",
        optimizer=("momentum", "nesterov", "sgd"),
        scheduler=("cosine", "linear", "poly"),
        numbers={Knob.WEIGHT_DECAY: 5e-4, Knob.WARMUP: 0.05, Knob.DROPOUT: 0.0, **_USUAL},
    ),
    Recipe(
        name="SGD with a cosine",
        kind="sgd",
        optimizer=("sgd",),
        scheduler=("cosine", "linear", "poly"),
        numbers={Knob.WEIGHT_DECAY: 5e-4, Knob.WARMUP: 0.05, Knob.DROPOUT: 0.0, **_USUAL},
    ),
)  # fmt: skip


def recipes(desk: Desk, *, widen: bool = True) -> Iterator[tuple[str, Changes]]:
    """Each standard recipe by name, as far as the command exposes what it consists of.

    Where the optimizer is not exposed, they are those for the run's own. The width stays as it is
    unless ``widen``.
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
        optimizer = str(
            changes.get(exposed, "") if exposed else desk.record.setting(Knob.OPTIMIZER)
        )
        changes |= _rest(desk, recipe, kind, decoupled="adamw" in optimizer.lower())
        if widen and recipe.wider > 1 and _is_short(desk):
            changes |= _wider(desk, recipe.wider)
        yield recipe.name, changes


def _exact(desk: Desk, name: str, words: tuple[str, ...]) -> Value | None:
    """The choice that is one of the words, before one that merely contains it (adam, not adamw)."""
    dimension = desk.space[name]
    known = {str(each).lower(): each for each in getattr(dimension, "values", ())}
    return next((known[word] for word in words if word in known), None) or chosen(dimension, words)


def _rest(desk: Desk, recipe: Recipe, kind: str | None, *, decoupled: bool) -> dict[str, Value]:
    changes: dict[str, Value] = {}
    usual = anchor(desk.record, kind, desk.doses)
    wanted: dict[Knob, float] = dict(recipe.numbers)
    if usual is not None:
        wanted[Knob.LR] = usual * recipe.times
    if not decoupled:
        wanted[Knob.WEIGHT_DECAY] = min(wanted[Knob.WEIGHT_DECAY], _COUPLED)
    if recipe.batch is not None and _is_short(desk):
        wanted[Knob.BATCH_SIZE] = recipe.batch
    for knob, number in wanted.items():
        name = desk.name(knob)
        value = None if name is None else fitted(desk.space[name], number)
        if name is not None and value is not None:
            changes[name] = value
    scheduler = desk.name(Knob.SCHEDULER)
    if scheduler is not None and (word := chosen(desk.space[scheduler], recipe.scheduler)):
        changes[scheduler] = word
    return {**changes, **desk.standard_init()}


def _wider(desk: Desk, by: float) -> Changes:
    """Wider layers, as many as before: where the next choice has more of them, the width stays."""
    found = desk.by(Knob.WIDTH, by)
    layers = [
        {len(sizes(each) or ()) for each in (value, desk.record.params[name])}
        for name, value in found.items()
    ]
    return found if all(len(each) == 1 for each in layers) else {}


def _is_short(desk: Desk) -> bool:
    """Whether the run takes so little time that a larger one costs nothing to speak of."""
    return (desk.record.seconds or 0.0) < desk.doses.short
