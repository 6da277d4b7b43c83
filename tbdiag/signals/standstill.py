"""Whether training and validation loss stand beside each other, with what lies between them.

A network that can do more than it was asked for goes on to learn its training set by heart: training falls, and the gap to
validation opens, long after validation has stopped. Where both losses stand and the gap stays as it was, there is nothing
left that such a network can fit, or it no longer moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import head, tail

_FEWEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """How far two losses moved in their second half, and how far the gap between them opened since the first.

    All in logarithms, so that no scale counts: ``training`` and ``validation`` without a sign, ``opened`` is more
    than 0 where training drew away.
    """

    training: float
    validation: float
    opened: float

    def within(self, training: float, validation: float, opened: float) -> bool:
        """Whether all three lie below these limits."""
        moved = self.training < training and self.validation < validation
        return moved and abs(self.opened) < opened


def standstill(train: Floats, val: Floats) -> Standstill | None:
    """The movements of a training loss at the points of validation, and of validation, both (n,).

    None of fewer than eight points or losses that are not positive.
    """
    n = len(val)
    if n < _FEWEST or not min(float(train.min()), float(val.min())) > 0:
        return None
    training, validation = np.log(train), np.log(val)
    gap = validation - training
    return Standstill(
        training=_moved(training[n // 2 :]),
        validation=_moved(validation[n // 2 :]),
        opened=median(tail(gap)) - median(gap[n // 3 : n // 2 + 1]),
    )


def _moved(values: Floats) -> float:
    return abs(median(tail(values)) - median(head(values, 0.2)))
