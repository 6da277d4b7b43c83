"""OPT004: the loss never left where it began."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import RATE_TENFOLD, RATE_TENTH
from tbdiag.detectors.optimization.signs.guesses import guesses
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Better, Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise
from tbdiag.signals.smoothing import head, tail
from tbdiag.signals.trend import mann_kendall
from tbdiag.synth import a_run, decay, flat, jitter, noisy

_METRICS = (Role.TRAIN_METRIC, Role.VAL_METRIC)
_RISES, _SURE = 0.4, 0.02  # tau and p of a metric that rises, though by less than its noise
REMEDIES = (
    RATE_TENTH,
    RATE_TENFOLD,
    Remedy.advice(
        "Try Adam at a rate of 3e-4 as a control",
        "if that does not learn either, the fault is not the optimizer's",
    ),
    Remedy.advice(
        "See whether the network can learn 20 samples by heart",
        "a network that cannot has a fault in its data, labels, loss or frozen layers",
    ),
)


CHECK_LABELS = Remedy.advice(
    "Look at twenty samples with their labels as the network gets them, of both sets",
    "labels that were shuffled apart from their inputs can only be learned by heart",
)


@dataclass(frozen=True, kw_only=True)
class NoLearning(Detector):
    """The training loss ends where it began, or sits at the loss of blind guessing.

    ## What it does

    Finds runs that have learned nothing at all.

    ## Why is this bad?

    Every epoch was wasted, and more of them will not help: a rate that is far off, dead or frozen
    layers, wrong labels or a fault in the loss keep the network where it is.

    ## How it is detected

    Either the median of the last tenth of the training loss is above `still` of the first loss,
    or the loss lies within `chance` of ln C while the accuracy lies within `guess` (`near`, where the loss is within `exact`) of 1/C for some
    number of classes C of at most `classes`. A loss that falls steadily (Kendall's tau below
    −`steady`) is slow, not still, and a metric or a validation loss that got better beyond its
    noise proves that something was learned; so does an accuracy that was `lost` better early on, of
    which OPT001 speaks.

    Or validation learned nothing: its accuracy is not above 1/C (within `near` where the best loss is ln C to within `exact`, else `guess`, or `strays`
    standard errors where its size is known), its best loss lies near ln C, not below it
    by more than the share `chance` and not above by more than `guessing`, and training went `by_heart` of the way
    from there to 1, or its loss is not `guessing` below ln C either, or its accuracy was not logged. C is what the settings or the outputs of the last
    layer say, where they do. Where nothing tells C, the accuracy is held against exp(−loss), which is what guessing with such a loss gets right, if the loss was never
    below the share `still` of its first value and the accuracy rose by no more than `near`, and it is a warning. Without a training loss the same of at most `few_classes` is a warning. Without any accuracy it is a note: the validation loss is never below the share `still` of its first value and
    ends above it, training fell all the same, and began at most `begun` times above it, so that nothing was learned before.

    ## Remedy

    A tenth and ten times the rate, first what leads towards the optimizer's usual one; Adam at 3e-4 as
    a control; then twenty samples by heart.

    ## False alarms

    Where the first logged loss is already the mean of an epoch, a network that learned all it can
    in that epoch looks still; without a metric to tell, confidence is low and it is a warning.

    ## References

    Karpathy, "A recipe for training neural networks" (2019), on overfitting one batch.
    """

    code, severity, since = "OPT004", Severity.ERROR, "0.1.0"
    needs = ((Role.TRAIN_LOSS, Role.VAL_LOSS),)
    scale_free = False  # ln C is a level
    points = 8
    explains = (
        "OPT001",
        "OPT003",
        "OPT005",
        "OPT006",
        "OPT008",
        "OPT010",
        "GEN001",
        "GEN002",
        "GEN004",
        "VAL002",
    )

    still: Annotated[float, Threshold("last loss over first", above=0)] = 0.98
    chance: Annotated[float, Threshold("distance from ln C, as a share", above=0)] = 0.02
    guess: Annotated[float, Threshold("distance of the accuracy from 1/C", above=0)] = 0.02
    exact: Annotated[float, Threshold("the same of a loss that is ln C itself", above=0)] = 0.005
    near: Annotated[float, Threshold("distance of the accuracy then", above=0)] = 0.05
    classes: Annotated[int, Threshold("most classes looked for", at_least=2)] = 1000
    guessing: Annotated[float, Threshold("best validation loss over ln C", above=0)] = 0.1
    few_classes: Annotated[int, Threshold("most classes told by validation alone", at_least=2)] = 30
    by_heart: Annotated[float, Threshold("way of training from chance to 1", above=0)] = 0.2
    begun: Annotated[float, Threshold("first loss over that of the first evaluation", above=1)] = (
        1.2
    )
    lost: Annotated[float, Threshold("accuracy learned early and lost", above=0)] = 0.05
    steady: Annotated[float, Threshold("tau of a steady fall", above=0, at_most=1)] = 0.9
    strays: Annotated[float, Threshold("standard errors of an accuracy by guessing", above=0)] = 2.0

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where nothing was learned."""
        by_heart = self._by_heart(case)
        if by_heart is None and case.curve(Role.TRAIN_LOSS) is not None:
            by_heart = self._never_better(case)
        if by_heart is not None:
            yield by_heart
            return
        if case.curve(Role.TRAIN_LOSS) is None:
            return
        seen, curve = case.progress, case.the(Role.TRAIN_LOSS)
        if self._relapsed(case):
            return
        guessed = self._guessed_classes(case)
        if guessed is None and (
            self._moved(case) or seen.trend.tau < -self.steady or _metric_improved(case)
        ):
            return
        if guessed is not None:
            message = (
                f"nothing was learned: the training loss ends at {seen.last:.4g}, the loss of"
                f" guessing among {guessed} classes"
            )
            distance = abs(seen.last / math.log(guessed) - 1)
            measure = Measure("distance_from_chance", distance, "<", self.chance)
        else:
            measure = Measure("last", seen.last, ">", self.still * seen.first)
            message = (
                f"nothing was learned: the training loss began at {seen.first:.4g} and ends at"
                f" {seen.last:.4g}"
            )
        sure = guessed is not None or _known_start(case)
        yield self.finding(
            message,
            Evidence(
                tag=curve.tag,
                span=(int(curve.steps[0]), int(curve.steps[-1])),
                note="flat throughout" if guessed is None else "ends at blind guessing",
                measures=(Measure("first", seen.first), measure),
            ),
            severity=Severity.ERROR if sure else Severity.WARNING,
            confidence=Confidence.HIGH if sure else Confidence.LOW,
            remedies=_remedies(case),
        )

    def _by_heart(self, case: Case) -> Finding | None:
        """Validation that guesses from the first evaluation to the last."""
        seen = guesses(self, case)
        if seen is None:
            return None
        if not seen.by_heart and self._relapsed(case, above=1 / seen.count + self.near):
            return None
        loss, val = case.the(Role.VAL_LOSS), case.the(Role.VAL_METRIC)
        span = (int(loss.steps[0]), int(loss.steps[-1]))
        sure = seen.told and case.curve(Role.TRAIN_LOSS) is not None
        training = "" if seen.learned is None else f", while training reached {seen.learned:.0%}"
        return self.finding(
            f"nothing that holds for validation was learned: its loss was never below {seen.best:.4g},"
            f" that of guessing among {'' if seen.told else 'about '}{seen.count} classes{training}",
            Evidence(
                tag=loss.tag,
                span=span,
                note="never better than guessing",
                measures=(
                    Measure("best", seen.best, ">", (1 - self.chance) * math.log(seen.count)),
                    *([] if seen.learned is None else [Measure("training_accuracy", seen.learned)]),
                ),
            ),
            Evidence(tag=val.tag, span=span, note="stays at chance"),
            severity=self.severity if sure else Severity.WARNING,
            confidence=Confidence.HIGH if seen.count > 2 and sure else Confidence.MEDIUM,
            remedies=(CHECK_LABELS, *(REMEDIES[2:] if seen.by_heart else _remedies(case))),
        )

    def _relapsed(self, case: Case, above: float = 0.0) -> bool:
        """Whether an accuracy ``above`` that of guessing was lost again, of which OPT001 speaks."""
        seen = case.relapse
        return seen is not None and seen.then > above and seen.beyond(self.lost)

    def undecided(self, case: Case) -> str | None:
        """A validation loss without an accuracy that was never better than at first."""
        val = case.curve(Role.VAL_LOSS)
        if val is None or not self._stands(case, val):
            return None
        return (
            "the validation loss was never better than at its first evaluation, so that all was learned"
            " before it or nothing since: evaluate once before training"
        )

    def _stands(self, case: Case, val: Series) -> bool:
        """Whether a validation loss without an accuracy hardly ever stood below its first value."""
        if len(val) < self.points or any(case.accuracy(role) is not None for role in _METRICS):
            return False
        return 0 < self.still * float(val.values[0]) <= float(val.values.min())

    def _never_better(self, case: Case) -> Finding | None:
        """The same of targets without classes, where the first losses show that nothing came before either."""
        val, first = case.curve(Role.VAL_LOSS), case.initial_loss
        if val is None or first is None or not self._stands(case, val):
            return None
        start, seen = float(val.values[0]), case.progress
        if median(tail(val.values)) < start or first > self.begun * start or not self._moved(case):
            return None
        span = (int(val.steps[0]), int(val.steps[-1]))
        return self.finding(
            f"nothing that holds for validation was learned: its loss was {start:.4g} at first and is"
            f" {median(tail(val.values)):.4g}, while that of training fell to {seen.last:.4g}",
            Evidence(
                tag=val.tag,
                span=span,
                note="never better than at first",
                measures=(Measure("best", float(val.values.min()), ">=", self.still * start),),
            ),
            severity=Severity.NOTE,
            confidence=Confidence.MEDIUM,
            remedies=(CHECK_LABELS, *REMEDIES[2:]),
        )

    def _moved(self, case: Case) -> bool:
        seen = case.progress
        return seen.first - seen.last > (1 - self.still) * abs(seen.first)

    def _guessed_classes(self, case: Case) -> int | None:
        """The number of classes among which the network guesses at the end, else None."""
        metric = case.accuracy(Role.TRAIN_METRIC) or case.accuracy(Role.VAL_METRIC)
        last = case.progress.last
        if metric is None or not 0 < last <= math.log(self.classes) * (1 + self.chance):
            return None
        count = round(math.exp(last))
        if count < 2 or abs(last - math.log(count)) > self.chance * math.log(count):
            return None
        # Which answer it always gives decides which share of a small set it gets right.
        shares = [median(tail(each.values)) for _, each in case.accuracies] or [
            median(tail(metric.values))
        ]
        away = min(abs(share - 1 / count) for share in shares)
        exactly = abs(last - math.log(count)) <= self.exact * math.log(count)
        allowed = self.near if exactly else max(self.guess, self._by_chance(case, 1 / count))
        return count if away <= min(allowed, 0.5 / count) else None

    def _by_chance(self, case: Case, share: float) -> float:
        """How far the accuracy of guessing strays where validation is small, 0 where its size is not known."""
        size = case.validation_size()
        return self.strays * math.sqrt(share * (1 - share) / size.most) if size is not None else 0.0

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Flat and guessing runs; slow, done-at-once and metric-proven learning as traps."""
        start = {Role.BATCH_LOSS: noisy(flat(300, 2.303), 0.01)}
        yield fires("flat", a_run({Role.TRAIN_LOSS: noisy(flat(30, 2.3), 0.001), **start}))
        yield fires(
            "guesses among four",
            a_run(
                {
                    Role.TRAIN_LOSS: decay(30, 1.6, math.log(4), 30) + jitter(30, 0.001),
                    Role.TRAIN_METRIC: flat(30, 0.25) + jitter(30, 0.003),
                }
            ),
        )
        yield fires(
            "validation guesses, and training hardly learns it by heart",
            a_run(
                {
                    Role.TRAIN_LOSS: decay(30, 0.80, 0.67, 6) + jitter(30, 0.002),
                    Role.VAL_LOSS: 0.70 + jitter(30, 0.002),
                    Role.TRAIN_METRIC: decay(30, 0.50, 0.56, 6),
                    Role.VAL_METRIC: 0.50 + jitter(30, 0.005),
                }
            ),
        )
        by_heart = {
            Role.TRAIN_LOSS: noisy(decay(30, 1.7, 0.8, 8), 0.01),
            Role.VAL_LOSS: 1.63 + 0.3 * np.linspace(0, 1, 30),
            Role.TRAIN_METRIC: decay(30, 0.2, 0.8, 8),
        }
        guesses = {Role.VAL_METRIC: 0.2 + jitter(30, 0.01)}
        yield fires("random labels, learned by heart", a_run({**by_heart, **guesses}))
        yield silent(
            "overfits after it had learned something",
            a_run(
                {
                    **by_heart,
                    **guesses,
                    Role.VAL_LOSS: np.concatenate([[1.6, 1.5], 1.52 + jitter(28, 0)]),
                }
            ),
        )
        ten = {
            Role.VAL_LOSS: 1.48 + np.linspace(0, 1, 30),
            Role.VAL_METRIC: 0.51 + jitter(30, 0.005),
        }
        yield silent("half of ten classes right", a_run({**by_heart, **ten}))
        yield silent(
            "validation learned, and its loss is overconfident",
            a_run({**by_heart, Role.VAL_METRIC: 0.45 + jitter(30, 0.01)}),
        )
        # of targets that no class tells: a walk around the variance, while training falls a little
        walk = 1.06 + jitter(30, 0.01)
        targets: dict[Role, Floats] = {
            Role.TRAIN_LOSS: decay(30, 1.1, 0.96, 6) + jitter(30, 0.002),
            Role.VAL_LOSS: np.concatenate([[1.05], walk[1:]]),
        }
        yield fires("targets that mean nothing", a_run(targets))
        yield silent(
            "learned all in the first epoch, without an accuracy",
            a_run({**targets, Role.BATCH_LOSS: noisy(decay(600, 5.0, 0.97, 60), 0.02)}),
        )
        yield silent(
            "targets of which validation learns",
            a_run({**targets, Role.VAL_LOSS: decay(30, 1.05, 0.98, 6)}),
        )
        yield silent("learns", a_run({Role.TRAIN_LOSS: noisy(decay(30, 2.3, 0.3), 0.02)}))
        yield silent("slow", a_run({Role.TRAIN_LOSS: decay(30, 2.30, 2.27, 1)}))
        yield silent(
            "learned all in the first epoch",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(flat(30, 0.3), 0.01),
                    Role.TRAIN_METRIC: decay(30, 0.80, 0.92, 6) + jitter(30, 0.002),
                }
            ),
        )
        yield silent(
            "learned all before the first point, as batches show",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(flat(30, 0.3), 0.01),
                    Role.BATCH_LOSS: noisy(decay(600, 2.3, 0.3, 60), 0.05),
                }
            ),
        )


def _metric_improved(case: Case) -> bool:
    """Whether a metric or the validation loss got better beyond its noise and by two per cent."""
    for role in (Role.TRAIN_METRIC, Role.VAL_METRIC, Role.VAL_LOSS):
        metric, binding = case.curve(role), case.run.roles.bound.get(role)
        if metric is None or binding is None or len(metric) < 4:
            continue
        gain = median(tail(metric.values)) - median(head(metric.values))
        gain = gain if binding.better is Better.HIGHER else -gain
        rises = mann_kendall(metric.values)
        rising = rises.tau if binding.better is Better.HIGHER else -rises.tau
        if rising > _RISES and rises.p < _SURE and gain > 0.02 * float(np.abs(metric.values).max()):
            return True
        if gain > 3 * noise(metric.values) and gain > 0.02 * float(np.abs(metric.values).max()):
            return True
    return False


def _remedies(case: Case) -> tuple[Remedy, ...]:
    """The rate is tried towards the optimizer's usual one first, where both are known."""
    rate = case.number(Knob.LR)
    if case.optimizer is not None and rate is not None and rate < case.optimizer.usual:
        return (RATE_TENFOLD, RATE_TENTH, *REMEDIES[2:])
    return REMEDIES


def _known_start(case: Case) -> bool:
    """Whether the first loss was seen before training, not after an epoch of it."""
    batch = case.curve(Role.BATCH_LOSS)
    return (batch is not None and len(batch) >= 20) or any(
        case.curve(role) is not None for role in (Role.TRAIN_METRIC, Role.VAL_METRIC)
    )
