"""What scans of many runs cost: cold, warm, after a few of them grew; reading and rules apart."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.reader import wire
from benchmarks.reader.measure import PROGRAMS, Cost, spent
from benchmarks.reader.page import table
from benchmarks.reader.peers import OURS
from benchmarks.reader.workloads import FEW_TAGS, POINTS, Workload

_GROWN = 50  # one run of so many grows
_FINDINGS = (0, 1)  # exit codes: none, some
_MORE = wire.record(
    wire.head(wire.START + POINTS, POINTS) + wire.summary(FEW_TAGS[0], wire.plain(b"\0\0\0?"))
)
_WHOLE = {
    "nothing kept": "`tbdiag scan --no-cache`",
    "cold": "`tbdiag scan`, empty cache",
    "warm": "`tbdiag scan`, nothing new",
    "grown": "`tbdiag scan`, {few} grown",
}
_KINDS = ("reading alone", "nothing kept", "cold", "warm", "grown")


def section(workload: Workload, rounds: int, limit: int) -> str:
    """Tables of whole processes and of scans after imports, and how rules compare with reading."""
    files = len(list(workload.folder.rglob("*tfevents*")))
    few = max(files // _GROWN, 1)
    whole: dict[str, list[Cost]] = defaultdict(list)
    inside: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as place:
            for kind, cost in _processes(workload, Path(place), few, limit).items():
                whole[kind].append(cost)
            for kind, seconds in _inside(workload, Path(place), few, limit).items():
                inside[kind].append(seconds)
    cpu = {kind: statistics.median(seconds) for kind, seconds in inside.items()}
    rows = []
    for kind in _KINDS:
        name = f"{few} of {files} grown" if kind == "grown" else kind
        process, peak = "–", "–"
        if kind in whole:
            process = f"{statistics.median(cost.cpu for cost in whole[kind]):.2f} s"
            peak = f"{max(cost.peak for cost in whole[kind]) / 1e6:,.0f} MB"
        rows.append([name, process, peak, f"{1000 * cpu[kind]:,.0f} ms"])
    head = [workload.title, "`tbdiag scan`, whole process", "its peak", "after imports"]
    rules = cpu["nothing kept"] - cpu["reading alone"]
    return (
        f"{table(head, rows)}\nAll rules cost {1000 * rules / files:.1f} ms a run, reading"
        f" with roles and settings {1000 * cpu['reading alone'] / files:.1f} ms; a warm scan is"
        f" {cpu['cold'] / cpu['warm']:.0f} times faster than a cold one. Writing the report as JSON adds"
        f" {1000 * cpu['report']:,.0f} ms to a warm one, the parsing of what was kept included, so that both"
        f" together are {(cpu['cold'] + cpu['report']) / (cpu['warm'] + cpu['report']):.0f} times faster.\n"
    )


def _processes(workload: Workload, place: Path, few: int, limit: int) -> dict[str, Cost]:
    """The command in processes of their own, one state of the cache after another."""
    logs = place / "logs"
    shutil.copytree(workload.folder, logs)
    env = {**OURS, "TBDIAG_CACHE_DIR": str(place / "cache")}
    scan = [sys.executable, "-m", "tbdiag", "scan", str(logs), "--output", str(place / "report")]

    def run(*more: str) -> Cost:
        cost = spent([*scan, *more], env, limit, accept=_FINDINGS)
        if cost.reason:
            raise RuntimeError(cost.reason)
        return cost

    found = {"nothing kept": run("--no-cache"), "cold": run(), "warm": run()}
    for path in sorted(logs.rglob("*tfevents*"))[:few]:
        with path.open("ab") as file:
            file.write(_MORE)
    found["grown"] = run()
    shutil.rmtree(logs)
    return found


def _inside(workload: Workload, place: Path, few: int, limit: int) -> dict[str, float]:
    """CPU seconds of scans in one process after its imports."""
    logs = place / "more"
    shutil.copytree(workload.folder, logs)
    command = [sys.executable, "-P", str(PROGRAMS / "scanning.py"), str(logs), str(few)]
    cost = spent([*command, _MORE.hex()], OURS, limit)
    if cost.reason:
        raise RuntimeError(cost.reason)
    shutil.rmtree(logs)
    return dict(cost.answer)
