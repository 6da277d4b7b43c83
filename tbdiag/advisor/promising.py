"""Settings that a model of all runs so far promises the most of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from tbdiag.advisor.box import box
from tbdiag.advisor.chart import Chart
from tbdiag.advisor.moves import jittered
from tbdiag.advisor.outlook import apart, outlook
from tbdiag.advisor.position import Position
from tbdiag.advisor.prescribe import Changes, Desk, Space
from tbdiag.advisor.rates import Bracket, bracket
from tbdiag.advisor.record import Record, equal
from tbdiag.advisor.within import allowed, fitted
from tbdiag.config.training import Choices, Dimension, Value
from tbdiag.model.knob import Knob
from tbdiag.model.proposal import Params
from tbdiag.naming.knobs import knob
from tbdiag.search.entrant import numeric

_WIDE, _NEAR = 240, 300  # candidates anywhere among usual settings, and around the best runs
_BEST = 3  # runs that are looked around
_MOST = 200  # of many past runs: as many of the best, and of the last
_SPREAD = 0.9  # standard deviation of the logarithm there
_WORTH = 0.2  # of a run, in the chart's units: what is nearer to another tells next to nothing
_OTHER_WORD = 0.15  # of candidates near a run that take another word, for each setting of words


def promising(position: Position, desk: Desk, rng: np.random.Generator) -> Iterator[Params]:
    """Settings in full that are worth a run, the most promising first.

    They lie among usual settings, or a little beside one of the best runs; no rate is among them that
    findings call too high or too low.
    """
    within = box(desk)
    if not within:
        return
    runs = [each for each in position.eligible if each.params.keys() == desk.record.params.keys()]
    leading = sorted((r for r in runs if math.isfinite(r.loss)), key=lambda r: r.loss)
    chart = Chart(space=within, start=position.start, doses=desk.doses)
    found = [*_anywhere(desk.record, within, rng)]
    found += _beside(position, desk, leading[:_BEST], chart, rng)
    found = [each for each in _admitted(position, desk, found) if not position.tried(each)]
    if not found:
        return
    pending = [*position.pending, *position.elsewhere]
    pending = [each for each in pending if each.keys() == desk.record.params.keys()]
    if len(runs) > 2 * _MOST:
        runs = list({each.id: each for each in (*leading[:_MOST], *runs[-_MOST:])}.values())
    found = _apart(chart, [*(each.params for each in runs), *pending], found) or found
    gain = outlook(chart, runs, pending, found).improvement
    for at in np.argsort(-gain, kind="stable"):
        yield found[at]


def _apart(chart: Chart, made: list[Params], many: list[Params]) -> list[Params]:
    """Those that are so far from all that was tried that they would tell something."""
    places, tried = chart.places(many), chart.places(made)
    far = apart(places, tried).min(axis=1)
    return [each for each, distance in zip(many, far, strict=True) if distance >= _WORTH]


def _anywhere(record: Record, within: Space, rng: np.random.Generator) -> Iterator[Params]:
    for _ in range(_WIDE):
        yield {**record.params, **{n: _drawn(each, rng) for n, each in within.items()}}


def _drawn(dimension: Dimension, rng: np.random.Generator) -> Value:
    if isinstance(dimension, Choices):
        return dimension.values[int(rng.integers(len(dimension.values)))]
    low, high = float(dimension.low), float(dimension.high)
    if dimension.log:
        number = math.exp(rng.uniform(math.log(low), math.log(high)))
    else:
        number = rng.uniform(low, high)
    found = fitted(dimension, number)
    assert found is not None  # a range has a nearest value
    return found


def _beside(
    position: Position,
    desk: Desk,
    leading: list[Record],
    chart: Chart,
    rng: np.random.Generator,
) -> Iterator[Params]:
    within = chart.space
    desks = [Desk.on(each, desk.space, position.records, desk.doses) for each in leading]
    doses = replace(desk.doses, jitter=_SPREAD)
    desks = [replace(each, doses=doses) for each in desks]
    for _ in range(_NEAR if desks else 0):
        near = desks[int(rng.integers(len(desks)))]
        changes = {n: v for n, v in jittered(near, rng).items() if n in within}
        for name, dimension in within.items():
            if _is_words(dimension) and rng.random() < _OTHER_WORD:
                changes[name] = _drawn(dimension, rng)
        changes |= _with_another_optimizer(chart, near.record.params, changes)
        if all(allowed(within[n], v) for n, v in changes.items()):
            yield {**near.record.params, **changes}


def _with_another_optimizer(chart: Chart, before: Params, changes: Changes) -> dict[str, Value]:
    """The rate and decay that mean with another optimizer what they meant before, if it is another."""
    word = _name(chart.space, Knob.OPTIMIZER)
    if word is None or equal(changes.get(word, before[word]), before[word]):
        return {}
    now, found = {**before, **changes}, {}
    for name, dimension in chart.space.items():
        number = chart.moved(name, {**now, word: before[word]}, now)
        value = None if number is None else fitted(dimension, number)
        if value is not None:
            found[name] = value
    return found


def _is_words(dimension: Dimension) -> bool:
    return isinstance(dimension, Choices) and all(numeric(v) is None for v in dimension.values)


def _admitted(position: Position, desk: Desk, many: list[Params]) -> Iterator[Params]:
    """Those with a rate that no finding speaks against, with their optimizer."""
    known: dict[str, Bracket] = {}
    name, optimizer = desk.name(Knob.LR), _name(desk.space, Knob.OPTIMIZER)
    for params in many:
        rate = None if name is None else numeric(params[name])
        word = str(params.get(optimizer)) if optimizer else ""
        if word not in known:
            known[word] = bracket(position.records, Record(id="", params=params))
        if (
            rate is None
            or equal(rate, desk.record.params.get(name or ""))
            or known[word].admits(rate)
        ):
            yield params


def _name(space: Mapping[str, Dimension], wanted: Knob) -> str | None:
    return next((each for each in space if knob(each) is wanted), None)
