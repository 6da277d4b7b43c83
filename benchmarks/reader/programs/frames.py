"""tbparse, asked for scalars and tensors alone: its data frames."""

from __future__ import annotations

import json
import sys

from tbparse import SummaryReader

read = SummaryReader(sys.argv[1], event_types={"scalars", "tensors"})
scalars, tensors = read.scalars, read.tensors
points = len(scalars)
if len(tensors):
    points += sum(
        getattr(value, "size", 1) == 1 and not isinstance(value, bytes | str)
        for value in tensors["value"]
    )
print(json.dumps({"points": points}))
