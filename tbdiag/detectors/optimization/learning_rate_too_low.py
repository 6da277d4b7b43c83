"""OPT002: the steps are too small to arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import RATE_TENFOLD, RATE_TRIPLE
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.signals.trend import mann_kendall
from tbdiag.synth import a_run, cosine, decay, noisy, u_turn


@dataclass(frozen=True, kw_only=True)
class LearningRateTooLow(Detector):
    """The training loss falls steadily and slowly, and is far from done at the end.

    ## What it does

    Finds runs whose loss falls at every step of the way, without noise to speak of, yet has far
    to go when the run ends.

    ## Why is this bad?

    Such a run wastes its budget: a higher rate covers the same way in a fraction of the time, and
    often ends in a better place.

    ## How it is detected

    On the training loss, thinned to about a hundred points. Its second half falls steadily
    (Kendall's tau below −`steady`), the slope of its logarithm (Theil–Sen, lower end of the 90 %
    interval) would take another `drop` in half a run more, `left` of the first loss remains, and
    nine tenths of the fall took more than `slow` of the run. A loss that has kept
    `hardly` of its first value while it falls steadily counts whatever its slope. A rate that has
    decayed to less than `spent` of its peak explains a slow end, and a validation loss that no
    longer falls (tau of its second half above `validated`) has nothing to gain: then nothing is said.

    ## Remedy

    Three times the rate where the loss moves well, ten times where it has hardly moved.

    ## False alarms

    A run that was only stopped early looks alike at its end but fell fast at its beginning, and
    the end of a schedule is slow by design.

    ## References

    Measured on the learning-rate sweep of DeepOBS (Schneider et al., 2019).
    """

    code, severity, since = "OPT002", Severity.WARNING, "0.1.0"
    needs = (Role.TRAIN_LOSS,)
    points = 20
    explains = ("GRD005", "OPT004", "OPT006", "OPT010", "GEN002", "GEN003")

    steady: Annotated[float, Threshold("tau of a steady fall", above=0, at_most=1)] = 0.9
    drop: Annotated[float, Threshold("log loss still to fall in half a run", above=0)] = 0.05
    left: Annotated[float, Threshold("last loss over first", above=0, at_most=1)] = 0.15
    slow: Annotated[float, Threshold("share of the run for most of the fall", at_least=0)] = 0.15
    hardly: Annotated[float, Threshold("last over first of a loss that hardly moved", above=0)] = (
        0.9
    )
    validated: Annotated[
        float, Threshold("tau of a validation loss that is done", at_most=1)
    ] = -0.3
    spent: Annotated[float, Threshold("rate over its peak", at_least=0, at_most=1)] = 0.3

    def cannot_tell(self, case: Case) -> str | None:
        """A loss without a natural zero has no share that is left."""
        if case.the(Role.TRAIN_LOSS).values.min() <= 0:
            return "the training loss is not positive, so what is left of it has no meaning"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where the loss crawls."""
        seen, course = case.progress, case.schedule
        if course is not None and course.last < self.spent * course.peak:
            return
        val = case.curve(Role.VAL_LOSS)
        if val is not None and len(val) >= self.points:
            second = case.course(Role.VAL_LOSS).values
            if mann_kendall(second[len(second) // 2 :]).tau > self.validated:
                return
        crawls = seen.sure_drop > self.drop and seen.ready > self.slow
        if not (seen.trend.tau < -self.steady and seen.left > self.left):
            return
        if not (crawls or (seen.left > self.hardly and seen.sure_drop > 0)):
            return
        curve = case.the(Role.TRAIN_LOSS)
        far = seen.left > 0.5
        yield self.finding(
            f"the learning rate looks too low: the training loss still falls steadily and has"
            f" {seen.left:.0%} of its first value left at step {int(curve.steps[-1]):,}",
            Evidence(
                tag=curve.tag,
                span=(int(curve.steps[len(curve) // 2]), int(curve.steps[-1])),
                note="still falling at the same pace",
                measures=(
                    Measure("tau", seen.trend.tau, "<", -self.steady),
                    Measure("left", seen.left, ">", self.left),
                    Measure("drop", seen.sure_drop, ">", self.drop),
                ),
            ),
            confidence=Confidence.HIGH if far else Confidence.MEDIUM,
            remedies=(RATE_TENFOLD, RATE_TRIPLE) if far else (RATE_TRIPLE, RATE_TENFOLD),
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Crawls of two paces; converged, decayed and noisy runs as traps."""
        yield fires("crawls", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 1), 0.003)}))
        yield fires("hardly moves", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 2.2, 1), 0.0002)}))
        yield silent("converged", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 10), 0.003)}))
        yield silent(
            "ends with the schedule",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 1), 0.003),
                    Role.LEARNING_RATE: cosine(60, 0.1),
                }
            ),
        )
        yield silent(
            "validation is done",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 1), 0.003),
                    Role.VAL_LOSS: u_turn(60, 2.3, 1.2, 1.25),
                }
            ),
        )
        yield silent("fell fast", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.4, 25), 0.003)}))
        yield silent(
            "noisy and done", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.5, 8), 0.05)})
        )
