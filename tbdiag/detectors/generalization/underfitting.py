"""GEN002: the network does not even fit what it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Safety, Scale, Shift
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise
from tbdiag.signals.smoothing import tail
from tbdiag.signals.stated import stated_classes
from tbdiag.signals.trend import median_slope
from tbdiag.synth import a_run, decay, flat, jitter, noisy

REMEDIES = (
    Remedy.turn(
        Knob.LR,
        Scale(3),
        "Multiply the learning rate by 3",
        "the rate is the first suspect when training stands at a poor level",
    ),
    Remedy.turn(
        Knob.DROPOUT,
        Shift(-0.2, 0.0, 0.5),
        "Lower dropout by 0.2",
        "a network that does not fit its training data needs no regularisation",
    ),
    Remedy.turn(
        Knob.WEIGHT_DECAY,
        Scale(0.1),
        "Divide weight decay by 10",
        "a network that does not fit its training data needs no regularisation",
    ),
    Remedy.turn(
        Knob.WIDTH,
        Scale(2),
        "Double the width",
        "more units can represent what these cannot",
        Safety.UNSAFE,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Underfitting(Detector):
    """Training and validation agree on a poor result that no longer improves.

    ## What it does

    Finds runs that fit neither the training nor the validation data and have stopped improving.

    ## Why is this bad?

    The network is too small, too strictly regularised, or fed with features that do not tell the
    answer. More epochs or more data do not help.

    ## How it is detected

    The training accuracy of the last tenth is below `poor`, and the loss, or the share of errors, still has `left` of what
    it began with. Below `middling` it is a note where both accuracies agree, the slopes promise less than `still`, and the way
    of the rate less than `ahead`: it may be all that the data allow. Up to `fair` the rule cannot tell. It is a note as well where by that way it falls on, steadily (tau
    below −`falling`) and by more than `ahead`. The slope over the last `window` (Theil–Sen) would gain less than `gain` of the
    loss, and of the accuracy, in as many steps again. Training is at most `gap` of accuracy, or two noise deviations,
    ahead of validation. At least half of the room above blind guessing must be unused. Where not
    both accuracies were logged, a loss that falls steadily (tau below −`steady`) does not stand,
    unless it falls by less than `opens` in the second half and validation keeps up with it, to `parts`. Where the
    network is known to be narrower than half the number of its classes, an accuracy below `narrowed` with
    `left` of the loss is enough. Where the first loss is that of guessing among more than `classes`,
    and their number was not logged, the rule cannot tell. Of a regression whose rate was logged two losses that stand, by steps and by
    the way of the rate, within `apart` of each other are a note where more than `high` of the first loss is left, above which
    it was never thrown by `thrown`. So are two such losses without an accuracy that stand with `left` of the first loss, where the settings tell of a layer of
    `cramped` units. And so are two losses, `apart` at most, whose logarithms move by less than `moves` (training) and `moves_beside`
    (validation) in the second half while their gap opens by less than `parts`, under a rate that was not spent for more than `idle` of the run,
    and with an accuracy below `middling` or no metric at all: a network that could do more would learn by heart. A poor standstill
    is a note where the gap between the losses has opened by `opens`, where dropout of `dropout` holds training below validation, where the rate was spent for as long, or where not both accuracies tell.

    ## Remedy

    First the rate, then less dropout and weight decay, then a larger network.

    ## False alarms

    Noise in the labels puts a ceiling on every accuracy; where a network of another size does no
    better, that is the reason. Without an accuracy the level of a loss says little, and the rule
    mostly cannot tell. Nor can it of many classes: of fifty thousand words two in five are a good share.

    ## References

    Goodfellow, Bengio, Courville, "Deep learning" (2016), §5.2.
    """

    code, severity, since = "GEN002", Severity.WARNING, "0.1.0"
    needs = (Role.TRAIN_LOSS, (Role.TRAIN_METRIC, Role.VAL_METRIC, Role.VAL_LOSS))
    scale_free = False  # ln C is a level
    points = 10
    explains = ("OPT005",)

    middling: Annotated[float, Threshold("accuracy that may be a ceiling", above=0, at_most=1)] = (
        0.8
    )
    fair: Annotated[float, Threshold("accuracy at which it cannot tell", above=0, at_most=1)] = 0.88
    still: Annotated[float, Threshold("projected gain of one that stands there", above=0)] = 0.01
    ahead: Annotated[float, Threshold("log loss still to fall by the rate's way", above=0)] = 0.04
    falling: Annotated[float, Threshold("tau of a fall that only the rate slowed", above=0)] = 0.95
    poor: Annotated[float, Threshold("accuracy that counts as poor", above=0, at_most=1)] = 0.7
    narrowed: Annotated[float, Threshold("poor accuracy of a bottleneck", above=0, at_most=1)] = 0.8
    left: Annotated[float, Threshold("last loss over first", above=0)] = 0.35
    window: Annotated[float, Threshold("share of the run looked at", above=0, at_most=1)] = 0.3
    gain: Annotated[float, Threshold("projected gain, as a share of the loss", above=0)] = 0.03
    steady: Annotated[float, Threshold("tau of a loss that falls", above=0, at_most=1)] = 0.9
    classes: Annotated[int, Threshold("most classes of which `poor` is told", at_least=2)] = 30
    high: Annotated[float, Threshold("last loss over first without an accuracy", above=0)] = 0.7
    thrown: Annotated[float, Threshold("highest loss over the first beside that", above=1)] = 1.2
    apart: Annotated[float, Threshold("one loss over the other beside that", above=1)] = 1.25
    cramped: Annotated[int, Threshold("units that are too few for anything", at_least=1)] = 2
    gap: Annotated[float, Threshold("lead of training over validation", at_least=0)] = 0.05
    opens: Annotated[float, Threshold("log gap of the losses that opened since", above=0)] = 0.05
    dropout: Annotated[float, Threshold("dropout that holds training down", above=0)] = 0.3
    moves: Annotated[float, Threshold("late move of a log training loss that stands", above=0)] = (
        0.01
    )
    moves_beside: Annotated[float, Threshold("the same of validation", above=0)] = 0.005
    parts: Annotated[float, Threshold("the same of the gap between them", above=0)] = 0.02
    idle: Annotated[float, Threshold("share of the run at a spent rate", above=0)] = 0.5

    def cannot_tell(self, case: Case) -> str | None:
        """Only an accuracy has a level that is poor by itself."""
        if self._metric(case) is None:
            if self._hardly_fell(case) or self._cramped(case) or self._side_by_side(case):
                return None
            return "no accuracy was logged, and the level of a loss alone says nothing"
        first = case.initial_loss
        if stated_classes(case.run.hparams) is None and first and first > math.log(self.classes):
            return "an accuracy is no share of a whole where there may be many classes, as of words"
        return None

    def undecided(self, case: Case) -> str | None:
        """A fair accuracy at which both curves stand may be all that the data allow, or the network."""
        metric, loss = self._metric(case), case.course(Role.TRAIN_LOSS)
        share = median(tail(metric.values)) if metric is not None else 0.0
        if metric is None or not self.poor <= share < self.fair:
            return None
        lead = self._lead(case)
        if lead is None or abs(lead) > 2 * self.gap:
            return None
        gain = max(-self._projected(loss.values), self._projected(case.thinned(metric).values))
        if gain > self.still or case.headway.sure_drop > self.ahead:
            return None
        return (
            f"training and validation stand at {share:.0%} and {share - lead:.0%}, which may be all that the"
            " data allow or all that the network can do: train one of twice the width"
        )

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where both curves stand at a poor level, or both losses beside each other."""
        found = tuple(self._by_level(case))
        if found or not self._side_by_side(case):
            yield from found
            return
        loss, left = case.course(Role.TRAIN_LOSS), case.progress.left
        seen = case.standstill
        opened = abs(seen.opened) if seen is not None else 0.0
        yield self.finding(
            f"training and validation loss have stood beside each other for half of the run with {left:.0%} of the"
            " first loss left; a larger network would tell whether the data allow more",
            Evidence(
                tag=loss.tag,
                span=(int(loss.steps[len(loss) // 2]), int(loss.steps[-1])),
                note="stands beside validation",
                measures=(Measure("opened", opened, "<", self.parts),),
            ),
            severity=Severity.NOTE,
            confidence=Confidence.MEDIUM,
            remedies=REMEDIES,
        )

    def _side_by_side(self, case: Case) -> bool:
        """Whether both losses stand, and the gap between them, under a rate that was not spent long ago."""
        course, metric, val = case.schedule, self._metric(case), case.curve(Role.VAL_LOSS)
        if val is None or (course is not None and course.idle > self.idle):
            return False
        if metric is not None:
            if median(tail(metric.values)) >= self.middling:
                return False
        elif any(case.curve(role) is not None for role in (Role.TRAIN_METRIC, Role.VAL_METRIC)):
            return False  # another metric tells those who know it whether its level is poor
        seen = case.standstill
        if seen is None or not seen.within(self.moves, self.moves_beside, self.parts):
            return False
        ends = median(tail(val.values)) / median(tail(case.training.values))
        return case.progress.left < 1 and self.apart > ends > 1 / self.apart

    def _by_level(self, case: Case) -> Iterator[Finding]:
        metric, seen = self._metric(case), case.progress
        loss = case.course(Role.TRAIN_LOSS)
        if metric is None:
            yield from self._by_losses(case)
            return
        share, start = median(tail(metric.values)), median(metric.values[:2])
        # The loss of a bad start is no measure of what is left; the errors are one as well.
        left = max(seen.left, (1 - share) / (1 - start) if start < 1 else 0.0)
        if not left > self.left:
            return
        end = tail(loss.values, self.window, least=6)
        narrow = case.bottleneck
        if narrow is not None and share < self.narrowed and seen.left > self.left:
            width, classes = narrow
            yield self.finding(
                f"a layer of {width} {'unit' if width == 1 else 'units'} has to tell about {classes}"
                f" classes apart, and training ends at"
                f" an accuracy of {share:.0%} with {seen.left:.0%} of the first loss left",
                Evidence(
                    tag=loss.tag,
                    span=(int(loss.steps[0]), int(loss.steps[-1])),
                    note="too narrow",
                    measures=(
                        Measure("width", width, "<", classes / 2),
                        Measure("accuracy", share, "<", self.narrowed),
                        Measure("left", seen.left, ">", self.left),
                    ),
                ),
                confidence=Confidence.MEDIUM,
                remedies=(REMEDIES[-1],),
            )
            return
        if share >= self.middling:
            return
        gain = max(-self._projected(loss.values), self._projected(case.thinned(metric).values))
        ceiling = share >= self.poor
        if ceiling and (gain > self.still or case.headway.sure_drop > self.ahead):
            return
        if gain > self.gain or share < start - 2 * noise(metric.values):
            return
        lead = self._lead(case)
        if lead is None and seen.trend.tau < -self.steady and not self._abreast(case):
            return
        if lead is not None and lead > max(self.gap, 2 * noise(metric.values)):
            return
        if ceiling and (lead is None or lead < -self.gap):
            return
        first, last = int(loss.steps[len(loss) - len(end)]), int(loss.steps[-1])
        # What falls steadily by the way of the rate stands still only because that was lowered.
        way = case.headway
        slowed = way.trend.tau < -self.falling and way.sure_drop > self.ahead
        likely = not (ceiling or slowed or lead is None or self._elsewhere(case, lead))
        loss_left = seen.left > self.left
        what = (
            f"{seen.left:.0%} of the first loss" if loss_left else f"{left:.0%} of the first errors"
        )
        both = "training and validation agree" if lead is not None else "training stands"
        yield self.finding(
            f"{both} at an accuracy of {share:.0%} with {what} left,"
            f" and nothing has improved since step {first:,}"
            + ("; a larger network would tell whether the data allow more" if ceiling else ""),
            Evidence(
                tag=loss.tag,
                span=(first, last),
                note="stands at a poor level",
                measures=(
                    Measure("accuracy", share, "<", self.middling if ceiling else self.poor),
                    Measure("left", left, ">", self.left),
                    Measure("expected_gain", gain, "<", self.gain),
                ),
            ),
            Evidence(tag=metric.tag, span=(first, int(metric.steps[-1]))),
            severity=self.severity if likely else Severity.NOTE,
            confidence=Confidence.MEDIUM if likely else Confidence.LOW,
            remedies=REMEDIES,
        )

    def _elsewhere(self, case: Case, lead: float | None) -> bool:
        """Whether training draws away from validation, so that it could do more, or dropout or a spent rate holds it."""
        seen, course = case.standstill, case.schedule
        if seen is not None and seen.opened > self.opens:
            return True
        if course is not None and course.idle > self.idle:
            return True
        dropped = (case.number(Knob.DROPOUT) or 0.0) >= self.dropout
        return dropped and lead is not None and lead < 0

    def _abreast(self, case: Case) -> bool:
        """Whether validation loss keeps up with a training loss that hardly falls any more."""
        seen, val = case.standstill, case.curve(Role.VAL_LOSS)
        if seen is None or val is None:
            return False
        ends = median(tail(val.values)) / median(tail(case.training.values))
        slow = seen.training < self.opens and seen.opened < self.parts
        return slow and ends < 1 + 2 * self.opens

    def _hardly_fell(self, case: Case) -> bool:
        """Whether two losses without an accuracy stand beside each other near where training began."""
        seen, val = case.progress, case.curve(Role.VAL_LOSS)
        if case.schedule is None or val is None or len(val) < self.points:
            return False
        if not self.high < seen.left < 1:
            return False
        loss = case.course(Role.TRAIN_LOSS).values
        if abs(self._projected(loss)) > self.still or case.headway.sure_drop > self.still:
            return False
        if not loss.min() > 0 or float(loss.max()) > self.thrown * seen.first:
            return False
        return self.apart > median(tail(val.values)) / median(tail(loss)) > 1 / self.apart

    def _cramped(self, case: Case) -> bool:
        """Whether a layer of one or two units is all, and two losses stand far from nothing beside each other."""
        width, val = case.number(Knob.WIDTH), case.curve(Role.VAL_LOSS)
        if width is None or not 0 < width <= self.cramped or val is None or len(val) < self.points:
            return False
        loss = case.course(Role.TRAIN_LOSS).values
        if not self.left < case.progress.left < 1 or not loss.min() > 0:
            return False
        if abs(self._projected(loss)) > self.gain:
            return False
        return self.apart > median(tail(val.values)) / median(tail(loss)) > 1 / self.apart

    def _by_losses(self, case: Case) -> Iterator[Finding]:
        loss, left = case.course(Role.TRAIN_LOSS), case.progress.left
        if self._cramped(case):
            width = int(case.number(Knob.WIDTH) or 1)
            yield self.finding(
                f"all that is learned has to pass a layer of {width} {'unit' if width == 1 else 'units'}, and training"
                f" and validation loss stand beside each other with {left:.0%} of the first loss left",
                Evidence(
                    tag=loss.tag,
                    span=(int(loss.steps[len(loss) // 2]), int(loss.steps[-1])),
                    note="too narrow",
                    measures=(
                        Measure("width", width, "<=", self.cramped),
                        Measure("left", left, ">", self.left),
                    ),
                ),
                severity=Severity.NOTE,
                confidence=Confidence.MEDIUM,
                remedies=(REMEDIES[-1],),
            )
            return
        if not self._hardly_fell(case):
            return
        yield self.finding(
            f"training and validation loss stand beside each other with {left:.0%} of the first loss left;"
            " a larger network would tell whether the data allow more",
            Evidence(
                tag=loss.tag,
                span=(int(loss.steps[len(loss) // 2]), int(loss.steps[-1])),
                note="stands near where it began",
                measures=(Measure("left", left, ">", self.high),),
            ),
            severity=Severity.NOTE,
            confidence=Confidence.LOW,
            remedies=REMEDIES,
        )

    def _projected(self, values: Floats) -> float:
        """The change that the end's slope projects for as long again, as a share of its level."""
        end = tail(values, self.window, least=6)
        slope = median_slope(np.arange(len(end), dtype=np.float64), end)
        return slope * len(end) / max(abs(median(end)), 1e-300)

    def _metric(self, case: Case) -> Series | None:
        return case.accuracy(Role.TRAIN_METRIC) or case.accuracy(Role.VAL_METRIC)

    def _lead(self, case: Case) -> float | None:
        train, val = case.accuracy(Role.TRAIN_METRIC), case.accuracy(Role.VAL_METRIC)
        if train is None or val is None:
            return None
        return float(median(tail(train.values)) - median(tail(val.values)))

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """A poor standstill; good, gapped and improving runs as traps."""
        loss = noisy(decay(60, 2.3, 1.4, 20), 0.005)
        accuracy = decay(60, 0.1, 0.45, 20)
        yield fires(
            "poor standstill",
            a_run(
                {
                    Role.TRAIN_LOSS: loss,
                    Role.VAL_LOSS: loss * 1.01,
                    Role.TRAIN_METRIC: accuracy + jitter(60, 0.003),
                    Role.VAL_METRIC: accuracy + jitter(60, 0.01, 1),
                }
            ),
        )
        stands = {
            Role.TRAIN_LOSS: noisy(decay(40, 1.0, 0.85, 12), 0.002),
            Role.LEARNING_RATE: flat(40, 0.01),
        }
        beside = noisy(decay(40, 1.0, 0.88, 12), 0.004, 1)
        yield fires("a regression that hardly fell", a_run({**stands, Role.VAL_LOSS: beside}))
        stands = {Role.TRAIN_LOSS: loss, Role.VAL_LOSS: loss * 1.01}
        yield fires("two units, and no accuracy", a_run(stands, hparams={"hidden_dim": 2}))
        yield fires("units enough, which learn nothing by heart", a_run(stands))
        parts = {**stands, Role.VAL_LOSS: loss * np.linspace(1.0, 1.2, 60)}
        yield silent("the gap opens, and no accuracy", a_run(parts, hparams={"hidden_dim": 32}))
        spent = {Role.LEARNING_RATE: np.where(np.arange(60) < 12, 0.01, 1e-5)}
        yield silent("they stand since the rate was spent", a_run({**stands, **spent}))
        falls = {Role.TRAIN_LOSS: decay(60, 2.3, 1.0, 2), Role.VAL_LOSS: decay(60, 2.3, 1.0, 2)}
        yield silent("two units that still learn", a_run(falls, hparams={"hidden_dim": 2}))
        yield silent(
            "a regression far below where it began",
            a_run(
                {
                    **stands,
                    Role.TRAIN_LOSS: noisy(decay(40, 1.0, 0.5, 12), 0.002),
                    Role.VAL_LOSS: 0.6 * beside * np.linspace(1.0, 1.1, 40),
                }
            ),
        )
        yield silent(
            "a regression that validation does not follow",
            a_run({**stands, Role.VAL_LOSS: 1.5 * loss}),
        )
        words = {
            Role.BATCH_LOSS: noisy(decay(600, 5.5, 3.4, 20), 0.02),
            Role.TRAIN_LOSS: loss + 2.0,
            Role.TRAIN_METRIC: accuracy + jitter(60, 0.003),
        }
        yield silent("two in five of many words", a_run(words))
        yield fires("of ten classes, as was stated", a_run(words, hparams={"num_classes": 10}))
        ahead = {
            Role.TRAIN_LOSS: loss,
            Role.TRAIN_METRIC: decay(60, 0.1, 0.72, 20),
            Role.VAL_METRIC: decay(60, 0.1, 0.60, 20),
        }
        yield fires("two units for ten classes", a_run(ahead, hparams={"hidden": 2}))
        yield silent("enough units", a_run(ahead, hparams={"hidden": 64}))
        yield silent(
            "good",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 20), 0.01),
                    Role.TRAIN_METRIC: decay(60, 0.1, 0.95, 20),
                    Role.VAL_METRIC: decay(60, 0.1, 0.93, 20),
                }
            ),
        )
        yield silent(
            "validation far behind",
            a_run(
                {
                    Role.TRAIN_LOSS: loss,
                    Role.TRAIN_METRIC: decay(60, 0.1, 0.65, 20),
                    Role.VAL_METRIC: decay(60, 0.1, 0.40, 20),
                }
            ),
        )
        yield silent(
            "still improving",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.8, 2), 0.005),
                    Role.TRAIN_METRIC: decay(60, 0.1, 0.6, 2),
                    Role.VAL_METRIC: decay(60, 0.1, 0.6, 2),
                }
            ),
        )
