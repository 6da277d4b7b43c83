"""Scans in one process, after all imports: reading apart from rules, and from what was kept.

    scanning.py FOLDER FEW RECORD

RECORD, in hexadecimal, is what then grows FEW of the files.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tbdiag
from tbdiag.api.folders import each_run
from tbdiag.config import Config
from tbdiag.reading.cache import code


def main(folder: str, few: str, record: str) -> None:
    """Writes CPU seconds of each kind of scan as JSON."""
    files = sorted(Path(folder).rglob("*tfevents*"))

    def scan(*, cache: bool) -> tbdiag.Report:
        return tbdiag.scan(folder, config=Config(), cache=cache)

    with tempfile.TemporaryDirectory() as place:
        os.environ["TBDIAG_CACHE_DIR"] = place
        tbdiag.scan(files[0], config=Config(), cache=False).to_json()  # imports
        code()
        told = {
            "reading alone": _cpu(lambda: _read(folder)),
            "nothing kept": _cpu(lambda: scan(cache=False)),
            "cold": _cpu(lambda: scan(cache=True)),
            "warm": _cpu(lambda: scan(cache=True)),
        }
        told["report"] = _cpu(scan(cache=True).to_json)
        for path in files[: int(few)]:
            with path.open("ab") as file:
                file.write(bytes.fromhex(record))
        told["grown"] = _cpu(lambda: scan(cache=True))
    print(json.dumps(told))


def _read(folder: str) -> None:
    """All runs, with the roles and settings that are otherwise looked up when first asked for."""
    for run in each_run(folder, config=Config(), cache=False):
        _ = len(run.roles.bound), len(run.hparams)


def _cpu(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


if __name__ == "__main__":
    main(*sys.argv[1:])
