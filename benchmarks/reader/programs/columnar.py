"""tb-like's parser of single files, without the Parquet files that it makes of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tblike.events import parse_file

kept = [parse_file(str(path)) for path in sorted(Path(sys.argv[1]).rglob("*tfevents*"))]
print(json.dumps({"points": sum(len(each["vals"]) for each in kept)}))
