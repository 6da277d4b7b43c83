"""Curves of several runs as lines of text below each other: one axis, one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats
from tbdiag.views.overlay import Overlay, Stroke
from tbdiag.views.sparkline import BLOCKS, PLAIN_BLOCKS

_REACH = 3.0  # times the usual range of a curve: what is worse is cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class Abreast:
    """Rows of columns, each 0 (lowest) to 7, None for NaN or infinity, -1 where the run has no point.

    The heights go from ``low`` to ``high``, on a logarithmic scale with ``log``; ``cut``: some are worse.
    """

    rows: tuple[tuple[int | None, ...], ...]
    low: float
    high: float
    log: bool
    cut: bool

    def texts(self, *, only_ascii: bool = False) -> tuple[str, ...]:
        """The blocks of each row, with a cross for NaN and Inf."""
        blocks, cross = (PLAIN_BLOCKS, "x") if only_ascii else (BLOCKS, "×")
        return tuple(
            "".join(cross if n is None else " " if n < 0 else blocks[n] for n in row)
            for row in self.rows
        )


def abreast(overlay: Overlay, columns: int) -> Abreast:
    """The curves in at most ``columns`` columns that show the same stretch of x in every row.

    A column shows the median of its points, and between points the
    line that joins them.
    """
    columns = min(columns, max(len(s.x) + len(s.bad) for s in overlay.strokes))
    heights = [_columns(each, overlay.first, overlay.last, columns) for each in overlay.strokes]
    known = np.concatenate([row[np.isfinite(row)] for row in heights])
    if not len(known):
        rows = tuple(tuple(_level(v, 0.0, 1.0) for v in row) for row in heights)
        return Abreast(rows=rows, low=np.nan, high=np.nan, log=False, cut=False)
    low, high = float(known.min()), float(known.max())
    finite = [row[np.isfinite(row)] for row in heights if np.isfinite(row).any()]
    limit = _usual(finite, low, high, higher=overlay.higher)
    cut = limit > low if overlay.higher else limit < high
    low, high = (limit, high) if overlay.higher else (low, limit)
    log = overlay.spreads(low, high)
    scale = np.log10 if log else np.asarray
    bottom, top = float(scale(low)), float(scale(high))
    shown = [
        np.where(np.isfinite(row), scale(np.clip(_finite(row, low), low, high)), row)
        for row in heights
    ]
    return Abreast(
        rows=tuple(tuple(_level(v, bottom, top) for v in row) for row in shown),
        low=low,
        high=high,
        log=log,
        cut=cut,
    )


def _usual(rows: Sequence[Floats], low: float, high: float, *, higher: bool) -> float:
    """The worse end of the scale: that of the values, unless a few curves are far worse than most."""
    ends = [float(row.min() if higher else row.max()) for row in rows]
    good, bad = (high, low) if higher else (low, high)
    usual = good + _REACH * (float(np.median(ends)) - good)
    return max(usual, bad) if higher else min(usual, bad)


def _finite(row: Floats, instead: float) -> Floats:
    return np.where(np.isfinite(row), row, instead)


def _columns(stroke: Stroke, first: float, last: float, columns: int) -> Floats:
    """One height for each column; infinite where there is no point, NaN where a point is not finite."""
    edges = np.linspace(first, last, columns + 1)
    heights = np.full(columns, np.inf)
    if len(stroke.x):
        middles = (edges[:-1] + edges[1:]) / 2
        width = (last - first) / columns
        inside = (middles >= stroke.x[0] - width / 2) & (middles <= stroke.x[-1] + width / 2)
        heights[inside] = np.interp(middles[inside], stroke.x, stroke.y)
        at = np.clip(np.searchsorted(edges, stroke.x, side="right") - 1, 0, columns - 1)
        starts = np.flatnonzero(np.diff(at, prepend=-1))
        for part, column in zip(np.split(stroke.y, starts[1:]), at[starts], strict=True):
            heights[column] = np.median(part)
    if len(stroke.bad):
        bad = np.clip(np.searchsorted(edges, stroke.bad, side="right") - 1, 0, columns - 1)
        heights[bad] = np.nan
    return heights


def _level(value: float, bottom: float, top: float) -> int | None:
    if np.isnan(value):
        return None
    if np.isinf(value):
        return -1
    most = len(BLOCKS) - 1
    return round((value - bottom) / (top - bottom) * most) if top > bottom else most // 2
