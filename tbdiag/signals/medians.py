"""Medians without the toll that NumPy's takes on short arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

_SHORT = 128  # values that are sorted whole


def median(values: ArrayLike) -> float:
    """The median of all values, which are not NaN; NaN where there is none.

    The same number as `numpy.median`, which spends most of its time on looking for NaNs and on
    axes: the rules take some fifty medians of every run.
    """
    array = np.asarray(values).reshape(-1)
    count = len(array)
    if not count:
        return float("nan")
    half = count // 2
    ordered = np.sort(array) if count <= _SHORT else np.partition(array, (half - 1, half))
    return float(ordered[half]) if count % 2 else float((ordered[half - 1] + ordered[half]) / 2)
