"""VAL003: the held-out samples are answered better than the learned ones."""

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
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Ints, Series
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise
from tbdiag.signals.smoothing import tail
from tbdiag.signals.stated import (
    stated_augmentation,
)
from tbdiag.synth import a_run, counted, decay, jitter, noisy

REMEDIES = (
    Remedy.advice(
        "Measure the training loss once as validation is measured: no dropout, no augmentation",
        "if training is the better one then, nothing is wrong",
    ),
    Remedy.advice(
        "Look for samples that stand in both sets, and for features that give the answer away",
        "near duplicates, and splits by row where rows belong together, leak the answers",
    ),
    Remedy.advice(
        "Compare how the two sets were drawn",
        "a validation set of easier samples does not tell how the network will do",
    ),
)


@dataclass(frozen=True, slots=True)
class _Lead:
    """How far validation is ahead: ``text`` for people, ``gap`` in its unit, ``errors`` in SE."""

    text: str
    curve: Series
    gap: float
    errors: float
    large: bool


@dataclass(frozen=True, kw_only=True)
class ValidationBetterThanTraining(Detector):
    """Validation ends better than training, beyond what lag and known settings explain.

    ## What it does

    Compares the ends of the training and the validation curves, at the same state of the weights.

    ## Why is this bad?

    Samples that were learned are answered better than others, or as well. Where it is the other way
    round, and nothing makes training harder, the sets are not what they seem: samples stand in both, the
    answer leaks, or validation is easier.

    ## How it is detected

    Means over an epoch are moved by the half epoch that they lag. Over the last `end` of the evaluations
    the validation accuracy is ahead by `points_ahead` and by `errors` standard errors: √(p(1 − p)/N) where the
    number of samples N is stated or can be read off, the noise of successive differences else. Or,
    without accuracies, the validation loss is below the training loss by the share `ahead` and by
    `errors` times its noise, where both began within a factor of `scale`. Or the validation loss ends below the share `fraction` of a training
    loss that is within `settled` times its best, and the accuracy is ahead by `clearly`. Dropout, label smoothing, augmentation or a
    penalty in the loss may explain that where they are known, and then the rule cannot tell. A lead without any
    known reason is a note, and a warning where the settings are known to hold no dropout and
    the lead is `wide` times as large. An accuracy of `perfect` at the first evaluation, while training is `behind` it
    by then, is a warning as well.

    ## Remedy

    Evaluate the training set as validation is evaluated; look for leaks; compare the sets.

    ## False alarms

    Dropout, augmentation, smoothed labels and penalties make training harder than validation; so
    does the lag of its mean over an epoch. Sums in one curve and means in the other are not compared.

    ## References

    Kapoor, Narayanan, "Leakage and the reproducibility crisis in machine-learning-based science"
    (2023).
    """

    code, severity, since = "VAL003", Severity.WARNING, "0.1.0"
    needs = ((Role.TRAIN_LOSS, Role.TRAIN_METRIC), (Role.VAL_LOSS, Role.VAL_METRIC))
    points = 4

    end: Annotated[float, Threshold("share of the run compared", above=0, at_most=1)] = 1 / 3
    points_ahead: Annotated[float, Threshold("lead of the accuracy", above=0, at_most=1)] = 0.02
    ahead: Annotated[float, Threshold("lead of the loss, as a share", above=0, at_most=1)] = 0.15
    errors: Annotated[float, Threshold("lead in standard errors", above=0)] = 4.0
    scale: Annotated[float, Threshold("ratio of first losses on one scale", above=1)] = 2.0
    wide: Annotated[float, Threshold("multiple of a lead that is a warning", at_least=1)] = 2.0
    fraction: Annotated[float, Threshold("validation loss over that of training", above=0)] = 0.5
    clearly: Annotated[float, Threshold("lead of the accuracy beside that", at_least=0)] = 0.01
    settled: Annotated[float, Threshold("training loss over its best, beside that", above=1)] = 1.5
    perfect: Annotated[float, Threshold("accuracy that is perfect at once", above=0.5)] = 0.995
    behind: Annotated[float, Threshold("lag of training behind perfection", above=0)] = 0.05

    def cannot_tell(self, case: Case) -> str | None:
        """What makes training harder may hide what else is wrong."""
        why = _explained(case)
        if why is None or self._lead(case) is None:
            return None
        return f"{why} may put validation ahead; log the training loss without it to tell"

    def undecided(self, case: Case) -> str | None:
        """A lead of the loss that may be one of the scale, where no accuracies tell."""
        val, train = case.curve(Role.VAL_LOSS), case.curve(Role.TRAIN_LOSS)
        if case.accuracy(Role.TRAIN_METRIC) is not None or val is None or train is None:
            return None
        if min(len(val), len(train)) < self.points:
            return None
        ours = case.train_level_at_validation
        ends = median(tail(val.values, self.end, 2)), median(tail(ours, self.end, 2))
        firsts = float(val.values[0]), float(ours[0])
        if not 0 < ends[0] < (1 - self.ahead) * ends[1] or min(firsts) <= 0:
            return None
        if max(firsts) <= self.scale * min(firsts):
            return None
        return (
            "validation loss ends below training loss, but they start so far apart that they may be"
            " on different scales: log the training accuracy"
        )

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where validation leads for no known reason."""
        at_once, lead = self._perfect_at_once(case), self._lead(case)
        if lead is None:
            return
        clean = case.number(Knob.DROPOUT) == 0.0
        warns = at_once is not None or (clean and lead.large)
        steps = lead.curve.steps
        first = int(steps[0] if at_once else steps[-len(tail(lead.curve.values, self.end, 2))])
        yield self.finding(
            lead.text,
            Evidence(
                tag=lead.curve.tag,
                span=(first, int(steps[-1])),
                note="ahead of training",
                measures=(
                    Measure("lead", lead.gap),
                    Measure("standard_errors", lead.errors, ">", self.errors),
                ),
            ),
            severity=Severity.WARNING if warns else Severity.NOTE,
            confidence=Confidence.MEDIUM if warns else Confidence.LOW,
            remedies=REMEDIES,
        )

    def _lead(self, case: Case) -> _Lead | None:
        at_once = self._perfect_at_once(case)
        train, val = case.accuracy(Role.TRAIN_METRIC), case.accuracy(Role.VAL_METRIC)
        if train is None or val is None:
            return at_once or self._by_loss(case)
        return at_once or self._by_accuracy(case, train, val) or self._by_both(case, train, val)

    def _by_both(self, case: Case, train: Series, val: Series) -> _Lead | None:
        """A loss that is a fraction of training's, and an accuracy that is no worse."""
        loss, other = case.curve(Role.VAL_LOSS), case.curve(Role.TRAIN_LOSS)
        if loss is None or other is None:
            return None
        if min(len(loss), len(other), len(train), len(val)) < self.points:
            return None
        whole, theirs = case.train_level_at_validation, tail(loss.values, self.end, 2)
        ours, least = tail(whole, self.end, 2), float(whole.min())
        if min(least, float(theirs.min())) <= 0 or median(ours) > self.settled * least:
            return None  # training was thrown back, and an evaluation may have missed that
        share = median(theirs) / median(ours)
        if share >= self.fraction or (theirs >= ours).mean() > 0.1:
            return None
        own = median(tail(case.unlagged_metric(train).values, self.end, 2))
        better = median(tail(val.values, self.end, 2)) - own
        if better <= self.clearly:
            return None
        return _Lead(
            f"validation loss ends at {share:.0%} of the training loss, and its accuracy"
            f" {100 * better:.1f} points above",
            loss,
            1 - share,
            float("inf"),
            False,
        )

    def _by_accuracy(self, case: Case, train: Series, val: Series) -> _Lead | None:
        if min(len(train), len(val)) < self.points:
            return None
        ours = case.unlagged_metric(train)
        theirs, at = tail(val.values, self.end, 2), val.steps[-len(tail(val.values, self.end, 2)) :]
        gaps = theirs - _along(at, ours, val)
        gap = median(gaps)
        if gap <= self.points_ahead or (gaps > 0).mean() < 0.9:
            return None
        level = median(theirs)
        error = self._error(case, val, level)
        if gap <= self.errors * error:
            return None
        return _Lead(
            f"validation accuracy ends {100 * gap:.1f} points above training accuracy"
            f" ({level:.1%} over the last evaluations)",
            val,
            gap,
            gap / error if error > 0 else float("inf"),
            gap > self.wide * self.points_ahead and gap > self.wide * self.errors * error,
        )

    def _error(self, case: Case, val: Series, level: float) -> float:
        found = case.validation_size()
        if found is None:
            return noise(val.values)
        size = found.least
        return math.sqrt(max(level * (1 - level), 1 / size) / size)

    def _by_loss(self, case: Case) -> _Lead | None:
        val, train = case.curve(Role.VAL_LOSS), case.curve(Role.TRAIN_LOSS)
        if val is None or train is None or min(len(val), len(train)) < self.points:
            return None
        whole = case.train_level_at_validation
        first = float(val.values[0]), float(whole[0])
        if min(*first) <= 0 or max(first) > self.scale * min(first):
            return None
        theirs, ours = tail(val.values, self.end, 2), tail(whole, self.end, 2)
        level, gaps = median(theirs), ours - theirs
        gap, error = median(gaps), noise(val.values)
        if level <= 0 or gap <= self.ahead * median(ours) or (gaps > 0).mean() < 0.9:
            return None
        if gap <= self.errors * error:
            return None
        share = gap / median(ours)
        return _Lead(
            f"validation loss ends {share:.0%} below training loss"
            f" ({level:.3g} over the last evaluations)",
            val,
            share,
            gap / error if error > 0 else float("inf"),
            share > self.wide * self.ahead,
        )

    def _perfect_at_once(self, case: Case) -> _Lead | None:
        train, val = case.accuracy(Role.TRAIN_METRIC), case.accuracy(Role.VAL_METRIC)
        if train is None or val is None or len(train) < 2 or len(val) < self.points:
            return None
        # The mean over the second epoch lies beyond the state that the first evaluation saw.
        gap = float(val.values[0] - train.values[1])
        if val.values[0] < self.perfect or gap <= self.behind or len(train) > 1.5 * len(val):
            return None
        return _Lead(
            f"validation accuracy was {float(val.values[0]):.1%} at the first evaluation already,"
            f" at step {int(val.steps[0]):,}, while training was at {float(train.values[1]):.1%}",
            val,
            gap,
            float("inf"),
            True,
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Leads without a reason; lag, dropout, augmentation and other scales as traps."""
        train = noisy(decay(40, 2.3, 0.6), 0.01)
        below = noisy(decay(40, 2.2, 0.35), 0.01, 1)
        plain = {"dropout": 0.0, "lr": 0.1}
        yield fires(
            "loss, nothing explains it",
            a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: below}, hparams=plain),
        )
        yield fires("settings unknown", a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: below}))
        learned = 0.9 - decay(40, 0.7, 0) + jitter(40, 0.003)
        better = counted(0.96 - decay(40, 0.7, 0) + jitter(40, 0.003, 1), 5003)
        yield fires(
            "accuracy, beyond its error",
            a_run({Role.TRAIN_METRIC: learned, Role.VAL_METRIC: better}, hparams=plain),
        )
        half = {Role.TRAIN_LOSS: train, Role.VAL_LOSS: 0.4 * train}
        ahead = {Role.TRAIN_METRIC: learned, Role.VAL_METRIC: learned + 0.015}
        yield fires("a fraction of the loss, and an accuracy ahead", a_run({**half, **ahead}))
        even = {Role.TRAIN_METRIC: learned, Role.VAL_METRIC: learned}
        yield silent("the same accuracy", a_run({**half, **even}))
        leaked = counted(np.clip(0.997 + jitter(40, 0.001, 1), 0, 1), 5003)
        yield fires("perfect at once", a_run({Role.TRAIN_METRIC: learned, Role.VAL_METRIC: leaked}))
        yield silent(
            "dropout",
            a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: below}, hparams={"dropout": 0.3}),
        )
        yield silent(
            "augmentation",
            a_run({Role.TRAIN_LOSS: train, Role.VAL_LOSS: below}, hparams={"mixup_alpha": 0.2}),
        )
        yield silent(
            "a sum beside a mean", a_run({Role.TRAIN_LOSS: 64 * train, Role.VAL_LOSS: below})
        )
        fine = decay(400, 2.3, 0.1, 3)
        means = fine.reshape(20, 20).mean(axis=1)
        yield silent(
            "the lag of the mean over an epoch",
            a_run({Role.TRAIN_LOSS: means, Role.VAL_LOSS: fine[19::20]}),
        )
        yield silent(
            "training ahead",
            a_run({Role.TRAIN_LOSS: below, Role.VAL_LOSS: train, Role.VAL_METRIC: learned}),
        )
        tiny = counted(np.clip(0.95 - decay(40, 0.7, 0) + jitter(40, 0.02, 1), 0, 1), 60)
        yield silent(
            "a lead within its error", a_run({Role.TRAIN_METRIC: learned, Role.VAL_METRIC: tiny})
        )


def _along(at: Ints, train: Series, val: Series) -> Floats:
    """The values of ``train`` at the steps ``at``, or, on another axis, at that share of the run."""
    if train.steps[-1] >= val.steps[len(val) // 2] and train.steps[0] <= val.steps[len(val) // 2]:
        there: Floats = np.interp(at, train.steps, train.values)
    else:
        share = np.linspace(0, 1, len(val))[-len(at) :]
        there = np.interp(share, np.linspace(0, 1, len(train)), train.values)
    return there


def _explained(case: Case) -> str | None:
    """What makes training harder, by a setting that is known or a penalty that was logged."""
    for knob, name in ((Knob.DROPOUT, "dropout"), (Knob.LABEL_SMOOTHING, "label smoothing")):
        value = case.number(knob)
        if value is not None and value > 0:
            return name
    if stated_augmentation(case.run.hparams) is not None:
        return "augmentation"
    penalty = case.curve(Role.REGULARIZATION_LOSS) is not None
    return "the penalty" if penalty and case.curve(Role.DATA_LOSS) is None else None
