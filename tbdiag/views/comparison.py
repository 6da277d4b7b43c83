"""A comparison of runs as text for a terminal or a pipe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from tbdiag.diagnosis.comparison import Comparison, Standing
from tbdiag.search.lead import Group, Lead
from tbdiag.views.abreast import abreast
from tbdiag.views.overlay import Overlay, overlays
from tbdiag.views.paper import Paper
from tbdiag.views.settings_table import effects, settings
from tbdiag.views.text import cells, count, duration, number, result

_RUNS = 20  # runs in a table before they are counted only
_DRAWN = 8  # runs whose curves are drawn
_LEFT_OUT = 5  # runs that are named for a reason why they are left out
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
    settings(paper, found, labels)
    for overlay in overlays([each.run for each in found.standings[:_DRAWN]]):
        _curves(paper, overlay, labels)
    effects(paper, found)
    reasons: dict[str, list[str]] = defaultdict(list)
    for run, reason in found.left_out:
        reasons[reason].append(run)
    for reason, runs in reasons.items():
        more = f" and {len(runs) - _LEFT_OUT} more" if len(runs) > _LEFT_OUT else ""
        words = f"{', '.join(runs[:_LEFT_OUT])}{more}: {reason}"
        paper.gap()
        paper.flow(words, indent=0, label=("left out:", "warning"), most=6)
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
        words = "no run leads: the curves hold no finite values to compare"
        if found.standings[0].entrant.level is not None:
            words = f"whether {names[id(found.standings[0].entrant)]} is better cannot be told"
            words += ": rewards differ from seed to seed, and there are no repeats"
        paper.flow(words, indent=0, style="name")
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
        return ["failed", "", "", epochs, duration(each.seconds)]
    return [
        result(level.best),
        f"{level.step:,}",
        result(level.last),
        epochs,
        duration(each.seconds),
    ]


def _step(x: float) -> str:
    return f"{x:,.0f}" if x.is_integer() else number(x)


def _curves(paper: Paper, overlay: Overlay, labels: Sequence[str]) -> None:
    """The curves below each other, on one scale."""
    picture = abreast(overlay, min(paper.width - 6, _WIDEST))
    facts = [
        f"{number(picture.low)} to {number(picture.high)}",
        "log scale" if picture.log else "",
        "what is worse is cut off" if picture.cut else "",
        f"{overlay.unit}s {_step(overlay.first)}–{_step(overlay.last)}",
    ]
    about = f"  {', '.join(fact for fact in facts if fact)}"
    paper.gap()
    tag = paper.cut(", ".join(overlay.tags), max(paper.width - cells(about), 12))
    paper.line((tag, "name"), (about, "dim"))
    rows = picture.texts(only_ascii=paper.only_ascii)
    for stroke, row in zip(overlay.strokes, rows, strict=True):
        paper.line((f"{labels[stroke.at]:<4}", "name"), (row.rstrip(), ""))
