"""What was measured as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.reader.measure import Result
from benchmarks.reader.peers import BARE, LIBRARY
from benchmarks.reader.workloads import Workload

Results = Mapping[str, Result]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def machine() -> str:
    """Where it was measured, in one sentence."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return (
        f"Measured on {os.cpu_count()} cores ({model or platform.machine()}), of which each process"
        f" had one, with Python {platform.python_version()} and NumPy {np.__version__}."
    )


def seconds(results: Sequence[tuple[Workload, Results]]) -> str:
    """CPU seconds and peak memory of every reader on every workload, with what failed and why."""
    names = list(results[0][1])
    notes: list[str] = []
    rows = []
    for workload, found in results:
        cells = [workload.title]
        for name in names:
            result = found[name]
            if result.reason:
                cells.append("–" + _note(notes, f"{name}: {result.reason}"))
                continue
            mark = ""
            if result.points != workload.points:
                mark = _note(notes, f"read {result.points:,} of {workload.points:,} points")
            cells.append(f"{result.cpu:.2f} s, {result.peak / 1e6:,.0f} MB{mark}")
        rows.append(cells)
    below = [f"{number}. {words}" for number, words in enumerate(notes, 1)]
    told = table(["CPU seconds, peak memory", *names], rows)
    return "\n".join([told, *below, ""]) if below else told


def ratios(results: Sequence[tuple[Workload, Results]]) -> str:
    """The peers' CPU seconds as multiples of ours."""
    peers = [name for name in results[0][1] if name not in (LIBRARY, BARE)]
    rows = []
    for workload, found in results:
        cells = [workload.title]
        for name in peers:
            theirs = found[name]
            cells.append("–" if theirs.reason else _ratio(theirs, found))
        rows.append(cells)
    head = ["how many times our CPU seconds", *peers]
    told = f"By {LIBRARY}, and in brackets by {BARE}: more than 1 is slower than tbdiag.\n"
    return f"{told}\n{table(head, rows)}"


def _ratio(theirs: Result, found: Results) -> str:
    whole, bare = (
        "–" if found[name].reason else times(theirs.cpu / found[name].cpu)
        for name in (LIBRARY, BARE)
    )
    return f"{whole} ({bare})"


def times(ratio: float) -> str:
    """A ratio with as many digits as mean something."""
    return f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.1f}×" if ratio >= 1 else f"{ratio:.2f}×"


def _note(notes: list[str], words: str) -> str:
    """The mark of a note below the table."""
    if words not in notes:
        notes.append(words)
    return f" <sup>{notes.index(words) + 1}</sup>"
