"""One finding in one small picture: the curve that it is about, with the steps that it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tbdiag.model.finding import Evidence, Finding
from tbdiag.model.run import Run
from tbdiag.views.figures import blank, draw_panel, png_of, span_axis
from tbdiag.views.history import TRAINING, Curves, Line, Panel, curves
from tbdiag.views.marks import SHADES, head

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT, _DPI = 4.6, 3.1, 160  # inches, inches, dots an inch: legible 340 pixels wide
_INSIDE = (0.12, 0.14, 0.86, 0.75)  # left, bottom, width, height: a layout engine would draw twice
_MANY = 4  # names beside the title, which then are written smaller


def closeup(run: Run, finding: Finding) -> Figure | None:
    """The panel of the curve that the finding is about, its steps shaded; None without such a curve.

    A curve that no panel of a run's picture shows (a gradient norm, say) is drawn alone.
    """
    found = _about(run, finding)
    if found is None:
        return None
    panel, unit, evidence = found
    figure = blank(_WIDTH, _HEIGHT, _DPI)
    axis: Axes = figure.add_axes(_INSIDE)
    draw_panel(axis, panel)
    span_axis([axis], Curves(panels=(panel,), rate=None, unit=unit))
    line = next((each for each in panel.lines if each.tag == evidence.tag), panel.lines[0])
    _shade(axis, finding, sorted(step * line.stretch for step in evidence.span))
    head(axis, panel.quantity, 0)
    _legend(axis)
    return figure


def png(run: Run, finding: Finding) -> bytes | None:
    """The picture as a PNG; the same bytes for the same curves. None where there is nothing to draw."""
    figure = closeup(run, finding)
    return None if figure is None else png_of(figure)


def _about(run: Run, finding: Finding) -> tuple[Panel, str, Evidence] | None:
    own = [each for each in finding.evidence if each.run in ("", run.id)]
    try:
        known = curves(run)
    except ValueError:
        known = None
    if known is not None:
        rate = [] if known.rate is None else [Panel(quantity="learning rate", lines=(known.rate,))]
        for evidence in own:
            for panel in (*known.panels, *rate):
                if evidence.tag in [line.tag for line in panel.lines]:
                    return panel, known.unit, evidence
    for evidence in own:
        series = run.series.get(evidence.tag)
        if series is not None and series.logged:
            line = Line(
                tag=series.tag,
                part=TRAINING,
                x=series.steps.astype(np.float64),
                y=series.values,
                bad=series.nonfinite.steps.astype(np.float64),
            )
            return Panel(quantity=series.tag, lines=(line,)), "step", evidence
    if (
        own and known is not None
    ):  # about a histogram, or a setting: at its steps of the first panel
        return known.panels[0], known.unit, own[0]
    return None


def _shade(axis: Axes, finding: Finding, span: list[float]) -> None:
    left, right = axis.get_xlim()
    low, high = max(span[0], left), min(span[1], right)
    color = SHADES[finding.severity]
    if high > low:
        axis.axvspan(low, high, color=color, alpha=0.16, linewidth=0, zorder=0)
    axis.axvline(low, color=color, linewidth=1.4, alpha=0.9, zorder=1)


def _legend(axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    if len(handles) < 2 and (alone := axis.get_legend()) is not None:
        alone.remove()
        return
    legend = axis.legend(
        handles,
        labels,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=len(handles),
        frameon=False,
        borderaxespad=0.1,
        fontsize=8 if len(handles) < _MANY else 7,
        handlelength=1.2,
        columnspacing=0.8,
    )
    for line in legend.get_lines():
        line.set_linewidth(1.8)
