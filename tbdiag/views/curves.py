"""The curves of a run as plain values to draw: from its event files, in no more points than show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tbdiag.model.histogram import Histograms
from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Series
from tbdiag.views.axes import Axis, Clock
from tbdiag.views.thinning import outline, smoothed, sparse

_QUANTILES = (("highest 5 %", 0.95), ("median", 0.5), ("lowest 5 %", 0.05))
_MOST_RECORDS = 400  # histograms of a tag that are decoded
_NAMES = ("NaN", "Inf", "-Inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """How to draw: on which axis, from x to x (None: from its start, to its end), in how many columns.

    ``smoothing`` in [0, 1) asks for an average beside the points.
    """

    axis: Axis = Axis.STEP
    first: float | None = None
    last: float | None = None
    columns: int = 500
    smoothing: float = 0.0


def drawn(
    run: Run, tags: Sequence[str], frame: Frame, evidence: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The curves ``tags`` of a run, and the spans of the ``evidence`` that is about them.

    A tag of histograms becomes three curves: quantiles of them. A tag that the run does not have
    gives none. ``evidence`` is what findings show, as in the report; it comes back in its order with
    its place on the axis.
    """
    scalars = [run.series[tag] for tag in tags if tag in run.series]
    clock = Clock(run, scalars)
    curves = [_curve(each, clock, frame) for each in scalars]
    for tag in tags:
        if tag not in run.series and tag in run.histograms:
            curves += [_curve(each, clock, frame, tag) for each in _quantiles(run.histograms[tag])]
    spans = [
        [float(x) for x in clock.places(frame.axis, np.sort(np.array(each["span"])))]
        for each in evidence
    ]
    return {"axis": frame.axis.value, "start": clock.start, "curves": curves, "spans": spans}


def _curve(series: Series, clock: Clock, frame: Frame, tag: str | None = None) -> dict[str, Any]:
    walls = None if tag is not None else series.wall_times
    x = clock.places(frame.axis, series.steps, walls)
    bad = clock.places(frame.axis, series.nonfinite.steps)
    average = smoothed(series.values, frame.smoothing) if frame.smoothing > 0 else None
    part, bad_part = _within(x, frame), _within(bad, frame)
    x, y, steps = x[part], series.values[part], series.steps[part]
    bad, values = bad[bad_part], series.nonfinite.values[bad_part]
    keep = outline(x, y, frame.columns)
    kinds = np.where(np.isnan(values), 0, np.where(values > 0, 1, 2))
    marked = sparse(bad, kinds, frame.columns)
    at = np.concatenate([x[keep], bad[marked]])
    order = np.argsort(at, kind="stable")
    gaps = np.full(len(marked), np.nan)
    told: dict[str, Any] = {
        "tag": series.tag if tag is None else tag,
        "part": "" if tag is None else series.tag,
        "points": series.logged,
        "x": numbers(at[order], digits=12),
        "y": numbers(np.concatenate([y[keep], gaps])[order]),
        "steps": np.concatenate([steps[keep], series.nonfinite.steps[bad_part][marked]])[
            order
        ].tolist(),
        "nonfinite": [
            [float(bad[i]), _NAMES[kinds[i]], int(series.nonfinite.steps[bad_part][i])]
            for i in marked
        ],
        "bad": len(series.nonfinite),
        "smooth": None,
    }
    if average is not None:
        told["smooth"] = numbers(np.concatenate([average[part][keep], gaps])[order])
    return told


def _within(x: Floats, frame: Frame) -> slice:
    """The points of the frame, and one beyond each of its ends, so that lines go on to the edge."""
    start = 0 if frame.first is None else int(np.searchsorted(x, frame.first))
    stop = len(x) if frame.last is None else int(np.searchsorted(x, frame.last, "right"))
    return slice(max(start - 1, 0), max(stop, start) + 1)


def _quantiles(histograms: Histograms) -> list[Series]:
    n = len(histograms)
    every = np.unique(np.linspace(0, n - 1, min(n, _MOST_RECORDS)).astype(np.int64))
    records = [histograms.records[int(at)] for at in every]
    return [
        Series.of(name, histograms.steps[every], [each.quantile(share) for each in records])
        for name, share in _QUANTILES
    ]


def numbers(values: Floats, digits: int = 7) -> list[float | None]:
    """The values in so many digits, None where they are not finite."""
    form = f"%.{digits}g"
    return [None if value != value else float(form % value) for value in values.tolist()]
