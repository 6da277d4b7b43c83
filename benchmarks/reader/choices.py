"""What is left to the caller, measured both ways: checksums and threads."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence

import tbdiag
from benchmarks.reader.measure import PROGRAMS, Reader, compare, core, spent
from benchmarks.reader.page import table, times
from benchmarks.reader.peers import BARE, LIBRARY, OURS, ours
from benchmarks.reader.workloads import Workload
from tbdiag.reading.records import read

_CHECKSUMS = ("checksums", "verify", "verify_checksums", "check")
_THREADS = ("threads", "workers", "jobs")


def section(chosen: Mapping[str, Workload], rounds: int, limit: int) -> str:
    """What checksums cost, where they can be left out, and what a second thread is worth."""
    switched = [
        (
            f"{name}, `{switch}`",
            [ours(program, f"{name} {on}", {switch: on}) for on in (True, False)],
        )
        for program, name, called in (
            ("library.py", LIBRARY, tbdiag.load),
            ("bare.py", BARE, read),
        )
        if (switch := _offered(called, _CHECKSUMS))
    ]
    parts = [_checksums(switched, list(chosen.values()), rounds, limit)]
    if "many" in chosen:
        parts.append(_threads(chosen["many"], rounds, limit))
    return "\n".join(parts)


def _offered(called: Callable[..., object], names: Sequence[str]) -> str:
    """The first of the parameters that a function has."""
    parameters = inspect.signature(called).parameters
    return next((name for name in names if name in parameters), "")


def _checksums(
    switched: Sequence[tuple[str, Sequence[Reader]]],
    chosen: Sequence[Workload],
    rounds: int,
    limit: int,
) -> str:
    if not switched:
        return "Checksums are always compared.\n"
    rows = []
    for workload in chosen:
        cells = [workload.title]
        found = compare([each for _, pair in switched for each in pair], workload, rounds, limit)
        for _, pair in switched:
            on, off = (found[each.name].cpu for each in pair)
            cells.append(f"{off:.2f} s → {on:.2f} s ({times(on / off)})")
        rows.append(cells)
    return table(["checksums: off → on", *(name for name, _ in switched)], rows)


def _threads(workload: Workload, rounds: int, limit: int) -> str:
    """Seconds on the clock: threads share the processor's."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        return "Threads were not measured: there is one core.\n"
    ways: dict[str, list[list[str]]] = {
        BARE: [
            [str(PROGRAMS / "threaded.py"), str(workload.folder), str(threads)]
            for threads in (1, 2)
        ]
    }
    if switch := _offered(tbdiag.load, _THREADS):
        ways[LIBRARY] = [
            [str(PROGRAMS / "library.py"), str(workload.folder), f'{{"{switch}": {threads}}}']
            for threads in (1, 2)
        ]
    told = []
    for name, commands in ways.items():
        best = [
            min(
                spent([sys.executable, "-P", *command], OURS, limit, used).clock
                for _ in range(rounds)
            )
            for command, used in zip(commands, ([core()], cores), strict=True)
        ]
        one, two = best
        told.append(f"{name} {one:.2f} s in one thread, {two:.2f} s in two ({times(one / two)})")
    return f"On the clock, the best of {rounds} rounds, {workload.title}: {'; '.join(told)}.\n"
