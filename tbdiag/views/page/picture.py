"""A chart as lines of an SVG, of numbers alone: what is seen without JavaScript, and on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from tbdiag.views.exhibit import steps
from tbdiag.views.page import ticks
from tbdiag.views.text import number

WIDTH, HEIGHT = 640, 214  # of the whole, in units of the picture
LEFT, RIGHT, TOP, BOTTOM = 56, 10, 8, 24  # of the margins
_FINE = 4  # units of a line within one of the picture
_HUGE = 1e150  # values beyond are drawn there
_LEAST = 3  # units of a band that can be seen
_LANE, _LANES = 15, 4  # units of a label's height, lanes of labels
_LETTER = 7.4  # units of a letter of a label
_MARGIN = 0.06  # of the values, above and below
_FEW = 12  # points of a curve up to which each is a dot
_Place = Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A curve to draw: ``x``, ``y`` (n,), None in y where a value was not finite, at ``bad`` (m,).

    ``points`` is how many were logged, ``unfit`` how many of them were not finite.
    """

    label: str
    color: int
    x: Sequence[float]
    y: Sequence[float | None]
    bad: Sequence[float]
    points: int
    unfit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A curve that was drawn: the ``path`` of an SVG, that of its ``dots`` where it has few points."""

    label: str
    color: int
    path: str
    dots: str
    points: int
    unfit: int
    first: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Where a finding shows: from ``x``, ``width`` units wide, its label at ``at`` in a lane.

    ``lane`` is None where there is no room for it. One that is everywhere, or a mere consequence, is told by
    its label: it is not ``shaded``.
    """

    finding: int
    code: str
    severity: str
    where: str
    note: str
    x: float
    width: float
    shaded: bool
    at: float
    label: float
    lane: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that is drawn; ``across`` and ``up`` are (place, words) beside the axes."""

    lines: tuple[Drawn, ...]
    bands: tuple[Band, ...]
    crosses: tuple[float, ...]
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]
    log: bool


def drawing(strokes: Sequence[Stroke], bands: Sequence[Mapping[str, Any]], *, log: bool) -> Picture:
    """The curves on common axes, with the bands over them; ``log`` makes the y axis logarithmic."""
    ends = [float(place) for each in strokes for place in (each.x[0], each.x[-1])]
    first, last = min(ends), max(ends)
    values = [value for each in strokes for value in each.y if value is not None]
    across = _across(first, last)
    up, marks = _up(values, log=log)
    crosses = sorted({_round(across(place)) for each in strokes for place in each.bad})
    return Picture(
        lines=tuple(_line(each, across, up) for each in strokes),
        bands=_laid_out(bands, across, (first, last)),
        crosses=tuple(crosses),
        across=tuple((_round(across(each)), _step(each)) for each in ticks.whole(first, last, 7)),
        up=tuple(
            (_round(up(at)), text) for at, text in zip(marks, ticks.labels(marks), strict=True)
        ),
        log=log,
    )


def _across(first: float, last: float) -> _Place:
    room = WIDTH - LEFT - RIGHT
    if last <= first:
        return lambda x: LEFT + room / 2
    inner, aside = room * 0.976, room * 0.012

    def place(x: float) -> float:
        share = (x - first) / (last - first)
        return LEFT + aside + inner * min(max(share, -0.012), 1.012)

    return place


def _up(values: Sequence[float], *, log: bool) -> tuple[_Place, list[float]]:
    """Where a value stands, and which of them are marked."""
    room = HEIGHT - TOP - BOTTOM
    if not values:
        return (lambda y: TOP + room / 2), []
    low, high = (min(max(each, -_HUGE), _HUGE) for each in (min(values), max(values)))
    if log:
        low, high = max(low, 1 / _HUGE), max(high, 1 / _HUGE)
        a, b = np.log10([low, high]).tolist()
        margin = _MARGIN * (b - a) or 0.5
        a, b = a - margin, b + margin
        marks = [each for each in ticks.powers(low, high) if a <= np.log10(each) <= b]

        def tall(y: float) -> float:
            return float(np.log10(min(max(y, 1 / _HUGE), _HUGE)))
    else:
        margin = _MARGIN * (high - low) or abs(high) * 0.1 or 0.5
        a, b = low - margin, high + margin
        a = 0.0 if low >= 0 > a else a
        marks = ticks.linear(a, b, 5)

        def tall(y: float) -> float:
            return min(max(y, -_HUGE), _HUGE)

    return (lambda y: TOP + room * (b - tall(y)) / (b - a)), marks


def _line(stroke: Stroke, across: _Place, up: _Place) -> Drawn:
    known = [value for value in stroke.y if value is not None]
    dots: list[tuple[float, float]] = []
    parts = []
    for gap, piece in groupby(
        zip(stroke.x, stroke.y, strict=True), key=lambda each: each[1] is None
    ):
        if gap:
            continue
        placed = [(across(x), up(y)) for x, y in piece if y is not None]
        parts.append(_path(placed))
        if len(placed) == 1 or len(known) <= _FEW:
            dots += [(_round(x), _round(y)) for x, y in placed]
    return Drawn(
        label=stroke.label,
        color=stroke.color,
        path="".join(parts),
        dots="".join(f"M{x} {y}h0" for x, y in dots[: 4 * _FEW]),
        points=stroke.points,
        unfit=stroke.unfit,
        first=number(known[0]) if known else "nothing finite",
        last=number(known[-1]) if known else "nothing finite",
    )


def _path(placed: Sequence[tuple[float, float]]) -> str:
    """Lines from point to point, in whole quarters of a unit: the template scales them back."""
    fine = [(round(x * _FINE), round(y * _FINE)) for x, y in placed]
    (x, y), words = fine[0], []
    for a, b in fine[1:]:
        if (a, b) != (x, y):
            words.append(f"{a - x}{'' if b - y < 0 else ' '}{b - y}")
            x, y = a, b
    return f"M{fine[0][0]} {fine[0][1]}" + (f"l{' '.join(words)}" if words else "")


def _laid_out(
    bands: Sequence[Mapping[str, Any]], across: _Place, whole: tuple[float, float]
) -> tuple[Band, ...]:
    """Bands with labels in lanes, so that none covers another."""
    ends: list[float] = []
    found = []
    for each in bands:
        low, high = (across(float(step)) for step in each["x"])
        if high - low < _LEAST:
            low, high = (low + high - _LEAST) / 2, (low + high + _LEAST) / 2
        wide = _LETTER * len(each["code"]) + 8
        start = max(LEFT, min(low, WIDTH - RIGHT - wide))
        lane = next((at for at, end in enumerate(ends) if end <= start), len(ends))
        if lane < _LANES:
            ends[lane : lane + 1] = [start + wide + 4]
        first, last = each["x"]
        found.append(
            Band(
                finding=each["finding"],
                code=each["code"],
                severity=each["severity"],
                where=steps(first, last),
                note=each["note"],
                x=_round(low),
                width=_round(high - low),
                shaded=not each["folded"] and (first > whole[0] or last < whole[1]),
                at=_round(start),
                label=_round(wide),
                lane=lane if lane < _LANES else None,
            )
        )
    return tuple(found)


def _round(value: float) -> float:
    return round(float(value), 1)


def _step(value: float) -> str:
    for limit, size, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            return f"{value / size:.4g}{unit}"
    return f"{value:.0f}"
