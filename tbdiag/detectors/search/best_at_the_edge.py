"""SET001: the best run has a setting at the end of the range that was searched."""

from __future__ import annotations

import math
from collections.abc import Iterator
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
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Within
from tbdiag.model.run import Scalar
from tbdiag.model.series import Floats
from tbdiag.naming.knobs import knob
from tbdiag.naming.settings import About, about, goes_by_ratio, is_share
from tbdiag.search import Family
from tbdiag.search.entrant import Entrant, values
from tbdiag.search.noise import assumed_sd
from tbdiag.signals.ranks import spearman
from tbdiag.signals.searched import Searched, searched
from tbdiag.synth import a_search


@dataclass(frozen=True, kw_only=True)
class BestAtTheEdge(SearchDetector):
    """The best run has a setting at the end of its searched range, and results improve towards it.

    ## What it does

    Looks where in the range that was tried of each numeric setting the best run lies.

    ## Why is this bad?

    The best value may lie outside. A search that ends at its own fence has not found an optimum, and
    the settings beside it were tuned around a value that is off.

    ## How it is detected

    The setting took `distinct` or more values in comparable runs. The best run lies within `margin`
    of the range from one end, on a logarithmic scale where the setting is one that goes by ratios
    (rates, decays, sizes). It leads the best of the runs farther from that end by more than `lead`
    times the deviation from seed to seed (`metric_sd` of a metric, `loss_sd` of a loss), and results
    improve towards that end over all runs: by Spearman's rank correlation with p below `significance`,
    divided by the number of settings that were varied; runs that failed count as the worst. An end
    that is a natural limit is none to widen beyond: 0, or `full` and more of a share such as dropout.

    ## Remedy

    Search on from that end.

    ## False alarms

    With few runs the best of them lies at an end by chance; hence the test. Seeds and what describes
    the data are left out. More epochs or wider layers often go on to help a little: whether they are
    worth it is not for the rule to say.

    ## References

    Bergstra and Bengio, "Random search for hyper-parameter optimization" (2012); Godbole, Dahl,
    Gilmer, Shallue, Nado, "Deep Learning Tuning Playbook" (2023), on search spaces whose best points
    lie at the boundary.
    """

    code, severity, since = "SET001", Severity.NOTE, "0.1.0"
    runs = 8

    distinct: Annotated[int, Threshold("different values of a setting", at_least=2)] = 3
    margin: Annotated[float, Threshold("share of the range at an end", above=0, at_most=0.5)] = 0.1
    lead: Annotated[float, Threshold("lead over runs inside, in deviations", at_least=0)] = 2.83
    metric_sd: Annotated[float, Threshold("deviation of a metric by seed", above=0)] = 0.0019
    loss_sd: Annotated[float, Threshold("deviation of a loss, as a share of it", above=0)] = 0.01
    significance: Annotated[float, Threshold("largest p of the trend", above=0, at_most=1)] = 0.2
    full: Annotated[float, Threshold("share that is as good as all", above=0, at_most=1)] = 0.95

    def unsure(self, family: Family) -> str | None:
        if not any(self._numeric(family)):
            return f"no numeric setting took {self.distinct} values in comparable runs"
        return None

    def check(self, family: Family) -> Iterator[Finding]:
        best = family.ranked[0]
        if best.level is None:
            return
        for name in self._numeric(family):
            found = self._of(family, best, name)
            if found is not None:
                yield found

    def _numeric(self, family: Family) -> Iterator[str]:
        """The settings that were searched: numbers in every run that has them."""
        for name in family.varied:
            if about(name) is About.DATA:
                continue
            there = [each for each in family.entrants if name in each.settings]
            numbers = [each.number(name) for each in there]
            known = {number for number in numbers if number is not None}
            if None not in numbers and len(there) >= self.runs and len(known) >= self.distinct:
                yield name

    def _of(self, family: Family, best: Entrant, name: str) -> Finding | None:
        tried = [(each, n) for each in family.entrants if (n := each.number(name)) is not None]
        value = best.number(name)
        if value is None:
            return None
        numbers = np.array([number for _, number in tried])
        within = searched(numbers, by_ratio=goes_by_ratio(name))
        at = float(within.places[[each is best for each, _ in tried].index(True)])
        upper = at > 0.5
        if min(at, 1 - at) > self.margin or self._is_limit(within, name, upper=upper):
            return None
        toward = within.places if upper else 1 - within.places
        good = values([each for each, _ in tried])
        lead = self._lead(family, best.value, good[toward < 1 - self.margin])
        trend = spearman(toward, good if family.objective.higher else -good)
        limit = self.significance / len(family.varied)
        if lead <= self.lead or trend.rho <= 0 or trend.p > limit:
            return None
        to = _beyond(within, name, numbers, upper=upper)
        end = within.high if upper else within.low
        scale = ", on a log scale" if within.log else ""
        curve = best.curve
        return self.finding(
            f"the best of {len(tried)} runs has {name} {value:.4g}, at the "
            f"{'upper' if upper else 'lower'} end of {within.low:.4g} to {within.high:.4g}, and "
            "results improve towards it",
            Evidence(
                tag=curve.tag,
                span=(int(curve.steps[0]), int(curve.steps[-1])),
                note=f"the best run{scale}",
                measures=(
                    Measure("distance_from_the_end", min(at, 1 - at), "<=", self.margin),
                    Measure("lead_in_deviations", lead, ">", self.lead),
                    Measure("correlation", trend.rho),
                    Measure("p", trend.p, "<=", limit),
                    Measure("widen_to", to),
                ),
                run=best.run.id,
            ),
            subject=f"{family.project}/{name}",
            confidence=Confidence.MEDIUM if trend.low > 0 else Confidence.LOW,
            remedies=(_remedy(name, end, to),),
        )

    def _lead(self, family: Family, best: float, inside: Floats) -> float:
        """The lead of the best run over the best one away from the end, in deviations by seed."""
        objective = family.objective
        other = float(inside.max() if objective.higher else inside.min())
        sd = assumed_sd(objective, best, metric_sd=self.metric_sd, loss_sd=self.loss_sd)
        return abs(best - other) / sd if sd > 0 else math.inf

    def _is_limit(self, within: Searched, name: str, *, upper: bool) -> bool:
        """Whether the end of the range is one that no value of the setting can lie beyond."""
        if upper:
            return is_share(name) and self.full <= within.high <= 1
        return within.low == 0

    @classmethod
    def samples(cls) -> Iterator[SearchSample]:
        """Rates and shares that want to go on; optima inside, limits, chance and mixtures as traps."""
        rates: list[dict[str, Scalar]] = [
            {"lr": float(rate), "epochs": 40} for rate in np.geomspace(1e-5, 1e-3, 10)
        ]
        falling = np.linspace(0.8, 0.4, 10)
        yield search_fires("higher rates are better", a_search(rates, falling))
        yield search_fires("lower rates are better", a_search(rates, falling[::-1]))
        shares: list[dict[str, Scalar]] = [
            {"dropout": float(share), "epochs": 40} for share in np.linspace(0.0, 0.4, 9)
        ]
        yield search_fires("more dropout is better", a_search(shares, falling[:9]))
        yield search_silent("no dropout is best", a_search(shares, falling[8::-1]))
        inside = 0.4 + 0.1 * np.linspace(-1, 1, 10) ** 2
        yield search_silent("the best rate lies inside", a_search(rates, inside))
        luck = 0.5 + 0.01 * np.random.default_rng(5).permutation(10)
        luck[9] = 0.45
        yield search_silent("at the end by chance", a_search(rates, luck))
        level = np.linspace(0.41, 0.4, 10)
        yield search_silent("no better than noise", a_search(rates, level))
        yield search_silent("seven runs", a_search(rates[:7], falling[:7]))
        names: list[dict[str, Scalar]] = [{"optimizer": f"kind {at}"} for at in range(10)]
        yield search_silent("no number", a_search(names, falling))
        digits: list[dict[str, Scalar]] = [{**each, "dataset": "digits"} for each in rates[:5]]
        letters: list[dict[str, Scalar]] = [{**each, "dataset": "letters"} for each in rates[5:]]
        yield search_silent("two data sets", a_search([*digits, *letters], falling))


def _beyond(within: Searched, name: str, numbers: Floats, *, upper: bool) -> float:
    """Where to widen the range to, within the natural limits, whole where the values are."""
    to = within.beyond(upper=upper)
    if upper and is_share(name) and within.high < 1:
        to = min(to, float(f"{(within.high + 1) / 2:.2g}"))
    if not upper and within.low > 0:
        to = max(to, 0.0)
    if bool(np.all(numbers == np.round(numbers))) and within.high > 1:
        to = max(float(round(to)), 1.0 if within.low >= 1 else to)
    return to


def _remedy(name: str, end: float, to: float) -> Remedy:
    low, high = sorted((end, to))
    title = f"Search {name} from {low:.4g} to {high:.4g}"
    because = "the best run lies at the end of what was tried, and results improve towards it"
    known: Knob | None = knob(name)
    if known is None:
        return Remedy.advice(title, because)
    return Remedy.turn(known, Within(low, high), title, because)
