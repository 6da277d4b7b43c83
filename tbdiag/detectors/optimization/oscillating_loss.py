"""OPT003: the loss swings instead of falling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import LARGER_BATCH, RATE_THIRD
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, SetTo
from tbdiag.model.role import Role
from tbdiag.signals.medians import median
from tbdiag.signals.noise import detrended, deviation, roughness
from tbdiag.signals.period import strongest_swing
from tbdiag.signals.schedule import Shape
from tbdiag.synth import a_run, decay, jitter, noisy

REMEDIES = (
    RATE_THIRD,
    Remedy.turn(
        Knob.MOMENTUM,
        SetTo(0.5),
        "Lower momentum to 0.5",
        "momentum that overshoots swings around the valley's floor",
    ),
    LARGER_BATCH,
)


_NOTHING = 1000.0  # swings as large as so many times the gain: there was none


@dataclass(frozen=True, kw_only=True)
class OscillatingLoss(Detector):
    """The training loss swings up and down by a good part of all it has gained.

    ## What it does

    Compares the swings of the later training loss with its whole fall, and names their period
    where they have one.

    ## Why is this bad?

    Whichever epoch is the last decides the result. A regular swing points to its cause: momentum
    that overshoots, a cycle in the data, or a cycle of the rate.

    ## How it is detected

    On the second half of the training loss, at most `longest` points. What remains after a running
    median over a fourth of it must have a standard deviation above `energy` of the fall from the
    first loss to the best and above `level` of the loss itself. One period must hold more than
    `share` of the variance, or the swings must exceed `wild` of the fall without any. A curve that
    was smoothed before it was logged (lag-1 autocorrelation of its differences above `smoothed`)
    can only swing with a period.

    ## Remedy

    A third of the rate, then less momentum, then a larger batch.

    ## False alarms

    Under a cyclic rate the loss is meant to swing, and the rule is silent. A sawtooth within every
    epoch is small beside the fall. Noise without a period has to be large.

    ## References

    Welch (1967) for the periodogram.
    """

    code, severity, since = "OPT003", Severity.WARNING, "0.1.0"
    needs = (Role.TRAIN_LOSS,)
    points = 30

    longest: Annotated[int, Threshold("most points looked at", at_least=30)] = 2000
    energy: Annotated[float, Threshold("swing over the fall", above=0)] = 0.08
    level: Annotated[float, Threshold("swing over the loss itself", above=0)] = 0.05
    share: Annotated[float, Threshold("variance in one period", above=0, at_most=1)] = 0.5
    wild: Annotated[float, Threshold("swing over the fall without a period", above=0)] = 0.25
    smoothed: Annotated[float, Threshold("autocorrelation of a smoothed curve", at_most=1)] = 0.4

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where the loss swings."""
        if case.schedule is not None and case.schedule.shape is Shape.CYCLIC:
            return
        curve = case.the(Role.TRAIN_LOSS)
        curve = curve if len(curve) <= self.longest else case.course(Role.TRAIN_LOSS)
        half, seen = curve.values[len(curve) // 2 :], case.progress
        gained, level = seen.first - seen.best, self.level * abs(median(half))
        if float(half.max() - half.min()) <= max(self.energy * gained, level):
            return  # it cannot swing by more around its trend than in all
        rest = detrended(half, max(5, len(half) // 4))
        size = deviation(rest)
        fall = max(gained, size / _NOTHING)
        if size <= self.energy * fall or size <= level:
            return
        swing = strongest_swing(rest)
        regular = swing.share > self.share
        batch = case.curve(Role.BATCH_LOSS)
        batches = batch is not None and batch.tag == curve.tag  # single ones scatter that much
        wild = size > self.wild * fall and roughness(half) <= self.smoothed and not batches
        if not (regular or wild):
            return
        first, last = int(curve.steps[len(curve) // 2]), int(curve.steps[-1])
        steps = swing.period * (last - first) / max(len(half) - 1, 1)
        yield self.finding(
            f"the training loss swings by {_of(size, fall)}"
            + (f", about every {steps:,.0f} steps" if regular else ", without a period"),
            Evidence(
                tag=curve.tag,
                span=(first, last),
                note="swings",
                measures=(
                    Measure("energy", size / fall, ">", self.energy),
                    Measure("share", swing.share, ">", self.share),
                    *((Measure("period", steps),) if regular else ()),
                ),
            ),
            confidence=Confidence.HIGH if regular else Confidence.MEDIUM,
            remedies=REMEDIES,
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Regular and wild swings; noise, sawteeth and rate cycles as traps."""
        at = np.arange(120)
        wave = np.sin(2 * np.pi * at / 12)
        yield fires(
            "regular swing", a_run({Role.TRAIN_LOSS: decay(120, 2.3, 0.8, 8) + 0.3 * wave + 0.1})
        )
        wild = np.abs(decay(120, 2.3, 1.2, 8) + jitter(120, 0.5)) + 0.2
        yield fires("wild swing", a_run({Role.TRAIN_LOSS: wild}))
        yield silent("plain noise", a_run({Role.TRAIN_LOSS: noisy(decay(120, 2.3, 0.5, 6), 0.08)}))
        yield silent(
            "sawtooth",
            a_run({Role.TRAIN_LOSS: decay(120, 2.3, 0.5, 6) * (1 + 0.05 * (at % 10) / 10)}),
        )
        yield silent(
            "rate cycle",
            a_run(
                {
                    Role.TRAIN_LOSS: decay(120, 2.3, 0.8, 8) + 0.3 * wave + 0.1,
                    Role.LEARNING_RATE: 0.05 + 0.045 * wave,
                }
            ),
        )


def _of(size: float, fall: float) -> str:
    """A swing beside what was gained, in words."""
    if size < _NOTHING * fall:
        return f"{size / fall:.0%} of all it gained"
    return f"{size:.3g}, and gained nothing"
