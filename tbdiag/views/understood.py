"""What ``tbdiag init`` made out of a script and its logs, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tbdiag.config.training import Choices, Dimension
from tbdiag.views.paper import Paper
from tbdiag.views.text import cells, number

_WIDEST = 40  # columns of a cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One parameter: ``dimension`` is None where it stays as in the run that is answered."""

    flag: str
    knob: str
    default: str
    dimension: Dimension | None
    source: str


def render(
    lines: Sequence[Line],
    notes: Sequence[str],
    *,
    title: str,
    end: str,
    color: bool,
    width: int,
    ascii: bool,  # noqa: A002 - what the other views call it
) -> str:
    """The table of what may be turned, what stays as it is, the ``notes`` and the ``end``."""
    paper = Paper(color=color, width=width, only_ascii=ascii)
    paper.flow(title, indent=0)
    turned = [each for each in lines if each.dimension is not None]
    if turned:
        paper.gap()
        rows = [("flag", "knob", "default", "range", "source")]
        rows += [(e.flag, e.knob, e.default, limits(e.dimension), e.source) for e in turned]
        _table(paper, rows)
    stays = [each.flag for each in lines if each.dimension is None]
    if stays:
        paper.gap()
        paper.flow("stay as in the run that is answered: " + ", ".join(stays), indent=0)
    if notes:
        paper.gap()
        for each in notes:
            paper.flow(each, indent=0, label=("note:", "note"))
    paper.gap()
    paper.flow(end, indent=0)
    return paper.text()


def limits(dimension: Dimension | None) -> str:
    """A dimension in a few words."""
    if dimension is None:
        return ""
    if isinstance(dimension, Choices):
        return ", ".join(
            number(each)
            if isinstance(each, int | float) and not isinstance(each, bool)
            else str(each)
            for each in dimension.values
        )
    return f"{number(dimension.low)} … {number(dimension.high)}{' log' if dimension.log else ''}"


def _table(paper: Paper, rows: Sequence[Sequence[str]]) -> None:
    sizes = [min(max(cells(row[at]) for row in rows), _WIDEST) for at in range(4)]
    rest = max(cells(row[4]) for row in rows)
    sizes[3] = max(min(sizes[3], paper.width - 2 - sum(sizes[:3]) - 8 - rest), len("range"))
    for at, row in enumerate(rows):
        style = "dim" if at == 0 else ""
        pieces = []
        for column, size in enumerate(sizes):
            cell = paper.cut(row[column], size)
            pieces.append(
                (cell + " " * (size - cells(cell) + 2), style or ("" if column else "name"))
            )
        paper.line(*pieces, (row[4], "dim"), indent=2)
