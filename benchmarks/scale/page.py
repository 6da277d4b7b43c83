"""What was measured as a page, and what it means on a cluster."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

from benchmarks.reader.page import machine as _machine
from benchmarks.reader.page import table

STAGES = ("discover", "read and diagnose", "search", "text", "json")
_NODES = (1, 10, 100, 1000)
_CORES = 32  # of a node
_GETS = 5500  # requests a second that S3 promises below one prefix

Told = Mapping[str, Any]


def machine() -> str:
    """Where it was measured, in one sentence, and how busy that was."""
    return f"{_machine()} Load over the last 15 minutes: {os.getloadavg()[2]:.1f}."


def written(known: Told) -> str:
    """The page."""
    parts = [
        "# How a scan grows\n",
        "Written by `python -m benchmarks.scale`: small runs of 240 points and 11 kB, in sweeps of a"
        f" thousand that can be compared, each scan a process of its own. {known['machine']} CPU seconds"
        " and memory hold on a busy machine, too; times by the clock are only compared with each other.\n",
    ]
    if "growth" in known:
        parts += _growth(known["growth"])
    if "cache" in known:
        parts += _cache(known["cache"])
    if "jobs" in known:
        parts += _jobs(known["jobs"])
    if "ray" in known:
        parts += _ray(known["ray"])
    if "growth" in known:
        parts += _cluster(known["growth"], known["back"])
    return "\n".join(parts)


def _growth(found: Told) -> list[str]:
    sizes = [int(each) for each in found]
    rows = []
    for stage in STAGES:
        costs = [found[str(n)][stage]["cpu"] for n in sizes]
        rows.append([stage, *(f"{cost:.2f} s" for cost in costs), _slope(sizes, costs)])
    whole = [sum(found[str(n)][stage]["cpu"] for stage in STAGES) for n in sizes]
    rows.append(["together", *(f"{cost:.1f} s" for cost in whole), _slope(sizes, whole)])
    rows.append(
        ["a run", *(f"{1000 * c / n:.2f} ms" for n, c in zip(sizes, whole, strict=True)), ""]
    )
    memory = [
        [name, *(f"{found[str(n)][stage][key] / 1e6:,.0f} MB" for n in sizes)]
        for name, stage, key in (
            ("after imports", "start", "rss"),
            ("with what was discovered", "discover", "rss"),
            ("with the report", "report", "rss"),
            ("peak of all", "json", "peak"),
        )
    ]
    first, last = sizes[-2:]
    grown = found[str(last)]["json"]["peak"] - found[str(first)]["json"]["peak"]
    memory.append(
        ["report as JSON", *(f"{found[str(n)]['json']['bytes'] / 1e6:,.1f} MB" for n in sizes)]
    )
    memory.append(["report as text", *(f"{found[str(n)]['text']['lines']} lines" for n in sizes)])
    head = [f"{n:,} runs" for n in sizes]
    return [
        "## CPU seconds\n",
        table(["stage", *head, "exponent"], rows),
        "The exponent is the slope between the last two sizes on a log-log scale: 1 is linear growth.\n",
        "## Memory\n",
        table(["", *head], memory),
        f"From {first:,} to {last:,} runs the peak grows by {grown / (last - first):,.0f} bytes a run:"
        " numbers that tell where in a temporary file (below `TMPDIR`) its name, its settings and what was"
        " found stand."
        " What is listed and each run after the first thousand are put aside there, curves are let go"
        " beyond 64 MB, and the search holds one family of comparable runs at a time. The JSON is written run"
        " by run, and the text view shows the worst twenty runs, thirty more in a line each, and counts the"
        " others (`--show passed` shows all).\n",
    ]


def _cache(found: Told) -> list[str]:
    sizes = [int(each) for each in found]
    scans = {
        "cold": [found[str(n)][0] for n in sizes],
        "nothing new": [found[str(n)][1] for n in sizes],
    }
    costs = {
        name: [sum(each[stage]["cpu"] for stage in STAGES) for each in told]
        for name, told in scans.items()
    }
    rows = [
        [f"CPU, {name}", *(f"{cost:.1f} s" for cost in each), _slope(sizes, each)]
        for name, each in costs.items()
    ]
    peaks = {name: [each["json"]["peak"] for each in told] for name, told in scans.items()}
    rows += [
        [f"peak, {name}", *(f"{peak / 1e6:,.0f} MB" for peak in each), ""]
        for name, each in peaks.items()
    ]
    kept = [each["kept"] / n for each, n in zip(scans["nothing new"], sizes, strict=True)]
    rows.append(["kept on disk, a run", *(f"{size / 1e3:.1f} kB" for size in kept), ""])
    head = ["", *(f"{n:,} runs" for n in sizes), "exponent"]
    told = ["## With the cache\n", table(head, rows)]
    if len(sizes) > 1:
        first, last = sizes[-2:]
        grown = [(each[-1] - each[-2]) / (last - first) for each in peaks.values()]
        told.append(
            f"From {first:,} to {last:,} runs the peak grows by {grown[0]:,.0f} bytes a run where nothing was"
            f" kept, and by {grown[1]:,.0f} where nothing is new: numbers that tell where the rest stands. Of the"
            " index two or three pages of a thousand folders are held at a time.\n"
        )
    return told


def _jobs(found: Told) -> list[str]:
    rows = []
    for name, told in found.items():
        own, children = told["read and diagnose"]["cpu"], told["children"]["cpu"]
        rows.append(
            [
                name,
                f"{told['read and diagnose']['clock']:.1f} s",
                f"{own + children:.1f} s",
                f"{own + children / 2:.1f} s",
            ]
        )
    head = ["1,000 runs read and diagnosed", "by the clock", "CPU", "CPU in one row at most"]
    return [
        "## `--jobs`: threads or processes\n",
        table(head, rows),
        "The fastest round of each counts, since other programs wanted the same two cores; the last"
        " column is what is waited for on idle ones: all that one process does, or its own part and"
        " that of one of two children. Threads hold each other up on the interpreter, so all of their work is"
        " in one row. A process takes about a second of CPU to start, the time of 170 runs: `--jobs` pays from"
        " some hundreds of runs on, and the more the longer they are.\n",
    ]


def _ray(found: Told) -> list[str]:
    rows = [[name, f"{told['read and diagnose']['clock']:.1f} s"] for name, told in found.items()]
    return ["## On Ray\n", table(["10,000 runs read and diagnosed", "by the clock"], rows)]


def _cluster(found: Told, back: float) -> list[str]:
    """The measured figures carried to clusters, on paper."""
    size = max(map(int, found))
    told = found[str(size)]
    run = told["read and diagnose"]["cpu"] / size
    alone = sum(told[stage]["cpu"] for stage in ("discover", "search", "text", "json")) / size
    bytes_, report = told["bytes"] / size, told["json"]["bytes"] / size
    rows = []
    for nodes in _NODES:
        rate = nodes * _CORES / run
        rows.append(
            [
                f"{nodes:,}",
                f"{rate:,.0f}",
                f"{rate * bytes_ / 1e6:,.0f} MB/s",
                f"{rate * back / 1e6:,.1f} MB/s",
                _bottleneck(rate, alone),
            ]
        )
    head = [
        f"nodes of {_CORES} cores",
        "runs a second",
        "read",
        "to who asked",
        "what is reached first",
    ]
    return [
        "## On a cluster, on paper\n",
        f"Reading and diagnosing a run costs {1000 * run:.2f} ms of one core wherever it is done; what only"
        f" the one who asked can do (list, judge the search, write) {1000 * alone:.2f} ms. A report holds"
        f" {report / 1e3:.1f} kB of JSON a run.\n",
        table(head, rows),
        f"- **Storage.** A small run is one request for its events and one for each file of settings."
        f" S3 promises {_GETS:,} GET requests a second below one prefix: that is reached with"
        f" {_GETS * run / _CORES:.1f} nodes. Beyond, runs under several prefixes help; when it asks to slow"
        " down, requests are repeated after pauses that double. A listing gives 1,000 names a request,"
        " in turn: 100,000 runs take about 20 seconds at 100 ms each.\n"
        f"- **Who asked.** It takes {1000 * alone:.2f} ms a run, before and after the workers, as much as"
        f" {run / alone:,.0f} cores take to diagnose one: beyond that many, more cores save less than half"
        f" of the rest, and a million runs take {1e6 * alone / 60:.0f} minutes at least. It was made cheap:"
        f" workers send {back / 1e3:.1f} kB a run, findings as text that is not read before somebody asks"
        " and the run's place in the search, so no curve comes back, and none is looked at again. What is left"
        " is listing, comparing the runs, counting findings and writing. Scans of parts of the folders, each"
        " on a node of its own, share that as well.\n"
        "- **The report.** A million runs are"
        f" {1e6 * report / 1e9:.1f} GB of JSON, written as it is made, one run on a line beyond a"
        " thousand, so that programs can read it line by line.\n"
        "- **Memory** of a worker does not depend on the number of runs: a batch holds 16 MB of event"
        " files at most, unless one folder alone is larger.\n",
    ]


def _bottleneck(rate: float, alone: float) -> str:
    limits = {"who asked": 1 / alone, "requests below one prefix": float(_GETS)}
    reached = [name for name, limit in limits.items() if rate > limit]
    return min(reached, key=lambda name: limits[name]) if reached else "the cores"


def _slope(sizes: list[int], costs: list[float]) -> str:
    if len(sizes) < 2 or min(costs[-2:]) <= 0:
        return ""
    return f"{math.log(costs[-1] / costs[-2]) / math.log(sizes[-1] / sizes[-2]):.2f}"
