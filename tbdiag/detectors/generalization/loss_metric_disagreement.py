"""GEN005: the validation loss climbs although the decisions do not get worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, SetTo
from tbdiag.model.role import Role
from tbdiag.signals.noise import noise
from tbdiag.signals.turning import gained_since
from tbdiag.synth import a_run, decay, jitter, noisy, u_turn

REMEDIES = (
    Remedy.advice(
        "Choose the checkpoint by the metric that counts, and do not stop by the loss",
        "the loss punishes confidence in wrong answers, the metric only counts them",
    ),
    Remedy.turn(
        Knob.LABEL_SMOOTHING,
        SetTo(0.1),
        "Smooth the labels by 0.1",
        "a target below one gives no reward for confidence without end",
    ),
    Remedy.advice(
        "Scale the logits by one temperature that is fitted on validation data",
        "overconfidence is mended after training, without changing a single decision",
    ),
)


@dataclass(frozen=True, kw_only=True)
class LossMetricDisagreement(Detector):
    """Validation loss climbs while the validation metric holds or still gets better.

    ## What it does

    Finds runs in which the two measures of validation part: the loss has turned, the metric has not.

    ## Why is this bad?

    The network becomes overconfident: it is as right as before, but surer of its mistakes. Stopping by
    the loss throws a better metric away, and the probabilities it gives can no longer be trusted.

    ## How it is detected

    The validation loss ends above its best by the share `rise` and by `deviations` times the noise of
    successive differences, its best lies before `best_before` of the run, and it climbs in a trend
    (Mann–Kendall, p below `significance`). The metric, from there to the end, has lost no more than `lost` of its
    value or twice its noise.

    ## Remedy

    Choose the checkpoint by the metric; label smoothing; a temperature.

    ## False alarms

    A metric that counts decisions moves in steps, and a threshold can hide a change: it has to hold
    over all that time. Where training goes on to fall and the metric gains nothing, GEN001 is the
    cause of both; where the metric still gains, this is the finding.

    ## References

    Guo et al., "On calibration of modern neural networks" (2017), §3.
    """

    code, severity, since = "GEN005", Severity.NOTE, "0.1.0"
    needs = (Role.VAL_LOSS, Role.VAL_METRIC)
    points = 10
    explains = ("GEN004",)

    rise: Annotated[float, Threshold("climb above the best, as a share of it", above=0)] = 0.05
    deviations: Annotated[float, Threshold("climb in units of the noise", at_least=0)] = 3.0
    best_before: Annotated[float, Threshold("latest place of the best", above=0, at_most=1)] = 0.75
    significance: Annotated[float, Threshold("largest p of the climb", above=0, at_most=1)] = 0.05
    lost: Annotated[float, Threshold("loss of the metric that is none", at_least=0)] = 0.005

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where loss and metric part."""
        loss, metric = case.the(Role.VAL_LOSS), case.the(Role.VAL_METRIC)
        if len(metric) < self.points:
            return
        seen = case.turn(Role.VAL_LOSS)
        if (
            seen.index >= self.best_before * (len(loss) - 1)
            or seen.worse <= max(self.rise * abs(seen.value), self.deviations * seen.band)
            or seen.since.tau <= 0
            or seen.since.p > self.significance
        ):
            return
        gain, trend = gained_since(metric, seen.step, case.run.roles.bound[Role.VAL_METRIC].better)
        least = max(2 * noise(metric.values), self.lost * float(np.abs(metric.values).max()))
        worsens = trend.tau < 0 and trend.p <= self.significance
        if gain < -least or (worsens and gain < 0):
            return
        better = gain > least and trend.tau > 0 and trend.p <= self.significance
        last = int(loss.steps[-1])
        rise = seen.worse / abs(seen.value) if seen.value else float("inf")
        yield self.finding(
            f"validation loss has climbed by {rise:.0%} since step {seen.step:,}, while the validation"
            f" metric {'still got better' if better else 'held'}: overconfidence",
            Evidence(
                tag=loss.tag,
                span=(seen.step, last),
                note="climbing",
                measures=(
                    Measure("rise", rise, ">", self.rise),
                    Measure("onset_step", seen.step),
                ),
            ),
            Evidence(
                tag=metric.tag,
                span=(
                    max(min(seen.step, int(metric.steps[-1])), int(metric.steps[0])),
                    int(metric.steps[-1]),
                ),
                note="gets better" if better else "holds",
                measures=(Measure("gain", gain, ">=", -least),),
            ),
            confidence=Confidence.HIGH if better else Confidence.MEDIUM,
            remedies=REMEDIES,
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Losses that climb beside metrics that hold or gain; real overfits and noise as traps."""
        climbs = noisy(u_turn(60, 2.3, 0.7, 1.3), 0.02, 1)
        holds = 0.9 - decay(60, 0.6, 0, 20) + jitter(60, 0.003)
        gains = 0.9 - decay(60, 0.6, 0, 3) + jitter(60, 0.003)
        falls = 0.5 + 0.4 * np.exp(-(((np.arange(60) - 20) / 40.0) ** 2)) + jitter(60, 0.004)
        yield fires("holds", a_run({Role.VAL_LOSS: climbs, Role.VAL_METRIC: holds}), onset=20)
        yield fires("gains", a_run({Role.VAL_LOSS: climbs, Role.VAL_METRIC: gains}))
        yield silent("both get worse", a_run({Role.VAL_LOSS: climbs, Role.VAL_METRIC: falls}))
        yield silent(
            "both hold",
            a_run({Role.VAL_LOSS: noisy(decay(60, 2.3, 0.7), 0.02), Role.VAL_METRIC: holds}),
        )
        yield silent(
            "noise",
            a_run({Role.VAL_LOSS: noisy(decay(60, 2.3, 0.7, 20), 0.2, 4), Role.VAL_METRIC: holds}),
        )
