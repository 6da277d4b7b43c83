"""Measure the advisor beside blind search, and write `docs/advisor-benchmark.json` and `.md`.

python -m benchmarks.advisor                       # everything; written to docs/
python -m benchmarks.advisor --only tuning         # the tasks on which the policy was tuned; printed
python -m benchmarks.advisor --starts 4 --tasks counts images

Runs are kept below `build/advisor` and trained once. The first time takes hours of one core, later
ones minutes. Optuna's Gaussian process needs PyTorch: without it, and where it was not run before, it
is left out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.advisor import page
from benchmarks.advisor.arena import PLACE, Arena
from benchmarks.advisor.methods import (
    EXPERT,
    FOLLOWUPS,
    GP,
    HIDDEN,
    OURS,
    RECIPES,
    TPE,
    Method,
    Trace,
    ablations,
    blind_methods,
    ours,
    run,
)
from benchmarks.advisor.ours import Cell
from benchmarks.advisor.references import Reference, reference, reference_of_two
from benchmarks.advisor.scores import Score, scored
from benchmarks.advisor.starts import STARTS, TWO, narrowed, space
from benchmarks.advisor.tasks import REPORT, TASKS, TUNING, UNSEEN, named, part
from benchmarks.advisor.training import Task
from benchmarks.advisor.verdicts import claims
from benchmarks.diagnosis.page import Section, section_lines

_NEAR = 0.05  # a start within that of the reference is not bad
SECTIONS = ("all", "verdicts", "parts", "two", "tuning")
SEEDS = (0, 1, 2)  # of chance, for each method
_SLOW = {GP: (0,)}  # what takes longer to think than to train
# For the parts and the two settings: all unusual ones, which are short, and one of each other kind.
_SOME = ("waves", "patches", "counts", "points", "autoencoder")
_PARTS_STARTS = 4


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the tables as they come; writes the page where all of it was measured."""
    options = _parser().parse_args(argv)
    arena = Arena(options.cache)
    sections = []
    for section in _sections(arena, options):
        print("\n".join(section_lines(section)), flush=True)
        sections.append(section)
    whole = not (options.tasks or options.only) and options.starts == len(STARTS)
    if whole or options.write:
        words = _introduction(options.tasks)
        page.PLACE.write_text(page.data(words, sections), encoding="utf-8")
        page.PLACE.with_suffix(".md").write_text(page.markdown(words, sections), encoding="utf-8")
    print(f"{arena.trained} runs were trained", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.advisor", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--cache", type=Path, default=PLACE, metavar="DIR")
    parser.add_argument("--tasks", nargs="+", choices=[task.name for task in TASKS])
    parser.add_argument("--starts", type=int, default=len(STARTS), help="the first so many")
    parser.add_argument("--write", action="store_true", help="the page, also of less than all")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="sections; nothing is written")
    return parser


def _sections(arena: Arena, options: argparse.Namespace) -> Iterator[Section]:
    wanted = options.only or SECTIONS
    tasks = [t for t in part(REPORT) if not options.tasks or t.name in options.tasks]
    some = [task for task in tasks if task.name in _SOME]
    known = {task.name: reference(arena, task) for task in tasks}
    cells = list(_cells(arena, tasks, known, options.starts))
    values = [known[cell.task.name].value for cell in cells]
    if "all" in wanted:
        yield from _all(arena, cells, values, known)
    if "verdicts" in wanted:
        yield page.verdict_section(claims(arena, cells, FOLLOWUPS))
    if "parts" in wanted and some:
        cells = list(_cells(arena, some, known, min(options.starts, _PARTS_STARTS)))
        values = [known[cell.task.name].value for cell in cells]
        scores = _scores(arena, {OURS: ours(), **ablations()}, cells, values, SEEDS[:1])
        told = (
            f"On {_and([task.name for task in some])} alone, from the first "
            f"{_PARTS_STARTS} starts and with one seed: a difference of one or two cells is chance.",
        )
        yield page.main_section("What each part is worth", told, scores)
    if "two" in wanted and some:
        yield from _two(arena, some, options.starts)
    if "tuning" in wanted:
        yield from _tuning(arena, options)


def _all(
    arena: Arena, cells: Sequence[Cell], values: Sequence[float], known: Mapping[str, Reference]
) -> Iterator[Section]:
    scores = _scores(arena, {OURS: ours(), **_available(arena, cells)}, cells, values)
    yield page.main_section("All settings exposed", (), scores)
    yield page.beside_section("The advisor beside its rivals", scores)
    names = [name for name in (OURS, EXPERT, RECIPES, TPE) if name in scores]
    groups: dict[str, Sequence[str]] = {
        kind: [n for n in known if named(n).kind == kind] for kind in REPORT
    }
    groups[f"nothing was chosen by: {', '.join(UNSEEN)}"] = UNSEEN
    yield page.kind_section("Kind by kind", scores, groups, names)
    yield page.task_section("Task by task", scores, list(known), names)
    yield page.reference_section(known, cells)


def _two(arena: Arena, tasks: Sequence[Task], starts: int) -> Iterator[Section]:
    """Where a script exposes rate and decay alone."""
    cells, values = [], []
    for task in tasks:
        for start in STARTS[:starts]:
            if not start.two:
                continue
            exposed = narrowed(space(task), TWO)
            cell = Cell(task, start.name, start.params(task), exposed)
            known = reference_of_two(arena, task, start)
            if arena.value(task, cell.params) > known.value * (1 + _NEAR):
                cells.append(cell)
                values.append(known.value)
    methods = {OURS: ours(), HIDDEN: ours(blind=True), **_available(arena, cells)}
    scores = _scores(arena, methods, cells, values, SEEDS[:1])
    told = (
        f"On {_and([task.name for task in tasks])} alone, from the starts that these two can mend, with "
        "one seed.",
    )
    yield page.main_section("Rate and decay alone exposed", told, scores)
    yield page.beside_section("The advisor beside its rivals there", scores)


def _tuning(arena: Arena, options: argparse.Namespace) -> Iterator[Section]:
    tasks = [t for t in part(TUNING) if not options.tasks or t.name in options.tasks]
    if not tasks:
        return
    known = {task.name: reference(arena, task) for task in tasks}
    cells = list(_cells(arena, tasks, known, options.starts))
    values = [known[cell.task.name].value for cell in cells]
    methods = {OURS: ours(), **_available(arena, cells)}
    told: tuple[str, ...] = (
        "The policy was tuned on these, of which it knows nothing but what its constants are: how far it "
        "is ahead here and on the tasks of the report is how much of it is fitted. With one seed.",
    )
    scores = _scores(arena, methods, cells, values, SEEDS[:1])
    left_out = [name for name in blind_methods() if name not in scores]
    told += (f"{_and(left_out)} was not run on these.",) if left_out else ()
    yield page.main_section("Tuning tasks", told, scores)
    yield page.beside_section("The advisor beside its rivals on tuning tasks", scores)
    names = [name for name in (OURS, EXPERT, RECIPES, TPE) if name in scores]
    yield page.task_section("Tuning task by tuning task", scores, list(known), names)


def _available(arena: Arena, cells: Sequence[Cell]) -> dict[str, Method]:
    """The blind methods that were run or can be run here."""
    found = {}
    for name, method in blind_methods().items():
        try:
            for cell in cells:
                method(arena, cell, 0)
        except LookupError as error:
            print(f"left out: {error}", file=sys.stderr)
        else:
            found[name] = method
    return found


def _cells(
    arena: Arena, tasks: Sequence[Task], known: Mapping[str, Reference], starts: int
) -> Iterator[Cell]:
    for task in tasks:
        for start in STARTS[:starts]:
            cell = Cell(task, start.name, start.params(task), space(task))
            if arena.value(task, cell.params) > known[task.name].value * (1 + _NEAR):
                yield cell


def _scores(
    arena: Arena,
    methods: Mapping[str, Method],
    cells: Sequence[Cell],
    values: Sequence[float],
    seeds: Sequence[int] = SEEDS,
) -> dict[str, Score]:
    found = {}
    for name, method in methods.items():
        traces = run(arena, {name: method}, cells, _SLOW.get(name, seeds))[name]
        print(f"{name}: {len(traces)} cells", file=sys.stderr, flush=True)
        told = [[_pair(each) for each in cell] for cell in traces]
        found[name] = scored(told, values, [cell.task.name for cell in cells], FOLLOWUPS)
    return found


def _pair(trace: Trace) -> tuple[tuple[float, ...], tuple[int, ...]]:
    return trace.losses, trace.epochs


def _and(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _introduction(tasks: Sequence[str] | None) -> tuple[str, ...]:
    said = f" --tasks {' '.join(tasks)} --write" if tasks else ""
    kinds = dict.fromkeys(t.kind for t in part(REPORT) if not tasks or t.name in tasks)
    return (
        f"Written by `python -m benchmarks.advisor{said}`. Each cell is a bad run of a small real training; "
        f"each method then makes {FOLLOWUPS} follow-ups, all of the same length. A reference is the best "
        "of several hundred searched settings by the mean of four fresh seeds; a cell counts as reached "
        "by the first follow-up whose validation loss lies within 5 % (2 %) above it. Follow-ups that "
        f"never got there count as {FOLLOWUPS + 1} in a mean. The advisor's own, which goes on for the best run "
        "(`--keep-going`), include the repeats of its winner; where it ended a run as hopeless, only the epochs until "
        "then count. In brackets are 95 % intervals by a bootstrap that draws whole tasks.",
        f"The policy was tuned on tasks of other kinds ({', '.join(TUNING)}) than it is reported on "
        f"({', '.join(kinds)}). Not all of the latter were unseen, though: that its sampler keeps to usual "
        "settings was decided after a look at the unusual ones, and how earlier policies did on all of them was "
        "known when later ones were built. What was changed since the first report was chosen on the tuning "
        "tasks alone, but for two things: small moves in a fixed order were dropped by them after they had been "
        "seen to cost follow-ups here as well; and that a finding on one of the best runs does not narrow the "
        "rates was thought of on counts, and the tuning tasks do not tell whether it helps. The last changes, of the "
        "model and of the order in which follow-ups come, were made when the report of the policy before was known; "
        "this one was run once, with all of them. "
        f"By {_and(UNSEEN)} nothing was ever chosen. "
        f"Each method has {len(SEEDS)} seeds of chance, {_and(list(_SLOW))} one; where nothing else is said "
        "all are counted, and a cell's are averaged before tasks are drawn. Verdicts are those of one seed.",
    )


if __name__ == "__main__":
    sys.exit(main())
