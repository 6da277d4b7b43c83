"""tbdiag's reader of event files, without all that is made of them; options follow as JSON.

As in a scan, a few files are begun before the first of them is settled.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tbdiag.errors import ReadError
from tbdiag.reading.eventfile import begun, settled

_TOGETHER = 16

options = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
paths = sorted(Path(sys.argv[1]).rglob("*tfevents*"))
kept = []
for first in range(0, len(paths), _TOGETHER):
    batch = paths[first : first + _TOGETHER]
    for path, reading in [(path, begun(path, **options)) for path in batch]:
        if isinstance(reading, ReadError):
            raise reading
        kept.append(settled(path, reading, **options).columns)
print(json.dumps({"points": sum(len(curve) for each in kept for curve in each.scalars.values())}))
