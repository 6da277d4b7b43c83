"""A comparison of runs as text for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tbdiag.diagnosis.comparison import Comparison, Effect, Standing
from tbdiag.model.run import Scalar
from tbdiag.search.lead import Group, Lead
from tbdiag.views.abreast import abreast
from tbdiag.views.overlay import Overlay, overlays
from tbdiag.views.paper import Paper, Piece
from tbdiag.views.text import cells, count, number, shorten

_RUNS = 20  # runs in a table before they are counted only
_DRAWN = 8  # runs whose curves are drawn
_ACROSS = 6  # runs that are columns of the table of settings; of more each is a row
_ROWS = 20  # settings in such a table
_EFFECTS = 12
_SURE = 0.1  # largest probability by chance of an importance that is shown
_WIDEST = 72  # columns of a curve

Names = dict[int, str]  # the label of each run by the identity of its entry


def render(
    found: Comparison,
    *,
    color: bool,
    width: int = 80,
    ascii: bool = False,  # noqa: A002 -- the word for it, and nothing here needs the builtin
) -> str:
    """The comparison in lines of at most ``width`` columns (40 at least), the best run first.

    Text from files is escaped; there are escape sequences only with ``color``, and without them the
    text is the same; ``ascii`` keeps it to ASCII.
    """
    paper = Paper(color=color, width=width, only_ascii=ascii)
    labels = _labels()  # enough for all that are shown
    names = {id(each.entrant): label for each, label in zip(found.standings, labels, strict=False)}
    _head(paper, found)
    _verdict(paper, found, names)
    _standings(paper, found, names)
    if len(found.standings) <= _ACROSS:
        _settings_across(paper, found, names)
    else:
        _settings_down(paper, found, names)
    for overlay in overlays([each.run for each in found.standings[:_DRAWN]]):
        _curves(paper, overlay, labels)
    _effects(paper, found)
    for run, reason in found.left_out[:_DRAWN]:
        paper.gap()
        paper.flow(f"{run}: {reason}", indent=0, label=("left out:", "warning"), most=2)
    return paper.text()


def _labels() -> Sequence[str]:
    """A to Z, then AA and so on; enough for as many runs as are shown."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [*letters, *(first + second for first in letters for second in letters)]


def _head(paper: Paper, found: Comparison) -> None:
    objective = found.objective
    paper.line(
        (f"{count(len(found.standings), 'run')} by {objective.phrase}", "name"),
        (f"  {objective.tag}, {objective.better.value} is better", "dim"),
    )
    for sentence in found.caveats:
        paper.flow(sentence, indent=0, label=("note:", "note"), most=3)


def _verdict(paper: Paper, found: Comparison, names: Names) -> None:
    paper.gap()
    lead, noise = found.lead, found.noise
    if lead is None or noise is None:
        paper.flow("no run leads: the curves hold no finite values to compare", indent=0)
        return
    first, second = _group(lead.first, names), _group(lead.second, names)
    by, limit = number(lead.by), number(lead.limit)
    if not np.isfinite(lead.by):
        paper.flow(f"{first} is the only one that did not fail", indent=0, style="name")
    elif lead.beyond:
        words = f"{first} is better than {second} by {by}, more than the noise of {limit}"
        paper.flow(words, indent=0, style="name")
    else:
        words = f"{first} leads {second} by {by}, within the noise of {limit}: {_tied(lead, names)}"
        paper.flow(words, indent=0, style="name")
    paper.flow(_why(lead), indent=0, style="dim")


def _tied(lead: Lead, names: Names) -> str:
    if lead.groups == len(lead.tied):
        return "none of them can be called better"
    shown = ", ".join(names.get(id(group[0]), "?") for group in lead.tied[:_DRAWN])
    more = f" and {len(lead.tied) - _DRAWN} more" if len(lead.tied) > _DRAWN else ""
    return f"any of {shown}{more} may be the best"


def _why(lead: Lead) -> str:
    """Where the noise comes from."""
    noise = lead.noise
    told = (
        f"seeds differ by {number(noise.seed_sd)} (from {count(noise.repeats, 'repeat')})"
        if noise.repeats
        else f"seeds are taken to differ by {number(noise.seed_sd)}, as there are no repeats"
    )
    if noise.samples is not None:
        error = (
            f"{noise.samples:,} validation samples have a standard error of {number(noise.error)}"
        )
        told = f"{error}; {told}"
    return f"noise: {told}"


def _group(group: Group, names: Names) -> str:
    label = names.get(id(group[0]), "?")
    return label if len(group) == 1 else f"{label} (mean of {len(group)} seeds)"


def _standings(paper: Paper, found: Comparison, names: Names) -> None:
    shown = found.standings[:_RUNS]
    head = ["best", "at step", "last", "epochs", "time"]
    rows = [_facts(each) for each in shown]
    if all(row[3] == "" for row in rows):
        head[3] = "steps"
        rows = [[*row[:3], f"{s.steps:,}", row[4]] for row, s in zip(rows, shown, strict=True)]
    sizes = [max(cells(row[at]) for row in (head, *rows)) for at in range(len(head))]
    paper.gap()
    _row(paper, "", "run", head, sizes, "dim")
    for each, row in zip(shown, rows, strict=True):
        _row(paper, names[id(each.entrant)], each.run.id, row, sizes, "")
    if len(found.standings) > _RUNS:
        paper.line((f"and {count(len(found.standings) - _RUNS, 'more run')}", "dim"), indent=2)


def _row(
    paper: Paper, label: str, name: str, facts: Sequence[str], sizes: Sequence[int], style: str
) -> None:
    right = "".join(f"  {fact:>{size}}" for fact, size in zip(facts, sizes, strict=True))
    room = paper.width - 4 - cells(right)
    fitted = paper.cut(name, max(room, 8))
    pad = " " * (room - cells(fitted))
    paper.line(
        (f"{label:<4}", "name"), (fitted, style or "name"), (pad, ""), (right, style), indent=0
    )


def _facts(each: Standing) -> list[str]:
    level = each.entrant.level
    epochs = "" if each.epochs is None else number(each.epochs)
    if level is None:
        return ["failed", "", "", epochs, _time(each.seconds)]
    return [_value(level.best), f"{level.step:,}", _value(level.last), epochs, _time(each.seconds)]


def _value(value: float) -> str:
    return f"{value:.4g}" if 1e-3 <= abs(value) < 1e4 else number(value)


def _time(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


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
    return f"{found.same} more are the same" if found.same else ""


def _settings_across(paper: Paper, found: Comparison, names: Names) -> None:
    """A row for each setting that differs, a column for each run."""
    if not found.differing:
        if found.same:
            paper.gap()
            paper.flow(f"no setting differs among the {found.same} that are known", indent=0)
        return
    labels = [names[id(each.entrant)] for each in found.standings]
    shown = found.differing[:_ROWS]
    table = [[_setting(_known(each), name) for each in found.standings] for name in shown]
    first = min(max(map(cells, shown)), paper.width // 3)
    most = (paper.width - first - 2) // len(labels) - 2
    cut = [[paper.cut(value, most) for value in row] for row in table]
    sizes = [max(cells(row[at]) for row in (labels, *cut)) for at in range(len(labels))]
    paper.gap()
    _cells(paper, "setting", labels, first, sizes, "dim")
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


def _settings_down(paper: Paper, found: Comparison, names: Names) -> None:
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
        column = [paper.cut(value, 16) for value in column]
        size = max(map(cells, column)) + 2
        if size > room:
            break
        room -= size
        columns.append(column)
    paper.gap()
    sizes = [max(map(cells, column)) for column in columns]
    labels = ["", *(names[id(each.entrant)] for each in shown)]
    for at, label in enumerate(labels):
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


def _curves(paper: Paper, overlay: Overlay, labels: Sequence[str]) -> None:
    """The curves below each other, on one scale."""
    picture = abreast(overlay, min(paper.width - 6, _WIDEST))
    facts = [
        f"{number(picture.low)} to {number(picture.high)}",
        "log scale" if picture.log else "",
        "what is worse is cut off" if picture.cut else "",
        f"{overlay.unit}s {overlay.first:,.0f}–{overlay.last:,.0f}",
    ]
    about = f"  {', '.join(fact for fact in facts if fact)}"
    paper.gap()
    tag = paper.cut(", ".join(overlay.tags), max(paper.width - cells(about), 12))
    paper.line((tag, "name"), (about, "dim"))
    rows = picture.texts(only_ascii=paper.only_ascii)
    for stroke, row in zip(overlay.strokes, rows, strict=True):
        paper.line((f"{labels[stroke.at]:<4}", "name"), (row.rstrip(), ""))


def _effects(paper: Paper, found: Comparison) -> None:
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
    if all(each.importance is None for each in found.effects):
        words = f"{count(len(found.standings), 'run')} are too few to tell importances; rank correlations with 90 % intervals"
        paper.flow(words, indent=2, style="dim")
    else:
        words = "importance: share of what makes the best quarter of the runs (PED-ANOVA); rank correlations with 90 % intervals"
        paper.flow(words, indent=2, style="dim")


def _matters(paper: Paper, each: Effect) -> str:
    told = []
    if each.importance is not None and each.chance is not None:
        share = f"importance {each.importance:.0%}"
        told.append(share if each.chance <= _SURE else "no more important than chance")
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
        best = [f"{shorten(v, 20)} {_value(median)} ({n})" for v, median, n in each.values[:4]]
        more = f" and {len(each.values) - 4} more" if len(each.values) > 4 else ""
        told.append(f"by median {', '.join(best)}{more}")
    return "; ".join(told)
