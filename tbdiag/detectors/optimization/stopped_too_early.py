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
from tbdiag.model.series import Floats, Series
from tbdiag.signals.forecast import Forecast, forecast
from tbdiag.signals.medians import median
from tbdiag.signals.schedule import Shape
from tbdiag.signals.smoothing import running_median, tail, thinned
from tbdiag.signals.trend import kendall
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy, u_turn

_SCALES = 5.0  # losses that begin further apart are not on the same scale


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

    Three signs that a fall goes on add up to a score, with weights that a logistic regression gave: how
    steadily the second half falls by steps (minus Kendall's tau, times `by_steps`), how steadily by the
    way that the learning rate allowed (times `by_way`), and how steadily the whole run falls, in at
    most `most` points (times `by_whole`). By that way the slow end of a schedule is not mistaken for arrival. The score
    must exceed `enough`; up to `sure` half of them come true, so confidence is low.

    The Theil–Sen slope of the last `window`, flattened as the curve
    itself flattens, is carried on for `more` of it: that is what a run so much longer, with its
    schedule stretched, would bring. The fall must exceed `gain` of the loss and be above 0 at the cautious end of
    its interval. Where the rate was not logged, its schedule may be what flattens the end, so that a fall from the third
    quarter of the run to the last by `late` is enough. Since a cut after which the rate, below `decayed` of its peak, was held, only what came
    later counts, by steps, unless the rate was spent for more than `spent` of the run. Where that tells of no gain, the loss before the first cut
    is carried on, if it fell steadily (tau of its second half below −`steady`), surely, and by more than `surely`: a stretched schedule has
    more of its high rate as well. Where the training loss ends below `below` times the validation loss, it
    learns by heart, and validation has to fall by steps with a steadiness of `plain`.
    The best value must lie in the last `best_after` of the run. A gain above `large` is worth twice the
    time. Under a rate that comes round again the rule cannot tell.

    ## Remedy

    Half as many epochs more for a small gain, twice as many for a large one, with the schedule
    stretched to the new length.

    ## False alarms

    The steep drop at the end of a cosine is the anneal, not a promise, and so is the one right after
    a cut. Before an anneal that brings much the loss jumps about, for what it takes away is noise.

    ## References

    Theil (1950), Sen (1968).
    """

    code, severity, since = "OPT006", Severity.NOTE, "0.1.0"
    needs = ((Role.VAL_LOSS, Role.TRAIN_LOSS),)
    points = 8
    leads = ("OPT008",)  # what still falls is not held up by its noise

    window: Annotated[float, Threshold("share of the run that is projected", above=0)] = 0.5
    more: Annotated[float, Threshold("how much longer, as a share of the run", above=0)] = 0.5
    gain: Annotated[float, Threshold("projected gain, as a share of the loss", above=0)] = 0.0075
    late: Annotated[float, Threshold("fall of the last quarter, the rate unknown", above=0)] = 0.004
    by_steps: Annotated[float, Threshold("weight of a steady fall by steps", at_least=0)] = 1.0
    by_way: Annotated[float, Threshold("weight of one by the way of the rate", at_least=0)] = 3.0
    by_whole: Annotated[float, Threshold("weight of a steady fall of all the run", at_least=0)] = (
        2.0
    )
    enough: Annotated[float, Threshold("score of a run to go on with", at_least=0)] = 4.2
    sure: Annotated[float, Threshold("score of one that is sure", at_least=0)] = 5.2
    below: Annotated[
        float, Threshold("training loss over validation, learned by heart", above=0)
    ] = 0.4
    plain: Annotated[float, Threshold("steadiness by steps that is asked then", at_least=0)] = 0.4
    steady: Annotated[
        float, Threshold("tau of a fall before the first cut", above=0, at_most=1)
    ] = 0.7
    surely: Annotated[float, Threshold("least gain from more of that rate", at_least=0)] = 0.015
    most: Annotated[int, Threshold("points of the curve that are compared", at_least=10)] = 40
    spent: Annotated[float, Threshold("share of the run at a spent rate", above=0)] = 0.25
    best_after: Annotated[float, Threshold("last part with the best value", above=0)] = 0.4
    decayed: Annotated[float, Threshold("rate over its peak", at_least=0, at_most=1)] = 0.2
    large: Annotated[float, Threshold("gain from which twice as long pays", above=0)] = 0.03

    def cannot_tell(self, case: Case) -> str | None:
        """Where the rate comes and goes, the end of the run is a matter of its phase."""
        if case.schedule is not None and case.schedule.shape is Shape.CYCLIC:
            return "the learning rate comes round again, and the loss with it"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where more training is expected to pay."""
        role = Role.VAL_LOSS if _long_enough(case, self.points) else Role.TRAIN_LOSS
        logged = case.curve(role)
        if logged is None or len(logged) < self.points:
            return
        curve = case.thinned(logged)
        calm = running_median(curve.values, 3)
        if int(calm.argmin()) < (1 - self.best_after) * (len(curve) - 1):
            return
        score = self.by_whole * -kendall(thinned(curve, self.most).values)
        cut = case.schedule is not None and len(case.schedule.changes) > 0
        if not cut and score + self.by_steps + self.by_way <= self.enough:
            return
        end, share = self._end(case, role)
        by_steps = -_falling(curve.values)
        score += self.by_steps * by_steps + self.by_way * -_falling(end)
        if score <= self.enough and share == 1:
            return
        if by_steps < self.plain and self._memorises(case):
            return
        change, level = self._ahead(end, share), abs(median(tail(curve.values))) or 1.0
        if share < 1 and (score <= self.enough or -change.expected <= self.gain * level):
            # A schedule that is stretched with the run has more of its high rate as well.
            high = self._while_high(case, curve)
            change, score = (change, score) if high is None else (high, self.sure)
        if score <= self.enough:
            return
        gain = -change.expected / level
        # A schedule that nobody logged makes a slow end look like arrival.
        unknown = case.curve(Role.LEARNING_RATE) is None
        late = _late_fall(curve.values) / level if unknown else 0.0
        if change.high >= 0 or (gain <= self.gain and late <= self.late):
            return
        last = int(curve.steps[-1])
        factor = 2.0 if gain > self.large else 1.5
        first = int(curve.steps[-max(6, round(self.window * len(curve)))])
        if gain > self.gain:
            ahead = f"; {case.further(curve, self.more)}: {change.phrase}"
            measure = Measure("expected_gain", gain, ">", self.gain)
            reason = f"the trend of the end projects a gain of {gain:.0%}"
        else:
            ahead = f", by {late:.1%} in the last quarter of the run"
            measure = Measure("late_fall", late, ">", self.late)
            reason = f"the last quarter of the run brought {late:.1%}"
        yield self.finding(
            f"the {role.phrase} was still falling at step {last:,}{ahead}",
            Evidence(
                tag=curve.tag,
                span=(first, last),
                note="still falling",
                measures=(measure,),
            ),
            confidence=Confidence.HIGH if score > self.sure else Confidence.LOW,
            remedies=(
                Remedy.turn(
                    Knob.EPOCHS,
                    Scale(factor),
                    f"Train {factor:g} times as long and stretch the schedule with it",
                    reason,
                    Safety.UNSAFE,
                ),
            ),
        )

    def _while_high(self, case: Case, curve: Series) -> Forecast | None:
        """What more of the rate before its first cut would bring, where the loss fell steadily under it."""
        if case.schedule is None:
            return None
        first, cut = case.schedule.warm_up_end, case.schedule.changes[0]
        values = curve.between(float(first), float(cut)).values[:-1]
        if len(values) < self.points or -_falling(values) < self.steady:
            return None
        found = self._ahead(values, 1.0)
        return found if -found.high > self.surely * abs(float(values[-1])) else None

    def _memorises(self, case: Case) -> bool:
        """Whether training is far below validation, having begun on the same scale."""
        train, val = case.curve(Role.TRAIN_LOSS), case.curve(Role.VAL_LOSS)
        if train is None or val is None or not (train.values.min() > 0 and len(val)):
            return False
        begun, ends = train.values[0] / val.values[0], case.progress.last / median(tail(val.values))
        return 1 / _SCALES < begun < _SCALES and bool(ends < self.below)

    def _ahead(self, values: Floats, share: float) -> Forecast:
        """What ``more`` of the run brings, by values that are this share of it."""
        ahead = self.more * len(values) / share
        return forecast(np.arange(len(values), dtype=np.float64), values, ahead, self.window)

    def _end(self, case: Case, role: Role) -> tuple[Floats, float]:
        """The values that are projected, and their share of the run."""
        whole, course = case.paced(role), case.schedule
        if course is None or course.last >= self.decayed * course.peak or course.idle > self.spent:
            return whole, 1.0
        held, curve = case.last_stretch(role), case.the(role)
        if held is not None and len(held) >= self.points:
            share = (held.steps[-1] - held.steps[0]) / (curve.steps[-1] - curve.steps[0])
            return held.values, float(share)
        return whole, 1.0

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Falling ends; flat, risen and annealed ends as traps."""
        falling = noisy(decay(40, 2.3, 0.3, 2), 0.005)
        yield fires("validation falls", a_run({Role.VAL_LOSS: falling}))
        yield fires("training falls, no validation", a_run({Role.TRAIN_LOSS: falling}))
        slows = 1.2 - 0.1 * np.sin(np.linspace(0, np.pi / 2, 40))
        yield fires("slows down as under a schedule", a_run({Role.VAL_LOSS: slows}))
        held = flat(40, 0.1)
        yield silent(
            "gains next to nothing", a_run({Role.VAL_LOSS: slows, Role.LEARNING_RATE: held})
        )
        yield silent("done", a_run({Role.VAL_LOSS: noisy(decay(40, 2.3, 0.3, 12), 0.01)}))
        wavers = decay(40, 2.3, 0.9, 3) * np.exp(jitter(40, 0.1))
        yield silent("falls, and up as often", a_run({Role.VAL_LOSS: wavers}))
        yield silent("turned", a_run({Role.VAL_LOSS: u_turn(40, 2.3, 0.6, 1.2)}))
        rate = cosine(40, 0.1)
        annealed = decay(40, 2.3, 0.5, 25) + 3 * rate * np.exp(jitter(40, 0.3))
        yield silent("end of a cosine", a_run({Role.VAL_LOSS: annealed, Role.LEARNING_RATE: rate}))
        cut = np.concatenate([flat(20, 0.1), flat(20, 0.01)])
        speeds_up = np.concatenate(
            [noisy(decay(20, 2.3, 1.2, 4), 0.003), 1.2 - 0.02 * np.arange(20)]
        )
        yield fires(
            "speeds up under a lowered rate",
            a_run({Role.VAL_LOSS: speeds_up, Role.LEARNING_RATE: cut}),
        )
        finds_its_way = 2.2 - 0.4 * np.linspace(0, 1, 40) ** 3
        yield fires(
            "speeds up under a cosine",
            a_run({Role.VAL_LOSS: noisy(finds_its_way, 0.001), Role.LEARNING_RATE: rate}),
        )
        cycles = np.tile(cosine(10, 0.1), 4)
        yield silent("warm restarts", a_run({Role.VAL_LOSS: falling, Role.LEARNING_RATE: cycles}))


def _falling(values: Floats) -> float:
    """Kendall's tau of the second half."""
    return kendall(values[len(values) // 2 :])


def _late_fall(values: Floats) -> float:
    """The fall from the third quarter to the last."""
    quarter = len(values) // 4
    return median(values[-2 * quarter : -quarter]) - median(values[-quarter:])


def _long_enough(case: Case, points: int) -> bool:
    curve = case.curve(Role.VAL_LOSS)
    return curve is not None and len(curve) >= points
