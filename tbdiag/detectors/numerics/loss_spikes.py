"""NUM004: single steps throw the loss far up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.numerics import clip_at_usual
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Scale
from tbdiag.model.role import Role
from tbdiag.model.series import Series
from tbdiag.signals.epochs import come_round, evenly_spaced
from tbdiag.signals.medians import median
from tbdiag.signals.noise import roughness
from tbdiag.signals.schedule import Shape
from tbdiag.signals.smoothing import tail
from tbdiag.signals.spikes import Spike, bumps, spikes
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy

ROLL_BACK = Remedy.advice(
    "Go back to a checkpoint about 100 steps before the spike, and skip 200 to 500 batches",
    "logbooks of large models report that the same weights pass with other batches",
)
LOWER_RATE = Remedy.turn(
    Knob.LR,
    Scale(0.9),
    "Multiply the learning rate by 0.9 from there on; by 0.67 late in the run",
    "a slightly smaller step is enough where only single batches throw the weights off",
)
CALMER_LOGITS = Remedy.advice(
    "Normalise queries and keys, and add a z-loss on the logits",
    "logits that grow without bound are the usual source of spikes in attention",
)


class Outcome(StrEnum):
    """What became of the loss after a spike."""

    RECOVERED = "recovered"
    CUT_OFF = "was cut off by the end of the run"
    SLOWLY = "recovered slowly"
    NEVER = "never recovered"


_ORDER = tuple(Outcome)
_SEVERITY = {
    Outcome.RECOVERED: Severity.NOTE,
    Outcome.CUT_OFF: Severity.NOTE,
    Outcome.SLOWLY: Severity.WARNING,
    Outcome.NEVER: Severity.ERROR,
}


@dataclass(frozen=True, kw_only=True)
class LossSpikes(Detector):
    """The loss per step leaps far above its course; some leaps heal, others do not.

    ## What it does

    Finds steps at which the loss stands far above what the steps before it predict, and tells what
    became of each: recovered at once, slowly, or never.

    ## Why is this bad?

    A spike that heals within some hundred steps costs little. One that does not has thrown the
    weights off, and the rest of the run pays for it.

    ## How it is detected

    A causal Hampel filter on the logarithm of the loss: a point is a spike where it exceeds the
    median of the `window` points before it by `deviations` times their scaled median absolute
    deviation, or by `least_deviations` where it is `tall` times as high, is `rise` times as high, and the leap is `share` of all that the loss had fallen. The
    same is asked of means over `block` points, in which a low leap that lasts stands out. It
    has recovered where the loss is back within `soon` steps, or `least` points where those were
    logged more seldom; slowly where that takes longer. It never recovered where the loss did not
    come back within the `patience` points or more that follow, and ends `lasting` times as high as
    before. Spikes that come round with an epoch of `places` points or more are none. The worst spike gives the severity: note, warning, error. A curve that was
    smoothed before it was logged (lag-1 autocorrelation of its differences above `smoothed`) cannot
    tell.

    ## Remedy

    Nothing, or clipping at the usual gradient norm, where they heal. Else go back, skip the batches,
    and lower the rate a little.

    ## False alarms

    Spikes at one and the same place of every epoch, or at even distances, are of the data's order or
    of a mean that starts anew. Spikes right after a resume, or after the rate was raised again, are
    of its making. A shift of the level while validation holds is a change of the data. On losses that are
    all but zero every hard sample is a leap, but a tiny share of what was learned.

    ## References

    Hampel (1974); Chowdhery et al., "PaLM" (2022), §5.1.
    """

    code, severity, since = "NUM004", Severity.WARNING, "0.1.0"
    needs = ((Role.BATCH_LOSS, Role.TRAIN_LOSS),)
    points = 150
    explains = ("GRD002", "GRD003", "OPT003", "OPT004", "OPT005", "GEN003", "VAL002")

    window: Annotated[int, Threshold("points that predict the next", at_least=10)] = 50
    deviations: Annotated[float, Threshold("height in robust deviations", above=0)] = 10.0
    rise: Annotated[float, Threshold("height as a multiple of the level", above=1)] = 1.2
    tall: Annotated[float, Threshold("height that needs fewer deviations", above=1)] = 5.0
    least_deviations: Annotated[float, Threshold("deviations of a tall leap", above=0)] = 6.0
    block: Annotated[int, Threshold("points of a mean that shows a bump", at_least=2)] = 8
    share: Annotated[float, Threshold("height as a share of the fall before", at_least=0)] = 0.05
    places: Annotated[int, Threshold("points of an epoch that tell a place in it", at_least=2)] = 5
    soon: Annotated[int, Threshold("steps of a quick recovery", at_least=1)] = 200
    least: Annotated[int, Threshold("points that a quick recovery may always take", at_least=1)] = 5
    patience: Annotated[int, Threshold("points after a spike that can tell", at_least=5)] = 60
    lasting: Annotated[float, Threshold("end over the level before", above=1)] = 1.2
    smoothed: Annotated[float, Threshold("autocorrelation of a smoothed curve", at_most=1)] = 0.4

    def cannot_tell(self, case: Case) -> str | None:
        values = _curve(case).values
        if values.min() <= 0:
            return "the loss reaches zero or less, and a multiple of it means nothing"
        if roughness(values[len(values) // 2 :], clip=4) > self.smoothed:
            return "the loss was smoothed before it was logged"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        curve = _curve(case)
        found = self._spikes(case, curve)
        if not found:
            return
        outcomes = [self._outcome(curve, spike) for spike in found]
        ranks = [
            (_ORDER.index(outcome), spike.height)
            for outcome, spike in zip(outcomes, found, strict=True)
        ]
        worst = max(range(len(found)), key=ranks.__getitem__)
        outcome, spike = outcomes[worst], found[worst]
        if outcome is Outcome.NEVER and _validation_held(
            case, int(curve.steps[spike.at]), self.lasting
        ):
            return
        step = int(curve.steps[spike.peak])
        many = f"{len(found)} times, most gravely" if len(found) > 1 else "once,"
        end = int(curve.steps[-1] if spike.back is None else curve.steps[spike.back])
        counts = [
            Measure(name, outcomes.count(each))
            for name, each in (("recovered", Outcome.RECOVERED), ("slowly", Outcome.SLOWLY))
        ]
        yield self.finding(
            f"the loss leapt {many} to {spike.height:,.3g} times its level at step {step:,},"
            f" and {'it ' if outcome is Outcome.CUT_OFF else ''}{outcome}",
            Evidence(
                tag=curve.tag,
                span=(int(curve.steps[spike.at]), end),
                note=outcome.value,
                measures=(
                    Measure("deviations", spike.deviations, ">", self.deviations),
                    Measure("height", spike.height, ">", self.rise),
                    Measure("spikes", len(found)),
                    *counts,
                    Measure("onset_step", int(curve.steps[spike.at])),
                ),
            ),
            severity=_SEVERITY[outcome],
            confidence=Confidence.HIGH
            if spike.deviations > 2 * self.deviations
            else Confidence.MEDIUM,
            remedies=_remedies(case, outcome, int(curve.steps[found[0].at])),
        )

    def _spikes(self, case: Case, curve: Series) -> list[Spike]:
        """The spikes that nothing but the training explains."""
        values = curve.values
        window, least, rise = self.window, self.least_deviations, self.rise
        single = spikes(values, window=window, deviations=least, rise=rise)
        means = bumps(values, self.block, window=window, deviations=least, rise=rise)
        ends = [(each.at, len(values) if each.back is None else each.back) for each in single]
        lasting = (
            each
            for each in means
            if not any(each.at <= end and at <= (each.back or len(values)) for at, end in ends)
        )
        every = sorted((*single, *lasting), key=lambda each: each.at)
        start = median(values[:3])
        high = [
            spike
            for spike in every
            if (spike.deviations > self.deviations or spike.height > self.tall)
            and (spike.height - 1) * spike.level > self.share * (start - spike.level)
            and not self._resumed(case, curve, spike)
            and not self._rate_raised(case, curve, spike)
        ]
        steps = curve.steps[[spike.at for spike in high]]
        period = case.epoch_steps
        apart = float(curve.steps[-1] - curve.steps[0]) / (len(curve) - 1)
        if period is not None and period < self.places * apart:
            period = None  # too short to tell places in it, or counted in epochs
        if evenly_spaced(steps) or (period is not None and come_round(steps, period)):
            return []
        return high

    def _outcome(self, curve: Series, spike: Spike) -> Outcome:
        if spike.back is None:
            if len(curve) - spike.at <= self.patience:
                return Outcome.CUT_OFF
            ends = median(tail(curve.values[spike.at :]))
            return Outcome.NEVER if ends > self.lasting * spike.level else Outcome.SLOWLY
        steps = int(curve.steps[spike.back] - curve.steps[spike.at])
        quick = steps <= self.soon or spike.back - spike.at <= self.least
        return Outcome.RECOVERED if quick else Outcome.SLOWLY

    def _resumed(self, case: Case, curve: Series, spike: Spike) -> bool:
        before = int(curve.steps[max(spike.at - self.window, 0)])
        at = int(curve.steps[spike.at])
        return any(before <= each.step <= at for each in case.run.provenance.restarts)

    def _rate_raised(self, case: Case, curve: Series, spike: Spike) -> bool:
        """Whether the rate came up again, by half or more, within the window before the spike."""
        rate, course = case.curve(Role.LEARNING_RATE), case.schedule
        if rate is None or course is None or course.shape is not Shape.CYCLIC:
            return False
        first, last = curve.steps[max(spike.at - self.window, 0)], curve.steps[spike.at]
        near = rate.between(float(first), float(last)).values
        return bool(len(near) and near[-1] >= 1.5 * near.min())

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Leaps that heal at once, slowly and never; order, resumes and restarts as traps."""
        course = noisy(decay(600, 2.3, 0.5), 0.05)
        once = course.copy()
        once[300:304] *= (6, 4, 2.5, 1.6)
        yield fires("heals at once", a_run({Role.BATCH_LOSS: once}), onset=301)
        slow = course.copy()
        slow[200:] *= 1 + 5 * np.exp(-np.arange(400) / 120)
        yield fires("heals slowly", a_run({Role.BATCH_LOSS: slow}), onset=201)
        never = course.copy()
        never[350:] *= 3
        yield fires("never heals", a_run({Role.BATCH_LOSS: never}), onset=351)
        yield fires("training loss only", a_run({Role.TRAIN_LOSS: once}), onset=301)
        thrice = course.copy()
        thrice[[130, 288, 471]] *= 8
        by_epoch = Series.of("loss/val", np.arange(1, 21), noisy(decay(20, 2.3, 0.6), 0.01))
        yield fires(
            "beside evaluations that count epochs",
            a_run({Role.BATCH_LOSS: thrice, Role.VAL_LOSS: by_epoch}, hparams={"epochs": 20}),
        )
        yield silent("descent", a_run({Role.BATCH_LOSS: course}))
        yield silent("small batches", a_run({Role.BATCH_LOSS: noisy(flat(900, 1), 0.8, 5)}))
        regular = course.copy()
        regular[60::60] *= 3
        yield silent("the same batch of every epoch", a_run({Role.BATCH_LOSS: regular}))
        shifted = {Role.BATCH_LOSS: never, Role.VAL_LOSS: noisy(decay(20, 2.3, 0.6), 0.01)}
        validated = Series.of("loss/val", 30 * np.arange(1, 21), shifted[Role.VAL_LOSS])
        yield silent("other data from then on", a_run({**shifted, Role.VAL_LOSS: validated}))
        rates = np.concatenate([cosine(300, 0.1, 1e-3), cosine(300, 0.1, 1e-3)])
        lifted = course.copy()
        lifted[302:340] *= 2.5
        yield silent("warm restart", a_run({Role.BATCH_LOSS: lifted, Role.LEARNING_RATE: rates}))
        kernel = np.ones(15) / 15
        smooth = np.convolve(np.convolve(once, kernel, "valid"), kernel, "valid")
        yield silent("smoothed before it was logged", a_run({Role.BATCH_LOSS: smooth}))
        learned = decay(600, 2.3, 0, 40) + np.abs(jitter(600, 1e-4)) + 1e-4
        learned[400] = 0.01
        yield silent("all but zero", a_run({Role.BATCH_LOSS: learned}))


def _curve(case: Case) -> Series:
    """The loss with the most points."""
    both = [case.curve(role) for role in (Role.BATCH_LOSS, Role.TRAIN_LOSS)]
    return max((curve for curve in both if curve is not None), key=len)


def _validation_held(case: Case, since: int, lasting: float) -> bool:
    """Whether the validation loss ends no higher than it stood before the step ``since``."""
    val = case.curve(Role.VAL_LOSS)
    if val is None:
        return False
    before, after = val.values[val.steps < since], val.values[val.steps >= since]
    if len(before) < 2 or len(after) < 2:
        return False
    return median(tail(after)) <= lasting * float(before.min())


def _remedies(case: Case, outcome: Outcome, until: int) -> tuple[Remedy, ...]:
    clip = clip_at_usual(case, until)
    if outcome in (Outcome.RECOVERED, Outcome.CUT_OFF):
        return (clip,)
    return (ROLL_BACK, LOWER_RATE, clip, CALMER_LOGITS)
