"""For each run the best one that it can be compared with, to be drawn faintly behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tbdiag.tensorboard_tab.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Ghost:
    """The best comparable run, and what it is best by."""

    run: str
    objective: str
    value: float

    def plain(self) -> dict[str, Any]:
        """The ghost as plain values."""
        return {"run": self.run, "objective": self.objective, "value": self.value}


def ghosts(snapshot: Snapshot) -> dict[str, Ghost]:
    """The best comparable run of each run that has one; the best one's is the second best.

    Curves are needed for it, so a stored report has none.
    """
    from tbdiag.search import Search

    found: dict[str, Ghost] = {}
    for family in Search(snapshot.runs.values(), snapshot.objective).families:
        ranked = [each for each in family.ranked if math.isfinite(each.value)][:2]
        for each in family.entrants:
            best = next((other for other in ranked if other is not each), None)
            if best is not None and each.run.id not in found:
                found[each.run.id] = Ghost(best.run.id, family.objective.phrase, best.value)
    return found
