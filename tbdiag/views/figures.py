"""Pictures of runs: the curves of one with its findings, or of several over each other.

The one user of matplotlib.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from tbdiag.errors import RequestError
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.run import Run
from tbdiag.views.history import BATCH, TRAINING, VALIDATION, Curves, Line, Panel, curves
from tbdiag.views.marks import INK, SHADES, head, mark, placed
from tbdiag.views.overlay import Overlay, overlays
from tbdiag.views.sparkline import spans_decades
from tbdiag.views.strokes import smoothed, thinned
from tbdiag.views.text import printable, shorten

if TYPE_CHECKING:
    import pandas as pd

# Okabe and Ito's palette, told apart with every common colour blindness.
_COLORS = {TRAINING: "#0072B2", VALIDATION: "#D55E00", BATCH: "#56B4E9", "rate": "#009E73"}
_MANY_COLORS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#9A8F00",
)  # fmt: skip
_PALE = "#DDDDDD"

_WIDTH = 9.0  # inches
_PANEL, _RATE = 3.0, 1.1  # inches high
_FEW = 40  # points: with fewer of them each is marked
_MANY = 300  # points: with more of them a smoothed line lies over the raw one
_HUGE = 1e150  # values beyond are drawn there: the axes could not hold them

_METADATA: Mapping[str, Mapping[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def training_curves(
    history: Mapping[str, Any] | pd.DataFrame | Run, findings: Sequence[Finding] = ()
) -> Figure:
    """The curves of a training run: loss above, metric below it, training beside validation.

    ``history`` is the mapping that Keras' ``fit`` returns, a DataFrame, or a Run; a missing curve
    leaves its line out, a missing pair its panel; a known learning rate adds a thin panel. A loss
    that spans decades gets a logarithmic scale, NaN and infinite points a cross at the bottom, and
    every root finding a shaded span with its code and name. Needs no display and touches no global
    state. Raises ValueError where there is no curve to plot.
    """
    found = curves(history)
    heights = [_PANEL] * len(found.panels) + [_RATE] * (found.rate is not None)
    figure = Figure(
        figsize=(_WIDTH, sum(heights) + 0.6),
        layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1),
        dpi=120,
    )
    FigureCanvasAgg(figure)
    if isinstance(history, Run):
        name = shorten(printable(history.id), 80)
        figure.suptitle(name, x=0.012, ha="left", fontsize=9, color=INK, parse_math=False)
    grid = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    axes: list[Axes] = list(grid[:, 0])
    for axis, panel in zip(axes, found.panels, strict=False):
        draw_panel(axis, panel)
    if found.rate is not None:
        _rate(axes[-1], found.rate)
    span_axis(axes, found)
    roots = [each for each in findings if each.suppressed_by is None]
    marks = placed(roots, found)
    titles = [panel.quantity for panel in found.panels]
    if found.rate is not None:
        titles.append(
            "learning rate" if found.rate.stretch == 1 else "learning rate, rescaled steps"
        )
    for at, (axis, title) in enumerate(zip(axes, titles, strict=False)):
        ours = [(finding, span) for finding, span, where in marks if where == at]
        lanes = mark(axis, ours, inches=_WIDTH - 2.5)
        head(axis, title, lanes)
    return figure


def overlaid_curves(runs: Sequence[Run]) -> Figure:
    """The curves of several runs over each other, one panel for each thing that they measure.

    ``runs`` stand in order of merit. Up to eight have a colour each; of more the best one stands out,
    and the others are the paler the worse they are. Raises ValueError where there is no curve that two
    of them logged.
    """
    panels = overlays(runs)
    if not panels:
        raise ValueError("no two runs logged a loss or a metric of the same kind")
    figure = Figure(
        figsize=(_WIDTH, _PANEL * len(panels) + 0.6),
        layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1),
        dpi=120,
    )
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(panels), 1, squeeze=False)
    for axis, panel in zip(grid[:, 0], panels, strict=True):
        _overlay(axis, panel, runs)
    return figure


def _overlay(axis: Axes, panel: Overlay, runs: Sequence[Run]) -> None:
    dress(axis)
    values = np.concatenate([stroke.y for stroke in panel.strokes])
    if log := bool(len(values)) and panel.spreads(float(values.min()), float(values.max())):
        axis.set_yscale("log")
    for stroke in reversed(panel.strokes):  # the best one lies on top
        color, width = _color(stroke.at, len(runs))
        y = np.clip(stroke.y, 1 / _HUGE if log else -_HUGE, _HUGE)
        named = stroke.at == 0 or len(runs) <= len(_MANY_COLORS)
        label = shorten(printable(runs[stroke.at].id), 28) if named else None
        if len(stroke.x) > _MANY:
            axis.plot(*thinned(stroke.x, y), color=color, linewidth=0.5, alpha=0.25)
            y = smoothed(y, log=log)
        line = axis.plot(*thinned(stroke.x, y), color=color, linewidth=width, label="_")[0]
        line.set_label(label if label is not None else "_")
        if len(stroke.bad):
            axis.plot(
                stroke.bad[:1],
                [0.03],
                "x",
                color=color,
                markersize=5,
                transform=axis.get_xaxis_transform(),
            )
    axis.set_xlabel(panel.unit)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, labels = axis.get_legend_handles_labels()
    legend = axis.legend(
        handles[::-1],
        labels[::-1],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        borderaxespad=0,
        fontsize=8.5,
        title=f"the best of {len(runs)}" if len(runs) > len(_MANY_COLORS) else None,
        title_fontsize=8.5,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    head(axis, panel.quantity, 0)


def _color(place: int, of: int) -> tuple[str | tuple[float, float, float], float]:
    """The colour and the width of the line of the run in this place."""
    if of <= len(_MANY_COLORS):
        return _MANY_COLORS[place], 2.0 if place == 0 else 1.4
    if place == 0:
        return _MANY_COLORS[0], 2.2
    grey = 0.35 + 0.5 * place / of
    return (grey, grey, grey), 0.9


def blank(width: float, height: float, dpi: int) -> Figure:
    """An empty figure of so many inches, for which there needs to be no display."""
    figure = Figure(figsize=(width, height), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def png_of(figure: Figure) -> bytes:
    """``figure`` as the bytes of a PNG; equal figures, equal bytes."""
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(out, format="png", metadata=dict(_METADATA[".png"]))
    return out.getvalue()


def save(figure: Figure, path: Path | str) -> None:
    """Write ``figure`` as PNG, SVG or PDF by the suffix of ``path``; equal figures, equal bytes.

    Raises RequestError for other suffixes, and where the file cannot be written.
    """
    target = Path(path)
    metadata = _METADATA.get(target.suffix.lower())
    if metadata is None:
        raise RequestError(f"{target.name}: a figure is saved as .png, .svg or .pdf")
    with mpl.rc_context({"svg.hashsalt": "tbdiag"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        try:
            figure.savefig(target, metadata=dict(metadata))
        except OSError as error:
            raise RequestError(f"{target} cannot be written: {error.strerror}") from error


def draw_panel(axis: Axes, panel: Panel) -> None:
    """The lines of a panel, and a cross at the bottom where one was NaN or infinite."""
    dress(axis)
    if spans_decades(np.concatenate([line.y for line in panel.lines])):
        axis.set_yscale("log")
    for line in panel.lines:
        _draw(axis, line)
    bad = np.unique(np.concatenate([line.bad for line in panel.lines]))
    if len(bad):
        crosses, _ = thinned(bad, bad)
        axis.plot(
            crosses,
            np.full(len(crosses), 0.03),
            "x",
            color=SHADES[Severity.ERROR],
            markersize=5,
            transform=axis.get_xaxis_transform(),
            label="NaN or infinite",
        )
    legend = axis.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, borderaxespad=0, fontsize=9
    )
    for handle in legend.get_lines():
        handle.set_linewidth(1.8)


def dress(axis: Axes) -> None:
    """Axes as all pictures have them: a pale grid, no frame."""
    axis.set_axisbelow(True)
    axis.grid(color=_PALE, linewidth=0.6)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axis.spines[side].set_color("#999999")
    axis.tick_params(colors=INK, labelsize=9)


def _draw(axis: Axes, line: Line) -> None:
    color = _COLORS[line.part]
    label = line.part if line.stretch == 1 else f"{line.part}\n(steps rescaled)"
    y = np.clip(line.y, -_HUGE, _HUGE)
    if log := axis.get_yscale() == "log":
        y = np.maximum(y, 1 / _HUGE)
    if line.part == BATCH:
        axis.plot(*thinned(line.x, y), color=color, linewidth=0.6, alpha=0.45, label=label)
    elif len(line.x) > _MANY:
        axis.plot(*thinned(line.x, y), color=color, linewidth=0.6, alpha=0.35)
        smooth = smoothed(y, log=log)
        axis.plot(*thinned(line.x, smooth), color=color, linewidth=1.8, label=label)
    else:
        marker = {TRAINING: "o", VALIDATION: "s"}[line.part] if len(line.x) <= _FEW else None
        axis.plot(line.x, y, color=color, linewidth=1.8, marker=marker, markersize=3.5, label=label)


def _rate(axis: Axes, rate: Line) -> None:
    dress(axis)
    if spans_decades(rate.y):
        axis.set_yscale("log")
    axis.plot(*thinned(rate.x, rate.y), color=_COLORS["rate"], linewidth=1.4)


def span_axis(axes: Sequence[Axes], found: Curves) -> None:
    """The x axis that the panels share: from the first point to the last, with its unit."""
    lines = [line for panel in found.panels for line in panel.lines]
    lines += [] if found.rate is None else [found.rate]
    ends = np.concatenate(
        [array[[0, -1]] for ln in lines for array in (ln.x, ln.bad) if len(array)]
    )
    low, high = float(ends.min()), float(ends.max())
    margin = 0.02 * (high - low) or 0.5
    axes[-1].set_xlim(low - margin, high + margin)
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[-1].set_xlabel(found.unit)
