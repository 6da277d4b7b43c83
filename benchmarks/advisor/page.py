"""What was measured as data and as Markdown: `docs/advisor-benchmark.json` and `.md`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.advisor.methods import EXPERT, FOLLOWUPS, HIDDEN, OURS, RECIPES, TPE
from benchmarks.advisor.ours import Cell
from benchmarks.advisor.references import Reference
from benchmarks.advisor.scores import Estimate, Floats, Score
from benchmarks.advisor.tasks import TASKS
from benchmarks.advisor.verdicts import Claim, Claims
from benchmarks.diagnosis.intervals import clustered
from benchmarks.diagnosis.page import Section, Table, section_lines

PLACE = Path(__file__).resolve().parents[2] / "docs" / "advisor-benchmark.json"
_RIVALS = (EXPERT, RECIPES, TPE)

Scores = Mapping[str, Score]


def main_section(title: str, told: Sequence[str], scores: Scores) -> Section:
    """One row for each method."""
    return Section(title, (*told, _table(scores)))


def _table(scores: Scores) -> Table:
    head = (
        "method", "within 5 %", "follow-ups to 5 %: median", "mean", "epochs to 5 %: mean",
        "within 2 %", "follow-ups to 2 %: mean",
    )  # fmt: skip
    return Table.of(head, [_row(name, score) for name, score in scores.items()])


def _row(name: str, score: Score) -> tuple[str, ...]:
    full = _limits(score)
    return (
        name,
        share(score.hits),
        _count(score.median),
        number(score.mean),
        number(score.mean_epochs(full), 0),
        share(score.nearer_hits),
        number(score.nearer_mean),
    )


def _limits(score: Score) -> Floats:
    """What a search costs that never arrives: the epochs of all its follow-ups, by the task."""
    epochs = {task.name: task.epochs for task in TASKS}
    return np.array([[float(epochs[name] * score.most)] for name in score.clusters])


def beside_section(title: str, scores: Scores) -> Section:
    """The advisor against its rivals: by how much more often, how many times sooner."""
    ours = scores[OURS]
    rows = [
        (name, points(ours.ahead(scores[name])), times(ours.fewer(scores[name])))
        for name in (*_RIVALS, HIDDEN)
        if name in scores
    ]
    head = ("beside", "within 5 % more often, points", "fewer follow-ups on average, times")
    return Section(title, (Table.of(head, rows),))


def kind_section(
    title: str, scores: Scores, groups: Mapping[str, Sequence[str]], names: Sequence[str]
) -> Section:
    """The same for groups of tasks, by what they have in common."""
    return _grouped_section(title, "kind (cells)", scores, groups, names)


def task_section(title: str, scores: Scores, tasks: Sequence[str], names: Sequence[str]) -> Section:
    """The share of cells within 5 % for each task, and the mean follow-ups."""
    return _grouped_section(title, "task (cells)", scores, {each: (each,) for each in tasks}, names)


def _grouped_section(
    title: str, head: str, scores: Scores, groups: Mapping[str, Sequence[str]], names: Sequence[str]
) -> Section:
    some = next(iter(scores.values()))
    rows = []
    for group, tasks in groups.items():
        chosen = [i for i, name in enumerate(some.clusters) if name in tasks]
        if not chosen:
            continue
        parts = [scores[name].of(chosen) for name in names]
        rows.append(
            (
                f"{group} ({len(chosen)})",
                *(
                    f"{np.isfinite(part.near).mean():.0%}, "
                    f"{np.minimum(part.near, part.most + 1).mean():.1f}"
                    for part in parts
                ),
            )
        )
    return Section(title, (Table.of((head, *names), rows),))


def verdict_section(found: Claims) -> Section:
    """How many claims there were, and how many hold on fresh seeds."""
    rows = []
    for title, claims in (
        ("the end of a round: winner trained on two other seeds", found.final),
        ("a single follow-up beside its parent", found.single),
    ):
        rows.append((title, len(claims), _held(claims, "better"), _held(claims, "proved")))
    words = (
        f"Without `--keep-going` a round ends when the problem is solved: so it did in "
        f"{len(found.final)} of {found.cells} cells, after "
        f"{np.median([float(each.followups) for each in found.final] or [math.nan]):g} follow-ups (median), "
        "the two repeats among them. Winner and start were then trained on four fresh seeds."
    )
    head = ("CONFIRMED", "claims", "better on fresh seeds", "CONFIRMED again by the same rules")
    return Section("Verdicts", (words, Table.of(head, rows)))


def _held(claims: Sequence[Claim], what: str) -> str:
    return str(
        clustered([getattr(each, what) for each in claims], [c.cell.task.name for c in claims])
    )


def reference_section(found: Mapping[str, Reference], cells: Sequence[Cell]) -> Section:
    """The tasks, what they are, and what can be reached."""
    rows = [
        (
            task.name,
            task.kind,
            task.what,
            task.epochs,
            f"{found[task.name].value:.4g}",
            found[task.name].searched,
            sum(cell.task is task for cell in cells),
        )
        for task in TASKS
        if task.name in found
    ]
    head = ("task", "kind", "what", "epochs", "reference", "searched", "cells")
    return Section("Tasks", (Table.of(head, rows),))


def share(found: Estimate) -> str:
    """``84 % (70–95)``."""
    return f"{found.value:.0%} ({100 * found.low:.0f}–{100 * found.high:.0f})"


def points(found: Estimate) -> str:
    """``+12 (3–20)``."""
    low, high = 100 * found.low, 100 * found.high
    return f"{100 * found.value:+.0f} ({low:+.0f} to {high:+.0f})"


def times(found: Estimate) -> str:
    """``2.1 (1.6–2.9)``."""
    return f"{found.value:.1f} ({found.low:.1f}–{found.high:.1f})"


def number(found: Estimate, digits: int = 1) -> str:
    """A mean with its interval."""
    return f"{found.value:.{digits}f} ({found.low:.{digits}f}–{found.high:.{digits}f})"


def _count(median: float) -> str:
    return f"> {FOLLOWUPS}" if math.isinf(median) else f"{median:g}"


def markdown(introduction: Sequence[str], sections: Sequence[Section]) -> str:
    """The page."""

    def lines() -> Iterator[str]:
        yield "# The advisor beside blind search\n"
        for each in introduction:
            yield each + "\n"
        for section in sections:
            yield from section_lines(section)

    return "\n".join(lines()).rstrip("\n") + "\n"


def data(introduction: Sequence[str], sections: Sequence[Section]) -> str:
    """The same as JSON."""
    told = [
        {
            "title": section.title,
            "parts": [
                part if isinstance(part, str) else {"head": part.head, "rows": part.rows}
                for part in section.parts
            ],
        }
        for section in sections
    ]
    content = {"introduction": list(introduction), "sections": told}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
