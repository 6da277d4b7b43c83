"""SET002: the best run leads the next one by less than chance does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.detectors.base import (
    SearchDetector,
    SearchSample,
    Threshold,
    search_fires,
    search_silent,
)
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.run import Scalar
from tbdiag.search import Family
from tbdiag.search.entrant import Entrant
from tbdiag.search.lead import lead
from tbdiag.search.noise import noise
from tbdiag.signals.repeats import Noise
from tbdiag.synth import a_search

REMEDIES = (
    Remedy.advice(
        "Repeat the best settings with two or three other seeds, and compare the means",
        "the lead is no larger than what another seed or another validation set would change",
    ),
    Remedy.advice(
        "Among runs that cannot be told apart, take the cheapest",
        "the one that came out first did so by chance",
    ),
)


@dataclass(frozen=True, kw_only=True)
class DifferenceWithinNoise(SearchDetector):
    """The best run leads the next one by no more than another seed would change.

    ## What it does

    Holds the lead of the best settings over the next best against the noise that a single run has.

    ## Why is this bad?

    Who takes the first for the better one is fooled by chance half of the time, and what is built on
    that choice inherits it.

    ## How it is detected

    Runs with the same settings but for the seed are repeats and count by their mean. A run counts by
    the best running median of its validation curve. The lead is within the noise where it is below
    `factor` times the larger of two deviations: that from seed to seed, and the standard error of the
    accuracy where the number of validation samples is known or can be read off the accuracies. The
    first is measured on repeats; before there are any it is taken as `metric_sd` for a metric and
    `loss_sd` of a loss, which count like `weight` degrees of freedom beside few repeats. Means of n
    repeats stray less by the root of n.

    ## Remedy

    Repeats with other seeds; else the cheapest of those that cannot be told apart.

    ## False alarms

    Large searches nearly always end in a tie of their best: then the note says among how many. The
    assumed deviations are medians over many tasks, and yours may be calmer or wilder: repeats tell.
    Two runs on the same validation set differ by less than twice its standard error suggests, so the
    limit is a cautious one.

    ## References

    Bouthillier et al., "Accounting for variance in machine learning benchmarks" (2021); the
    deviations are those of ten seeds on the tuned settings of a public optimizer benchmark.
    """

    code, severity, since = "SET002", Severity.NOTE, "0.1.0"
    runs = 3

    factor: Annotated[float, Threshold("lead in deviations of one run", above=0)] = 2.83
    metric_sd: Annotated[float, Threshold("deviation of a metric by seed", above=0)] = 0.0019
    loss_sd: Annotated[float, Threshold("deviation of a loss, as a share of it", above=0)] = 0.01
    weight: Annotated[
        float, Threshold("repeats that the assumed deviation is worth", at_least=0)
    ] = 2.0

    def unsure(self, family: Family) -> str | None:
        if len(family.repeats) < 2:
            return "the comparable runs differ in their seeds only"
        if self.noise(family) is None:
            return "no comparable run has a finite validation curve"
        return None

    def noise(self, family: Family) -> Noise | None:
        """The noise of the runs of a family, by the thresholds of this rule."""
        return noise(
            family.entrants,
            metric_sd=self.metric_sd,
            loss_sd=self.loss_sd,
            weight=self.weight,
        )

    def check(self, family: Family) -> Iterator[Finding]:
        chance = self.noise(family)
        found = None if chance is None else lead(family.entrants, chance, self.factor)
        if chance is None or found is None or found.beyond:
            return
        best, next_best = found.first[0], found.second[0]
        samples = chance.samples
        yield self.finding(
            f"{_named(found.first)} leads {_named(found.second)} by {found.by:.2g} in "
            f"{family.objective.phrase}, within the noise of {found.limit:.2g}: any of "
            f"{len(found.tied)} out of {found.groups} may be the best",
            _of(
                best,
                "the best run",
                Measure("lead", found.by, "<", found.limit),
                Measure("seed_sd", chance.seed_sd),
                Measure("repeats", chance.repeats),
                Measure("standard_error", chance.error),
                *([Measure("validation_samples", samples)] if samples else ()),
                Measure("tied", len(found.tied)),
            ),
            _of(next_best, "the next best run"),
            subject=family.project,
            confidence=Confidence.HIGH if chance.repeats else Confidence.MEDIUM,
            remedies=REMEDIES,
        )

    @classmethod
    def samples(cls) -> Iterator[SearchSample]:
        """Ties assumed and measured; clear leads, calm repeats and other data as traps."""
        rates: list[dict[str, Scalar]] = [{"lr": rate, "epochs": 40} for rate in (1e-4, 1e-3, 1e-2)]
        yield search_fires("half a per cent of the loss", a_search(rates, [0.6, 0.4, 0.402]))
        yield search_fires(
            "four of 400 samples",
            a_search(rates, [0.6, 0.4, 0.2], accuracies=[0.7, 0.88, 0.89], samples=397),
        )
        seeds: list[dict[str, Scalar]] = [
            {**each, "seed": seed} for each in rates for seed in range(3)
        ]
        wild = [0.7, 0.6, 0.65, 0.40, 0.50, 0.45, 0.43, 0.36, 0.47]
        yield search_fires("repeats stray by a tenth", a_search(seeds, wild))
        calm = [0.7, 0.701, 0.7005, 0.420, 0.4202, 0.4201, 0.400, 0.4001, 0.4003]
        yield search_silent("repeats agree", a_search(seeds, calm, noise=1e-4))
        yield search_silent("a clear lead", a_search(rates, [0.6, 0.4, 0.5]))
        yield search_silent(
            "a clear lead on many samples",
            a_search(rates, [0.6, 0.4, 0.2], accuracies=[0.7, 0.88, 0.91], samples=10_007),
        )
        yield search_silent("two runs", a_search(rates[:2], [0.4, 0.401]))
        yield search_silent("seeds only", a_search(seeds[:3], [0.4, 0.401, 0.402]))
        yield search_silent("failed but for one", a_search(rates, [np.nan, np.nan, 0.4]))
        data: list[dict[str, Scalar]] = [
            {**each, "dataset": name} for each, name in zip(rates, "abc", strict=True)
        ]
        yield search_silent("three data sets", a_search(data, [0.4, 0.401, 0.402]))


def _of(each: Entrant, note: str, *measures: Measure) -> Evidence:
    steps = each.curve.steps
    return Evidence(
        tag=each.curve.tag,
        span=(int(steps[0]), int(steps[-1])),
        note=note,
        measures=measures,
        run=each.run.id,
    )


def _named(group: Sequence[Entrant]) -> str:
    """The run, and of repeats how many there are."""
    name = group[0].run.id
    name = name if len(name) <= 40 else f"…{name[-39:]}"
    return name if len(group) == 1 else f"{name} (mean of {len(group)} seeds)"
