"""GEN001: the validation loss turns while the training loss goes on."""

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
from tbdiag.model.remedy import Remedy, Scale, Shift
from tbdiag.model.role import Better, Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise
from tbdiag.signals.smoothing import head, tail
from tbdiag.signals.turning import gained_since
from tbdiag.synth import a_run, decay, flat, jitter, noisy, u_turn

REMEDIES = (
    Remedy.advice(
        "Stop at the best validation loss and keep that checkpoint",
        "the epochs after the best one only made validation worse",
    ),
    Remedy.turn(
        Knob.WEIGHT_DECAY,
        Scale(3),
        "Raise weight decay threefold",
        "a stronger penalty keeps the network from fitting single samples",
    ),
    Remedy.turn(
        Knob.DROPOUT,
        Shift(0.1, 0.0, 0.5),
        "Raise dropout by 0.1",
        "dropped units cannot learn samples by heart together",
    ),
    Remedy.advice(
        "Augment the data or collect more of it",
        "more varied samples are the remedy that costs no capacity",
    ),
)

_TINY = 200  # validation samples of which chance makes a climb
_ASSUMED = 0.005  # a standard error of accuracy, that of some thousand samples


@dataclass(frozen=True, kw_only=True)
class Overfitting(Detector):
    """Validation loss climbs while training loss keeps falling.

    ## What it does

    Looks for a validation loss that has turned: it reached its best and has climbed since, while
    the training loss went on falling.

    ## Why is this bad?

    From the turn on the network learns the training samples by heart. Every further epoch costs
    time and makes the result worse on data that it has not seen.

    ## How it is detected

    The validation loss is calmed by a running median of three. Its best must lie before
    `best_before` of the run, with at least `later` evaluations after it. The mean of the last
    tenth must be above the best by the share `rise`, and by `deviations` times the noise of
    successive differences. The climb must be a trend (Mann–Kendall, p below `significance`), of fewer than 200 samples more than one over the root of their number, and
    the training loss must fall by `train_fall` of its value from the best on. It is an
    error where the validation loss ends worse than after the first tenth of the run, unless a
    validation metric shows that the decisions did not suffer, and up to twice `rise` otherwise only a note. Without a training loss the climb
    must exceed `alone`, and confidence is low. Where validation accuracy has mended the share
    `mended` of its errors since, by twice its noise and its standard error, and in a trend, the network decides better than
    before and is only overconfident: that is GEN005.

    ## Remedy

    Keep the best checkpoint; then more weight decay, dropout, augmentation or data.

    ## False alarms

    A gap between the two losses alone is not overfitting, and a noisy validation loss is not a
    climb. A second descent after a bump ends below the first best and does not fire. A validation
    loss on another scale than the training loss does not matter: each is compared with itself.

    ## References

    Prechelt, "Early stopping – but when?" (1998).
    """

    code, severity, since = "GEN001", Severity.WARNING, "0.1.0"
    suspicion = Suspicion(
        "random-labels", "that learned by heart what does not generalise", REMEDIES
    )
    needs = (Role.VAL_LOSS,)
    points = 8
    explains = ("OPT005", "OPT006", "GEN004", "GEN005")

    rise: Annotated[float, Threshold("climb above the best, as a share of it", above=0)] = 0.05
    deviations: Annotated[float, Threshold("climb in units of the noise", at_least=0)] = 3.0
    best_before: Annotated[float, Threshold("latest place of the best", above=0, at_most=1)] = 0.75
    later: Annotated[int, Threshold("evaluations after the best", at_least=1)] = 3
    significance: Annotated[float, Threshold("largest p of the climb", above=0, at_most=1)] = 0.05
    train_fall: Annotated[float, Threshold("fall of the training loss since", at_least=0)] = 0.02
    mended: Annotated[float, Threshold("share of errors mended since, no overfit", above=0)] = 0.07
    alone: Annotated[float, Threshold("climb that needs no training loss beside it", above=0)] = 0.3

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where validation turned and training went on."""
        val, train = case.the(Role.VAL_LOSS), case.curve(Role.TRAIN_LOSS)
        seen = case.turn(Role.VAL_LOSS)
        best, low, end = seen.index, seen.value, seen.end
        if (
            len(val) - 1 - best < self.later
            or best >= self.best_before * (len(val) - 1)
            or seen.worse <= max(self.rise * abs(low), self.deviations * seen.band)
            or seen.since.tau <= 0
            or seen.since.p > self.significance
            or seen.worse <= self._chance(case) * abs(low)
            or self._decides_better(case, seen.step)
        ):
            return
        rise = (end - low) / abs(low) if low else float("inf")
        beside: tuple[Evidence, ...] = ()
        if train is None or len(train) < self.points:
            if rise <= self.alone:
                return
            confidence = Confidence.LOW
        elif self._training_fell(case.train_at_validation[best:]):
            confidence = Confidence.HIGH if rise > 2 * self.rise else Confidence.MEDIUM
            span = (int(val.steps[best]), int(val.steps[-1]))
            beside = (Evidence(tag=train.tag, span=span, note="still falling"),)
        else:
            return
        worse = end > median(head(val.values)) and not _metric_held(case, val, best)
        grave = Severity.NOTE if confidence is Confidence.MEDIUM else self.severity
        onset, last = int(val.steps[best]), int(val.steps[-1])
        yield self.finding(
            f"validation loss is {rise:.0%} above its best, reached at step {onset:,}",
            Evidence(
                tag=val.tag,
                span=(onset, last),
                note="climbing since",
                measures=(
                    Measure("rise", rise, ">", self.rise),
                    Measure("best_step", onset),
                    Measure("onset_step", onset),
                    Measure("best_value", low),
                ),
            ),
            *beside,
            severity=Severity.ERROR if worse else grave,
            confidence=confidence,
            remedies=REMEDIES,
        )

    @staticmethod
    def _chance(case: Case) -> float:
        """The climb that the choice of so few samples explains, as a share; 0 of a set that is not known to be tiny."""
        found = case.validation_size()
        return 0.0 if found is None or found.most > _TINY else 1.0 / math.sqrt(found.most)

    def _decides_better(self, case: Case, since: int) -> bool:
        """Whether a good part of the wrong decisions of then has been mended, beyond the noise."""
        accuracy = case.accuracy(Role.VAL_METRIC)
        if accuracy is None or len(accuracy) < self.points:
            return False
        gain, trend = gained_since(accuracy, since, Better.HIGHER)
        wrong = 1 - (median(tail(accuracy.values)) - gain)
        least = max(2 * noise(accuracy.values), self.mended * wrong, 2 * _sampling(case, wrong))
        return gain > least and trend.tau > 0 and trend.p <= self.significance

    def _training_fell(self, since: Floats) -> bool:
        third = max(1, len(since) // 3)
        before, after = median(since[:third]), median(since[-third:])
        least = max(self.train_fall * abs(before), noise(since) / float(np.sqrt(third)))
        return before - after > least

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Turns of several strengths; gaps, noise and second descents as traps."""
        train = noisy(decay(60, 2.3, 0.05), 0.02)
        yield fires(
            "u-turn",
            a_run(
                {Role.TRAIN_LOSS: train, Role.VAL_LOSS: noisy(u_turn(60, 2.3, 0.7, 1.6), 0.02, 1)}
            ),
            onset=20,
        )
        yield fires(
            "gentle turn",
            a_run(
                {Role.TRAIN_LOSS: train, Role.VAL_LOSS: noisy(u_turn(60, 2.3, 0.7, 0.8), 0.01, 1)}
            ),
        )
        yield fires(
            "validation alone", a_run({Role.VAL_LOSS: noisy(u_turn(60, 2.3, 0.7, 1.6), 0.02)})
        )
        yield silent(
            "a gentle turn alone",
            a_run({Role.VAL_LOSS: noisy(u_turn(60, 2.3, 0.7, 0.8), 0.01, 1)}),
        )
        slight = {Role.TRAIN_LOSS: train, Role.VAL_LOSS: u_turn(60, 2.3, 0.7, 0.76)}
        for size, sample in ((100, silent), (5000, fires)):
            yield sample(
                f"a slight climb of {size} samples", a_run(slight, hparams={"val_size": size})
            )
        yield silent(
            "a gap alone",
            a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: noisy(decay(60, 2.3, 0.6), 0.02, 1)}),
        )
        yield silent(
            "noisy validation",
            a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: noisy(decay(60, 2.3, 0.6), 0.15, 2)}),
        )
        yield silent(
            "the metric still gains",
            a_run(
                {
                    Role.TRAIN_LOSS: train,
                    Role.VAL_LOSS: noisy(u_turn(60, 2.3, 0.7, 1.6), 0.02, 1),
                    Role.VAL_METRIC: 0.9 - decay(60, 0.6, 0, 3) + jitter(60, 0.003),
                }
            ),
        )
        bump = decay(60, 2.3, 0.5) + 0.3 * np.exp(-((np.arange(60) - 25.0) ** 2) / 30)
        yield silent(
            "second descent", a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: noisy(bump, 0.01, 1)})
        )
        yield silent(
            "both losses climb",
            a_run(
                {
                    Role.TRAIN_LOSS: u_turn(60, 2.3, 0.5, 1.5),
                    Role.VAL_LOSS: u_turn(60, 2.3, 0.7, 1.6),
                }
            ),
        )
        yield silent(
            "training stands still",
            a_run(
                {
                    Role.TRAIN_LOSS: flat(60, 0.69) + jitter(60, 0.002),
                    Role.VAL_LOSS: u_turn(60, 0.8, 0.7, 0.76),
                }
            ),
        )


def _metric_held(case: Case, val: Series, best: int) -> bool:
    """Whether the validation metric ends no worse than it stood at the best validation loss."""
    metric, binding = case.curve(Role.VAL_METRIC), case.run.roles.bound.get(Role.VAL_METRIC)
    if metric is None or binding is None or len(metric) < 8:
        return False
    share = best / max(len(val) - 1, 1)
    place = round(share * (len(metric) - 1))
    window = max(1, len(metric) // 20)
    then = median(metric.values[max(0, place - window) : place + window + 1])
    now = median(tail(metric.values))
    loss = then - now if binding.better is Better.HIGHER else now - then
    return bool(loss <= max(2 * noise(metric.values), 0.01 * abs(then)))


def _sampling(case: Case, wrong: float) -> float:
    """The standard error of the validation accuracy, half a point where the set's size is unknown."""
    found = case.validation_size()
    if found is None:
        return _ASSUMED
    return float(np.sqrt(max(wrong * (1 - wrong), 1 / found.least) / found.least))
