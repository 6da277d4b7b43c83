"""How far a run has come from where it began: its first loss, what is left of it, both losses side by side."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import tail

_LEAP = 3.0  # a rise of the loss over the first batches that is no chance
# Errors that are not those of a rare class, and errors as many as at the start.
_MOSTLY_WRONG, _NO_BETTER = 0.4, 0.97


def first_loss(train: Series | None, batch: Series | None) -> float | None:
    """The training loss before anything was learned, as near to it as the two curves tell.

    The median of the first three batches where those are on the scale of ``train``, else its first
    point, which may already be the mean of a whole epoch. None without a loss.
    """
    if batch is None or len(batch) < 3:
        return float(train.values[0]) if train is not None and len(train) else None
    early = median(batch.values[:3])
    if early > _LEAP * batch.values[0] > 0:
        early = float(batch.values[0])  # the first steps have thrown the weights off already
    if train is None or not len(train):
        return early
    # A sum in one curve and a mean in the other differ by far more than a factor of three.
    ends = median(batch.values[-max(3, len(batch) // 20) :]), median(train.values[-3:])
    same = ends[1] != 0 and 1 / 3 < ends[0] / ends[1] < 3
    return early if same else float(train.values[0])


def share_left(
    loss: Series | None, first: float | None, accuracies: Iterable[Series | None]
) -> float:
    """The share of the ``first`` loss that is left at the end, NaN where that is unknown.

    Of each accuracy the share of its first errors counts if that is less, and alone where it is poor
    and never got better.
    """
    if loss is None or len(loss) < 3 or first is None or first <= 0:
        return float("nan")
    shares = [median(tail(loss.values)) / first]
    for accuracy in accuracies:
        if accuracy is not None and len(accuracy) > 3 and accuracy.values[0] < 1:
            errors = 1 - accuracy.values
            wrong = median(tail(errors))
            shares.append(wrong / float(errors[0]))
            if wrong > _MOSTLY_WRONG and shares[-1] > _NO_BETTER:
                return shares[-1]
    return min(shares)


def beside(train: Series, val: Series) -> Floats:
    """The values of ``train`` where ``val`` (n,) was measured, shape (n,).

    Along the steps where the two axes overlap by half; else, as with batches on one axis and
    epochs on the other, along the share of the run.
    """
    low, high = max(train.steps[0], val.steps[0]), min(train.steps[-1], val.steps[-1])
    widest = max(train.steps[-1] - train.steps[0], val.steps[-1] - val.steps[0], 1)
    at: Floats = val.steps.astype(np.float64)
    axis: Floats = train.steps.astype(np.float64)
    if (high - low) / widest < 0.5:
        at, axis = np.linspace(0, 1, len(val)), np.linspace(0, 1, len(train))
    return np.interp(at, axis, train.values)
