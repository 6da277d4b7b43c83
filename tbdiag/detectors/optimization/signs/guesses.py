"""Whether validation never knew more than blind guessing would."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tbdiag.case import Case
from tbdiag.model.role import Role
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import tail

if TYPE_CHECKING:
    from tbdiag.detectors.optimization.no_learning import NoLearning

_TWO = 2  # classes of which fewer than half right are no better than a coin
_APART = 0.35  # share right below which it is not half of anything


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
    share = median(tail(val.values))
    best, alone = float(loss.values.min()), case.curve(Role.TRAIN_LOSS) is None
    count, floor = round(1 / share) if share > 0.5 / limits.classes else 0, share
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
    if exactly or (count == _TWO and share > _APART):
        share = max(share, 1 / max(count, 1))  # worse than guessing is not learned either
    if count < _TWO or abs(share - 1 / count) > min(away, 0.25 / count):
        return None
    level = math.log(count)
    if not (1 - limits.chance) * level <= best <= (1 + limits.guessing) * level:
        return None
    learned = _trained(limits, case, share, level)
    if learned is None and not alone:
        return None
    # The best of many draws strays from 1/C by chance, most at first; what was learned stays.
    late = val.values[len(val) // 2 :]
    if median(np.sort(late)[-max(3, len(late) // 4) :]) > share + 2 * away:
        return None
    rose = floor >= share  # what ends below guessing has risen to nothing
    if rose and median(val.values[:3]) < floor - 2 * away:
        return None
    train = case.accuracy(Role.TRAIN_METRIC)
    return Guess(count, best, None if train is None else learned)


def _trained(limits: NoLearning, case: Case, share: float, level: float) -> float | None:
    """What training reached, where it learned what validation did not, or hardly anything; else None."""
    if case.curve(Role.TRAIN_LOSS) is None:
        return None
    train = case.accuracy(Role.TRAIN_METRIC)
    learned = share if train is None else median(tail(train.values))
    by_heart = learned >= share + limits.by_heart * (1 - share)
    return learned if by_heart or case.progress.last >= (1 - limits.guessing) * level else None
