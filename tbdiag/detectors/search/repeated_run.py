"""SET003: two runs have the same hyperparameters and the same seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
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
from tbdiag.model.run import Provenance, Restart, Run, Scalar
from tbdiag.model.series import Series
from tbdiag.search import Family
from tbdiag.search.entrant import Entrant, identity
from tbdiag.signals.agreement import Agreement, agreement
from tbdiag.synth import a_search

WASTED = (
    Remedy.advice(
        "Give repeats different seeds, and skip what has been run already",
        "a run with the same seed tells nothing that the first one did not",
    ),
)
IRREPRODUCIBLE = (
    Remedy.advice(
        "Seed every generator, also those of data loaders, and ask for deterministic kernels",
        "what differs between two such runs is left to chance, so no result can be reproduced",
    ),
    Remedy.advice(
        "Log the commit and all settings of a run",
        "if code or data changed in between, nothing in the logs says so",
    ),
)


@dataclass(frozen=True, kw_only=True)
class RepeatedRun(SearchDetector):
    """Two runs have the same hyperparameters and seed: identical and wasted, or not reproducible.

    ## What it does

    Compares the curves of runs whose settings, seed included, are the same.

    ## Why is this bad?

    If the curves are identical, the second run cost its time and told nothing; counted as a repeat it
    even makes results look surer than they are. If they differ, something that is not logged decides
    about the result, and the run cannot be reproduced.

    ## How it is detected

    Two comparable runs have `settings` or more hyperparameters, all of them equal, found in the logs or
    in files and not guessed from names. Their losses and metrics are compared at the steps they share,
    if these are at least `points` and `overlap` of either run: a run that was begun anew after a crash
    is no repetition. They are identical where they never differ by more than `exact` of their value,
    and different where the medians of their last tenths differ by more than `apart`; in between, only
    the arithmetic differs. Different runs are reported only where a seed is among the settings and
    neither was resumed, which draws other random numbers. At most `shown` repetitions are listed for a run.

    ## Remedy

    Different seeds for repeats; for runs that differ, seeds for every generator.

    ## False alarms

    What is not among the hyperparameters may have changed, most of all the code. A folder that was
    copied is told by its wall times.

    ## References

    Pham et al., "Problems and opportunities in training deep learning software systems: an analysis of
    variance" (2020).
    """

    code, severity, since = "SET003", Severity.NOTE, "0.1.0"
    runs = 2

    settings: Annotated[int, Threshold("hyperparameters that must be known", at_least=1)] = 3
    points: Annotated[int, Threshold("shared steps", at_least=2)] = 5
    overlap: Annotated[float, Threshold("shared steps over all", above=0, at_most=1)] = 0.9
    exact: Annotated[float, Threshold("relative difference of equal values", at_least=0)] = 1e-6
    apart: Annotated[float, Threshold("relative difference of other results", above=0)] = 0.01
    shown: Annotated[int, Threshold("most repetitions listed as evidence", at_least=1)] = 5

    def unsure(self, family: Family) -> str | None:
        if not any(self._known(each) for each in family.entrants):
            return f"fewer than {self.settings} hyperparameters were logged"
        return None

    def check(self, family: Family) -> Iterator[Finding]:
        """One finding for each group of equal settings with identical runs, one with different ones."""
        for group in self._twins(family):
            first, same, other = group[0], [], []
            for each in group[1:]:
                found = self._compared(first, each)
                if found is None:
                    continue
                if found.apart <= self.exact:
                    same.append((each, found))
                elif self._is_other(first, each, found):
                    other.append((each, found))
            if same:
                yield self._wasted(family, first, same)
            if other:
                yield self._irreproducible(family, first, other)

    def _is_other(self, one: Entrant, other: Entrant, found: Agreement) -> bool:
        """Whether the runs came out differently although nothing that is known would make them."""
        resumed = one.run.provenance.restarts or other.run.provenance.restarts
        return found.end_apart > self.apart and bool(other.seeds) and not resumed

    def _known(self, each: Entrant) -> bool:
        sources = [hparam.source for hparam in each.run.hparams.values()]
        return sum(source != "run name" for source in sources) >= self.settings

    def _twins(self, family: Family) -> Iterator[list[Entrant]]:
        """Runs that are equal in all that is known of them, seeds included."""
        groups: dict[object, list[Entrant]] = defaultdict(list)
        for each in family.entrants:
            if self._known(each):
                groups[identity(each.settings), identity(each.seeds)].append(each)
        for group in groups.values():
            if len(group) > 1:
                yield sorted(group, key=lambda each: (_began(each.run), each.run.id))

    def _compared(self, one: Entrant, other: Entrant) -> Agreement | None:
        found = agreement(
            *(
                {
                    binding.tag: each.run.series[binding.tag]
                    for role, binding in each.run.roles.bound.items()
                    if role.value.endswith(("loss", "metric")) and binding.tag in each.run.series
                }
                for each in (one, other)
            )
        )
        if found is None or found.shared < self.points or found.overlap < self.overlap:
            return None
        return found

    def _wasted(
        self, family: Family, first: Entrant, same: Sequence[tuple[Entrant, Agreement]]
    ) -> Finding:
        copied = all(found.same_times for _, found in same)
        points = f"{same[0][1].shared:,} points"
        how = f"the times of {points} included" if copied else f"identical at {points}"
        what = f"{'copies' if copied else 'repetitions'} of {_short(first.run.id)}"
        if len(same) == 1:
            what = f"a {'copy' if copied else 'repetition'} of {_short(first.run.id)}"
        return self.finding(
            f"{_listed(same)} {'is' if len(same) == 1 else 'are'} {what}, {how}",
            *self._evidence(first, same, "identical"),
            subject=f"{family.project}/{first.run.id}/identical",
            confidence=Confidence.HIGH,
            remedies=WASTED,
        )

    def _irreproducible(
        self, family: Family, first: Entrant, other: Sequence[tuple[Entrant, Agreement]]
    ) -> Finding:
        found = other[0][1]
        since = "from the start" if found.from_the_start else f"from step {found.first_step:,} on"
        return self.finding(
            f"{_listed(other)} {'has' if len(other) == 1 else 'have'} the hyperparameters and seed of "
            f"{_short(first.run.id)}, and yet they differ {since}, by {found.end_apart:.1%} at the end",
            *self._evidence(first, other, "differs"),
            subject=f"{family.project}/{first.run.id}/different",
            confidence=Confidence.LOW,
            remedies=IRREPRODUCIBLE[::-1] if found.from_the_start else IRREPRODUCIBLE,
        )

    def _evidence(
        self, first: Entrant, others: Sequence[tuple[Entrant, Agreement]], note: str
    ) -> Iterator[Evidence]:
        for each, found in others[: self.shown]:
            curve = each.run.series[found.tag]
            yield Evidence(
                tag=found.tag,
                span=(found.first_step, int(curve.steps[-1])),
                note=f"{note}, beside {first.run.id}",
                measures=(
                    Measure("shared_points", found.shared, ">=", self.points),
                    Measure("difference", found.apart),
                    Measure("difference_at_the_end", found.end_apart),
                ),
                run=each.run.id,
            )
        curve = first.run.series[others[0][1].tag]
        yield Evidence(
            tag=curve.tag,
            span=(int(curve.steps[0]), int(curve.steps[-1])),
            note="the first of them",
            run=first.run.id,
        )

    @classmethod
    def samples(cls) -> Iterator[SearchSample]:
        """Identical and different repeats; other seeds, restarts and unknown settings as traps."""
        known: dict[str, Scalar] = {"lr": 1e-3, "epochs": 40, "dropout": 0.1, "seed": 7}
        other: dict[str, Scalar] = {**known, "seed": 8}
        yield search_fires("different in spite of the seed", a_search([known, known], [0.4, 0.44]))
        (one,) = a_search([known], [0.4])
        twin = replace(one, id="again", path=PurePosixPath("logs", "again"))
        yield search_fires("identical", (one, _later(twin)))
        yield search_fires("a copied folder", (one, twin))
        seedless: dict[str, Scalar] = {
            name: value for name, value in known.items() if name != "seed"
        }
        (first,) = a_search([seedless], [0.4])
        yield search_fires("identical without a seed", (first, _later(replace(first, id="again"))))
        yield search_silent("different seeds", a_search([known, other], [0.4, 0.44]))
        yield search_silent("repeats without a seed", a_search([seedless, seedless], [0.4, 0.44]))
        yield search_silent("rounding only", (one, _rounded(twin)))
        begun = _with(one, lambda each: each.between(0, 500))
        yield search_silent("begun anew after a crash", (begun, twin))
        rest = _with(twin, lambda each: each.between(500, np.inf))
        yield search_silent("goes on elsewhere", (begun, rest))
        resumed = Provenance(restarts=(Restart(step=500, reached=525, dropped=1, wall_time=99.0),))
        (changed,) = a_search([known], [0.44], seed=2)
        changed = replace(changed, id="resumed", provenance=resumed)
        yield search_silent("resumed on the way", (one, changed))
        few: dict[str, Scalar] = {"lr": 1e-3}
        yield search_silent("hardly a setting is known", a_search([few, few], [0.4, 0.44]))


def _began(run: Run) -> float:
    """The first wall time of any curve."""
    return min((float(c.wall_times[0]) for c in run.series.values() if len(c)), default=np.inf)


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"…{name[-39:]}"


def _listed(others: Sequence[tuple[Entrant, Agreement]]) -> str:
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return f"{_short(others[0][0].run.id)}{more}"


def _with(run: Run, change: Callable[[Series], Series]) -> Run:
    return replace(run, series={tag: change(each) for tag, each in run.series.items()})


def _later(run: Run) -> Run:
    """The same curves, logged a day after."""
    return _with(
        run, lambda each: Series.of(each.tag, each.steps, each.values, each.wall_times + 86_400)
    )


def _rounded(run: Run) -> Run:
    """The same curves, but for what other kernels do to the last digits."""
    return _with(run, lambda each: each.with_values(each.values * (1 + 1e-5)))
