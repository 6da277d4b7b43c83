"""OPT001: the steps are too large to settle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import DECAY_TO_ZERO, RATE_TENTH, RATE_THIRD, WARM_UP
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.run import Scalar
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise, spread
from tbdiag.signals.schedule import Shape
from tbdiag.signals.smoothing import running_median, tail
from tbdiag.signals.stated import Family
from tbdiag.signals.tensors import zeros
from tbdiag.signals.trend import mann_kendall, theil_sen
from tbdiag.signals.updates import rate_at
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy

# The signs of steps that are too large by far, rather than by a little.
_STEEP = frozenset({"left", "lost", "set_back", "blow_up", "above_best", "freed", "rate"})
_STUCK = frozenset({"left", "lost", "set_back"})  # signs that units without any output give as well
_DEAD = 0.9  # share of zeros
_USUAL_MOMENTUM, _MOST_MOMENTUM = 0.9, 0.999
_SEVERAL = 2.0  # points in a block of which medians are taken
_OF_MEDIANS = 1.25  # standard error of a median, in that of a mean


@dataclass(frozen=True, slots=True)
class _Symptom:
    """One sign of a rate that is too high; ``weight`` 2 is enough alone."""

    text: str
    measure: Measure
    weight: int = 1


@dataclass(frozen=True, kw_only=True)
class LearningRateTooHigh(Detector):
    """The training loss bounces or stands at a high level because its steps are too large.

    ## What it does

    Gathers the signs that a learning rate is too high for a run that neither broke nor stood still
    from the start.

    ## Why is this bad?

    With steps that are too large the loss jumps across the valley instead of descending into it.
    The run ends far above what the same network reaches at a lower rate.

    ## How it is detected

    On the training loss, thinned to about a hundred points, at least two of these signs must show.
    The second half has no falling trend (Kendall's tau above `lost_trend`) although `left` of the
    first loss remains and nine tenths of the fall came within `early` of the run, and the loss
    jumps by `noise` of its level, `beyond` times what single batches explain. It ends above `above_best` times its best, and `beyond` what batches explain, while `left` remains,
    having lost `regained` of its fall again. It climbs through the second half (tau above
    `climbing`). It fell by `drop` and `sure` deviations right after the rate was cut at once, to
    `cut` of what it was or less. The loss per batch rose above
    `blow_up` times its first value within its first `batches`; above `explosion` times it, with
    `left` remaining, that counts twice. So does a loss that came down by `at_once`, did not fall
    steadily (tau above −`falls`) while the rate was above half of its peak, and fell steadily, by
    `freed` and by more than before, as that went down. A loss that fell at once and has stood still to within
    `frozen` ever since, at more than `stuck_left` of where it began, counts twice, unless the weight decay
    is known to be `strong_decay` or more, the network to be `tiny`, or a layer was dead before the first step. With more than `unsettled` of the first loss left, so does an
    accuracy that ends `lost` and three times its noise below the best of its first fifth: what was
    learned in the first steps was thrown away, and the finding is an error. An accuracy that stays as far
    below its own start for the rest of the first half counts twice, too: it came back only when the rate fell.
    Where validation was logged `several` times or more, its jumps in the first half, by successive differences, count twice if
    they are `wanders` times as large as all that it fell in the run, and `shakes` of its level, while `left` of the first loss remains: under a schedule
    the end is calm whatever the rate was.
    Beside a single sign, a validation loss that ends `relapses` times its best is another.
    A rate of `adam` for Adam and its kin, `momentum` times (1 − momentum) with one, or `plain` without for `lasting` of the run is a sign, for no network
    is known to bear it; a trace beside it is another: a loss per batch that first rose `rises`-fold, `left`
    of the first loss, a first half that wavers by `wavers`, a second that does not fall, or such a validation loss.

    ## Remedy

    A tenth of the rate; where the loss only bounces, a decay to zero or a third of the rate.

    ## False alarms

    Sign changes of the loss say nothing about the rate: noise alone is no sign here. A plateau at
    the optimum has little of its first loss left. Half a decade too high cannot be told from a
    well-chosen rate without a schedule. Strong weight decay also freezes a loss,
    and so do a few units that can do no more, and units that were dead before the first step.

    ## References

    Measured on the learning-rate sweep of DeepOBS (Schneider et al., 2019).
    """

    code, severity, since = "OPT001", Severity.WARNING, "0.1.0"
    needs = (Role.TRAIN_LOSS,)
    points = 12
    explains = (
        *("GRD005", "OPT003", "OPT005", "OPT006", "OPT008", "OPT010", "GEN002", "GEN004", "VAL002"),
    )
    leads = ("GRD003", "GRD004")  # units that lived at first were killed by something

    lost_trend: Annotated[float, Threshold("tau of a second half without a fall", at_most=1)] = -0.3
    left: Annotated[float, Threshold("last loss over first", above=0)] = 0.2
    early: Annotated[float, Threshold("share of the run for the fall", above=0, at_most=1)] = 0.15
    noise: Annotated[float, Threshold("relative noise of the second half", at_least=0)] = 0.015
    above_best: Annotated[float, Threshold("last loss over best", above=1)] = 1.2
    regained: Annotated[float, Threshold("share of the fall lost again", above=0)] = 0.02
    climbing: Annotated[float, Threshold("tau of a climb", above=0, at_most=1)] = 0.3
    drop: Annotated[float, Threshold("fall right after a cut of the rate", above=0)] = 0.05
    sure: Annotated[float, Threshold("that fall in deviations of a mean", at_least=0)] = 4.0
    cut: Annotated[float, Threshold("rate over the one before, cut at once", above=0)] = 0.6
    batches: Annotated[int, Threshold("batches at the start that may blow up", at_least=1)] = 200
    blow_up: Annotated[float, Threshold("highest early batch loss over the first", above=1)] = 3.0
    explosion: Annotated[float, Threshold("rise that counts twice", above=1)] = 30.0
    at_once: Annotated[float, Threshold("fall before a loss is held up", above=0, at_most=1)] = 0.2
    freed: Annotated[float, Threshold("fall as the rate is lowered", above=0)] = 0.04
    falls: Annotated[float, Threshold("tau of that fall", above=0, at_most=1)] = 0.5
    frozen: Annotated[float, Threshold("relative noise of a frozen loss", at_least=0)] = 1e-3
    stuck_left: Annotated[float, Threshold("last over first of a frozen loss", above=0)] = 0.4
    lost: Annotated[float, Threshold("accuracy learned early and lost", above=0)] = 0.05
    unsettled: Annotated[float, Threshold("last loss over first, accuracy lost", above=0)] = 0.3
    strong_decay: Annotated[float, Threshold("weight decay that freezes by itself", above=0)] = 0.01
    tiny: Annotated[int, Threshold("units of a network that can do no more", at_least=0)] = 4
    adam: Annotated[float, Threshold("rate that is unheard of for Adam", above=0)] = 0.045
    momentum: Annotated[float, Threshold("the same over 1 − momentum", above=0)] = 10.0
    plain: Annotated[float, Threshold("the same for plain gradient descent", above=0)] = 20.0
    lasting: Annotated[float, Threshold("share of the run at such a rate", above=0)] = 0.25
    wanders: Annotated[float, Threshold("early jumps of validation over its fall", above=0)] = 0.35
    shakes: Annotated[float, Threshold("the same over its level at the end", at_least=0)] = 0.03
    several: Annotated[int, Threshold("evaluations that tell them", at_least=8)] = 18
    beyond: Annotated[float, Threshold("noise over that of batches", at_least=0)] = 2.0
    rises: Annotated[float, Threshold("early batch loss over the first, beside that", above=1)] = (
        1.5
    )
    wavers: Annotated[float, Threshold("relative noise, beside that", above=0)] = 0.05
    relapses: Annotated[float, Threshold("validation loss over its best, beside that", above=1)] = (
        1.1
    )

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where the signs add up to two."""
        signs = [sign for sign in self._symptoms(case) if sign is not None]
        if len(signs) == 1 and signs[0].weight == 1:
            signs += [sign for sign in (self._relapsed(case),) if sign is not None]
        weight = sum(sign.weight for sign in signs)
        if weight < 2 or (_STUCK.issuperset(sign.measure.name for sign in signs) and _dead(case)):
            return
        curve = case.the(Role.TRAIN_LOSS)
        names = {sign.measure.name for sign in signs}
        lost, stuck = "lost" in names, "left" in names
        steep = not _STEEP.isdisjoint(names)
        remedies = (RATE_TENTH, WARM_UP) if steep else (DECAY_TO_ZERO, RATE_THIRD, RATE_TENTH)
        span = (int(curve.steps[len(curve) // 2]), int(curve.steps[-1]))
        yield self.finding(
            f"the learning rate looks too high: {' and '.join(sign.text for sign in signs[:2])}",
            Evidence(
                tag=curve.tag,
                span=span,
                note="never settles" if not stuck else "stands still",
                measures=tuple(sign.measure for sign in signs),
            ),
            severity=Severity.ERROR if lost else self.severity,
            confidence=Confidence.HIGH if weight > 2 or lost else Confidence.MEDIUM,
            remedies=remedies,
        )

    def undecided(self, case: Case) -> str | None:
        """A calm end means nothing where a schedule may have brought it, and nobody logged that."""
        seen = case.progress
        known = case.schedule is not None or case.number(Knob.LR) is not None
        if known or not seen.left > self.left / 4 or seen.trend.tau > self.lost_trend:
            return None
        return (
            f"{seen.left:.0%} of the first loss is left, and neither the learning rate nor the settings"
            " were logged; a schedule calms the end whatever the rate was: log the learning rate"
        )

    def _symptoms(self, case: Case) -> Iterator[_Symptom | None]:
        seen = case.progress
        high = seen.left > self.left
        bouncing = seen.noise > max(self.noise, self.beyond * _sampled(case))
        if seen.trend.tau > self.lost_trend and high and bouncing:
            measure = Measure("tau", seen.trend.tau, ">", self.lost_trend)
            yield _Symptom(
                f"the loss bounces by {_share(seen.noise)} without falling in the second half",
                measure,
            )
            if seen.ready < self.early:
                measure = Measure("ready", seen.ready, "<", self.early)
                yield _Symptom(f"its fall was over after {seen.ready:.0%} of the run", measure)
        over = seen.last / seen.best if seen.best > 0 else float("nan")
        above = over - 1 > max(self.above_best - 1, self.beyond * _sampled(case))
        if above and seen.regained > self.regained and seen.left > self.left / 2:
            measure = Measure("above_best", over, ">", self.above_best)
            yield _Symptom(f"it ends {_share(over - 1)} above its best", measure)
        if seen.trend.tau > self.climbing and seen.regained > self.regained:
            measure = Measure("climb", seen.trend.tau, ">", self.climbing)
            yield _Symptom("it climbs through the second half", measure)
        yield self._relapse(case)
        yield self._fall_after_cut(case)
        yield self._early_blow_up(case)
        yield self._held_up(case)
        yield self._standstill(case)
        yield self._wanders(case)
        yield from self._unheard(case)

    def _unheard(self, case: Case) -> Iterator[_Symptom]:
        """A rate that no network is known to bear, and that this one shows a trace of."""
        rate, kind, course = case.number(Knob.LR), case.optimizer, case.curve(Role.LEARNING_RATE)
        if rate is None or kind is None:
            return
        if course is not None and len(course) > 3:  # a short bump does no lasting harm
            rate = float(np.quantile(course.values, 1 - self.lasting))
        limits = {Family.ADAM: self.adam, Family.MOMENTUM: self.momentum, Family.SGD: self.plain}
        if kind is Family.MOMENTUM:
            rate /= 1 - min(case.number(Knob.MOMENTUM) or _USUAL_MOMENTUM, _MOST_MOMENTUM)
        if rate < limits[kind]:
            return
        over = " over 1 − momentum" if kind is Family.MOMENTUM else ""
        text = f"{rate:.3g}{over} is far above what {kind.phrase} is known to bear"
        yield _Symptom(text, Measure("rate", rate, ">=", limits[kind]))
        trace = self._trace(case)
        if trace is not None:
            yield trace

    def _trace(self, case: Case) -> _Symptom | None:
        """What would be no sign by itself."""
        seen, batch = case.progress, case.curve(Role.BATCH_LOSS)
        if batch is not None and len(batch) >= self.points and batch.values[0] > 0:
            top = float(batch.values[: self.batches].max()) / float(batch.values[0])
            if self.rises < top <= self.blow_up:
                text = f"the loss per batch first rose {top:.2g}-fold"
                return _Symptom(text, Measure("rise", top, ">", self.rises))
        if seen.left > self.left:
            text = f"{seen.left:.0%} of the first loss is left"
            return _Symptom(text, Measure("still_left", seen.left, ">", self.left))
        course = case.course(Role.TRAIN_LOSS).values
        early = np.diff(np.log(np.maximum(course[: len(course) // 2], 1e-300)), 2)
        wavering = spread(early) / 6**0.5  # a fall, however steep, is no wavering
        if wavering > self.wavers:
            text = f"the loss wavers by {_share(wavering)} in the first half"
            return _Symptom(text, Measure("wavering", wavering, ">", self.wavers))
        if seen.trend.tau > self.lost_trend and seen.left > self.left / 2:
            text = "the loss no longer falls in the second half"
            return _Symptom(text, Measure("tau", seen.trend.tau, ">", self.lost_trend))
        return self._relapsed(case)

    def _relapsed(self, case: Case) -> _Symptom | None:
        """A validation loss that ends far above its best, which no sign is by itself."""
        val = case.curve(Role.VAL_LOSS)
        if val is None or len(val) < 8:
            return None
        turn = case.turn(Role.VAL_LOSS)
        if not turn.value > 0 or turn.end <= self.relapses * turn.value:
            return None
        text = f"the validation loss ends {_share(turn.end / turn.value - 1)} above its best"
        return _Symptom(text, Measure("over", turn.end / turn.value, ">", self.relapses))

    def _relapse(self, case: Case) -> _Symptom | None:
        """What was learned in the first steps and lost, for good or for half of the run."""
        # Where the loss came far down, an accuracy that falls was that of the most frequent class.
        if not case.progress.left > self.unsettled:
            return None
        for name, seen in (("lost", case.relapse), ("set_back", case.set_back)):
            if seen is not None and seen.beyond(self.lost):
                how = "fell" if name == "lost" else "was set back"
                text = (
                    f"the {seen.role.phrase} {how} from {seen.then:.1%} at step {seen.step:,} to"
                    f" {seen.now:.1%}"
                )
                return _Symptom(text, Measure(name, seen.then - seen.now, ">", self.lost), 2)
        return None

    def _fall_after_cut(self, case: Case) -> _Symptom | None:
        curve = case.course(Role.TRAIN_LOSS)
        rate = case.curve(Role.LEARNING_RATE)
        if rate is None or case.schedule is None:
            return None
        for step in case.schedule.changes:
            changed = int(np.searchsorted(rate.steps, step))
            if rate.values[changed] > self.cut * rate.values[changed - 1]:
                continue  # the end of a smooth decay, not a cut
            at = int(np.searchsorted(curve.steps, step))
            window = max(3, len(curve) // 20)
            if at < 2 * window or at + window > len(curve):
                continue
            before = curve.values[at - 2 * window : at]
            after = median(curve.values[at + 1 : at + 1 + window])
            fall = 1 - after / median(before[window:])
            sure = self.sure * noise(before) / (window**0.5 * max(median(before[window:]), 1e-300))
            if fall > max(self.drop, sure) and mann_kendall(before).tau > self.lost_trend:
                text = f"the loss fell by {fall:.0%} right after the rate was cut at step {step:,}"
                return _Symptom(text, Measure("drop", fall, ">", self.drop))
        return None

    def _early_blow_up(self, case: Case) -> _Symptom | None:
        batch = case.curve(Role.BATCH_LOSS)
        if batch is None or len(batch) < self.points:
            return None
        first = median(batch.values[:3])
        if first > self.blow_up * batch.values[0] > 0:
            first = float(batch.values[0])  # it rose with the very first steps
        early = running_median(batch.values[: self.batches], 3)  # one batch alone is an outlier
        top = float(early.max()) / first if first > 0 else 0.0
        if top <= self.blow_up:
            return None
        exploded = top > self.explosion and case.progress.left > self.left
        return _Symptom(
            f"the loss per batch first rose {top:,.3g}-fold",
            Measure("blow_up", top, ">", self.blow_up),
            2 if exploded else 1,
        )

    def _held_up(self, case: Case) -> _Symptom | None:
        """A loss that fell at once, stood while the rate was high, and fell again as that went down."""
        rate, curve = case.curve(Role.LEARNING_RATE), case.course(Role.TRAIN_LOSS)
        if rate is None or len(rate) < 2 or case.schedule is None or curve.values.min() <= 0:
            return None
        if case.schedule.shape is not Shape.DECAYING or len(curve) < self.points - 2:
            return None
        rates, values = rate_at(curve.steps, rate), curve.values
        lowered = np.flatnonzero(rates < 0.5 * rates.max())
        since, until = max(1, len(values) // 10), int(lowered[0]) if len(lowered) else len(values)
        if min(until - since, len(values) - until) < 5:
            return None
        held, later = values[since:until], values[until:]
        slope = theil_sen(np.arange(len(held), dtype=np.float64), held / median(held)).median
        level, start = median(tail(held, 0.3)), case.progress.first
        fall = 1 - median(tail(later)) / level
        stood = mann_kendall(held).tau > -self.falls and -slope * len(held) < fall
        came_down = level < (1 - self.at_once) * start and level > self.left * start
        if not (
            stood and came_down and fall > self.freed and mann_kendall(later).tau < -self.falls
        ):
            return None
        text = (
            f"the loss stood at {level:.3g} while the rate was high, and fell by {fall:.0%} as it"
            " was lowered"
        )
        return _Symptom(text, Measure("freed", fall, ">", self.freed), 2)

    def _standstill(self, case: Case) -> _Symptom | None:
        seen = case.progress
        still = abs(seen.drop) < self.frozen and seen.noise < self.frozen
        if not (still and self.stuck_left < seen.left < 1 and seen.ready < self.early):
            return None
        width = case.number(Knob.WIDTH)
        if self._strongly_decayed(case) or (width is not None and width <= self.tiny):
            return None
        text = f"it fell at once to {seen.left:.0%} of its first value and has stood still since"
        return _Symptom(text, Measure("left", seen.left, ">", self.stuck_left), 2)

    def _wanders(self, case: Case) -> _Symptom | None:
        """A validation loss that jumps by more than it gains for as long as the rate is high."""
        curve = case.curve(Role.VAL_LOSS)
        if curve is None or len(curve) < self.several or not case.progress.left > self.left:
            return None
        values = case.thinned(curve).values
        early, level = values[: len(values) // 2], median(tail(values))
        jumps, fall = noise(early), abs(float(values[0]) - level)
        if jumps <= self.shakes * abs(level) or jumps <= self.wanders * fall:
            return None
        text = (
            f"the validation loss jumps by {_share(jumps / max(abs(level), 1e-300))} in the first"
            f" half, where the whole run moved it by {fall:.2g}"
        )
        return _Symptom(text, Measure("wanders", jumps / max(fall, 1e-300), ">", self.wanders), 2)

    def _strongly_decayed(self, case: Case) -> bool:
        decay = case.number(Knob.WEIGHT_DECAY)
        return decay is not None and decay >= self.strong_decay

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Bouncing, climbing and stuck losses; plateaus, noise and sawteeth as traps."""
        yield fires(
            "bounces at a high level",
            a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.9, 40), 0.12)}),
        )
        climb = decay(60, 2.3, 0.5, 20) + np.clip(np.arange(60) - 25, 0, None) * 0.02
        yield fires("climbs again", a_run({Role.TRAIN_LOSS: noisy(climb, 0.03)}), onset=25)
        yield fires(
            "loses what it learned at first",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(flat(60, 1.82), 0.01),
                    Role.TRAIN_METRIC: np.concatenate([[0.37, 0.25], flat(58, 0.16)])
                    + jitter(60, 0.005),
                }
            ),
        )
        settings: dict[str, Scalar] = {"optimizer": "adam", "lr": 0.2}
        stands = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.9, 12), 0.002)}
        yield fires("a rate that Adam never bears", a_run(stands, hparams=settings))
        yield silent("the same at a usual rate", a_run(stands, hparams={**settings, "lr": 1e-3}))
        brief = np.full(60, 0.01)
        brief[20:28] = 0.2
        yield silent(
            "such a rate for a short while",
            a_run({**stands, Role.LEARNING_RATE: brief}, hparams={"optimizer": "adam"}),
        )
        falls_late = np.concatenate([flat(30, 1.4), decay(30, 1.4, 1.0, 3)])
        yield fires(
            "set back for half of the run",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(falls_late, 0.01),
                    Role.VAL_METRIC: np.concatenate([flat(3, 0.55), flat(27, 0.42), flat(30, 0.58)])
                    + jitter(60, 0.01),
                }
            ),
        )
        yield silent(
            "a frequent class gives way to weights",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(60, 0.69, 0.1, 8), 0.01),
                    Role.TRAIN_METRIC: np.concatenate([[0.97], flat(59, 0.88)]) + jitter(60, 0.005),
                }
            ),
        )
        yield fires("falls at once and stands", a_run({Role.TRAIN_LOSS: decay(60, 4.4, 3.1, 400)}))
        rate = {Role.LEARNING_RATE: cosine(60, 0.1)}
        held = np.concatenate([[4.5, 3.3], flat(28, 2.8), decay(30, 2.8, 2.5, 4)])
        yield fires("held up by the rate", a_run({Role.TRAIN_LOSS: noisy(held, 0.003), **rate}))
        falling = noisy(decay(60, 4.5, 2.5, 6), 0.003)
        yield silent("falls all the way", a_run({Role.TRAIN_LOSS: falling, **rate}))
        stuck = noisy(np.concatenate([flat(30, 1.4), decay(30, 1.4, 0.9, 4)]), 0.003)
        yield silent("a plateau from the start", a_run({Role.TRAIN_LOSS: stuck, **rate}))
        yield silent(
            "noisy but falling", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.3, 3), 0.1)})
        )
        yield silent(
            "converged with noise", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.05, 12), 0.2)})
        )
        yield silent(
            "irreducible noise of the task",
            a_run({Role.TRAIN_LOSS: flat(80, 0.6) + decay(80, 0.4, 0, 8) + jitter(80, 0.002)}),
        )
        yield silent(
            "strong weight decay",
            a_run(
                {Role.TRAIN_LOSS: decay(60, 4.4, 3.1, 400)},
                hparams={"weight_decay": 0.5, "optimizer": "sgd"},
            ),
        )
        hovers = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.9, 12), 0.06)}
        relapse = decay(60, 2.4, 1.0, 12) + np.linspace(0, 0.5, 60)
        yield fires("hovers, and validation relapses", a_run({**hovers, Role.VAL_LOSS: relapse}))
        yield silent("validation keeps", a_run({**hovers, Role.VAL_LOSS: decay(60, 2.4, 1.0, 12)}))
        calm = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 1.2, 5), 0.005)}
        wanders = 1.5 * np.exp(np.append(0.3, jitter(59, 0.5, 3)) * np.linspace(1, 0, 60))
        yield fires(
            "validation wanders until the rate falls", a_run({**calm, Role.VAL_LOSS: wanders})
        )
        steadily = decay(60, 3.5, 1.5, 5) + jitter(60, 0.1, 3) * np.linspace(1, 0, 60)
        yield silent("it wavers on its way down", a_run({**calm, Role.VAL_LOSS: steadily}))
        sawtooth = decay(240, 2.3, 0.3, 4) * (1 + 0.03 * (np.arange(240) % 12) / 12)
        yield silent("epoch sawtooth", a_run({Role.TRAIN_LOSS: sawtooth}))


def _sampled(case: Case) -> float:
    """The noise that batches explain where a loss per batch is all there is, relative to its level."""
    train, batch, course = (
        case.the(Role.TRAIN_LOSS),
        case.curve(Role.BATCH_LOSS),
        case.course(Role.TRAIN_LOSS),
    )
    each = len(train) / max(len(course), 1)
    if batch is None or batch.tag != train.tag or each < _SEVERAL:
        return 0.0
    late = train.values[len(train) // 2 :]
    return float(_OF_MEDIANS * noise(late) / max(abs(median(late)), 1e-300) / each**0.5)


def _dead(case: Case) -> bool:
    """Whether a layer gave nothing but zeros before the first step."""
    return any(
        len(each) > 0 and zeros(each.record(0))[0] > _DEAD for each in case.layers.activations
    )


def _share(value: float) -> str:
    return f"{value:.1%}" if value < 10 else f"{value:,.3g} times its level"
