"""Whether validation never knew more than blind guessing would."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
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

    ``learned`` is the accuracy that training reached, None where it was not logged; ``by_heart`` whether training went
    well beyond guessing, ``told`` whether it is the loss alone that tells the classes.
    """

    count: int
    best: float
    learned: float | None
    by_heart: bool
    told: bool = True


def guesses(limits: NoLearning, case: Case) -> Guess | None:
    """Validation that guesses from the first evaluation to the last, while training learns or does not either."""
    val, loss = case.accuracy(Role.VAL_METRIC), case.curve(Role.VAL_LOSS)
    if val is None or loss is None or min(len(val), len(loss)) < limits.points:
        return None
    return _among(limits, case, val, loss) or _at_its_loss(limits, case, val, loss)


def _among(limits: NoLearning, case: Case, val: Series, loss: Series) -> Guess | None:
    """Guessing among classes whose number the settings, the loss or the accuracy tell."""
    share, usual, best = median(tail(val.values)), median(val.values), float(loss.values.min())
    count = round(1 / usual) if usual > 0.5 / limits.classes else 0
    floor, away, known = share, limits.guess, False
    if 0 < best < math.log(limits.classes):
        by_loss = max(round(math.exp(best)), 2)
        if abs(best / math.log(by_loss) - 1) <= limits.exact:
            # the loss tells the classes, few samples do not
            count, away, known = by_loss, limits.near, True
    if case.classes is not None:
        # One lucky evaluation is no gain.
        count, best, known = case.classes, max(best, case.turn(Role.VAL_LOSS).value), True
    if count < 2:
        return None
    if known or share > _APART / count:
        share = max(share, 1 / count)  # worse than guessing is not learned either
    if abs(share - 1 / count) > min(away, 0.25 / count):
        return None
    level = math.log(count)
    if not (1 - limits.chance) * level <= best <= (1 + limits.guessing) * level:
        return None
    if _best_late(val) > share + 2 * away:
        return None
    if floor >= share and median(val.values[:3]) < floor - 2 * away:
        return None  # it rose, and not from below guessing to that
    if case.curve(Role.TRAIN_LOSS) is None:
        return Guess(count, best, None, False) if known and count <= limits.few_classes else None
    found = _guess(limits, case, count, best)
    # What training shows may be as little as that, or far more, but nothing in between.
    near = case.progress.last >= (1 - limits.guessing) * level
    return found if found.learned is None or found.by_heart or near else None


def _at_its_loss(limits: NoLearning, case: Case, val: Series, loss: Series) -> Guess | None:
    """Guessing among classes whose number nothing tells, by what a loss says of an accuracy.

    The right answers have a probability of exp(-loss) in the geometric mean, and more in the arithmetic one. As
    many are right where all are given alike, and more as soon as anything is known.
    """
    best = float(loss.values.min())
    if case.classes is not None or not (1 - limits.chance) * math.log(2) <= best < math.log(
        limits.few_classes
    ):
        return None
    if best < limits.still * float(loss.values[0]):
        return None
    late = _best_late(val)
    if late > math.exp(-best) + limits.guess or late > median(val.values[:3]) + limits.near:
        return None
    return replace(_guess(limits, case, round(math.exp(best)), best), told=False)


def _guess(limits: NoLearning, case: Case, count: int, best: float) -> Guess:
    """With what training reached."""
    train = case.accuracy(Role.TRAIN_METRIC)
    if train is None:
        return Guess(count, best, None, False)
    learned = median(tail(train.values))
    return Guess(count, best, learned, learned >= 1 / count + limits.by_heart * (1 - 1 / count))


def _best_late(val: Series) -> float:
    """The median of the best quarter of the second half: single evaluations stray from chance, most at first."""
    late = val.values[len(val) // 2 :]
    return median(np.sort(late)[-max(3, len(late) // 4) :])
