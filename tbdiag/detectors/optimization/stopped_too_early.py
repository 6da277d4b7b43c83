"""OPT006: the run ended while it was still getting better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Safety, Scale
from tbdiag.model.role import Role
from tbdiag.signals.forecast import forecast
from tbdiag.signals.smoothing import running_median, tail, thinned
from tbdiag.synth import a_run, cosine, decay, noisy, u_turn


@dataclass(frozen=True, kw_only=True)
class StoppedTooEarly(Detector):
    """The loss was still falling when the run ended, so longer training would pay.

    ## What it does

    Projects the end of the validation loss, or of the training loss where there is no validation,
    and says what more epochs would bring.

    ## Why is this bad?

    It is not a fault, but cheap gain left on the table, and a run that was stopped early compares
    badly with others for no good reason.

    ## How it is detected

    The Theil–Sen slope of the last `window` of the curve, flattened as the curve itself flattens,
    is carried on for `more` of the run. The projected fall must exceed `gain` of the loss even at
    the cautious end of its interval (above 0), and the best value must lie in the last `best_after`
    of the run. The rate must not have fallen below `decayed` of its peak. A gain above
    `large` is worth twice the time.

    ## Remedy

    Half as many epochs more for a small gain, twice as many for a large one, with the schedule
    stretched to the new length.

    ## False alarms

    The steep drop at the end of a cosine is the anneal, not a promise.

    ## References

    Theil (1950), Sen (1968).
    """

    code, severity, since = "OPT006", Severity.NOTE, "0.1.0"
    needs = ((Role.VAL_LOSS, Role.TRAIN_LOSS),)
    points = 10

    window: Annotated[float, Threshold("share of the run that is projected", above=0)] = 0.3
    more: Annotated[float, Threshold("how much longer, as a share of the run", above=0)] = 0.5
    gain: Annotated[float, Threshold("projected gain, as a share of the loss", above=0)] = 0.01
    best_after: Annotated[float, Threshold("last part with the best value", above=0)] = 0.25
    decayed: Annotated[float, Threshold("rate over its peak", at_least=0, at_most=1)] = 0.2
    large: Annotated[float, Threshold("gain from which twice as long pays", above=0)] = 0.03

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where more training is expected to pay."""
        if case.schedule is not None and case.schedule.last < self.decayed * case.schedule.peak:
            return
        role = Role.VAL_LOSS if _long_enough(case, self.points) else Role.TRAIN_LOSS
        logged = case.curve(role)
        if logged is None or len(logged) < self.points:
            return
        curve = thinned(logged)
        calm = running_median(curve.values, 3)
        if int(calm.argmin()) < (1 - self.best_after) * (len(curve) - 1):
            return
        x = curve.steps.astype(np.float64)
        ahead = self.more * float(x[-1] - x[0])
        change = forecast(x, curve.values, ahead, self.window)
        level = abs(float(np.median(tail(curve.values)))) or 1.0
        gain = -change.expected / level
        if gain <= self.gain or change.high >= 0:
            return
        last = int(curve.steps[-1])
        factor = 2.0 if gain > self.large else 1.5
        first = int(curve.steps[-max(6, round(self.window * len(curve)))])
        low, high = -change.high, -change.low
        yield self.finding(
            f"the {role.phrase} was still falling at step {last:,}: half as long again would bring"
            f" about −{-change.expected:.3g} (−{low:.3g} … −{high:.3g})",
            Evidence(
                tag=curve.tag,
                span=(first, last),
                note="still falling",
                measures=(Measure("expected_gain", gain, ">", self.gain),),
            ),
            confidence=Confidence.HIGH if low / level > self.gain else Confidence.MEDIUM,
            remedies=(
                Remedy.turn(
                    Knob.EPOCHS,
                    Scale(factor),
                    f"Train {factor:g} times as long and stretch the schedule with it",
                    f"the trend of the end projects a gain of {gain:.0%}",
                    Safety.UNSAFE,
                ),
            ),
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Falling ends; flat, risen and annealed ends as traps."""
        falling = noisy(decay(40, 2.3, 0.3, 2), 0.005)
        yield fires("validation falls", a_run({Role.VAL_LOSS: falling}))
        yield fires("training falls, no validation", a_run({Role.TRAIN_LOSS: falling}))
        yield silent("done", a_run({Role.VAL_LOSS: noisy(decay(40, 2.3, 0.3, 12), 0.01)}))
        yield silent("turned", a_run({Role.VAL_LOSS: u_turn(40, 2.3, 0.6, 1.2)}))
        yield silent(
            "end of a cosine",
            a_run({Role.VAL_LOSS: falling, Role.LEARNING_RATE: cosine(40, 0.1)}),
        )


def _long_enough(case: Case, points: int) -> bool:
    curve = case.curve(Role.VAL_LOSS)
    return curve is not None and len(curve) >= points
