"""OPT007: the rate is spent long before the run is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Suspicion, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import DECAY_OVER_THE_RUN, FLOOR
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.signals.forecast import forecast
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise
from tbdiag.signals.schedule import Shape
from tbdiag.signals.smoothing import tail
from tbdiag.signals.trend import kendall
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy


@dataclass(frozen=True, kw_only=True)
class ScheduleDecaysTooEarly(Detector):
    """The learning rate is all but zero for a good part of the run, while there was more to gain.

    ## What it does

    Finds schedules that have spent the rate well before the end, at a time when the loss was still
    falling.

    ## Why is this bad?

    With a rate near zero nothing moves: the rest of the run is paid for and brings nothing, although
    the loss was on its way down.

    ## How it is detected

    The rate stays below 0.9 % of its peak for more than `share` of the run. By the way that the rate
    allowed, which is measured along its sum instead of along steps, the loss fell steadily to the end (Kendall's
    tau of the second half below −`steady`), and half as much of that way again would take another
    `gain` of it even at the cautious end of the forecast. Since the rate was spent it has fallen by less than `came`, or than `strays` times its noise.
    Where it was spent for more than `most` of the run, which no schedule means, a forecast of `little` is enough, steady or not,
    and so is a training loss of which more than `left` is left.
    More than `half` of a run at such a rate, of `fine` records or more, is a note whatever the forecast
    where `rest` of the training loss is left.
    Validation loss decides where it was logged at eight evaluations or more, training loss else.

    ## Remedy

    A decay that ends with the run, at 1 to 10 % of the peak.

    ## False alarms

    Steps of a tenth leave one per cent after two of them, which is not below it. The fall at the end
    of a decay is the decay's own doing, but takes little of the way. Where parameter groups have rates of their own, one that is spent says little: the rule
    asks for a single rate.

    ## References

    Hoffmann et al., "Training compute-optimal large language models" (2022), appendix B.
    """

    code, severity, since = "OPT007", Severity.WARNING, "0.1.0"
    suspicion = Suspicion(
        "schedule-too-early", "whose schedule ended too early", (DECAY_OVER_THE_RUN, FLOOR)
    )
    needs = (Role.LEARNING_RATE, (Role.VAL_LOSS, Role.TRAIN_LOSS))
    points = 8
    explains = ("OPT005", "OPT006", "GEN002")
    leads = ("OPT004",)  # what had no rate to learn with learned nothing

    share: Annotated[float, Threshold("share of the run at a spent rate", above=0, at_most=1)] = (
        0.25
    )
    steady: Annotated[float, Threshold("tau of a steady fall", above=0, at_most=1)] = 0.8
    gain: Annotated[float, Threshold("fall that was still to come, of the loss", above=0)] = 0.045

    most: Annotated[float, Threshold("share at a spent rate that nobody means", above=0)] = 0.8
    half: Annotated[float, Threshold("share that is worth a note by itself", above=0)] = 0.5
    fine: Annotated[int, Threshold("records of the rate that tell it", at_least=4)] = 10
    rest: Annotated[float, Threshold("last training loss over first beside that", above=0)] = 0.2
    came: Annotated[float, Threshold("fall since the rate was spent, of the loss", above=0)] = 0.05
    strays: Annotated[float, Threshold("deviations that such a fall has to have", at_least=0)] = 2.0
    little: Annotated[float, Threshold("fall to come that is enough then", above=0)] = 0.02
    left: Annotated[float, Threshold("last training loss over first, enough then", above=0)] = 0.5

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where the rate was gone while the loss still fell."""
        rate, course = case.the(Role.LEARNING_RATE), case.schedule
        if course is None or course.idle <= self.share or _groups(case):
            return
        role = self._role(case)
        if course.shape is Shape.CYCLIC or role is None:
            return
        even, curve = case.paced(role), case.the(role)
        length = float(rate.steps[-1] - rate.steps[0])
        at = round(rate.steps[-1] - course.idle * length)
        ahead = forecast(np.arange(len(even), dtype=np.float64), even, len(even) / 2)
        level = abs(float(even[-1])) or 1.0
        # By the share of the run, for the two curves may count in different units.
        idle = curve.values[len(curve) - round(course.idle * len(curve)) + 1 :]
        if len(idle) < 3:
            return
        few = max(1, len(idle) // 20)
        came = median(idle[:few]) - median(tail(idle))
        strays = self.strays * noise(idle) / few**0.5  # what single batches make of it
        soon = course.idle > self.most
        stuck = soon and case.curve(Role.TRAIN_LOSS) is not None and case.progress.left > self.left
        if came >= max(self.came * level, strays):
            return
        lost = (stuck or -ahead.high > (self.little if soon else self.gain) * level) and (
            soon or kendall(even[len(even) // 2 :]) <= -self.steady
        )
        if not lost and not (course.idle > self.half and self._has_far_to_go(case)):
            return
        still = -ahead.high > self.little * level
        far = "had still been falling" if still else "had hardly fallen" if lost else "may be done"
        yield self.finding(
            f"the rate was spent at step {at:,}, and for the remaining {course.idle:.0%} of the run a"
            f" loss that {far} stood still",
            Evidence(
                tag=rate.tag,
                span=(at, int(rate.steps[-1])),
                note="spent",
                measures=(
                    Measure("idle", course.idle, ">", self.share),
                    Measure("still_to_come", -ahead.high / level, ">", self.gain),
                    Measure("onset_step", at),
                ),
            ),
            Evidence(
                tag=curve.tag,
                span=(int(curve.steps[0]), int(curve.steps[-1])),
                note=f"as much of the rate again: {ahead.phrase}",
            ),
            severity=self.severity if lost else Severity.NOTE,
            confidence=Confidence.MEDIUM if lost else Confidence.LOW,
            remedies=(DECAY_OVER_THE_RUN, FLOOR),
        )

    def _has_far_to_go(self, case: Case) -> bool:
        if case.lengths[Role.LEARNING_RATE] < self.fine or case.curve(Role.TRAIN_LOSS) is None:
            return False
        return case.progress.left > self.rest

    def _role(self, case: Case) -> Role | None:
        """The loss that decides."""
        for role in (Role.VAL_LOSS, Role.TRAIN_LOSS):
            curve = case.curve(role)
            if curve is not None and len(curve) >= self.points:
                return role
        return None

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Rates that were spent early; ordinary schedules and arrived runs as traps."""
        rate = np.concatenate([cosine(40, 0.1), flat(60, 0.0)])
        loss = np.concatenate([decay(40, 2.3, 1.2, 1.0), flat(60, 1.62)])
        yield fires(
            "cosine over two fifths",
            a_run({Role.TRAIN_LOSS: noisy(loss, 0.005), Role.LEARNING_RATE: rate}),
            onset=41,
        )
        steep = 0.1 * 0.8 ** np.arange(100)
        follows = 2.5 - 2.5 * np.cumsum(steep)
        yield fires(
            "exponential, validated",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(follows, 0.002),
                    Role.VAL_LOSS: noisy(follows, 0.002, 1),
                    Role.LEARNING_RATE: steep,
                }
            ),
        )
        soon = np.repeat([0.1, 0.0005], [14, 86])
        falls = 1.2 - 0.1 * np.cumsum(soon) + jitter(100, 0.0001)
        yield fires(
            "cut for good after a seventh",
            a_run({Role.TRAIN_LOSS: falls, Role.LEARNING_RATE: soon}),
        )
        yield fires(
            "batches scatter as it stands",
            a_run({Role.TRAIN_LOSS: noisy(falls, 0.06), Role.LEARNING_RATE: soon}),
        )
        on = np.append(falls[:14], decay(86, falls[14], 0.05, 1))
        yield silent(
            "falls on beyond what batches scatter",
            a_run({Role.TRAIN_LOSS: noisy(on, 0.06), Role.LEARNING_RATE: soon}),
        )
        there = np.append(decay(14, 2.3, 0.4, 8), flat(86, 0.4)) + jitter(100, 0.002)
        yield silent(
            "had arrived by then", a_run({Role.TRAIN_LOSS: there, Role.LEARNING_RATE: soon})
        )
        yield silent(
            "cosine over the run",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(100, 2.3, 0.3, 3), 0.005),
                    Role.LEARNING_RATE: cosine(100, 0.1),
                }
            ),
        )
        steps = np.repeat([0.1, 0.01, 0.001], [50, 25, 25])
        yield silent(
            "tenths at a half and three quarters",
            a_run(
                {Role.TRAIN_LOSS: noisy(decay(100, 2.3, 0.3, 3), 0.005), Role.LEARNING_RATE: steps}
            ),
        )
        yield silent(
            "had arrived",
            a_run(
                {Role.TRAIN_LOSS: noisy(decay(100, 2.3, 0.4, 25), 0.005), Role.LEARNING_RATE: rate}
            ),
        )
        yield silent(
            "still falls",
            a_run(
                {Role.TRAIN_LOSS: noisy(decay(100, 2.3, 0.2, 2), 0.005), Role.LEARNING_RATE: rate}
            ),
        )


def _groups(case: Case) -> bool:
    """Whether several curves look like rates, as those of parameter groups do."""
    tag = case.the(Role.LEARNING_RATE).tag
    stem = tag.rstrip("0123456789")
    return stem != tag and any(
        other != tag and other.rstrip("0123456789") == stem for other in case.run.series
    )
