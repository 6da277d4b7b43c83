"""The part of the space in which settings usually are: what an expert would let a sampler search."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from tbdiag.advisor.prescribe import BUDGET, Desk, Space, init_scales, movable
from tbdiag.advisor.rates import anchor
from tbdiag.config.training import Choices, Dimension, Value
from tbdiag.model.knob import Knob
from tbdiag.naming.knobs import knob
from tbdiag.search.entrant import numeric

# Limits where the setting has a usual place of its own, whatever the run.
_USUAL: Mapping[Knob, tuple[float, float]] = {
    Knob.WEIGHT_DECAY: (1e-6, 0.1),
    Knob.DROPOUT: (0.0, 0.4),
    Knob.MOMENTUM: (0.8, 0.99),
    Knob.BETA1: (0.8, 0.95),
    Knob.BETA2: (0.95, 0.9995),
}
_RATES = (0.1, 30.0)  # times the usual rate of the most usual optimizer
_OWN_RATES = (0.1, 10.0)  # where there is but one
_WARMUP = 0.1  # as a share
_FACTOR = 2.0  # batch and width, around those of the run
_SCALE = (0.5, 2.0)  # of initial weights
_PLAIN = ("sgd",)  # what needs more care than others


def box(desk: Desk) -> Space:
    """What may move, each within its usual limits, wide enough to hold the desk's run."""
    found: dict[str, Dimension] = {}
    for name in movable(desk.space):
        if knob(name) in BUDGET or desk.record.params.get(name) is None:
            continue
        found[name] = _narrowed(desk, name, desk.space[name])
    return found


def _narrowed(desk: Desk, name: str, dimension: Dimension) -> Dimension:
    now = desk.record.params[name]
    number = numeric(now)
    limits = _limits(desk, name, number)
    if isinstance(dimension, Choices):
        kept = [each for each in dimension.values if _usual(name, each, limits) or each == now]
        return Choices(tuple(kept)) if len(kept) > 1 else dimension
    if limits is None or isinstance(dimension.step, float):
        return dimension
    low, high = limits
    if number is not None:
        low, high = min(low, number), max(high, number)
    low, high = max(low, dimension.low), min(high, dimension.high)
    if not low < high:
        return dimension
    if isinstance(dimension.low, int) and isinstance(dimension.high, int):
        low, high = math.floor(low), math.ceil(high)
    return replace(dimension, low=low, high=high)


def _usual(name: str, value: Value, limits: tuple[float, float] | None) -> bool:
    number = numeric(value)
    if knob(name) is Knob.OPTIMIZER:
        return str(value).lower() not in _PLAIN
    return limits is None or number is None or limits[0] <= number <= limits[1]


def _limits(desk: Desk, name: str, number: float | None) -> tuple[float, float] | None:
    known = knob(name)
    if known is Knob.LR:
        exposed = desk.name(Knob.OPTIMIZER) is not None
        usual = anchor(desk.record, "adam" if exposed else desk.kind, desk.doses)
        least, most = _RATES if exposed else _OWN_RATES
        return None if usual is None else (usual * least, usual * most)
    if known in (Knob.BATCH_SIZE, Knob.WIDTH) and number is not None:
        return number / _FACTOR, number * _FACTOR
    if known is Knob.WARMUP:
        return (0.0, _WARMUP) if number is not None and number < 1 else None
    if name in init_scales(desk.space):
        return _SCALE
    return None if known is None else _USUAL.get(known)
