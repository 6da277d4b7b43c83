"""A picture for each rule: its first firing sample, with the steps of the finding shaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from tbdiag.detectors.base import Detector
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.histogram import Histograms
from tbdiag.model.run import Run
from tbdiag.model.series import Series

INK, PALE, SHADE = "#1f6feb", "#8b949e", "#d1242f"


def draw(rule: type[Detector], path: Path) -> None:
    """Write the picture of the rule to ``path`` as SVG."""
    sample = next(each for each in rule.samples() if each.fires)
    finding = examine(sample.run, Selection(detectors=(rule(),))).findings[0]
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tbdiag"}):
        figure = Figure(figsize=(6, 2.2), layout="constrained")
        axes = figure.add_subplot()
        spines = axes.spines
        spines[["top", "right"]].set_visible(False)
        tags = (
            list(dict.fromkeys(each.tag for each in finding.evidence))
            or list(sample.run.series)[:1]
        )
        for position, tag in enumerate(tags[:4]):
            plot(axes, sample.run, tag, INK if position == 0 else PALE)
        if finding.evidence:
            axes.axvspan(*finding.evidence[0].span, color=SHADE, alpha=0.12, linewidth=0)
        axes.set_xlabel("step")
        axes.legend(frameon=False, fontsize="small")
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def plot(axes: Any, run: Run, tag: str, color: str) -> None:
    """One curve, or the spread of one tag's histograms over the steps."""
    if tag in run.series:
        plot_series(axes, run.series[tag], color)
    elif tag in run.histograms:
        plot_histograms(axes, run.histograms[tag], color)


def plot_series(axes: Any, series: Series, color: str) -> None:
    """A line, logarithmic where it spans more than two decades; crosses where it was not finite."""
    every, values = max(1, len(series) // 400), series.values
    axes.plot(series.steps[::every], values[::every], color=color, linewidth=1.2, label=series.tag)
    if len(values) and values.min() > 0 and values.max() > 100 * values.min():
        axes.set_yscale("log")
    elif len(values) and 0 < values.max() < 1.2 * values.min():
        axes.set_ylim(0, 1.2 * values.max())  # a flat curve looks flat
    bad = series.nonfinite.steps[:40]
    level = values[-1] if len(values) else 0.0
    axes.plot(bad, np.full(len(bad), level), "x", color=SHADE, markersize=4)


def plot_histograms(axes: Any, histograms: Histograms, color: str) -> None:
    """The median, and the band that holds nine tenths of the numbers."""
    low, middle, high = (
        [record.quantile(share) for record in histograms.records] for share in (0.05, 0.5, 0.95)
    )
    axes.fill_between(histograms.steps, low, high, color=color, alpha=0.25, linewidth=0)
    axes.plot(histograms.steps, middle, ".-", color=color, linewidth=1.2, label=histograms.tag)
