"""OPT005: the loss has stopped falling while the rate is as high as ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import DECAY_TO_ZERO, RATE_TENTH
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Better, Role
from tbdiag.signals.forecast import forecast
from tbdiag.signals.medians import median
from tbdiag.signals.schedule import Shape
from tbdiag.signals.smoothing import tail
from tbdiag.signals.trend import kendall, mann_kendall
from tbdiag.synth import a_run, cosine, decay, flat, noisy


@dataclass(frozen=True, kw_only=True)
class Plateau(Detector):
    """The training loss has stopped falling although the learning rate was never lowered.

    ## What it does

    Finds a loss that stands still over the last part of the run under a rate that has not decayed.

    ## Why is this bad?

    The remaining epochs bought nothing. A lower rate often lets the loss fall further from there;
    if it does not, the run could have ended earlier.

    ## How it is detected

    Over the last `window` of the training loss, thinned to about a hundred points, there is no
    trend (Mann–Kendall, p above `significance`), and the projection of its Theil–Sen slope over as
    many steps again gains less than `gain` of the loss. The rate has not fallen below `decayed`
    of its peak. It is a warning where more than `poor` of the first loss is left, else a note. A
    validation loss or metric that got better steadily meanwhile (tau above `improving` over
    `evaluations` or more) shows that the noise of training hides its fall. A
    loss with less than `converged` of its first value left has arrived and is no plateau.

    ## Remedy

    A tenth of the rate or a decay to zero from where it stands; after a decay: stop.

    ## False alarms

    Runs at their floor stand still and are right to; hence a note. Delayed generalisation can
    follow a long plateau. Where the rate was not logged it may have decayed: confidence is low.

    ## References

    Mann (1945); Sen (1968).
    """

    code, severity, since = "OPT005", Severity.NOTE, "0.1.0"
    needs = (Role.TRAIN_LOSS,)
    points = 10
    explains = ()

    window: Annotated[float, Threshold("share of the run looked at", above=0, at_most=1)] = 0.3
    significance: Annotated[float, Threshold("smallest p of standing still", above=0)] = 0.05
    gain: Annotated[float, Threshold("projected gain, as a share of the loss", above=0)] = 0.005
    decayed: Annotated[float, Threshold("rate over its peak", above=0, at_most=1)] = 0.5
    poor: Annotated[float, Threshold("last loss over first", above=0, at_most=1)] = 0.5
    improving: Annotated[float, Threshold("tau of validation that gets better", at_most=1)] = 0.7
    evaluations: Annotated[int, Threshold("evaluations that tell it", at_least=4)] = 4
    converged: Annotated[float, Threshold("last over first of a run that arrived", at_least=0)] = (
        0.02
    )

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where the loss stands still under an undecayed rate."""
        seen, curve = case.progress, case.course(Role.TRAIN_LOSS)
        course = case.schedule
        lowered = course is not None and course.last < self.decayed * course.peak
        if lowered or seen.left < self.converged:
            return
        end = tail(curve.values, self.window, least=6)
        trend = mann_kendall(end)
        if trend.p <= self.significance or trend.tau > 0.5:
            return
        ahead = forecast(np.arange(len(end), dtype=np.float64), end, len(end), window=1.0)
        level = abs(median(end)) or 1.0
        gain = -ahead.expected / level
        if gain > self.gain:
            return
        first = int(curve.steps[len(curve) - len(end)])
        if any(self._gets_better(case, role, first) for role in (Role.VAL_LOSS, Role.VAL_METRIC)):
            return
        steady = course is not None and course.shape is Shape.CONSTANT
        yield self.finding(
            f"the training loss has stood still at {seen.last:.4g} since step {first:,}"
            + (" at an unchanged learning rate" if steady else "")
            + f"; {case.further(curve, self.window)}: {ahead.phrase}",
            Evidence(
                tag=curve.tag,
                span=(first, int(curve.steps[-1])),
                note="no trend",
                measures=(
                    Measure("p", trend.p, ">", self.significance),
                    Measure("expected_gain", gain, "<", self.gain),
                ),
            ),
            severity=Severity.WARNING if seen.left > self.poor else Severity.NOTE,
            confidence=Confidence.MEDIUM if course is not None else Confidence.LOW,
            remedies=(DECAY_TO_ZERO, RATE_TENTH),
        )

    def _gets_better(self, case: Case, role: Role, since: int) -> bool:
        """Whether validation improved steadily from the step ``since`` on."""
        curve, binding = case.curve(role), case.run.roles.bound.get(role)
        if curve is None or binding is None:
            return False
        late = curve.values[curve.steps >= since]
        if len(late) < self.evaluations:
            return False
        tau = kendall(late)
        return (tau if binding.better is Better.HIGHER else -tau) > self.improving

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Standing losses; falling, decayed and converged ones as traps."""
        rate = flat(80, 0.1)
        yield fires(
            "stands at a constant rate",
            a_run(
                {Role.TRAIN_LOSS: noisy(decay(80, 2.3, 0.4, 25), 0.02), Role.LEARNING_RATE: rate}
            ),
        )
        yield fires("stands high", a_run({Role.TRAIN_LOSS: noisy(decay(80, 2.3, 1.5, 25), 0.01)}))
        yield silent(
            "validation gets better all the time",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(80, 2.3, 1.5, 25), 0.01),
                    Role.VAL_LOSS: 2.0 - 0.005 * np.arange(80.0),
                }
            ),
        )
        yield silent(
            "still falling",
            a_run({Role.TRAIN_LOSS: noisy(decay(80, 2.3, 0.2, 2), 0.01), Role.LEARNING_RATE: rate}),
        )
        yield silent(
            "after a decay",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(80, 2.3, 0.4, 25), 0.01),
                    Role.LEARNING_RATE: cosine(80, 0.1),
                }
            ),
        )
        yield silent("arrived", a_run({Role.TRAIN_LOSS: noisy(decay(80, 2.3, 0.01, 25), 0.05)}))
