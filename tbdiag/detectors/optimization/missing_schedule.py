"""OPT008: the loss has reached the noise floor of a constant rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import DECAY_TO_ZERO, RATE_THIRD
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise, roughness
from tbdiag.signals.schedule import Shape
from tbdiag.signals.smoothing import tail
from tbdiag.signals.trend import mann_kendall, median_slope
from tbdiag.synth import a_run, cosine, decay, flat, noisy


@dataclass(frozen=True, kw_only=True)
class MissingSchedule(Detector):
    """The learning rate stayed constant while the loss hovers on its noise floor.

    ## What it does

    Finds a constant rate under a loss whose jumps from point to point have grown larger than what
    it still gains.

    ## Why is this bad?

    The height of the floor is proportional to the rate. Letting the rate decay to zero is the
    cheapest improvement there is, and it takes no extra epoch.

    ## How it is detected

    The rate is constant after its warm-up. Over the last `window` of the training loss, thinned to
    about a hundred points, the noise of successive differences is above `noise` of the level and
    above `ratio` times the change that the Theil–Sen slope accounts for, if there is a trend at all
    (Mann–Kendall, p below `significance`). A curve that was smoothed
    before it was logged (lag-1 autocorrelation of its differences above `smoothed`) cannot tell.

    ## Remedy

    A cosine or linear decay to zero; else a third of the rate.

    ## False alarms

    Adam at a tuned rate may be fine without a schedule, hence a note.

    ## References

    Bottou, Curtis, Nocedal, "Optimization methods for large-scale machine learning" (2018), §4.
    """

    code, severity, since = "OPT008", Severity.NOTE, "0.1.0"
    needs = (Role.TRAIN_LOSS, Role.LEARNING_RATE)
    points = 20
    explains = ("GRD002",)  # its bursts, which are a note, come with steps that never get shorter
    leads = ("OPT003", "OPT005", "VAL002", "GEN002")  # what a floor of noise looks like

    window: Annotated[float, Threshold("share of the run looked at", above=0, at_most=1)] = 1 / 3
    noise: Annotated[float, Threshold("relative noise of the floor", above=0)] = 0.01
    ratio: Annotated[float, Threshold("noise over what is still gained", above=0)] = 1.0
    significance: Annotated[float, Threshold("largest p of a trend", above=0, at_most=1)] = 0.05
    smoothed: Annotated[float, Threshold("autocorrelation of a smoothed curve", at_most=1)] = 0.4

    def cannot_tell(self, case: Case) -> str | None:
        """Smoothing before logging hides the noise."""
        values = case.course(Role.TRAIN_LOSS).values
        if roughness(values[len(values) // 2 :]) > self.smoothed:
            return "the training loss was smoothed before it was logged"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where a constant rate holds the loss on its floor."""
        if case.schedule is None or case.schedule.shape is not Shape.CONSTANT:
            return
        curve = case.course(Role.TRAIN_LOSS)
        end = tail(curve.values, self.window, least=6)
        jumps, level = noise(end), abs(median(end))
        if jumps <= self.noise * level or level == 0:
            return
        slope = median_slope(np.arange(len(end), dtype=np.float64), end)
        falls = mann_kendall(end).p <= self.significance
        gained = max(-slope * len(end), 0.0) if falls else 0.0
        if jumps <= self.ratio * gained:
            return
        first, last = int(curve.steps[len(curve) - len(end)]), int(curve.steps[-1])
        yield self.finding(
            f"the rate stays at {case.schedule.last:.3g} while the training loss hovers by"
            f" {jumps / level:.1%} without falling since step {first:,}",
            Evidence(
                tag=curve.tag,
                span=(first, last),
                note="noise floor",
                measures=(Measure("noise", jumps / level, ">", self.noise),),
            ),
            Evidence(tag=case.the(Role.LEARNING_RATE).tag, span=(first, last), note="constant"),
            confidence=Confidence.MEDIUM,
            remedies=(DECAY_TO_ZERO, RATE_THIRD),
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """A floor under a constant rate; decays and falls as traps."""
        floor = noisy(decay(80, 2.3, 0.3, 25), 0.05)
        yield fires("floor", a_run({Role.TRAIN_LOSS: floor, Role.LEARNING_RATE: flat(80, 0.1)}))
        yield silent("decays", a_run({Role.TRAIN_LOSS: floor, Role.LEARNING_RATE: cosine(80, 0.1)}))
        yield silent(
            "falls",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(80, 2.3, 0.05, 3), 0.02),
                    Role.LEARNING_RATE: flat(80, 0.1),
                }
            ),
        )
