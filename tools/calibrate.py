"""Show what each threshold of a rule costs and brings: false alarms against faults named.

python tools/calibrate.py --rule OPT001                    # every threshold of the rule
python tools/calibrate.py --rule OPT001 --threshold noise  # one of them
python tools/calibrate.py --curves                         # every rule; the sweep's runs as well

Runs of the calibration part of the gallery are read once and examined again for each value, the
other thresholds as they are. A finding that another one explains counts as not said.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.diagnosis.answers import everything, load
from benchmarks.diagnosis.labels import Label, read
from benchmarks.diagnosis.rates import BROKEN
from benchmarks.diagnosis.thresholds import Bools, Firing, around, numeric, variant
from benchmarks.sweep import sweep
from tbdiag.detectors.base import Detector, rule_name
from tbdiag.detectors.registry import find, rules
from tbdiag.diagnosis.examine import examine
from tbdiag.model.finding import Severity
from tbdiag.model.run import Run

ROOT = Path(__file__).resolve().parent.parent
FACTORS = (0.25, 1 / 3, 0.5, 0.7, 0.85, 1.2, 1.4, 2.0, 3.0, 4.0)
PROBLEMS = ("cifar10_3c3d", "tolstoi_char_rnn")  # of the sweep; the other two stay unseen
RATES = {
    "high": frozenset({"OPT001", "OPT003", *BROKEN}),
    "low": frozenset({"OPT002"}),
    "ok": frozenset[str](),
}
WIDTH = 80


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Labelled runs, read once: ``roots`` are what every rule says of each by default."""

    labels: tuple[Label, ...]
    firing: Firing
    roots: tuple[dict[str, Severity], ...]

    def explained(self, rule: type[Detector]) -> Bools:
        """(n,) where a finding that is no milder would explain one of this rule."""
        by = {each.code for each in rules() if rule.code in each.explains}
        return np.array(
            [
                any(code in by and severity.rank <= rule.severity.rank for code, severity in seen)
                for seen in (found.items() for found in self.roots)
            ],
            dtype=np.bool_,
        )


def examined(labelled: Sequence[tuple[Label, Run]]) -> Runs:
    """The runs with everything that is needed of them."""
    selection = everything()
    return Runs(
        tuple(label for label, _ in labelled),
        Firing(run for _, run in labelled),
        tuple(
            {each.code: each.severity for each in examine(run, selection).roots}
            for _, run in labelled
        ),
    )


def gallery(folder: Path, part: str) -> Iterator[tuple[Label, Run]]:
    """The runs of one part of the gallery."""
    for label in read(folder, part):
        yield from ((label, run) for run in load(folder / label.run)[:1])


def curves() -> Iterator[tuple[Label, Run]]:
    """The runs of two problems of the learning-rate sweep; only rules about the rate may be judged."""
    for each in sweep():
        if each.problem in PROBLEMS:
            yield (
                Label(
                    run=each.run.id,
                    part="calibration",
                    setting="sweep",
                    problem=each.problem,
                    family=f"rate {each.rate}",
                    kind="healthy" if each.rate == "ok" else "fault",
                    codes=RATES[each.rate],
                ),
                each.run,
            )


def truth(label: Label, code: str) -> bool | None:
    """Whether the rule should speak of this run; None where it may or may not."""
    if code == "OPT006" and label.facts.longer_helps is not None:
        return label.facts.longer_helps or (None if code in label.codes | label.related else False)
    if label.setting == "sweep" and not any(code in codes for codes in RATES.values()):
        return None
    if code in label.codes:
        return True
    return None if code in label.related else False


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a rule does at one value of a threshold, in shares of the runs concerned."""

    value: float
    recall: float
    alarms: float
    elsewhere: float


def points(runs: Runs, detector: Detector, name: str) -> list[Point]:
    """The course of recall and false alarms over the values of a threshold, in their order."""
    code = detector.code
    wanted = np.array([truth(label, code) is True for label in runs.labels])
    unwanted = np.array([truth(label, code) is False for label in runs.labels])
    faulty = np.array([label.faulty for label in runs.labels])
    silent = runs.explained(type(detector))
    default, bounds = numeric(type(detector))[name]
    changed = {
        getattr(each, name): each
        for value in around(default, bounds, FACTORS)
        if bounds.problem(getattr(each := variant(detector, name, value), name)) is None
    }
    found = []
    for value, each in sorted(changed.items()):
        said = runs.firing(each) & ~silent
        found.append(
            Point(
                value=value,
                recall=_share(said, wanted),
                alarms=_share(said, unwanted & ~faulty),
                elsewhere=_share(said, unwanted & faulty),
            )
        )
    return found


def _share(said: Bools, which: Bools) -> float:
    return float(said[which].mean()) if which.any() else math.nan


def suggested(found: Sequence[Point], default: float, cost: float) -> Point:
    """The value with the most recall less ``cost`` times the false alarms less what is elsewhere.

    Ties go to the value nearest to the default.
    """

    def merit(point: Point) -> tuple[float, float]:
        recall, alarms, elsewhere = np.nan_to_num([point.recall, point.alarms, point.elsewhere])
        return round(float(recall - cost * alarms - elsewhere), 9), -abs(point.value - default)

    return max(found, key=merit)


def page(runs: Runs, detector: Detector, names: Sequence[str], cost: float) -> Iterator[str]:
    """The tables of a rule in plain text."""
    truths = [truth(label, detector.code) for label in runs.labels]
    faulty = [label.faulty for label in runs.labels]
    counts = (
        truths.count(True),
        sum(it is False and not bad for it, bad in zip(truths, faulty, strict=True)),
        sum(it is False and bad for it, bad in zip(truths, faulty, strict=True)),
    )
    yield f"{detector.code} {rule_name(type(detector))}"
    yield (
        f"  {counts[0]} runs to name, {counts[1]} healthy ones and traps,"
        f" {counts[2]} with other faults"
    )
    for name in names:
        default, bounds = numeric(type(detector))[name]
        found = points(runs, detector, name)
        best = suggested(found, default, cost)
        yield ""
        yield f"  {name} = {default:g}   {bounds.meaning}"[:WIDTH]
        yield f"  {'value':>12}{'named':>10}{'alarms':>10}{'elsewhere':>12}"
        for point in found:
            marks = [
                *(["default"] if point.value == default else []),
                *(["suggested"] if point == best else []),
            ]
            shares = (point.recall, point.alarms, point.elsewhere)
            told = [("–" if math.isnan(share) else f"{share:.1%}") for share in shares]
            row = f"  {point.value:>12.4g}{told[0]:>10}{told[1]:>10}{told[2]:>12}"
            yield f"{row}  {', '.join(marks)}".rstrip()
    yield ""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rule", metavar="CODE", help="one rule, by default all")
    parser.add_argument("--threshold", metavar="NAME", help="one threshold of the rule")
    parser.add_argument("--gallery", type=Path, default=ROOT / "build" / "gallery", metavar="DIR")
    parser.add_argument("--curves", action="store_true", help="runs of the rate sweep as well")
    parser.add_argument(
        "--cost", type=float, default=5.0, metavar="X", help="recall that a false alarm outweighs"
    )
    options = parser.parse_args(argv)
    found = find(options.rule) if options.rule else None
    picked = [rule for rule in rules() if found in (None, rule)]
    if (options.rule and found is None) or not picked:
        parser.error(f"no rule about single runs is called {options.rule}")
    if options.threshold and not any(options.threshold in numeric(rule) for rule in picked):
        parser.error(f"no number of {options.rule or 'any rule'} is called {options.threshold}")
    labelled = list(gallery(options.gallery, "calibration"))
    runs = examined([*labelled, *(curves() if options.curves else ())])
    for rule in picked:
        names = [n for n in numeric(rule) if options.threshold in (None, n)]
        if names:
            print("\n".join(page(runs, rule(), names, options.cost)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
