"""A curve in one line of text: which column shows which part, and how high."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tbdiag.model.series import Floats, Series

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = "_.:-=+*#"
_DECADES = 2.0
_FLAT = 0.01  # a curve that moves by less, relative to its size, is drawn flat
_LONE = 3.0  # a point so many usual spreads from its column's median is shown itself


def spans_decades(values: Floats) -> bool:
    """Whether ``values`` (n,) are all positive and spread over more than two decades."""
    if not len(values):
        return False
    low, high = float(values.min()), float(values.max())
    return low > 0 and bool(np.log10(high) - np.log10(low) > _DECADES)


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Columns from left to right, each some neighbouring points of the curve.

    ``levels``: 0 (lowest) to 7, None for a column that holds a NaN or infinite point; ``starts``
    and ``ends``: the first and last step of each column; ``log``: whether heights are logarithmic.
    """

    levels: tuple[int | None, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    log: bool

    def text(self, *, only_ascii: bool = False) -> str:
        """The blocks, with a cross for NaN and Inf."""
        blocks, cross = (PLAIN_BLOCKS, "x") if only_ascii else (BLOCKS, "×")
        return "".join(cross if level is None else blocks[level] for level in self.levels)

    def columns(self, span: tuple[int, int]) -> tuple[int, int]:
        """The first and last column that show a step within ``span``, else the nearest one twice."""
        low, high = min(span), max(span)
        inside = [
            at
            for at, (start, end) in enumerate(zip(self.starts, self.ends, strict=True))
            if start <= high and end >= low
        ]
        if inside:
            return inside[0], inside[-1]
        nearest = min(
            range(len(self.starts)),
            key=lambda at: min(abs(self.starts[at] - low), abs(self.ends[at] - low)),
        )
        return nearest, nearest


def sparkline(series: Series, columns: int) -> Sparkline:
    """``series`` in at most ``columns`` columns of equally many points; it has at least one point.

    A column shows its median, but the extremes of the curve and points that stick out of the noise
    are shown themselves, so that a lone spike is seen however long the curve.
    """
    steps = np.concatenate([series.steps, series.nonfinite.steps])
    order = np.argsort(steps, kind="stable")
    steps = steps[order]
    values = np.concatenate([series.values, np.full(len(series.nonfinite), np.nan)])[order]
    log = spans_decades(series.values)
    if log:
        values = np.log10(values)
    elif len(series):
        values = values / (float(np.abs(series.values).max()) or 1.0)  # no difference overflows
    edges = np.linspace(0, len(steps), min(columns, len(steps)) + 1).astype(np.int64)
    heights = _heights([values[a:b] for a, b in pairwise(edges)])
    return Sparkline(
        levels=_levels(heights, log),
        starts=tuple(int(step) for step in steps[edges[:-1]]),
        ends=tuple(int(step) for step in steps[edges[1:] - 1]),
        log=log,
    )


def _heights(parts: list[Floats]) -> Floats:
    medians = np.array([float(np.median(part)) for part in parts])
    highs = np.array([float(part.max()) for part in parts])  # NaN where the part holds one
    lows = np.array([float(part.min()) for part in parts])
    shown = medians.copy()
    known = np.isfinite(medians)
    if not known.any():
        return shown
    usual = float(np.median(np.maximum(highs - medians, medians - lows)[known]))
    up = known & (highs - medians > _LONE * usual) & (highs - medians >= medians - lows)
    down = known & (medians - lows > _LONE * usual) & ~up
    shown[up], shown[down] = highs[up], lows[down]
    shown[np.nanargmax(highs)] = np.nanmax(highs)
    shown[np.nanargmin(lows)] = np.nanmin(lows)
    return shown


def _levels(heights: Floats, log: bool) -> tuple[int | None, ...]:
    known = np.isfinite(heights)
    if not known.any():
        return (None,) * len(heights)
    low, high = float(heights[known].min()), float(heights[known].max())
    least = 0.0 if log else _FLAT * max(abs(low), abs(high))
    if high - low < least or high == low:
        middle, half = (high + low) / 2, max(least, 1e-12) / 2
        low, high = middle - half, middle + half
    top = len(BLOCKS) - 1
    return tuple(
        round((float(each) - low) / (high - low) * top) if ok else None
        for each, ok in zip(heights, known, strict=True)
    )
