"""How early watching tells what is wrong, and how often it cries on runs that end well.

python -m benchmarks.watching --gallery build/gallery

Each run of the gallery is looked at forty times while it grows, as `tbdiag scan --watch` and
`tbdiag.Monitor` do. A false alarm is a warning or an error that is neither true of the run nor stands
at its end. How long a finding has to last was chosen by the calibration part; the figures of the report part
are the ones to go by.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tbdiag
from tbdiag.config import Config
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.diagnosis.select import select
from tbdiag.diagnosis.vigil import LASTING, Vigil
from tbdiag.model.finding import Confidence, Severity
from tbdiag.model.report import RunReport
from tbdiag.model.run import Run

ROOT = Path(__file__).resolve().parents[1]
LOOKS = 40
# At once, after a quarter of the run again, after twice the run, and as it is: sure rules wait less.
POLICIES: Mapping[str, Mapping[Confidence, float]] = {
    "at the first look": dict.fromkeys(Confidence, 1.0),
    "1.25 times as long": dict.fromkeys(Confidence, 1.25),
    "twice as long": dict.fromkeys(Confidence, 2.0),
    "as tbdiag does": LASTING,
}


@dataclass(slots=True)
class Score:
    """Runs without a fault and those with a false alarm; faulty ones, those told, and told by half."""

    good: int = 0
    false: int = 0
    faulty: int = 0
    told: int = 0
    by_half: int = 0
    codes: Counter[str] = field(default_factory=Counter)


def main() -> int:
    """Prints a table for each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gallery", type=Path, default=ROOT / "build" / "gallery")
    folder = parser.parse_args().gallery
    labels = json.loads((folder / "labels.json").read_text("utf-8"))
    selection = select(Config())
    for part in ("calibration", "report"):
        scores = {name: Score() for name in POLICIES}
        for entry in labels:
            if entry["part"] != part:
                continue
            for run in tbdiag.load(folder / entry["run"], cache=False):
                looks = list(_looks(run, selection))
                for name, lasting in POLICIES.items():
                    _score(scores[name], entry, looks, lasting)
        print(
            f"{part}\n\n| told when it lasted | false alarms | faults told | by half of the run |"
        )
        print("|---|--:|--:|--:|")
        for name, each in scores.items():
            print(
                f"| {name} | {each.false} of {each.good} ({each.false / max(each.good, 1):.0%})"
                f" | {each.told / max(each.faulty, 1):.0%} | {each.by_half / max(each.faulty, 1):.0%} |"
            )
        print(f"\nfalse alarms of tbdiag: {scores['as tbdiag does'].codes.most_common()}\n")
    return 0


def _looks(run: Run, selection: Selection) -> Iterator[RunReport]:
    """The reports of the run as it grows."""
    ends = [(int(each.steps[0]), int(each.steps[-1])) for each in run.series.values() if len(each)]
    if not ends:
        return
    first, last = min(a for a, _ in ends), max(b for _, b in ends)
    for look in range(1, LOOKS + 1):
        until = first + (last - first) * look / LOOKS
        so_far = {tag: each.between(first, until) for tag, each in run.series.items()}
        logged = {tag: each for tag, each in so_far.items() if each.logged}
        points = sum(each.logged for each in logged.values())
        seen = replace(run, series=logged, provenance=replace(run.provenance, points=points))
        yield examine(seen, selection)


def _score(
    score: Score, entry: Any, looks: list[RunReport], lasting: Mapping[Confidence, float]
) -> None:
    vigil, told = Vigil(lasting), dict[str, float]()
    for number, report in enumerate(looks, 1):
        for alert in vigil.look([report], 0.0):  # never over
            if not alert.gone and alert.finding.severity is not Severity.NOTE:
                told.setdefault(alert.finding.code, number / LOOKS)
    if entry["kind"] == "fault":
        when = [at for code, at in told.items() if code in entry["codes"]]
        score.faulty += 1
        score.told += bool(when)
        score.by_half += bool(when) and min(when) <= 0.5
        return
    end = {each.code for each in looks[-1].roots} if looks else set()
    false = told.keys() - end - {*entry["codes"], *entry["related"]}
    score.good += 1
    score.false += bool(false)
    score.codes.update(false)


if __name__ == "__main__":
    sys.exit(main())
