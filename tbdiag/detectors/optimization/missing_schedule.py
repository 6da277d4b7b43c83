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
from tbdiag.signals.noise import noise, roughness, wavering
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
    before it was logged (lag-1 autocorrelation of its differences above `smoothed`) cannot tell, nor one
    of fewer than `enough` points. Else a validation loss of `evaluations` or more speaks, by the second differences of its
    logarithm in the second half: above `restless` it is the rate that throws it about.

    ## Remedy

    A cosine or linear decay to zero; else a third of the rate.

    ## False alarms

    Adam at a tuned rate may be fine without a schedule, hence a note.

    ## References

    Bottou, Curtis, Nocedal, "Optimization methods for large-scale machine learning" (2018), §4.
    """

    code, severity, since = "OPT008", Severity.NOTE, "0.1.0"
    needs = (Role.TRAIN_LOSS, Role.LEARNING_RATE)
    points = 10
    explains = ("GRD002",)  # its bursts, which are a note, come with steps that never get shorter
    leads = ("OPT003", "OPT005", "VAL002", "GEN002")  # what a floor of noise looks like

    window: Annotated[float, Threshold("share of the run looked at", above=0, at_most=1)] = 1 / 3
    noise: Annotated[float, Threshold("relative noise of the floor", above=0)] = 0.01
    ratio: Annotated[float, Threshold("noise over what is still gained", above=0)] = 1.0
    significance: Annotated[float, Threshold("largest p of a trend", above=0, at_most=1)] = 0.05
    enough: Annotated[int, Threshold("points of training that tell its noise", at_least=6)] = 20
    evaluations: Annotated[int, Threshold("evaluations that tell theirs", at_least=10)] = 10
    restless: Annotated[float, Threshold("late wavering of log validation loss", above=0)] = 0.15
    smoothed: Annotated[float, Threshold("autocorrelation of a smoothed curve", at_most=1)] = 0.4

    def cannot_tell(self, case: Case) -> str | None:
        """Smoothing before logging hides the noise."""
        values, val = case.course(Role.TRAIN_LOSS).values, case.curve(Role.VAL_LOSS)
        if len(case.the(Role.TRAIN_LOSS)) < self.enough:
            if val is not None and len(val) >= self.evaluations:
                return None
            return f"neither loss has enough points; {self.enough} of training are needed"
        if roughness(values[len(values) // 2 :]) > self.smoothed:
            return "the training loss was smoothed before it was logged"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where a constant rate holds the loss on its floor."""
        if case.schedule is None or case.schedule.shape is not Shape.CONSTANT:
            return
        found = self._by_training(case) or self._by_validation(case)
        if found is not None:
            yield found

    def _by_validation(self, case: Case) -> Finding | None:
        """A validation loss that jumps about for as long as the rate is not lowered."""
        val = case.curve(Role.VAL_LOSS)
        if val is None or len(val) < self.evaluations or not val.values.min() > 0:
            return None
        thin = case.thinned(val)
        half = len(thin) // 2
        jumps = wavering(np.log(thin.values[half:]))
        if jumps <= self.restless or case.schedule is None:
            return None
        first, last = int(thin.steps[half]), int(thin.steps[-1])
        return self.finding(
            f"the rate stays at {case.schedule.last:.3g} while the validation loss wavers by {jumps:.0%}"
            f" from one evaluation to the next since step {first:,}",
            Evidence(
                tag=val.tag,
                span=(first, last),
                note="wavers",
                measures=(Measure("wavering", jumps, ">", self.restless),),
            ),
            Evidence(tag=case.the(Role.LEARNING_RATE).tag, span=(first, last), note="constant"),
            confidence=Confidence.MEDIUM,
            remedies=(DECAY_TO_ZERO, RATE_THIRD),
        )

    def _by_training(self, case: Case) -> Finding | None:
        """A training loss on its floor."""
        curve = case.course(Role.TRAIN_LOSS)
        if case.schedule is None or len(case.the(Role.TRAIN_LOSS)) < self.enough:
            return None
        end = tail(curve.values, self.window, least=6)
        jumps, level = noise(end), abs(median(end))
        if jumps <= self.noise * level or level == 0:
            return None
        slope = median_slope(np.arange(len(end), dtype=np.float64), end)
        falls = mann_kendall(end).p <= self.significance
        gained = max(-slope * len(end), 0.0) if falls else 0.0
        if jumps <= self.ratio * gained:
            return None
        first, last = int(curve.steps[len(curve) - len(end)]), int(curve.steps[-1])
        return self.finding(
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
        few = {
            Role.TRAIN_LOSS: noisy(decay(12, 2.3, 0.3, 6), 0.01),
            Role.VAL_LOSS: noisy(decay(12, 2.3, 0.4, 8), 0.4, 3),
        }
        yield fires(
            "few evaluations that jump about", a_run({**few, Role.LEARNING_RATE: flat(12, 0.1)})
        )
        yield silent("the same under a decay", a_run({**few, Role.LEARNING_RATE: cosine(12, 0.1)}))
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
