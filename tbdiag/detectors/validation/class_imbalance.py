"""VAL004: the accuracy is that of the frequent classes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.series import Series
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import tail
from tbdiag.synth import a_run, counted, decay, flat, noisy

REMEDIES = (
    Remedy.advice(
        "Weight the classes in the loss by the inverse of their frequency",
        "then an error on a rare class costs as much as one on a frequent class",
    ),
    Remedy.advice(
        "Start the bias of the last layer at the log of the class frequencies",
        "the network need not spend its first epochs on learning them",
    ),
    Remedy.advice(
        "Choose checkpoints and settings by balanced accuracy or macro F1",
        "plain accuracy rewards ignoring the rare classes",
    ),
)

_PER_CLASS = re.compile(r"(.*?(?:acc|accuracy|recall|f1).*?class)[ _/-]?(\d{1,4})\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ClassImbalance(Detector):
    """Accuracy looks good because the frequent classes are right, and the rare ones are not.

    ## What it does

    Compares the validation accuracy with its mean over classes, with the loss that belongs to
    guessing by frequency, and the classes with one another, as far as they were logged.

    ## Why is this bad?

    With 97 % of the samples in one class, a network that never looks at its input is 97 % right.
    The number on the screen is good, and the class that matters is never found.

    ## How it is detected

    Any of three signs. The validation accuracy ends above the class-balanced metric by more than
    `gap` (medians of the last tenth, `evaluations` or more of both), or by more than `rare` where that
    makes the errors more than `more` times as many. Or the accuracy has stood at
    one value, to within `constant`, from the first evaluation on, that value is at least
    `majority`, and the validation loss ends within `near` of the entropy of guessing by that
    share. Or the best of the classes that were logged one by one ends more than `ratio` times
    above the worst, and above `good`.

    ## Remedy

    Class weights, a bias of log priors, and a balanced objective.

    ## False alarms

    A rare class may be hard, not neglected: then the gap is real, and so is the problem. An
    accuracy that converges and then stands still has risen before and does not count as constant.
    A gap without balanced or per-class curves cannot be seen.

    ## References

    He and Garcia, "Learning from imbalanced data" (2009). Karpathy, "A recipe for training neural
    networks" (2019).
    """

    code, severity, since = "VAL004", Severity.WARNING, "0.1.0"
    explains = ("OPT002",)  # the loss rests on the common class
    scale_free = False

    gap: Annotated[float, Threshold("accuracy above balanced accuracy", above=0, at_most=1)] = 0.15
    rare: Annotated[float, Threshold("the same where errors multiply", above=0, at_most=1)] = 0.1
    more: Annotated[float, Threshold("balanced errors over plain ones", above=1)] = 4.0
    evaluations: Annotated[int, Threshold("evaluations that are needed", at_least=1)] = 3
    constant: Annotated[float, Threshold("range of a constant accuracy", at_least=0)] = 0.002
    majority: Annotated[float, Threshold("smallest share of a majority", above=0, at_most=1)] = 0.6
    near: Annotated[float, Threshold("relative distance from the entropy", above=0)] = 0.1
    ratio: Annotated[float, Threshold("best class over worst class", above=1)] = 10.0
    good: Annotated[float, Threshold("value of the best class", above=0, at_most=1)] = 0.5

    def cannot_tell(self, case: Case) -> str | None:
        accuracy = case.accuracy(Role.VAL_METRIC)
        if len(_classes(case)) > 1:
            return None
        if accuracy is None:
            return "no validation accuracy was logged, and no metric for each class"
        if len(accuracy) < self.evaluations:
            return f"{len(accuracy)} evaluations were logged; {self.evaluations} are needed"
        if case.curve(Role.BALANCED_METRIC) is None and case.curve(Role.VAL_LOSS) is None:
            return "no balanced accuracy, metric for each class or validation loss was logged"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding at most: by the gap, else by the classes, else by the constant accuracy."""
        for found in (self._by_gap(case), self._by_class(case), self._by_entropy(case)):
            if found is not None:
                yield found
                return

    def _by_gap(self, case: Case) -> Finding | None:
        plain, balanced = case.accuracy(Role.VAL_METRIC), case.curve(Role.BALANCED_METRIC)
        if plain is None or balanced is None or min(len(plain), len(balanced)) < self.evaluations:
            return None
        scale = 100.0 if float(balanced.values.max()) > 1 else 1.0
        right, fair = _end(plain), _end(balanced) / scale
        many = right - fair > self.rare and 1 - fair > self.more * (1 - right)
        if right - fair <= self.gap and not many:
            return None
        last = int(plain.steps[-1])
        measures = (
            Measure("gap", right - fair, ">", self.rare if many else self.gap),
            Measure("accuracy", right),
            Measure("balanced", fair),
        )
        return self.finding(
            f"validation accuracy is {right:.1%} at step {last:,}, but {fair:.1%} as the mean over "
            "the classes",
            Evidence(tag=plain.tag, span=_span(plain), note="rewards frequency", measures=measures),
            Evidence(tag=balanced.tag, span=_span(balanced), note="every class counts the same"),
            confidence=Confidence.HIGH,
            remedies=REMEDIES,
        )

    def _by_class(self, case: Case) -> Finding | None:
        classes = [each for each in _classes(case) if len(each) >= self.evaluations]
        if len(classes) < 2:
            return None
        worst, best = min(classes, key=_end), max(classes, key=_end)
        low, high = _end(worst), _end(best)
        scale = 100.0 if high > 1 else 1.0
        low, high = low / scale, high / scale
        if high < self.good or high <= self.ratio * low:
            return None
        measures = (Measure("best_class", high, ">=", self.good), Measure("worst_class", low))
        return self.finding(
            f"the classes end between {low:.1%} and {high:.1%} at step {int(worst.steps[-1]):,}",
            Evidence(tag=worst.tag, span=_span(worst), note="the worst class", measures=measures),
            Evidence(tag=best.tag, span=_span(best), note="the best class"),
            remedies=REMEDIES,
        )

    def _by_entropy(self, case: Case) -> Finding | None:
        plain, loss = case.accuracy(Role.VAL_METRIC), case.curve(Role.VAL_LOSS)
        if plain is None or loss is None or min(len(plain), len(loss)) < self.evaluations:
            return None
        if np.ptp(plain.values) > self.constant:
            return None
        share, end = _end(plain), _end(loss)
        if not self.majority <= share < 1:
            return None
        others = (case.classes or 2) - 1
        entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
        highest = entropy + (1 - share) * math.log(max(others, 1))
        if not (1 - self.near) * entropy <= end <= (1 + self.near) * highest:
            return None
        last = int(plain.steps[-1])
        measures = (Measure("accuracy", share), Measure("loss", end), Measure("entropy", entropy))
        return self.finding(
            f"validation accuracy stands at {share:.1%} up to step {last:,}, with the loss "
            f"({end:.3g}) of guessing the most frequent class",
            Evidence(tag=plain.tag, span=_span(plain), note="never moves", measures=measures),
            Evidence(tag=loss.tag, span=_span(loss), note="the entropy of the classes"),
            remedies=REMEDIES,
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """A gap, a neglected class, a constant share; hard problems and late plateaus as traps."""
        train = noisy(decay(40, 0.5, 0.1), 0.02)
        flat_share = {Role.TRAIN_LOSS: train, Role.VAL_METRIC: flat(40, 0.97)}
        rising = 0.97 - decay(40, 0.2, 0.0)
        yield fires("gap", a_run({**flat_share, Role.BALANCED_METRIC: flat(40, 0.5)}), onset=3)
        yield fires(
            "gap in percent",
            a_run(
                {
                    Role.TRAIN_LOSS: train,
                    Role.VAL_METRIC: 100 * counted(rising, 600),
                    Role.BALANCED_METRIC: 100 * (rising - 0.2),
                }
            ),
        )
        rare = {**flat_share, Role.VAL_METRIC: flat(40, 0.98)}
        yield fires(
            "seven times the errors", a_run({**rare, Role.BALANCED_METRIC: flat(40, 0.86)}), onset=3
        )
        many = {Role.TRAIN_LOSS: train, Role.VAL_METRIC: rising - 0.3}
        yield silent("hard classes", a_run({**many, Role.BALANCED_METRIC: rising - 0.42}))
        yield fires(
            "loss of guessing",
            a_run({**flat_share, Role.VAL_LOSS: noisy(decay(40, 0.4, 0.135), 0.01)}),
        )
        yield fires(
            "a class never found",
            a_run(
                {Role.TRAIN_LOSS: train},
                extra={"recall/class_0": flat(40, 0.99), "recall/class_1": flat(40, 0.02)},
            ),
        )
        yield silent(
            "classes alike",
            a_run(
                {
                    Role.TRAIN_LOSS: train,
                    Role.VAL_METRIC: counted(rising, 600),
                    Role.BALANCED_METRIC: rising - 0.05,
                }
            ),
        )
        yield silent(
            "converged, then constant",
            a_run(
                {
                    Role.TRAIN_LOSS: train,
                    Role.VAL_METRIC: np.concatenate([[0.5, 0.8, 0.88], flat(37, 0.9)]),
                    Role.VAL_LOSS: decay(40, 0.7, 0.325, 20),
                }
            ),
        )
        yield silent(
            "hard for every class",
            a_run(
                {Role.TRAIN_LOSS: train},
                extra={"recall/class_0": flat(40, 0.3), "recall/class_1": flat(40, 0.02)},
            ),
        )
        yield silent(
            "constant and perfect",
            a_run({**flat_share, Role.VAL_METRIC: flat(40, 1.0), Role.VAL_LOSS: train}),
        )


def _end(curve: Series) -> float:
    return median(tail(curve.values))


def _span(curve: Series) -> tuple[int, int]:
    return int(curve.steps[0]), int(curve.steps[-1])


def _classes(case: Case) -> list[Series]:
    """The largest family of curves that differ in the number of a class alone."""
    families: dict[str, list[Series]] = {}
    for tag, series in case.run.series.items():
        family = _family(tag)
        if family is not None and len(series):
            families.setdefault(family, []).append(series)
    return max(families.values(), key=len, default=[])


@lru_cache(maxsize=4096)  # the runs of a scan mostly log under the same tags
def _family(tag: str) -> str | None:
    """What the tag of one class has in common with those of the others; None where it is of none."""
    match = _PER_CLASS.fullmatch(tag) if len(tag) < 200 and "train" not in tag.lower() else None
    return match[1] if match else None
