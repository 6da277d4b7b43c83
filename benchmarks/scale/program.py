"""One scan, stage by stage: prints as JSON what each cost. ``python program.py FOLDER CACHE WORKERS``."""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

PAGE = resource.getpagesize()


def main(folder: str, cache: bool, workers: int) -> None:
    """Discover, scan, and write the report as text and as JSON to nowhere."""
    from tbdiag.api import folders
    from tbdiag.config import Config
    from tbdiag.diagnosis import examine
    from tbdiag.reading.discover import discover
    from tbdiag.scale.local import LocalPool
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

    examine.examine_search = examined
    pool = LocalPool(workers) if workers > 1 else nullcontext()
    with pool as work:
        report = folders.scan(folder, cache=cache, now=1.8e9, pool=work, config=Config())
    done("report", runs=len(report.runs))
    text = terminal.render(report, color=False)
    done("text", bytes=len(text), lines=text.count("\n"))
    size = sum(map(len, json_v1.chunks(report)))
    done("json", bytes=size)
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    told["children"] = {"cpu": own.ru_utime + own.ru_stime, "peak": own.ru_maxrss * 1024}
    print(json.dumps(told))


def _mark() -> tuple[float, float]:
    return time.process_time(), time.monotonic()


def _rss() -> int:
    """Bytes in memory now."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "cache", int(sys.argv[3]))
