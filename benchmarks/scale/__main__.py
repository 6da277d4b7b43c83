"""Measure how a scan grows with the number of runs, and write what came out into ``docs/scale.md``.

    python -m benchmarks.scale

Each scan is a process of its own. The full size takes an hour on an idle machine and 3 GB of
disk; ``--most 10000`` a few minutes. ``--parts ray`` needs Ray; what was measured before of parts that
are not asked for stays on the page, since it is kept beside it in ``docs/scale.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.scale import page, sweeps
from tbdiag.config import Config
from tbdiag.diagnosis.select import select
from tbdiag.reading.discover import discover
from tbdiag.scale.batches import Job, batches, diagnosed

ROOT = Path(__file__).parents[2]
PAGE, KEPT = ROOT / "docs" / "scale.md", ROOT / "docs" / "scale.json"
PARTS = ("growth", "cache", "jobs", "ray")
SIZES = (100, 1_000, 10_000, 100_000)
JOBS = {"one process": ["none", "1"], "two threads": ["none", "-2"], "two processes": ["none", "2"]}
RAY = {
    "one process, without Ray": ["none", "1"],
    "one worker": ["none", "ray:1"],
    "two workers": ["none", "ray:2"],
}
_RUNS = {"jobs": 1_000, "ray": 10_000}  # enough that starting is not all


def main() -> None:
    """Measure the parts, and write the page."""
    parser = argparse.ArgumentParser(description="how a scan grows with the number of runs")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="runs at most")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS[:3])
    parser.add_argument("--rounds", type=int, default=3, help="of what is compared by the clock")
    parser.add_argument("--keep", type=Path, help="where the runs are written, and left")
    options = parser.parse_args()
    known: dict[str, Any] = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    with ExitStack() as stack:
        place = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sizes = [size for size in SIZES if size <= options.most]
        if "growth" in options.parts:
            known["growth"] = {str(n): _scan(place, n, "none", "1") for n in sizes}
            known["back"] = _back(place)
        if "cache" in options.parts:
            known["cache"] = {str(n): _cached(place, n) for n in sizes}
        for part, ways in (("jobs", JOBS), ("ray", RAY)):
            if part in options.parts:
                known[part] = _compared(place, _RUNS[part], ways, options.rounds)
    known["machine"] = page.machine()
    KEPT.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
    PAGE.write_text(page.written(known), "utf-8")


def _back(place: Path) -> float:
    """Bytes that come back from a worker for each run, without the columns for a cache."""
    folder = place / f"runs-{SIZES[0]}"
    sweeps.write(folder, SIZES[0])
    (batch,) = batches((each, None) for each in discover([folder]).runs)
    return len(pickle.dumps(diagnosed(batch, Job(selection=select(Config()))))) / SIZES[0]


def _cached(place: Path, runs: int) -> list[dict[str, Any]]:
    """A scan that fills an empty cache, and one that finds nothing new."""
    with tempfile.TemporaryDirectory() as cache:
        given = {"TBDIAG_CACHE_DIR": cache, "TBDIAG_CACHE_MB": "8192"}
        told = [_scan(place, runs, "cache", "1", **given) for _ in range(2)]
        kept = sum(each.stat().st_size for each in Path(cache).rglob("*") if each.is_file())
        return [{**each, "kept": kept} for each in told]


def _compared(place: Path, runs: int, ways: dict[str, list[str]], rounds: int) -> dict[str, Any]:
    """The fastest of some rounds of each way, one after the other."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, words in ways.items():
            found[name].append(_scan(place, runs, *words))
    return {
        name: min(tries, key=lambda each: float(each["read and diagnose"]["clock"]))
        for name, tries in found.items()
    }


def _scan(place: Path, runs: int, *words: str, **environment: str) -> dict[str, Any]:
    folder = place / f"runs-{runs}"
    size = sweeps.write(folder, runs)
    told = _called([str(folder), *words], environment)
    print(f"{runs} runs, {' '.join(words)}: {told}", file=sys.stderr, flush=True)
    return {"bytes": size, **told}


def _called(words: Sequence[str], environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale.program", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
