"""INI002: the first loss is worse than guessing."""

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
from tbdiag.model.remedy import Remedy, SetTo
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.entropy import guessing, honest
from tbdiag.signals.medians import median
from tbdiag.signals.reaction import fall_at_once
from tbdiag.signals.smoothing import tail
from tbdiag.signals.stated import stated_classes
from tbdiag.synth import a_run, cosine, counted, decay, jitter, noisy

REMEDIES = (
    Remedy.turn(
        Knob.INIT,
        SetTo("he"),
        "Draw the weights at the scale of He's rule",
        "weights that are too large make logits that are sure of the wrong class",
    ),
    Remedy.advice(
        "Scale the weights of the last layer down, to a tenth or to zero",
        "small logits spread the belief evenly, and the loss starts at ln C",
    ),
    Remedy.advice(
        "Set the bias of the last layer to the log of the class frequencies",
        "then the first epochs are not spent on learning them",
    ),
    Remedy.advice(
        "Normalise the inputs to mean 0 and standard deviation 1",
        "raw inputs of up to 255 scale every logit up with them",
    ),
)

_ACCURACIES = (Role.TRAIN_METRIC, Role.VAL_METRIC)


@dataclass(frozen=True, kw_only=True)
class InitialLossOff(Detector):
    """The loss of a classifier starts far above that of guessing.

    ## What it does

    Compares the loss before anything was learned with ln C, the loss of a network that believes in
    each of C classes alike.

    ## Why is this bad?

    A network that starts surer than it may be spends its first epochs on shrinking its weights, and
    often saturates or kills units on the way. A correct start is the cheapest check there is.

    ## How it is detected

    The first loss is that of the very first batch, or of an evaluation at step 0 before the first
    training loss. It must be above `factor` times ln C, and above ln C by `margin` nats. C is what
    the hyperparameters say; or the number of the last layer's biases, where histograms show that its weights are
    larger than any rule draws them (their size times the root of its inputs above `loud`, where
    He's rule gives 1.4, which may alone make a first loss as high); else `lucky` times the C at whose chance level an accuracy at step 0
    lies; else at most the validation samples over `per_class`,
    and `many` where their number is not known either; it is read off the accuracies, and wrong with a chance of `chance`. Where that bound is all there is, as many classes count as the lowest accuracy
    looks like, if the first squared gradient is above `reacting` times four losses
    (`tbdiag/signals/reaction.py`) and both came down to `calmed` at once: no weights of a usual size begin so.

    Then the loss must be a plain mean cross-entropy; a penalty that was logged is subtracted. As
    soon as the network has learned (accuracy `learned` of the way from chance to 1, and not above
    `perfect`), the loss is held against the highest one of an honest classifier that is as often
    right. Where it always stays above `inflated` times that, and never
    falls below the share `kept` of what the first loss was to ln C, it is a sum over the batch.
    Unless the first loss is above `sure` times its limit, it may hold a penalty: where the first
    excess over `plain` times the honest loss, or without learning over ln C, persists by the
    share `persisting`, and by `melted` of that at half of the run, the rule is silent, and so it is where the loss climbs from its first value
    by `factor`, which is the work of the rate. It is an error where the run is lost: more than `stuck` is left to learn.

    ## Remedy

    The right scale of initialisation, above all in the last layer; a bias of log priors; normalised
    inputs.

    ## False alarms

    A weight penalty inside the loss, or a sum over the batch in place of a mean: both are looked
    for. A pretrained network starts below ln C. A first point after an epoch tells nothing.

    ## References

    Karpathy, "A recipe for training neural networks" (2019): verify the loss at init.
    """

    code, severity, since = "INI002", Severity.WARNING, "0.1.0"
    needs = ((Role.BATCH_LOSS, Role.TRAIN_LOSS, Role.VAL_LOSS),)
    explains = ("OPT002", "OPT004", "OPT009")
    scale_free = False

    factor: Annotated[float, Threshold("first loss over ln C", above=1)] = 1.5
    margin: Annotated[float, Threshold("first loss above ln C in nats", at_least=0)] = 0.5
    per_class: Annotated[float, Threshold("validation samples of each class", at_least=1)] = 2.0
    many: Annotated[int, Threshold("classes that hardly anything has more of", at_least=2)] = 250000
    lucky: Annotated[float, Threshold("first accuracy over chance", at_least=1)] = 2.0
    loud: Annotated[float, Threshold("gain of a last layer that is too large", above=0)] = 2.0
    chance: Annotated[float, Threshold("that of a wrong number of samples", above=0)] = 0.01
    reacting: Annotated[float, Threshold("first squared gradient over the loss", above=0)] = 20.0
    calmed: Annotated[float, Threshold("first loss and norm over those soon after", above=1)] = 2.0
    learned: Annotated[float, Threshold("way from chance to 1", above=0, at_most=1)] = 0.1
    perfect: Annotated[float, Threshold("accuracy too good to compare", above=0, at_most=1)] = 0.95
    inflated: Annotated[float, Threshold("impossible loss over the honest one", above=0)] = 2.0
    kept: Annotated[float, Threshold("share of the first ratio that a sum keeps", above=0)] = 0.3
    sure: Annotated[float, Threshold("first loss over the limit, beyond doubt", above=1)] = 2.0
    plain: Annotated[float, Threshold("usual loss over the honest one", above=0)] = 0.6
    persisting: Annotated[float, Threshold("share of the excess that stays", above=0)] = 0.3
    melted: Annotated[float, Threshold("share of that left at half of the run", above=0)] = 0.4
    stuck: Annotated[float, Threshold("share left to learn of a lost run", above=0)] = 0.9

    def cannot_tell(self, case: Case) -> str | None:
        if all(case.accuracy(role) is None for role in _ACCURACIES):
            return "no accuracy was logged, so that the loss may not be a cross-entropy"
        if self._beginning(case) is None:
            return "no loss was logged before the first epoch was over; log it for each batch"
        if self._classes(case) is None:
            return "the number of classes is unknown; log it as the hyperparameter num_classes"
        return None

    def undecided(self, case: Case) -> str | None:
        """A first loss that is high for as many classes as it looks like, but not for any number."""
        beginning, likely = self._beginning(case), self._likely(case)
        if beginning is None or likely is None:
            return None
        first = float(beginning.values[0])
        told = self._classes(case) if first > self._limit(likely) else None
        if told is None or told[1] or first > self._limit(told[0]):
            return None
        return (
            f"the loss starts at {first:.3g}, which is high for {likely:,} classes but not for"
            f" {told[0]:,}; log their number as the hyperparameter num_classes"
        )

    def _likely(self, case: Case) -> int | None:
        """As many classes as the lowest accuracy looks like; None where none was logged."""
        shares = [
            float(each.values.min())
            for role in _ACCURACIES
            if (each := case.accuracy(role)) is not None and len(each)
        ]
        least = min(shares, default=0.0)
        return max(2, round(self.lucky / least)) if least > 0 else None

    def _violent(self, case: Case) -> bool:
        """Whether the first gradient is too large for its loss, and both came down at once."""
        if not (case.reaction or 0.0) > self.reacting:
            return False
        curves = (case.curve(Role.BATCH_LOSS), case.curve(Role.GRAD_NORM))
        falls = [fall_at_once(each.values) for each in curves if each is not None]
        return all(fall is not None and fall > self.calmed for fall in falls)

    def _limit(self, classes: int) -> float:
        even = guessing(classes)
        return max(self.factor * even, even + self.margin)

    def check(self, case: Case) -> Iterator[Finding]:
        beginning, told = self._beginning(case), self._classes(case)
        if beginning is None or told is None:
            return
        classes, known = told
        first = float(beginning.values[0])
        likely = self._likely(case)
        if not known and first <= self._limit(classes) and likely and self._violent(case):
            classes = min(classes, likely)
        even = guessing(classes)
        penalty = case.curve(Role.REGULARIZATION_LOSS)
        if penalty is not None and len(penalty):
            first -= float(penalty.values[0])
        limit = self._limit(classes)
        sure = first > self.sure * limit
        if first <= limit or self._is_a_sum(case, first, classes):
            return
        if not sure and (self._climbs(case, first) or self._is_penalised(case, first, classes)):
            return
        step = int(beginning.steps[0])
        of = f"{classes:,} classes" if known else f"as many as {classes:,} classes"
        yield self.finding(
            f"the loss starts at {first:.3g} at step {step:,}, where guessing among {of} costs "
            f"{even:.3g}",
            Evidence(
                tag=beginning.tag,
                span=(step, step),
                note="before anything was learned",
                measures=(
                    Measure("initial_loss", first, ">", limit),
                    Measure("guessing_loss", even),
                    Measure("classes", classes),
                ),
            ),
            severity=Severity.ERROR if case.unlearned > self.stuck else Severity.WARNING,
            confidence=Confidence.HIGH if sure else Confidence.MEDIUM,
            remedies=REMEDIES,
        )

    def _beginning(self, case: Case) -> Series | None:
        """The first point of the earliest loss; None where that is late."""
        batch = case.curve(Role.BATCH_LOSS)
        if batch is not None and len(batch) > 1 and batch.steps[0] <= _spacing(batch):
            return batch.between(batch.steps[0], batch.steps[0])
        val = case.curve(Role.VAL_LOSS)
        return val.between(0, 0) if val is not None and _precedes_training(case, val) else None

    def _classes(self, case: Case) -> tuple[int, bool] | None:
        """The number of classes, or a bound; and whether it is known."""
        if case.classes is not None and (self._stated(case) or self._is_loud(case)):
            return case.classes, True
        val = case.accuracy(Role.VAL_METRIC)
        if val is None:
            return None
        if _precedes_training(case, val) and val.values[0] > 0:
            return max(2, round(self.lucky / float(val.values[0]))), False
        size = case.validation_size(self.chance)
        count = self.many if size is None else max(2, round(size.most / self.per_class))
        return count, False

    @staticmethod
    def _stated(case: Case) -> bool:
        return stated_classes(case.run.hparams) is not None

    def _is_loud(self, case: Case) -> bool:
        """Whether the first weights of the last layer are seen to be larger than any rule draws them."""
        last = case.layers.last
        if last is None:
            return False
        weights, outputs = last
        gain = float(weights.rms[0]) * math.sqrt(weights.size / outputs)
        return gain > self.loud

    def _is_a_sum(self, case: Case, first: float, classes: int) -> bool:
        losses, allowed = self._learning(case, classes)
        if not len(losses):
            return False
        least = float((losses / allowed).min())
        return least > max(self.inflated, self.kept * first / guessing(classes))

    def _climbs(self, case: Case, first: float) -> bool:
        batch = case.curve(Role.BATCH_LOSS)
        return batch is not None and float(batch.values.max(initial=0)) > self.factor * first

    def _is_penalised(self, case: Case, first: float, classes: int) -> bool:
        excess = self.persisting * (first - guessing(classes))
        losses, allowed = self._learning(case, classes)
        if len(losses):
            over = losses - self.plain * allowed
            # What is learned slowly has come down by half of the run, and a penalty not so far.
            return float(over[0]) > excess and float(over[len(over) // 2]) > self.melted * over[0]
        loss = case.curve(Role.TRAIN_LOSS)
        if loss is None or not len(loss) or case.accuracy(Role.TRAIN_METRIC) is None:
            return False
        return median(tail(loss.values)) - guessing(classes) > excess

    def _learning(self, case: Case, classes: int) -> tuple[Floats, Floats]:
        """The training losses since something was learned, and those of honest classifiers."""
        loss, accuracy = case.curve(Role.TRAIN_LOSS), case.accuracy(Role.TRAIN_METRIC)
        if loss is None or accuracy is None:
            return np.zeros(0), np.zeros(0)
        # The first epoch's mean still holds the beginning itself.
        shares = np.interp(loss.steps, accuracy.steps, accuracy.values)[1:]
        enough = shares >= 1 / classes + self.learned * (1 - 1 / classes)
        # Of the nearly perfect, a few samples decide what an honest loss is.
        enough &= shares <= max(self.perfect, float(shares[enough].min(initial=1)))
        allowed = [honest(min(share, self.perfect), classes) for share in shares[enough].tolist()]
        return loss.values[1:][enough], np.array(allowed)

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Loud beginnings with known and bounded C; penalties, sums and late points as traps."""
        accuracy: Floats = 0.95 - decay(40, 0.7, 0.0)
        train = noisy(decay(40, 1.5, 0.1), 0.01)

        def run(start: float, every: int = 1, since: int = 0) -> dict[Role, Floats | Series]:
            batches = noisy(decay(640, start, 0.1, 30), 0.03)
            steps = 16 * np.arange(1, 41)
            return {
                Role.BATCH_LOSS: Series.of("batch/loss", since + np.arange(640) * every, batches),
                Role.TRAIN_LOSS: Series.of("loss/train", steps * every, train),
                Role.TRAIN_METRIC: Series.of("accuracy/train", steps * every, accuracy),
                Role.VAL_METRIC: Series.of("accuracy/val", steps * every, counted(accuracy, 797)),
            }

        ten = {"num_classes": 10}
        yield fires("three times ln C", a_run(run(7.0), hparams=ten))
        yield fires("of at most 398 classes", a_run(run(17.0)))
        yield fires("logged every 50 batches", a_run(run(7.0, 50), hparams=ten))
        before = np.concatenate([[8.0], decay(40, 1.6, 0.3)])
        yield fires(
            "evaluated before training",
            a_run(
                {
                    Role.TRAIN_LOSS: train,
                    Role.VAL_LOSS: Series.of("loss/val", np.arange(41), before),
                    Role.VAL_METRIC: Series.of(
                        "accuracy/val", np.arange(41), np.concatenate([[0.11], accuracy])
                    ),
                }
            ),
        )
        for scale, sample in ((0.6, fires), (0.177, silent)):
            weights = {
                "fc1.weight": {0: jitter(4096, 0.177, 1)},
                "fc1.bias": {0: np.zeros(64)},
                "fc2.weight": {0: jitter(640, scale, 2)},
                "fc2.bias": {0: np.zeros(10)},
            }
            yield sample(f"a last layer of size {scale}", a_run(run(5.0), histograms=weights))
        yield silent("at ln C", a_run(run(2.4), hparams=ten))
        yield silent("C unknown, and 5 might be right", a_run(run(5.0)))
        yield silent("a late first point", a_run(run(7.0, since=5000), hparams=ten))
        penalised = run(4.0)
        penalised[Role.TRAIN_LOSS] = Series.of(
            "loss/train", 16 * np.arange(1, 41), train + cosine(40, 1.7, 0.3)
        )
        yield silent("a penalty inside the loss", a_run(penalised, hparams=ten))
        summed = run(2.4)
        for role in (Role.TRAIN_LOSS, Role.BATCH_LOSS):
            curve = summed[role]
            if isinstance(curve, Series):
                summed[role] = curve.with_values(64 * curve.values)
        yield silent("a sum over the batch", a_run(summed, hparams=ten))
        yield silent("no accuracy", a_run({Role.BATCH_LOSS: noisy(decay(640, 17.0, 0.1), 0.03)}))


def _spacing(curve: Series) -> float:
    return median(np.diff(curve.steps))


def _precedes_training(case: Case, evaluated: Series) -> bool:
    """Whether the first evaluation stands at step 0, and the first training loss after it."""
    train = case.curve(Role.TRAIN_LOSS)
    if train is None or not len(evaluated) or not len(train):
        return False
    return int(evaluated.steps[0]) == 0 < int(train.steps[0])
