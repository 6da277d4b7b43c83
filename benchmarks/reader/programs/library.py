"""tbdiag as a library: `tbdiag.load` with nothing kept; options follow the folder as JSON."""

from __future__ import annotations

import json
import sys

import tbdiag

options = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
runs = tbdiag.load(sys.argv[1], cache=False, **options)
points = sum(len(curve) for run in runs for curve in run.series.values())
print(json.dumps({"points": points}))
