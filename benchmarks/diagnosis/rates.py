"""The learning-rate sweep: is the rate high, ok or low, told on problems left out of the choice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.diagnosis.answers import everything
from benchmarks.diagnosis.forest import features, forest
from benchmarks.diagnosis.page import Section, Table
from benchmarks.diagnosis.thresholds import Bools, Firing, around, numeric, variant
from benchmarks.sweep import PROBLEMS, sweep
from tbdiag.detectors.base import Detector
from tbdiag.detectors.optimization.learning_rate_too_high import LearningRateTooHigh
from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow
from tbdiag.diagnosis.examine import examine
from tbdiag.model.finding import Severity

RATES = ("low", "ok", "high")
BROKEN = ("NUM001", "NUM002", "NUM003", "OPT004")  # a rate that is too high shows as these, too
SPEAKS_OF_RATE = ("NUM002", "NUM003", "OPT001", "OPT002", "OPT003", "OPT004", "OPT012")
_WRONG = 0.1  # at most so many of the `ok` runs may be called high or low
_DRAWS, _SEEDS = 100, 5

Confusion = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """The sweep, examined: one entry a run in each field."""

    problems: NDArray[np.str_]
    labels: NDArray[np.str_]
    broken: Bools
    error: Bools
    rate_warning: Bools
    firing: Firing
    features: NDArray[np.float64]

    def called(self, high: Detector, low: Detector) -> NDArray[np.str_]:
        """What the rules say of each rate, the two as given and the others by default."""
        slow = self.firing(low) & ~self.broken
        fast = self.broken | self.firing(high)
        return np.where(slow, "low", np.where(fast, "high", "ok"))


def look() -> Runs:
    """Every run of the sweep, examined with the defaults."""
    selection, labelled = everything(), list(sweep())
    roots = [
        {finding.code: finding.severity for finding in examine(each.run, selection).roots}
        for each in labelled
    ]
    firing = Firing(each.run for each in labelled)
    return Runs(
        problems=np.array([each.problem for each in labelled]),
        labels=np.array([each.rate for each in labelled]),
        broken=np.array([any(code in found for code in BROKEN) for found in roots]),
        error=np.array([Severity.ERROR in found.values() for found in roots]),
        rate_warning=np.array(
            [
                any(found.get(code, Severity.NOTE) is not Severity.NOTE for code in SPEAKS_OF_RATE)
                for found in roots
            ]
        ),
        firing=firing,
        features=np.array([features(case) for case, *_ in firing.cases]),
    )


def confusion(labels: NDArray[np.str_], called: NDArray[np.str_]) -> Confusion:
    """(label, called) → number of runs."""
    return {
        (rate, said): int(((labels == rate) & (called == said)).sum())
        for rate, said in itertools.product(RATES, RATES)
    }


def balanced(table: Confusion) -> float:
    """The mean over the labels that occur of the share that is called right."""
    totals = {rate: sum(table[rate, called] for called in RATES) for rate in RATES}
    return float(np.mean([table[rate, rate] / n for rate, n in totals.items() if n]))


def wrongly_called(table: Confusion) -> float:
    """The share of the `ok` runs that are called high or low."""
    return 1 - table["ok", "ok"] / max(sum(table["ok", called] for called in RATES), 1)


def choose(runs: Runs, kept: Bools, seed: int) -> tuple[Detector, Detector]:
    """Thresholds of OPT001 and OPT002 that do best on the ``kept`` runs, whatever the defaults are.

    The best pair of some rules whose thresholds are drawn within a factor of two around the
    defaults; the defaults, which were set while looking at all problems, are no candidates. A pair
    that calls more than a tenth of the `ok` runs of any problem wrong comes after all that do not.
    """
    dice = np.random.default_rng(seed)
    highs = [_drawn(LearningRateTooHigh, dice) for _ in range(_DRAWS)]
    lows = [_drawn(LearningRateTooLow, dice) for _ in range(_DRAWS)]
    fast = np.array([runs.broken | runs.firing(each) for each in highs], dtype=np.float64)
    slow = np.array([runs.firing(each) & ~runs.broken for each in lows], dtype=np.float64)
    scores, worst = np.zeros((_DRAWS, _DRAWS)), np.zeros((_DRAWS, _DRAWS))
    for problem in np.unique(runs.problems[kept]):
        right = _right(fast, slow, runs.labels, kept & (runs.problems == problem))
        scores += np.mean([right[rate] for rate in right], axis=0)
        worst = np.maximum(worst, 1 - right["ok"])
    merit = np.where(worst <= _WRONG, scores, -worst)
    best = np.unravel_index(int(merit.argmax()), merit.shape)
    return highs[int(best[0])], lows[int(best[1])]


def _drawn(rule: type[Detector], dice: np.random.Generator) -> Detector:
    detector = rule()
    for name, (default, bounds) in numeric(rule).items():
        value = float(dice.choice(around(default, bounds, (2 ** dice.uniform(-1, 1, 5)).tolist())))
        detector = variant(detector, name, value)
    return detector


def _right(
    fast: NDArray[np.float64], slow: NDArray[np.float64], labels: NDArray[np.str_], chosen: Bools
) -> dict[str, NDArray[np.float64]]:
    """By label the share called right, for every pair of a row of ``fast`` and one of ``slow``."""
    found = {}
    for rate in RATES:
        mask = chosen & (labels == rate)
        quick, calm = fast[:, mask], 1 - slow[:, mask]
        right = {
            "low": np.broadcast_to((1 - calm).sum(axis=1), (len(fast), len(slow))),
            "ok": (1 - quick) @ calm.T,
            "high": quick @ calm.T,
        }
        if mask.any():
            found[rate] = right[rate] / mask.sum()
    return found


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What is said of each run by what was chosen, or learnt, on the three other problems.

    Several choices, each from draws of its own: the one or the other may be lucky.
    """

    rules: tuple[NDArray[np.str_], ...]
    forest: tuple[NDArray[np.str_], ...]


def held_out(runs: Runs) -> HeldOut:
    """Each problem left out in turn."""
    rules = [runs.labels.copy() for _ in range(_SEEDS)]
    trees = [runs.labels.copy() for _ in range(_SEEDS)]
    for problem in PROBLEMS:
        out = runs.problems == problem
        for seed in range(_SEEDS):
            rules[seed][out] = runs.called(*choose(runs, ~out, seed))[out]
            known, asked = runs.features[~out], runs.features[out]
            trees[seed][out] = forest(known, runs.labels[~out], asked, seed)
    return HeldOut(tuple(rules), tuple(trees))


def section(runs: Runs, found: HeldOut) -> Section:
    """The part of the page about the sweep."""
    fine = runs.labels == "ok"
    default = runs.called(LearningRateTooHigh(), LearningRateTooLow())
    return Section(
        "Learning rate high, ok or low",
        (
            f"{len(runs.labels)} runs of a public sweep over four problems, three optimizers and"
            " about 37 constant rates. With the defaults, of the"
            f" {int(fine.sum())} runs whose rate is `ok`, {runs.error[fine].mean():.1%} get an error"
            f" and {runs.rate_warning[fine].mean():.1%} a warning that speaks of the rate.",
            "Each problem left out in turn, with the thresholds of OPT001 and OPT002 chosen on the"
            " three others; beside them a random forest that learns 16 features of the curves from"
            " the three others. Balanced accuracy, and the share of `ok` runs called high or low;"
            f" the mean of {_SEEDS} choices from random draws, and of as many forests. Only the"
            " thresholds are held out: which signs to look at, and which features, was decided"
            " while looking at all four problems. So were the defaults, in the last column.",
            Table.of(
                ("left out", "runs", "rules", "`ok` wrong", "forest", "`ok` wrong", "defaults"),
                _rows(runs, found, default),
            ),
            "What the rules call the runs of the problem left out:",
            Table.of(
                ("rate", "runs", *(f"called {rate}" for rate in RATES)),
                _counts([confusion(runs.labels, called) for called in found.rules]),
            ),
        ),
    )


def pooled(runs: Runs, calls: Sequence[NDArray[np.str_]]) -> float:
    """The balanced accuracy on all four problems together, the mean of several choices."""
    return float(np.mean([balanced(confusion(runs.labels, called)) for called in calls]))


def _rows(runs: Runs, found: HeldOut, default: NDArray[np.str_]) -> Iterator[tuple[object, ...]]:
    everywhere = np.ones(len(runs.labels), dtype=np.bool_)
    for name, kept in (
        *((problem, runs.problems == problem) for problem in PROBLEMS),
        ("all four", everywhere),
    ):
        cells: list[object] = [name, int(kept.sum())]
        for calls in (found.rules, found.forest):
            tables = [confusion(runs.labels[kept], called[kept]) for called in calls]
            cells += [
                f"{np.mean([balanced(each) for each in tables]):.2f}",
                f"{np.mean([wrongly_called(each) for each in tables]):.1%}",
            ]
        yield *cells, f"{balanced(confusion(runs.labels[kept], default[kept])):.2f}"


def _counts(tables: Sequence[Confusion]) -> Iterator[tuple[object, ...]]:
    for rate in RATES:
        total = sum(tables[0][rate, called] for called in RATES)
        counts = [np.mean([table[rate, called] for table in tables]) for called in RATES]
        yield rate, total, *(f"{count / max(total, 1):.0%}" for count in counts)
