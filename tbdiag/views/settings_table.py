"""The settings in which runs differ, as tables, and which of them matters."""

from __future__ import annotations

from collections.abc import Sequence

from tbdiag.diagnosis.comparison import Comparison, Effect, Standing
from tbdiag.model.run import Scalar
from tbdiag.views.paper import Paper, Piece
from tbdiag.views.text import cells, number, result, shorten

_RUNS = 20  # runs in a table
_ACROSS = 6  # runs that are columns; of more each is a row
_ROWS = 20  # settings in a table with the runs as columns
_WIDE = 16  # columns of a value in a table with the runs as rows
_SETTING = "setting"  # the head of the column with the names
_EFFECTS = 12
_LEAST = 0.01  # share that is worth its line
_SURE = 0.1  # largest probability by chance of an importance that is shown


def settings(paper: Paper, found: Comparison, labels: Sequence[str]) -> None:
    """The settings that differ, a column for each of a few runs, else a row; ``labels`` name the runs."""
    if len(found.standings) <= _ACROSS:
        _across(paper, found, labels)
    else:
        _down(paper, found, labels)


def effects(paper: Paper, found: Comparison) -> None:
    """What goes with good results, one line for each setting, or why that cannot be told."""
    paper.gap()
    if found.why_no_effects:
        paper.flow(found.why_no_effects, indent=0, style="dim")
        return
    if not found.effects:
        return
    shown = found.effects[:_EFFECTS]
    paper.line(("which setting matters", "name"))
    size = min(max(cells(each.name) for each in shown), paper.width // 3)
    for each in shown:
        label = paper.cut(each.name, size)
        pad = " " * (size - cells(label))
        paper.flow(_matters(paper, each), indent=2, label=(label + pad + " ", "name"), most=3)
    if len(found.effects) > len(shown):
        paper.line((f"and {len(found.effects) - len(shown)} more", "dim"), indent=2)
    words = "rank correlations with good results, with 90 % intervals"
    if found.why_no_importance:
        words = f"{words}; {found.why_no_importance}"
    else:
        words = f"importance: share of what makes the best quarter of the runs (PED-ANOVA); {words}"
    paper.flow(words, indent=2, style="dim")


def _matters(paper: Paper, each: Effect) -> str:
    told = []
    if each.importance is not None and each.chance is not None:
        share = f"importance {each.importance:.0%}"
        sure = each.chance <= _SURE and each.importance >= _LEAST
        told.append(share if sure else "no more important than chance")
    if each.correlation is not None:
        c = each.correlation
        interval = f"{c.rho:+.2f} ({c.low:+.2f} to {c.high:+.2f})"
        if c.low > 0:
            told.append(f"higher is better, {interval}")
        elif c.high < 0:
            told.append(f"lower is better, {interval}")
        else:
            told.append(f"no direction, {interval}")
    if each.values:
        best = [f"{shorten(v, 20)} {result(median)} ({n})" for v, median, n in each.values[:4]]
        more = f" and {len(each.values) - 4} more" if len(each.values) > 4 else ""
        told.append(f"by median {', '.join(best)}{more}")
    return "; ".join(told)


def _known(each: Standing) -> dict[str, Scalar]:
    return {**each.entrant.settings, **each.entrant.seeds}


def _setting(settings: dict[str, Scalar], name: str) -> str:
    if name not in settings:
        return "-"
    value = settings[name]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return str(value)


def _same(found: Comparison) -> str:
    if found.same == 1:
        return "1 more is the same"
    return f"{found.same} more are the same" if found.same else ""


def _across(paper: Paper, found: Comparison, labels: Sequence[str]) -> None:
    """A row for each setting that differs, a column for each run."""
    if not found.differing:
        if found.same:
            paper.gap()
            paper.flow(f"no setting differs among the {found.same} that are known", indent=0)
        return
    labels = labels[: len(found.standings)]
    shown = found.differing[:_ROWS]
    table = [[_setting(_known(each), name) for each in found.standings] for name in shown]
    first = min(max(map(cells, (_SETTING, *shown))), paper.width // 3)
    most = (paper.width - first - 2) // len(labels) - 2
    cut = [[paper.cut(value, most) for value in row] for row in table]
    sizes = [max(cells(row[at]) for row in (labels, *cut)) for at in range(len(labels))]
    paper.gap()
    _cells(paper, _SETTING, labels, first, sizes, "dim")
    for name, row in zip(shown, cut, strict=True):
        _cells(paper, name, row, first, sizes, "")
    left = len(found.differing) - len(shown)
    rest = ", ".join(each for each in (f"{left} more differ" if left else "", _same(found)) if each)
    if rest:
        paper.line((rest, "dim"), indent=2)


def _cells(
    paper: Paper, name: str, row: Sequence[str], first: int, sizes: Sequence[int], style: str
) -> None:
    head = paper.cut(name, first)
    pieces: list[Piece] = [(head + " " * (first - cells(head)), style or "name")]
    for value, size in zip(row, sizes, strict=True):
        pieces.append((" " * (2 + size - cells(value)) + value, style))
    paper.line(*pieces, indent=2)


def _down(paper: Paper, found: Comparison, labels: Sequence[str]) -> None:
    """A row for each run, a column for each setting that differs, as many as there is room for."""
    if not found.differing:
        return
    ordered = [each.name for each in found.effects if each.name in found.differing]
    ordered += [name for name in found.differing if name not in ordered]
    shown = found.standings[:_RUNS]
    columns: list[list[str]] = []
    room = paper.width - 4
    for name in ordered:
        column = [name, *(_setting(_known(each), name) for each in shown)]
        column = [paper.cut(value, _WIDE) for value in column]
        size = max(map(cells, column)) + 2
        if size > room:
            break
        room -= size
        columns.append(column)
    paper.gap()
    sizes = [max(map(cells, column)) for column in columns]
    for at, label in enumerate(["", *labels[: len(shown)]]):
        row = [column[at] for column in columns]
        style = "" if at else "dim"
        pieces: list[Piece] = [(f"{label:<4}", "name")]
        for value, size in zip(row, sizes, strict=True):
            pieces.append((" " * (2 + size - cells(value)) + value, style))
        paper.line(*pieces)
    left = ordered[len(columns) :]
    if left:
        paper.flow(f"{', '.join(left)} differ, too", indent=2, style="dim", most=3)
    if found.same:
        paper.line((_same(found), "dim"), indent=2)
