"""VAL002: validation jumps more than its own sampling explains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Suspicion, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Safety, Scale, SetTo
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.noise import detrended, deviation, roughness
from tbdiag.signals.samples import SetSize
from tbdiag.signals.smoothing import head, running_median
from tbdiag.synth import a_run, counted, decay, jitter, noisy

_TREND = 9  # points of the running median that noise is measured around

REMEDIES = (
    Remedy.turn(
        Knob.SCHEDULER,
        SetTo("cosine"),
        "Let the learning rate decay to zero along a cosine",
        "the noise of the weights is proportional to the rate, and so it ends with it",
    ),
    Remedy.turn(
        Knob.LR,
        Scale(1 / 3),
        "Cut the learning rate to a third",
        "smaller steps make smaller jumps from one evaluation to the next",
    ),
    Remedy.advice(
        "Evaluate an average of the weights over the last epochs",
        "the average stays put while the weights jump around it",
    ),
    Remedy.turn(
        Knob.BATCH_SIZE,
        Scale(2),
        "Double the batch size",
        "the mean over more samples is a calmer gradient",
        Safety.UNSAFE,
    ),
)


@dataclass(frozen=True, kw_only=True)
class NoisyValidation(Detector):
    """Validation jumps from one evaluation to the next, beyond what its sample size explains.

    ## What it does

    Measures how far validation strays from its own trend in the second half of the run, and holds
    that against the noise that there must be.

    ## Why is this bad?

    Which epoch was the best is then decided by chance, and the final weights are a draw, too. The
    cause is nearly always a learning rate that is too high to settle.

    ## How it is detected

    By accuracy, where the number of samples is known or can be read off the values: the standard
    deviation around a running median, over the standard error √(p(1 − p)/N) of an accuracy p. Above
    `sampling` it is not the sampling that makes the noise. Else by loss: the deviation is more than
    `unsettled` of what the loss gained in the run (itself above `gained` of the first loss), and, as a share of the level, more than `calmer`
    times that of the training loss; in `settled` or more evaluations. A curve that was smoothed
    before it was logged (lag-1 autocorrelation of its differences above `smooth`) is left alone.

    ## Remedy

    Let the rate decay; a lower rate; averaged weights; larger batches.

    ## False alarms

    Noise that a small validation set explains is VAL001. Evaluations of one set by slowly moving
    weights vary less than the standard error, so the measure is a cautious one.

    ## References

    Smith, Kindermans, Ying, Le, "Don't decay the learning rate, increase the batch size" (2018).
    """

    code, severity, since = "VAL002", Severity.WARNING, "0.1.0"
    suspicion = Suspicion("noisy-validation", "whose validation was too noisy to trust", REMEDIES)
    needs = ((Role.VAL_METRIC, Role.VAL_LOSS),)
    points = 10

    sampling: Annotated[float, Threshold("noise in standard errors", above=0)] = 4.0
    unsettled: Annotated[float, Threshold("noise as a share of the gain", above=0)] = 0.1
    gained: Annotated[float, Threshold("gain as a share of the first loss", at_least=0)] = 0.02
    calmer: Annotated[float, Threshold("validation noise over training noise", above=0)] = 3.0
    settled: Annotated[int, Threshold("evaluations in the second half", at_least=3)] = 15
    smooth: Annotated[float, Threshold("autocorrelation when smoothed", at_least=-1, at_most=1)] = (
        0.3
    )

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding at most: by the accuracy where its sampling is known, else by the loss."""
        accuracy, size = case.accuracy(Role.VAL_METRIC), case.validation_size()
        if accuracy is not None and size is not None and len(accuracy) >= self.points:
            found = self._by_accuracy(accuracy, size)
        else:
            found = self._by_loss(case)
        if found is not None:
            yield found

    def _by_accuracy(self, accuracy: Series, size: SetSize) -> Finding | None:
        level = median(_second_half(accuracy.values))
        error = math.sqrt(max(level * (1 - level), 1 / size.least) / size.least)
        strays = _strays(accuracy.values)
        if roughness(accuracy.values) > self.smooth or strays <= self.sampling * error:
            return None
        return self.finding(
            f"validation accuracy jumps by {100 * strays:.1f} points around {level:.1%} after step "
            f"{_middle(accuracy):,}, {strays / error:.1f} times what {size.least:,} samples explain",
            Evidence(
                tag=accuracy.tag,
                span=(_middle(accuracy), int(accuracy.steps[-1])),
                note="jumps around its trend",
                measures=(
                    Measure("noise_ratio", strays / error, ">", self.sampling),
                    Measure("noise", strays),
                    Measure("standard_error", error),
                ),
            ),
            confidence=Confidence.HIGH if size.exact else Confidence.MEDIUM,
            remedies=REMEDIES,
        )

    def _by_loss(self, case: Case) -> Finding | None:
        loss, train_loss = case.curve(Role.VAL_LOSS), case.curve(Role.TRAIN_LOSS)
        if (
            loss is None
            or train_loss is None
            or not len(train_loss)
            or len(loss) < self.points
            or len(_second_half(loss.values)) < self.settled
        ):
            return None
        gain = float(median(head(loss.values)) - running_median(loss.values, 5).min())
        if gain <= self.gained * abs(float(loss.values[0])):
            return None
        strays = _strays(loss.values)
        if strays <= self.unsettled * gain:
            return None
        if roughness(loss.values) > self.smooth:
            return None
        train, level = case.train_at_validation, abs(median(_second_half(loss.values)))
        train_level = abs(median(_second_half(train)))
        if strays * train_level <= self.calmer * _strays(train) * level:
            return None
        return self.finding(
            f"validation loss jumps by {strays:.2g} around {level:.3g} after step "
            f"{_middle(loss):,}, {strays / gain:.0%} of all that it gained",
            Evidence(
                tag=loss.tag,
                span=(_middle(loss), int(loss.steps[-1])),
                note="jumps around its trend",
                measures=(
                    Measure("noise_share", strays / gain, ">", self.unsettled),
                    Measure("noise", strays),
                ),
            ),
            confidence=Confidence.LOW,
            remedies=REMEDIES,
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Jumps beyond sampling; small sets, smoothed curves and noisy training as traps."""
        rise, fall = 0.9 - decay(60, 0.7, 0.0, 12), decay(60, 2.3, 0.5, 12)
        train = noisy(decay(60, 2.3, 0.3, 12), 0.005)

        def accurate(noise: float, size: int) -> dict[Role, Floats]:
            values = counted((rise + jitter(60, noise, 5)).clip(0, 1), size)
            return {Role.TRAIN_LOSS: train, Role.VAL_METRIC: values}

        yield fires("5,003 samples, jumps of 4 points", a_run(accurate(0.04, 5003)), onset=10)
        yield fires("stated size", a_run(accurate(0.04, 10_000), hparams={"val_size": 10_000}))
        yield fires(
            "loss alone", a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: noisy(fall, 0.3, 2)})
        )
        yield silent("sampling explains it", a_run(accurate(0.04, 101)))
        yield silent("a healthy constant rate", a_run(accurate(0.007, 5003)))
        yield silent(
            "training is as noisy",
            a_run(
                {Role.TRAIN_LOSS: noisy(fall, 0.2, 3), Role.VAL_LOSS: noisy(fall, 0.3, 2)},
            ),
        )
        kernel = np.array([1, 3, 4, 3, 1]) / 12
        smoothed = np.convolve(noisy(decay(64, 2.3, 0.5, 12), 1.0, 2), kernel, "valid")
        yield silent(
            "smoothed before it was logged",
            a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: smoothed}),
        )
        yield silent("a little", a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: noisy(fall, 0.02)}))


def _second_half(values: Floats) -> Floats:
    return values[len(values) // 2 :]


def _strays(values: Floats) -> float:
    """The standard deviation around the trend in the second half."""
    reach = min(_TREND // 2, len(values) // 2)
    return deviation(detrended(values[len(values) // 2 - reach :], _TREND)[reach:])


def _middle(curve: Series) -> int:
    return int(curve.steps[len(curve) // 2])
