"""GEN004: the best checkpoint lies far back, and all since was in vain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Safety, Scale, SetTo
from tbdiag.model.role import Role
from tbdiag.model.series import Series
from tbdiag.signals.schedule import Shape
from tbdiag.signals.turning import Turn
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy, u_turn

KEEP = Remedy.advice(
    "Keep the checkpoint with the best validation value",
    "the last one is worse, and the best one costs nothing",
)
# Training up to a quarter beyond the best leaves room for another that comes a little later.
_BEYOND = 1.25


@dataclass(frozen=True, kw_only=True)
class TrainedPastTheBest(Detector):
    """Validation was best in the first half of the run and has not come back to it since.

    ## What it does

    Tells where validation was best, and how much of the run came after that for nothing.

    ## Why is this bad?

    The evaluations after the best one cost as much as those before it. A run that ends there is
    cheaper, and a schedule that ends there is often better as well.

    ## How it is detected

    The best value by a running median, of the validation loss and of the validation metric where
    both were logged, lies after the first `evaluations` and before `best_before` of the run. At least `patience` evaluations
    follow. Each of the curves ends worse than its best by the share `worse`, and by `deviations` times the
    noise of successive differences, and gets worse in a trend (Mann–Kendall, p below `significance`).

    ## Remedy

    Keep the best checkpoint; let the run and its schedule end at a quarter beyond it.

    ## False alarms

    Under a noisy validation the best value is chance, so the end has to be worse beyond the noise.
    Under cyclic rates validation comes and goes. A metric that still gets better while the loss
    climbs is GEN005. Where training goes on to fall meanwhile, GEN001 is the cause.

    ## References

    Prechelt, "Early stopping – but when?" (1998).
    """

    code, severity, since = "GEN004", Severity.NOTE, "0.1.0"
    needs = ((Role.VAL_LOSS, Role.VAL_METRIC),)
    points = 12

    evaluations: Annotated[int, Threshold("evaluations before the best", at_least=1)] = 2
    best_before: Annotated[float, Threshold("latest place of the best", above=0, at_most=1)] = 0.5
    patience: Annotated[int, Threshold("evaluations since the best", at_least=1)] = 10
    worse: Annotated[float, Threshold("end beyond the best, as a share of it", at_least=0)] = 0.02
    deviations: Annotated[float, Threshold("end beyond the best in noise", at_least=0)] = 2.0
    significance: Annotated[float, Threshold("largest p of the trend", above=0, at_most=1)] = 0.05

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where the best is long past."""
        if case.schedule is not None and case.schedule.shape is Shape.CYCLIC:
            return
        seen = [
            (curve, case.turn(role))
            for role in (Role.VAL_LOSS, Role.VAL_METRIC)
            if (curve := case.curve(role)) is not None and len(curve) >= self.points
        ]
        if not seen or not all(self._past(curve, best) for curve, best in seen):
            return
        # The curve whose best came last: until there the run was of use.
        curve, best = max(seen, key=lambda each: each[1].index / len(each[0]))
        wasted = 1 - best.index / (len(curve) - 1)
        yield self.finding(
            f"validation was best at step {best.step:,} ({best.value:.4g}) and ends at {best.end:.4g}:"
            f" {wasted:.0%} of the run brought nothing",
            Evidence(
                tag=curve.tag,
                span=(best.step, int(curve.steps[-1])),
                note="no better since",
                measures=(
                    Measure("wasted", wasted, ">", 1 - self.best_before),
                    Measure("best_step", best.step),
                    Measure("best_value", best.value),
                ),
            ),
            confidence=Confidence.HIGH if best.worse > 4 * best.band else Confidence.MEDIUM,
            remedies=(KEEP, _shorter(case, 1 - wasted)),
        )

    def _past(self, curve: Series, seen: Turn) -> bool:
        n = len(curve)
        return (
            self.evaluations <= seen.index < self.best_before * (n - 1)
            and n - 1 - seen.index >= self.patience
            and seen.worse > max(self.worse * abs(seen.value), self.deviations * seen.band)
            and seen.since.tau > 0
            and seen.since.p <= self.significance
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """A best that is long past; noise, cycles and metrics that go on as traps."""
        turned = noisy(u_turn(60, 2.3, 0.7, 0.9), 0.01)
        yield fires("turned", a_run({Role.VAL_LOSS: turned}), onset=21)
        fell = 0.5 + 0.4 * np.exp(-(((np.arange(60) - 20) / 30.0) ** 2)) + jitter(60, 0.004)
        yield fires("by the metric", a_run({Role.VAL_METRIC: fell}))
        yield fires("by both", a_run({Role.VAL_LOSS: turned, Role.VAL_METRIC: fell}))
        yield silent("best at the end", a_run({Role.VAL_LOSS: noisy(decay(60, 2.3, 0.5), 0.01)}))
        yield silent(
            "noisy on a plateau", a_run({Role.VAL_LOSS: noisy(decay(60, 2.3, 0.5, 20), 0.1, 3)})
        )
        yield silent(
            "the metric goes on",
            a_run({Role.VAL_LOSS: turned, Role.VAL_METRIC: 0.9 - decay(60, 0.6, 0, 3)}),
        )
        rates = np.tile(cosine(20, 0.1, 1e-3), 3)
        comes_and_goes = decay(60, 2.3, 0.6) + 4 * rates
        yield silent(
            "warm restarts",
            a_run(
                {Role.VAL_LOSS: noisy(comes_and_goes[:45], 0.01), Role.LEARNING_RATE: rates[:45]}
            ),
        )
        yield silent(
            "worse from the start", a_run({Role.VAL_LOSS: flat(60, 1) + np.arange(60) / 60})
        )


def _shorter(case: Case, best_share: float) -> Remedy:
    """An end of the run soon after the best."""
    share = min(_BEYOND * best_share, 1.0)
    epochs = case.number(Knob.EPOCHS)
    change = (
        Scale(share)
        if epochs is None or epochs <= 0
        else SetTo(float(max(1, round(share * epochs))))
    )
    return Remedy.turn(
        Knob.EPOCHS,
        change,
        f"Train for {share:.0%} of the time, and let the schedule end there",
        "that is a quarter beyond the best value of this run",
        Safety.UNSAFE,
    )
