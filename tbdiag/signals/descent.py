"""How much of the fall that gradients promise comes true: next to all of it where steps are small.

A step of plain gradient descent at the rate r along the gradient g lets the loss fall by r·|g|², if the loss were
straight. It is not, and batches scatter, so that of runs whose rate was tuned a few per cent of that come true, and of runs
that diverge nothing. Steps that are too small to feel either keep most of the promise. With
momentum m each gradient is gone along for 1/(1 − m) steps.
"""

from __future__ import annotations

import numpy as np

from tbdiag.model.series import Series
from tbdiag.signals.pace import on_axis_of

_LEAST = 20  # norms of which a sum over all steps can be told
_FLAT = 0.3  # share of norms at their maximum that are cut off there
_WIDTH = 1e-3


def kept_promise(
    fall: float, rate: Series, norm: Series, momentum: float, limit: float | None
) -> float | None:
    """The share of the fall that ``norm``, a gradient norm at steps that count updates, promises at ``rate``.

    ``fall`` is that of the loss over the steps of ``norm``, ``limit`` the norm at which gradients are clipped, if any.
    None where too little was logged, or norms only after they were clipped.
    """
    if len(norm) < _LEAST or len(rate) < 2 or norm.values.min() < 0:
        return None
    sizes, top = norm.values, float(norm.values.max())
    if not np.isfinite(top) or float((sizes >= (1 - _WIDTH) * top).mean()) > _FLAT:
        return None
    stepped = sizes if limit is None or limit <= 0 else np.minimum(sizes, limit)
    rates = np.interp(on_axis_of(rate, norm), rate.steps, rate.values)
    each = float(norm.steps[-1] - norm.steps[0]) / (len(norm) - 1)
    promised = float(np.maximum(rates, 0.0) @ (sizes * stepped)) * each / (1.0 - momentum)
    return fall / promised if promised > 0 else None
