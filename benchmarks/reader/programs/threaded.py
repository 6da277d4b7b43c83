"""tbdiag's reader in so many threads, a file at a time each."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tbdiag.reading.records import read

paths = sorted(Path(sys.argv[1]).rglob("*tfevents*"))
with ThreadPoolExecutor(int(sys.argv[2])) as pool:
    kept = list(pool.map(read, paths))
print(json.dumps({"points": sum(len(curve) for each in kept for curve in each.scalars.values())}))
