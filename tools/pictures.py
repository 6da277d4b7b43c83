"""A picture for each rule: its first firing sample, with the steps of the finding shaded.

Of a rule about several runs, the curves of all of them with those of the finding standing out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from tbdiag.detectors.base import Rule, Sample
from tbdiag.diagnosis.examine import tried
from tbdiag.model.finding import Finding
from tbdiag.model.histogram import Histograms
from tbdiag.model.run import Run
from tbdiag.model.series import Series

INK, PALE, SHADE = "#1f6feb", "#8b949e", "#d1242f"


def draw(rule: type[Rule], path: Path) -> None:
    """Write the picture of the rule to ``path`` as SVG."""
    sample, finding = next((each, found) for each, found in tried(rule) if found is not None)
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tbdiag"}):
        figure = Figure(figsize=(6, 2.2), layout="constrained")
        axes = figure.add_subplot()
        spines = axes.spines
        spines[["top", "right"]].set_visible(False)
        if isinstance(sample, Sample):
            plot_run(axes, sample.run, finding)
        else:
            plot_search(axes, sample.runs, finding)
        axes.set_xlabel("step")
        axes.legend(frameon=False, fontsize="small")
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def plot_run(axes: Any, run: Run, finding: Finding) -> None:
    """The curves of the finding, with the steps of its first evidence shaded."""
    tags = list(dict.fromkeys(each.tag for each in finding.evidence)) or list(run.series)[:1]
    for position, tag in enumerate(tags[:4]):
        plot(axes, run, tag, INK if position == 0 else PALE)
    if finding.evidence:
        axes.axvspan(*finding.evidence[0].span, color=SHADE, alpha=0.12, linewidth=0)


def plot_search(axes: Any, runs: Sequence[Run], finding: Finding) -> None:
    """One curve of every run, those of the runs that the finding names in colours."""
    colors = dict(zip([each.run for each in finding.evidence], (INK, SHADE), strict=False))
    for run in runs:
        curve = run.series[finding.evidence[0].tag]
        named = run.id in colors
        axes.plot(
            curve.steps,
            curve.values,
            color=colors.get(run.id, PALE),
            linewidth=1.6 if named else 0.8,
            label=f"{curve.tag} of {run.id}" if named else None,
            zorder=2 if named else 1,
        )


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
