"""OPT012: the schedule drives the rate up while the loss suffers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import DECAY_TO_ZERO, RATE_THIRD
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise
from tbdiag.signals.smoothing import running_median, tail
from tbdiag.signals.trend import mann_kendall
from tbdiag.synth import a_run, cosine, decay, flat, noisy

PERIOD = Remedy.advice(
    "Give the schedule the length of the run, and step it as often as it counts",
    "a cosine that is stepped beyond its end, or per batch where it counts epochs, climbs again",
)


@dataclass(frozen=True, kw_only=True)
class RateRisesWithTheLoss(Detector):
    """The learning rate rises in the middle of the run, and the loss stands still or climbs with it.

    ## What it does

    Finds a rate that rises when it should fall, beyond any warm-up, under a loss that does not bear
    it.

    ## Why is this bad?

    It is nearly always a slip: a cosine stepped beyond its end, a factor above one, a schedule with
    the sign turned round. The rate at the end is the one that decides how far the loss settles.

    ## How it is detected

    The rate climbs to within `end` of the end of the run, to `factor` times its lowest value on the way,
    over more than `warm_up` of the run, and in no leap: no single point makes more than `leap` of
    the climb. Where it had fallen from a peak before, the training loss must not fall meanwhile (Mann–Kendall,
    p above `significance`, or a rise) while more than `left` of the first loss remains. Where the
    rate has climbed from the start on, it may be a long warm-up: then the loss must climb, by
    `climb` above its best and three times its noise, and in a trend. A rate that rose `test`-fold
    from the start on, with fewer than `evaluations` of validation, is a range test.

    A rate that was raised at once, past the first `warm_up` of the run, to `raised` times all that it had
    been, and kept at half of that for another `kept` of the run at least, fires as well where the training loss
    then ends above where it stood, by `climb` and three times its noise from before, in all of its last tenth. After a leap
    to `far` times all before, it is enough that half of its points since then, or of validation, are as far above, and by its noise once.

    ## Remedy

    Set the length of the schedule right; then a decay to zero, or a third of the rate.

    ## False alarms

    Cyclic rates have climbed before and fallen again, and warm restarts leap. A range test drives
    the rate up from the start on and is meant to end badly. One-cycle schedules come down before the end.

    ## References

    Smith, "Cyclical learning rates for training neural networks" (2017).
    """

    code, severity, since = "OPT012", Severity.WARNING, "0.1.0"
    needs = (Role.LEARNING_RATE, Role.TRAIN_LOSS)
    points = 10
    explains = (
        "GRD002",
        "GRD003",
        "GRD005",
        "OPT001",
        "OPT003",
        "NUM004",
        "OPT005",
        "OPT008",
        "OPT010",
        "GEN004",
        "VAL002",
    )

    end: Annotated[float, Threshold("last share of the run that may not climb", at_least=0)] = 0.1
    factor: Annotated[float, Threshold("rate over its lowest value before", above=1)] = 2.0
    warm_up: Annotated[float, Threshold("share of the run that a warm-up takes", above=0)] = 0.1
    leap: Annotated[float, Threshold("share of the climb in one point", above=0, at_most=1)] = 0.5
    significance: Annotated[float, Threshold("largest p of a fall", above=0, at_most=1)] = 0.05
    left: Annotated[float, Threshold("last loss over first", above=0, at_most=1)] = 0.05
    climb: Annotated[float, Threshold("climb of the loss above its best", above=0)] = 0.1
    test: Annotated[float, Threshold("rise of the rate in a range test", above=1)] = 50.0
    evaluations: Annotated[int, Threshold("evaluations that a test does not have", at_least=1)] = 3
    raised: Annotated[float, Threshold("rate over all before, raised at once", above=1)] = 2.0
    far: Annotated[float, Threshold("the same of a leap that no schedule makes", above=1)] = 5.0
    kept: Annotated[float, Threshold("share of the run at a raised rate", above=0, at_most=1)] = 0.1

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where rate and loss climb together."""
        logged = case.the(Role.LEARNING_RATE)
        if logged.values.max() <= self.factor * logged.values.min():
            return  # it cannot have climbed by more
        rate = case.thinned(logged)
        begin = self._climb_begin(rate)
        if begin is None:
            yield from self._leapt(case, rate)
            return
        whole = int(rate.steps[0]), int(rate.steps[-1])
        fresh = begin <= self.warm_up / 2 * len(rate)
        if fresh and self._range_test(case, rate, begin):
            return
        loss = case.thinned(case.training)
        during = loss.between(float(rate.steps[begin]), float(whole[1]))
        if len(during) < 4 or not (
            self._climbs(during.values) if fresh else self._stands(case, during.values)
        ):
            return
        low, high = float(rate.values[begin]), float(tail(rate.values, 0.05).max())
        first, last = int(during.steps[0]), int(during.steps[-1])
        trend = mann_kendall(during.values)
        yield self.finding(
            f"the rate climbs from {low:.3g} at step {int(rate.steps[begin]):,} to {high:.3g}, and the"
            f" training loss {'climbs with it' if trend.tau > 0 else 'does not fall'}",
            Evidence(
                tag=rate.tag,
                span=(int(rate.steps[begin]), whole[1]),
                note="climbs",
                measures=(
                    Measure("rise", high / max(low, 1e-300), ">", self.factor),
                    Measure("onset_step", int(rate.steps[begin])),
                ),
            ),
            Evidence(tag=loss.tag, span=(first, last), measures=(Measure("tau", trend.tau),)),
            confidence=Confidence.HIGH if trend.tau > 0.5 else Confidence.MEDIUM,
            remedies=(PERIOD, DECAY_TO_ZERO, RATE_THIRD),
        )

    def _leapt(self, case: Case, rate: Series) -> Iterator[Finding]:
        """A finding where the rate was raised at once, and the loss has not come back since."""
        n, values = len(rate), rate.values
        top = np.maximum.accumulate(values)
        leaps = np.flatnonzero(values[1:] > self.raised * top[:-1]) + 1
        leaps = leaps[(leaps > self.warm_up * n) & (leaps < (1 - self.kept) * n)]
        if not len(leaps) or values[leaps[0] - 1] <= 0:
            return
        at = int(leaps[0])
        held = values[at:] > 0.5 * values[at]
        if held.mean() * len(held) < self.kept * n:
            return
        far = values[at] >= self.far * top[at - 1]
        found = self._ends_above(case, Role.TRAIN_LOSS, rate.steps[at], far=far)
        if found is None and far and case.curve(Role.VAL_LOSS) is not None:
            found = self._ends_above(case, Role.VAL_LOSS, rate.steps[at], far=far)
        if found is None:
            return
        loss, cut, stood, ends = found
        what = (
            "validation"
            if loss.tag == getattr(case.curve(Role.VAL_LOSS), "tag", "")
            else "training"
        )
        yield self.finding(
            f"the rate was raised from {values[at - 1]:.3g} to {values[at]:.3g} at step"
            f" {int(rate.steps[at]):,}, and the {what} loss, which stood at {stood:.3g}, ends at"
            f" {ends:.3g}",
            Evidence(
                tag=rate.tag,
                span=(int(rate.steps[at - 1]), int(rate.steps[-1])),
                note="raised at once",
                measures=(
                    Measure("leap", values[at] / values[at - 1], ">", self.raised),
                    Measure("onset_step", int(rate.steps[at])),
                ),
            ),
            Evidence(tag=loss.tag, span=(int(loss.steps[cut]), int(loss.steps[-1]))),
            confidence=Confidence.HIGH,
            remedies=(DECAY_TO_ZERO, RATE_THIRD),
        )

    def _ends_above(
        self, case: Case, role: Role, step: float, *, far: bool
    ) -> tuple[Series, int, float, float] | None:
        """The loss, the point at the step, where it stood before and where it ends, if that is above.

        All of its last tenth has to be; after a leap that is `far`, half of the later half since.
        """
        loss = case.thinned(case.training if role is Role.TRAIN_LOSS else case.the(role))
        cut = int(np.searchsorted(loss.steps, step))
        before, after = loss.values[:cut], loss.values[cut:]
        if min(len(before), len(after)) < 4:
            return None
        stood = median(before[-max(3, cut // 5) :])
        ends = tail(after, 0.5 if far else 0.1)
        limit = stood + max(self.climb * abs(stood), (1 if far else 3) * noise(before))
        lowest = median(ends) if far else float(ends.min())
        return (
            (loss, cut, stood, median(tail(after))) if before[0] > stood < limit < lowest else None
        )

    def _climb_begin(self, rate: Series) -> int | None:
        """The index from which the rate climbs to the end of the run, None where it does not."""
        values, steps = rate.values, rate.steps
        length = int(steps[-1] - steps[0])
        late = int(np.searchsorted(steps, steps[-1] - self.end * length))
        peak = late + int(values[late:].argmax())
        # Back from there for as long as the rate does not fall.
        falls = np.flatnonzero(np.diff(values[: peak + 1]) < 0)
        begin = int(falls[-1]) + 1 if len(falls) else 0
        climbs = np.flatnonzero(values[begin : peak + 1] > values[begin])
        if not len(climbs):
            return None
        begin += int(climbs[0]) - 1
        rise = float(values[peak] - values[begin])
        steepest = _steepest(values[begin : peak + 1])
        long = steps[peak] - steps[begin] > self.warm_up * length
        came_down = values[-1] < values[begin] + rise / 2
        held = begin < late and values[begin:late].max() >= 0.99 * values[peak]
        earlier = _climbs_before(values[: begin + 1], self.factor)
        if (
            values[peak] <= self.factor * values[begin]
            or steepest > self.leap
            or not long
            or came_down
            or held
            or earlier
        ):
            return None
        return begin

    def _range_test(self, case: Case, rate: Series, begin: int) -> bool:
        low = max(float(rate.values[begin + 1]), 1e-300)
        val = case.curve(Role.VAL_LOSS)
        few = val is None or len(val) < self.evaluations
        return few and float(rate.values.max()) >= self.test * low

    def _stands(self, case: Case, values: Floats) -> bool:
        trend = mann_kendall(values)
        falling = trend.tau < 0 and trend.p <= self.significance
        return not falling and case.progress.left > self.left

    def _climbs(self, values: Floats) -> bool:
        calm = running_median(values, 5)
        best = int(calm.argmin())
        trend = mann_kendall(values[best:])
        rise = median(tail(values)) - float(calm[best])
        most = max(self.climb * abs(float(calm[best])), 3 * noise(values))
        return rise > most and trend.tau > 0 and trend.p <= self.significance

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Rates that climb by mistake; cycles, restarts, tests and warm-ups as traps."""
        bowl = 0.1 - cosine(100, 0.1) + 1e-3
        twice = np.concatenate([cosine(50, 0.1, 1e-4), cosine(50, 0.1, 1e-4)[::-1]])
        lifted = np.concatenate([decay(50, 2.3, 0.6), 0.6 + 0.3 * np.linspace(0, 1, 50)])
        yield fires(
            "cosine stepped beyond its end",
            a_run({Role.TRAIN_LOSS: noisy(lifted, 0.02), Role.LEARNING_RATE: twice}),
            onset=51,
        )
        level = np.concatenate([decay(50, 2.3, 0.6), flat(50, 0.6)])
        yield fires(
            "loss stands", a_run({Role.TRAIN_LOSS: noisy(level, 0.02), Role.LEARNING_RATE: twice})
        )
        turned = np.concatenate([decay(40, 2.3, 0.8), 0.8 + 0.8 * np.linspace(0, 1, 60)])
        both = {Role.TRAIN_LOSS: noisy(turned, 0.02), Role.VAL_LOSS: noisy(turned, 0.03, 1)}
        yield fires("climbs throughout", a_run({**both, Role.LEARNING_RATE: bowl}))
        leap = np.repeat([0.01, 0.3], 50)
        stays_up = np.concatenate([decay(50, 2.3, 0.4, 8), flat(50, 0.7)])
        yield fires(
            "raised at once",
            a_run({Role.TRAIN_LOSS: noisy(stays_up, 0.05), Role.LEARNING_RATE: leap}),
            onset=51,
        )
        comes_back = np.concatenate([decay(50, 2.3, 0.4, 8), decay(50, 0.7, 0.3, 4)])
        yield silent(
            "raised, and the loss came back",
            a_run({Role.TRAIN_LOSS: noisy(comes_back, 0.02), Role.LEARNING_RATE: leap}),
        )
        yield silent(
            "cyclic",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(level, 0.02),
                    Role.LEARNING_RATE: 0.05 - 0.04 * np.cos(2 * np.pi * np.arange(100) / 22),
                }
            ),
        )
        yield silent(
            "range test",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(turned, 0.02),
                    Role.LEARNING_RATE: np.geomspace(1e-6, 1, 100),
                }
            ),
        )
        restart = np.concatenate([cosine(60, 0.1, 1e-4), cosine(120, 0.1, 1e-4)[:40]])
        yield silent(
            "warm restart",
            a_run({Role.TRAIN_LOSS: noisy(lifted, 0.02), Role.LEARNING_RATE: restart}),
        )
        cycle = np.concatenate([cosine(30, 0.1, 1e-3)[::-1], cosine(70, 0.1)])
        late = np.concatenate([flat(30, 2.3), decay(70, 2.3, 0.3)])
        yield silent(
            "one cycle", a_run({Role.TRAIN_LOSS: noisy(late, 0.02), Role.LEARNING_RATE: cycle})
        )
        yield silent(
            "still warming up",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(flat(100, 2.3), 0.02),
                    Role.VAL_LOSS: noisy(flat(5, 2.3), 0.02),
                    Role.LEARNING_RATE: np.linspace(1e-5, 0.1, 100),
                }
            ),
        )
        yield silent(
            "the loss falls",
            a_run({Role.TRAIN_LOSS: noisy(decay(100, 2.3, 0.3), 0.02), Role.LEARNING_RATE: twice}),
        )


def _steepest(climb: Floats) -> float:
    """The share of a climb that its steepest step makes, by values or by their logarithms."""
    shares = [np.diff(climb).max() / (climb[-1] - climb[0])]
    if climb[0] > 0:
        shares.append(np.diff(np.log(climb)).max() / np.log(climb[-1] / climb[0]))
    return float(min(shares))


def _climbs_before(values: Floats, factor: float) -> bool:
    """Whether the rate rose by ``factor`` and fell again, beyond a warm-up to its peak."""
    peak = int(values.argmax())
    after = values[peak:]
    lowest = np.minimum.accumulate(after)
    return bool(np.any(after >= factor * np.maximum(lowest, 1e-300)))
