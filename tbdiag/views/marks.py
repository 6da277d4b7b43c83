"""What is marked on a picture of curves: the spans of findings, their labels, the title above them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tbdiag.model.finding import Evidence, Finding, Severity
from tbdiag.views.history import Curves
from tbdiag.views.text import printable, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADES = {Severity.ERROR: "#B2182B", Severity.WARNING: "#E69F00", Severity.NOTE: "#777777"}
_WORDS = SHADES | {Severity.WARNING: "#8A5A00", Severity.NOTE: "#555555"}  # readable on white
INK = "#333333"

_LABEL, _LANE = 8.5, 11.5  # points: the size of a finding's label, the height of its lane
_LABELS = 6  # findings labelled in one panel


def placed(
    findings: Sequence[Finding], found: Curves
) -> list[tuple[Finding, tuple[float, float], int]]:
    """(finding, span on the x axis, panel): where its first evidence among the curves lies.

    A finding on a curve that is not drawn stands in the first panel, at its own steps.
    """
    lines = {line.tag: (line, at) for at, panel in enumerate(found.panels) for line in panel.lines}
    if found.rate is not None:
        lines[found.rate.tag] = (found.rate, len(found.panels))
    marks = []
    for finding in findings:
        shown = [each for each in finding.evidence if each.tag in lines]
        evidence: Evidence | None = next(iter(shown or finding.evidence), None)
        if evidence is None:
            continue
        line, at = lines.get(evidence.tag, (None, 0))
        stretch = 1.0 if line is None else line.stretch
        low, high = sorted(step * stretch for step in evidence.span)
        marks.append((finding, (low, high), at))
    return marks


def mark(axis: Axes, found: Sequence[tuple[Finding, tuple[float, float]]], *, inches: float) -> int:
    """Shaded spans, labelled in lanes above the axes, clear of the data and each other.

    ``inches`` is about how wide the axes are. Returns how many lanes there are. What exceeds `_LABELS` findings is counted only.
    """
    left, right = axis.get_xlim()
    character = 0.6 * _LABEL / 72 * (right - left) / inches  # about its width on the axis
    lanes: list[list[tuple[float, float]]] = []
    for finding, (first, last) in found[:_LABELS]:
        low, high = max(first, left), min(last, right)
        color = SHADES[finding.severity]
        if high - low > 0.004 * (right - left):
            axis.axvspan(low, high, color=color, alpha=0.13, linewidth=0, zorder=0)
        axis.axvline(low, color=color, linewidth=1, alpha=0.8, zorder=1)
        text = f"{finding.code} {finding.name}"
        wide = len(text) * character
        begin = low if low + wide <= right else max(left, right - wide)
        lane = next((at for at, ends in enumerate(lanes) if _free(ends, begin, wide)), len(lanes))
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((begin, begin + wide))
        _label(axis, text, begin if begin == low else right, lane, begin == low, finding.severity)
    if len(found) > _LABELS:
        _label(axis, f"and {len(found) - _LABELS} more", right, len(lanes), False, Severity.NOTE)
        lanes.append([])
    return len(lanes)


def _free(taken: Sequence[tuple[float, float]], begin: float, wide: float) -> bool:
    return all(begin + wide < low or high < begin for low, high in taken)


def _label(axis: Axes, text: str, x: float, lane: int, leftmost: bool, severity: Severity) -> None:
    axis.annotate(
        text,
        (x, 1.0),
        (0.0, 3 + lane * _LANE),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="left" if leftmost else "right",
        fontsize=_LABEL,
        color=_WORDS[severity],
        parse_math=False,
    )


def head(axis: Axes, text: str, lanes: int) -> None:
    """The title of a panel, above so many lanes of labels."""
    shown = shorten(printable(text.replace("_", " ")), 50)
    axis.set_title(
        shown[:1].upper() + shown[1:],
        loc="left",
        fontsize=11,
        fontweight="bold",
        color=INK,
        pad=7 + lanes * _LANE,
        parse_math=False,
    )
