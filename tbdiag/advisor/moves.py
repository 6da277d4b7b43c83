"""Small steps from the best run: what paid once more, and jitter."""

from __future__ import annotations

import math

import numpy as np

from tbdiag.advisor.prescribe import BUDGET, Changes, Desk, movable
from tbdiag.advisor.record import Record, equal
from tbdiag.advisor.within import fitted, scaled, shifted
from tbdiag.config.training import Choices, Range, Value
from tbdiag.model.knob import Knob
from tbdiag.naming.knobs import knob
from tbdiag.naming.settings import goes_by_ratio, is_share
from tbdiag.search.entrant import numeric

_OFTEN = 0.5  # of jittered runs in which a setting moves
_NEAR_SHARE = 0.1  # standard deviation of a share that is jittered


def repeated(desk: Desk, parent: Record) -> Changes:
    """The numeric changes from the parent to the desk's run once more, by a bounded ratio."""
    changes: dict[str, Value] = {}
    for name in movable(desk.space):
        before, now = numeric(parent.params.get(name)), numeric(desk.record.params.get(name))
        if before is None or now is None or equal(before, now) or knob(name) in BUDGET:
            continue
        dimension = desk.space[name]
        if before > 0 and now > 0 and goes_by_ratio(name):
            most = desk.doses.repeated
            by = min(max(now / before, 1 / most), most)
            if knob(name) is Knob.LR:
                changes.update(desk.rate(by))
                continue
            value = scaled(dimension, desk.record.params[name], by)
        else:
            value = shifted(dimension, desk.record.params[name], now - before)
        if value is not None:
            changes[name] = value
    return changes


def jittered(desk: Desk, rng: np.random.Generator) -> Changes:
    """Log-normal noise on about half of the numbers; never the budget, nor what is no number."""
    changes: dict[str, Value] = {}
    for name in movable(desk.space):
        number, dimension = numeric(desk.record.params.get(name)), desk.space[name]
        if number is None or knob(name) in BUDGET or rng.random() >= _OFTEN:
            continue
        if isinstance(dimension, Choices):
            by = float(rng.choice([0.5, 2.0]))
            value = scaled(dimension, number, by) if number > 0 else None
        else:
            value = _near(desk, name, dimension, number, rng)
        if value is not None:
            changes[name] = value
    return {n: v for n, v in changes.items() if not equal(v, desk.record.params[n])}


def _near(
    desk: Desk, name: str, dimension: Range, number: float, rng: np.random.Generator
) -> Value | None:
    by = math.exp(float(rng.normal(0.0, desk.doses.jitter)))
    if knob(name) is Knob.LR:
        return next(iter(desk.rate(by).values()), None)
    if number > 0 and (dimension.log or goes_by_ratio(name)):
        return fitted(dimension, number * by)
    if dimension.log or number == 0:
        return None  # what is switched off stays so
    spread = _NEAR_SHARE if is_share(name) else (dimension.high - dimension.low) / 10
    return fitted(dimension, number + float(rng.normal(0.0, spread)))
