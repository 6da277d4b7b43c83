"""Evidence in the terminal: the curve as a sparkline with the span underlined."""

from __future__ import annotations

from collections.abc import Iterable

from tbdiag.model.finding import Evidence, Measure
from tbdiag.model.series import Series
from tbdiag.views.paper import Paper, Piece
from tbdiag.views.sparkline import sparkline
from tbdiag.views.text import cells, number

_WIDEST = 72  # columns of a sparkline; more of them add nothing


def exhibit(
    paper: Paper, curve: Series, evidence: Evidence | None, *, indent: int, style: str = ""
) -> None:
    """Three lines: tag and steps, the curve between its first and last value, the marked span.

    The span is drawn in ``style``; without evidence the curve stands alone. The measures follow on a
    line of their own.
    """
    ends = _ends(curve)
    first, last = number(ends[0][1]), number(ends[1][1])
    start = indent + len(first) + 1
    drawn = sparkline(curve, min(paper.width - start - len(last) - 1, _WIDEST))
    scale = ", log scale" if drawn.log else ""
    about = f"  {steps(ends[0][0], ends[1][0])}{scale}"
    tag = paper.cut(curve.tag, paper.width - indent - cells(about))
    paper.line((tag, ""), (about, "dim"), indent=indent)

    blocks = drawn.text(only_ascii=paper.only_ascii)
    a, b = drawn.columns(evidence.span) if evidence else (0, -1)
    inside: Piece = (blocks[a : b + 1], style)
    row = ((blocks[:a], ""), inside, (blocks[b + 1 :], "")) if evidence else ((blocks, ""),)
    paper.line((first, "dim"), (" ", ""), *row, (" ", ""), (last, "dim"), indent=indent)
    if evidence is None:
        return
    note = f"{steps(*evidence.span)}{': ' if evidence.note else ''}{evidence.note}"
    _mark(paper, indent, start + a, b - a + 1, paper.clean(note), style)
    if evidence.measures:
        paper.flow(measures(evidence.measures), indent=start, style="dim")


def _mark(paper: Paper, indent: int, start: int, length: int, note: str, style: str) -> None:
    carets: Piece = ("^" * length, style)
    if start + length + 1 + cells(note) <= paper.width:
        paper.line(carets, (" ", ""), (note, style), indent=start)
    elif cells(note) + 1 <= start - indent:
        paper.line((note, style), (" ", ""), carets, indent=start - cells(note) - 1)
    else:
        paper.line(carets, indent=start)
        fits = cells(note) <= paper.width - indent
        paper.flow(
            note, indent=min(start, paper.width - cells(note)) if fits else indent, style=style
        )


def _ends(curve: Series) -> tuple[tuple[int, float], tuple[int, float]]:
    points = [
        (int(steps[at]), float(values[at]))
        for steps, values in (
            (curve.steps, curve.values),
            (curve.nonfinite.steps, curve.nonfinite.values),
        )
        if len(steps)
        for at in (0, -1)
    ]
    return min(points, key=lambda p: p[0]), max(points, key=lambda p: p[0])


def steps(first: int, last: int) -> str:
    """``step 5`` or ``steps 5–9,000``."""
    return f"step {first:,}" if first == last else f"steps {first:,}–{last:,}"


def measures(each: Iterable[Measure]) -> str:
    """``rise 1.48 > 0.05, best_step 115``."""
    return ", ".join(
        f"{m.name} {number(m.value)}"
        + (f" {m.relation} {number(m.limit)}" if m.limit is not None else "")
        for m in each
    )
