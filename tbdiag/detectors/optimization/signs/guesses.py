"""Whether validation never knew more than blind guessing would."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tbdiag.case import Case
from tbdiag.model.role import Role
from tbdiag.model.series import Series
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import tail

if TYPE_CHECKING:
    from tbdiag.detectors.optimization.no_learning import NoLearning

_APART = 0.7  # of the share that guessing gets right: what is below is another number of classes


@dataclass(frozen=True, slots=True)
class Guess:
    """A validation loss whose ``best`` is that of guessing among ``count`` classes.

    ``learned`` is the accuracy that training reached, None where it was not logged.
    """

    count: int
    best: float
    learned: float | None


def guesses(limits: NoLearning, case: Case) -> Guess | None:
    """Validation that guesses from the first evaluation to the last, while training learns or does not either."""
    val, loss = case.accuracy(Role.VAL_METRIC), case.curve(Role.VAL_LOSS)
    if val is None or loss is None or min(len(val), len(loss)) < limits.points:
        return None
    return _among(limits, case, val, loss) or _at_its_loss(limits, case, val, loss)


def _at_its_loss(limits: NoLearning, case: Case, val: Series, loss: Series) -> Guess | None:
    """The same of classes whose number nothing tells, by what a loss says of an accuracy.

    What is right with a probability of p on average, in the geometric mean exp(-loss), is right more often than
    that as soon as it knows anything: equal only where all answers are given alike.
    """
    best = float(loss.values.min())
    if not 0 < best < math.log(limits.few_classes) or case.classes is not None:
        return None
    if best < limits.still * float(loss.values[0]):
        return None
    if _best_late(val) > math.exp(-best) + limits.guess:
        return None
    train = case.accuracy(Role.TRAIN_METRIC)
    return Guess(round(math.exp(best)), best, None if train is None else median(tail(train.values)))


def _best_late(val: Series) -> float:
    """The median of the best quarter of the second half: single evaluations stray from chance, most at first."""
    late = val.values[len(val) // 2 :]
    return median(np.sort(late)[-max(3, len(late) // 4) :])


def _among(limits: NoLearning, case: Case, val: Series, loss: Series) -> Guess | None:
    share = median(tail(val.values))
    best, alone = float(loss.values.min()), case.curve(Role.TRAIN_LOSS) is None
    usual, floor = median(val.values), share
    count = round(1 / usual) if usual > 0.5 / limits.classes else 0
    away, exactly = limits.guess, False
    if 0 < best < math.log(limits.classes):
        by_loss = max(round(math.exp(best)), 2)
        if abs(best / math.log(by_loss) - 1) <= limits.exact:
            # the loss tells the classes, few samples do not
            count, away, exactly = by_loss, limits.near, True
    if case.classes is not None:
        # One lucky evaluation is no gain.
        count, best, exactly = case.classes, max(best, case.turn(Role.VAL_LOSS).value), True
    if alone and not (exactly and count <= limits.few_classes):
        return None
    if exactly or share > _APART / max(count, 1):
        share = max(share, 1 / max(count, 1))  # worse than guessing is not learned either
    if count < 2 or abs(share - 1 / count) > min(away, 0.25 / count):
        return None
    level = math.log(count)
    if not (1 - limits.chance) * level <= best <= (1 + limits.guessing) * level:
        return None
    learned = _trained(limits, case, share, level)
    if learned is None and not alone:
        return None
    if _best_late(val) > share + 2 * away:
        return None
    rose = floor >= share  # what ends below guessing has risen to nothing
    if rose and median(val.values[:3]) < floor - 2 * away:
        return None
    unknown = case.accuracy(Role.TRAIN_METRIC) is None
    return Guess(count, best, None if unknown else learned)


def _trained(limits: NoLearning, case: Case, share: float, level: float) -> float | None:
    """What training reached, where it learned what validation did not, or hardly anything; else None."""
    if case.curve(Role.TRAIN_LOSS) is None:
        return None
    train = case.accuracy(Role.TRAIN_METRIC)
    if train is None:
        return share  # whatever it reached, validation knows nothing of it
    learned = median(tail(train.values))
    by_heart = learned >= share + limits.by_heart * (1 - share)
    return learned if by_heart or case.progress.last >= (1 - limits.guessing) * level else None
