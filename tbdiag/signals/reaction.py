"""How strongly a network reacts to its weights before the first step, by its first loss and gradient."""

from __future__ import annotations

from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median

_SOON = (0.02, 0.1)  # the part of the run that what comes first is held against
_TREND = 20  # points that have such a part


def reaction(loss: Series | None, norm: Series | None) -> float | None:
    """The gradient's squared norm over four times the loss, both of the very first step; None where unlogged.

    Of squared errors e of outputs o the gradient is the mean of 2 e ∂o/∂w, whose square is at most four times the
    loss times the mean square of ∂o/∂w. So the outputs react to the weights at least that strongly. Of
    weights as rules draw them it is some tens, and grows with the square of a scale in every layer.
    """
    if loss is None or norm is None or min(len(loss), len(norm)) < 2:
        return None
    if int(loss.steps[0]) != int(norm.steps[0]) or loss.steps[0] > loss.steps[1] - loss.steps[0]:
        return None
    first = float(loss.values[0])
    return float(norm.values[0]) ** 2 / (4 * first) if first > 0 else None


def later_reaction(loss: Series | None, norm: Series | None) -> float | None:
    """The same of the last three quarters of a run, of medians; None where too little was logged."""
    if loss is None or norm is None or min(len(loss), len(norm)) < _TREND:
        return None
    squares, losses = (each.values[len(each) // 4 :] for each in (norm, loss))
    usual = median(losses)
    return median(squares) ** 2 / (4 * usual) if usual > 0 else None


def fall_at_once(values: Floats) -> float | None:
    """The first value over the median soon after, from a fiftieth to a tenth of the run; None where untold."""
    first, last = _SOON
    part = values[max(1, int(first * len(values))) : max(3, int(last * len(values)))]
    if len(values) < _TREND or not len(part) or not median(part) > 0:
        return None
    return float(values[0]) / median(part)
