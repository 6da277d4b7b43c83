"""Measure the answers of the Diagnosis tab, in seconds of this process's CPU and of the clock.

python -m benchmarks.tab                     # 400 runs, and a curve of a million points
python -m benchmarks.tab --runs 10000

The requests are those that a browser sends; TensorBoard's own pages are not measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from werkzeug.test import Client
from werkzeug.wrappers import Response

ROOT = Path(__file__).resolve().parents[2]
_OPENING: tuple[tuple[str, dict[str, int]], ...] = (
    ("/state", {}),
    ("/rules", {}),
    ("/runs", {"limit": 200}),
    ("/runs", {"limit": 100}),
)


def timed(label: str, work: Callable[[], object]) -> None:
    """Prints what ``work`` takes."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{label:58s} {cpu:7.3f} s CPU {wall:7.3f} s")


class Asked:
    """The pages of a tab on a folder."""

    def __init__(self, logdir: Path) -> None:
        from tbdiag.tensorboard_tab.tab import DiagnosisTab

        self.tab = DiagnosisTab(SimpleNamespace(logdir=str(logdir), flags=SimpleNamespace()))
        self.apps = self.tab.get_plugin_apps()

    def scan(self) -> None:
        """Scans to the end."""
        self.tab._diagnosis.begin()
        self.tab._diagnosis.wait()

    def get(self, path: str, **query: Any) -> int:
        """The size of an answer; it must be one."""
        response = Client(self.apps[path], Response).get("/", query_string=query)
        if response.status_code != 200:
            sys.exit(response.text)
        return len(response.data)

    def static(self) -> int:
        """The size of the front end."""
        return sum(self.get(path) for path in self.apps if path.startswith("/static/"))


def many(folder: Path, runs: int) -> None:
    """``runs`` copies of the sample runs."""
    samples = sorted(each for each in (ROOT / "sample_logs").iterdir() if each.is_dir())
    for number in range(runs):
        source = samples[number % len(samples)]
        target = folder / f"sweep-{number // 100}" / f"{number:05d}-{source.name}"
        target.mkdir(parents=True)
        for each in source.glob("*tfevents*"):
            shutil.copy(each, target / each.name)


def main() -> None:
    """Measures both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--points", type=int, default=1_000_000)
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from tests.browser.logs import long

    scratch = Path(tempfile.mkdtemp(dir=ROOT / "build" if (ROOT / "build").is_dir() else ROOT))
    os.environ["TBDIAG_CACHE_DIR"] = str(scratch / "cache")
    try:
        many(scratch / "many", given.runs)
        tab = Asked(scratch / "many")
        timed(f"first scan of {given.runs} runs", tab.scan)
        timed("scan of the same again", tab.scan)
        timed("opening the tab: state, rules, list and matrix", lambda: opened(tab))
        timed("the front end's files", tab.static)
        timed(
            "a page of the matrix, filtered by a pattern", lambda: tab.get("/runs", pattern="nan")
        )
        timed("a page sorted by a rule", lambda: tab.get("/runs", sort="GEN001"))
        timed("one run, the best comparable ones looked for", lambda: one(tab))
        timed("another run", lambda: one(tab, "overfitting"))
        long(scratch / "long", given.points)
        tab = Asked(scratch / "long")
        timed(f"scan of a curve of {given.points} points", tab.scan)
        curve = {"run": "long", "tag": "loss/train", "columns": 800}
        timed("the curve, drawn", lambda: tab.get("/curves", **curve))
        timed("the curve again, smoothed", lambda: tab.get("/curves", smoothing=0.9, **curve))
        timed("a hundredth of it", lambda: tab.get("/curves", first=500_000, last=510_000, **curve))
    finally:
        shutil.rmtree(scratch)


def opened(tab: Asked) -> None:
    """What a browser asks for when the tab is opened."""
    for path, query in _OPENING:
        tab.get(path, **query)


def one(tab: Asked, name: str = "nan") -> None:
    """The first run whose name has ``name`` in it, and the curves of its first chart."""
    snapshot = tab.tab._diagnosis.snapshot
    assert snapshot is not None
    run = next(each.run for each in snapshot.rows if name in each.run)
    tab.get("/run", run=run)
    tab.get("/curves", run=run, tag=["loss/train", "loss/val"])


if __name__ == "__main__":
    main()
