"""tbdiag's reader of single files, without all that is made of them; options follow as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tbdiag.reading.records import read

options = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
kept = [read(path, **options) for path in sorted(Path(sys.argv[1]).rglob("*tfevents*"))]
print(json.dumps({"points": sum(len(curve) for each in kept for curve in each.scalars.values())}))
