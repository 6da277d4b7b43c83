"""OPT009: the first steps at the full rate threw the weights off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import WARM_UP
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise
from tbdiag.synth import a_run, decay, flat, noisy


@dataclass(frozen=True, slots=True)
class _Sign:
    text: str
    evidence: Evidence


@dataclass(frozen=True, kw_only=True)
class MissingWarmUp(Detector):
    """The run began at its full learning rate, and the first steps threw the weights off.

    ## What it does

    Looks at the start of a run without a warm-up: did the loss leap, or the gradient burst, before
    it settled?

    ## Why is this bad?

    The first gradients are the steepest and Adam's averages are not settled. What the first steps
    break is repaired later at best, with a lower rate than the rest of the run could take.

    ## How it is detected

    The rate stood at `full` of its peak or more from the first point on, and no warm-up is known among the
    settings. The loss per step, in the first `window` points, then rose to `times` its opening (the
    median of the first `opening` points) and by eight times its noise, whether or not it came back. Or the
    gradient norm was above `burst` times the median of the stretch that follows, from `early` to
    `settled` of the run, at three points or more within the `early` share, while the loss stood above
    its opening at some of them.

    ## Remedy

    A warm-up over the first 2 to 5 % of the run.

    ## False alarms

    The first gradients of any run are large, and shrink with the loss: a burst counts only where the
    loss rose with it. A leap that comes from the initial weights is INI002.

    ## References

    Goyal et al., "Accurate, large minibatch SGD" (2017); Gotmare et al., "A closer look at deep
    learning heuristics" (2019).
    """

    code, severity, since = "OPT009", Severity.NOTE, "0.1.0"
    needs = ((Role.BATCH_LOSS, Role.TRAIN_LOSS), Role.LEARNING_RATE)
    points = 50

    full: Annotated[float, Threshold("first rate over its peak", above=0, at_most=1)] = 0.5
    window: Annotated[int, Threshold("points that count as the start", at_least=5)] = 200
    opening: Annotated[int, Threshold("points whose median is where it began", at_least=1)] = 3
    times: Annotated[float, Threshold("rise above the opening, as a multiple", above=1)] = 2.0
    burst: Annotated[float, Threshold("first norms over those that follow", above=1)] = 10.0
    early: Annotated[float, Threshold("share of the run that is the start", above=0)] = 0.05
    settled: Annotated[float, Threshold("share of the run that follows", above=0)] = 0.2

    def cannot_tell(self, case: Case) -> str | None:
        """Means over an epoch do not show the first steps."""
        loss, val = _loss(case), case.curve(Role.VAL_LOSS)
        if val is not None and len(loss) < 2 * len(val):
            return "the loss was logged once per epoch; log it per batch"
        if loss.values.min() <= 0:
            return "the loss reaches zero or less, and a multiple of it means nothing"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where the start was rough for want of a warm-up."""
        rate, course = case.the(Role.LEARNING_RATE), case.schedule
        warm_up = case.number(Knob.WARMUP)
        if course is None or (warm_up is not None and warm_up > 0):
            return
        if rate.values[0] < self.full * course.peak:
            return
        sign = self._leap(_loss(case)) or self._burst(case)
        if sign is None:
            return
        yield self.finding(
            f"the rate began at {float(rate.values[0]):.3g} without a warm-up, and {sign.text}",
            sign.evidence,
            confidence=Confidence.MEDIUM,
            remedies=(WARM_UP,),
        )

    def _leap(self, loss: Series) -> _Sign | None:
        start = loss.values[: self.window]
        opening = median(start[: self.opening])
        # A single high batch is chance: the second highest of the start has to be up there, too.
        high = float(np.sort(start)[-2]) / opening
        if high <= self.times or np.log(high) <= 8 * noise(np.log(loss.values)):
            return None
        at = int(start.argmax())
        return _Sign(
            f"the loss leapt to {float(start[at]) / opening:.1f} times its start by step"
            f" {int(loss.steps[at]):,}",
            Evidence(
                tag=loss.tag,
                span=(int(loss.steps[0]), int(loss.steps[at])),
                note="thrown off",
                measures=(Measure("rise", high, ">", self.times),),
            ),
        )

    def _burst(self, case: Case) -> _Sign | None:
        norm, loss = case.curve(Role.GRAD_NORM), _loss(case)
        if norm is None or len(norm) < self.points:
            return None
        count, until = round(self.early * len(norm)), round(self.settled * len(norm))
        first, follows = norm.values[:count], norm.values[count:until]
        if len(first) < 3 or not len(follows):
            return None
        usual = median(follows)
        ratio = float(np.sort(first)[-3]) / usual if usual > 0 else 0.0
        if ratio <= self.burst or not self._rose(loss, float(norm.steps[count - 1])):
            return None
        last = int(norm.steps[count - 1])
        return _Sign(
            f"the gradient norm burst to {ratio:.0f} times what it is after step {last:,}",
            Evidence(
                tag=norm.tag,
                span=(int(norm.steps[0]), last),
                note="burst",
                measures=(Measure("burst", ratio, ">", self.burst),),
            ),
        )

    def _rose(self, loss: Series, until: float) -> bool:
        start: Floats = loss.values[loss.steps <= until]
        opening = median(loss.values[: self.opening])
        above = np.log(start[self.opening :] / opening) > 2 * noise(np.log(loss.values))
        return int(np.count_nonzero(above)) >= 3

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Rough starts at the full rate; warm-ups, steep starts and easy first batches as traps."""
        rate = flat(600, 0.1)
        leap = decay(600, 2.3, 0.4)
        leap[5:40] += 8 * np.exp(-np.arange(35) / 8)
        rough = noisy(leap, 0.05)
        yield fires(
            "leaps and comes back",
            a_run({Role.BATCH_LOSS: rough, Role.LEARNING_RATE: rate}),
            onset=6,
        )
        bump = decay(600, 2.3, 0.4)
        bump[4:25] = 3.4
        norms = noisy(np.concatenate([flat(28, 40), flat(572, 1)]), 0.1)
        yield fires(
            "gradients burst",
            a_run(
                {
                    Role.BATCH_LOSS: noisy(bump, 0.03),
                    Role.LEARNING_RATE: rate,
                    Role.GRAD_NORM: norms,
                }
            ),
        )
        warmed = np.minimum(np.arange(1, 601) / 30, 1) * 0.1
        yield silent("a warm-up", a_run({Role.BATCH_LOSS: rough, Role.LEARNING_RATE: warmed}))
        steep = noisy(decay(600, 2.3, 0.05, 30), 0.05)
        yield silent(
            "gradients shrink with the loss",
            a_run(
                {
                    Role.BATCH_LOSS: steep,
                    Role.LEARNING_RATE: rate,
                    Role.GRAD_NORM: noisy(decay(600, 40, 0.5, 40), 0.2),
                }
            ),
        )
        easy = np.concatenate([[0.9], noisy(decay(599, 2.3, 0.5), 0.1)])
        yield silent("easy first batch", a_run({Role.BATCH_LOSS: easy, Role.LEARNING_RATE: rate}))


def _loss(case: Case) -> Series:
    """The loss with the most points."""
    both = [case.curve(role) for role in (Role.BATCH_LOSS, Role.TRAIN_LOSS)]
    return max((curve for curve in both if curve is not None), key=len)
