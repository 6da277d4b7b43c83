"""Points that stand out of a curve."""

from __future__ import annotations

import numpy as np

from tbdiag.model.series import Floats


def hampel(values: Floats, window: int = 50) -> Floats:
    """How far each value stands above the ``window`` values before it, in robust deviations.

    Shape (n,) in and out; the first ``window`` entries are 0. A causal Hampel filter (Hampel 1974):
    (value − median) / (1.4826 · MAD), so a level that changes for good stands out only once.
    """
    scores = np.zeros(len(values))
    if len(values) <= window:
        return scores
    past = np.lib.stride_tricks.sliding_window_view(values[:-1], window)
    medians = np.median(past, axis=1)
    deviations = 1.4826 * np.median(np.abs(past - medians[:, None]), axis=1)
    floor = np.maximum(deviations, 1e-9 * np.maximum(np.abs(medians), 1e-300))
    scores[window:] = (values[window:] - medians) / floor
    return scores
