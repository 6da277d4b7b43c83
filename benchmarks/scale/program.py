"""One scan, stage by stage: prints as JSON what each cost.

``python -m benchmarks.scale.program FOLDER cache|none WORKERS``: so many processes, or, below zero, so
many threads; ``ray:2`` is a Ray cluster of this machine with two workers.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

PAGE = resource.getpagesize()


def main(folder: str, cache: bool, workers: str) -> None:
    """Discover, scan, and write the report as text and as JSON to nowhere."""
    from tbdiag.api import folders
    from tbdiag.config import Config
    from tbdiag.diagnosis import examine
    from tbdiag.reading.discover import discover
    from tbdiag.views import json_v1, terminal

    told: dict[str, Any] = {}
    marks = [_mark()]

    def done(stage: str, **more: float) -> None:
        marks.append(_mark())
        cpu, clock = (now - before for now, before in zip(marks[-1], marks[-2], strict=True))
        told[stage] = {"cpu": cpu, "clock": clock, "rss": _rss(), "peak": _peak(), **more}

    done("start", runs=0)
    found = discover([Path(folder)])
    done("discover", runs=len(found.runs))
    del found
    search = examine.examine_search

    def examined(*given: Any) -> Any:
        done("read and diagnose")
        answer = search(*given)
        done("search")
        return answer

    vars(examine)["examine_search"] = examined
    jobs = -int(workers) if workers.startswith("-") else None
    with _pool(workers) as pool:
        report = folders.scan(folder, cache=cache, now=1.8e9, jobs=jobs, pool=pool, config=Config())
    done("report", runs=len(report.runs))
    text = terminal.render(report, color=False)
    done("text", bytes=len(text), lines=text.count("\n"))
    size = sum(map(len, json_v1.chunks(report)))
    done("json", bytes=size)
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    told["children"] = {"cpu": own.ru_utime + own.ru_stime, "peak": own.ru_maxrss * 1024}
    print(json.dumps(told))


def _pool(workers: str) -> AbstractContextManager[Any]:
    if workers.startswith("ray:"):
        from importlib import import_module

        return import_module("tbdiag.scale.ray").RayPool("local", int(workers[4:]))  # type: ignore[no-any-return]
    from tbdiag.scale.local import LocalPool

    return LocalPool(int(workers)) if int(workers) > 1 else nullcontext()


def _mark() -> tuple[float, float]:
    return time.process_time(), time.monotonic()


def _rss() -> int:
    """Bytes in memory now."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "cache", sys.argv[3])
