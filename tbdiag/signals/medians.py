"""Medians without the toll that NumPy's takes on short arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tbdiag.model.series import Floats

_FEW = 24  # values that Python has sorted before NumPy begins
_SHORT = 128  # values that are sorted whole


def median(values: ArrayLike) -> float:
    """The median of all values, which are not NaN; NaN where there is none.

    The same number as `numpy.median`, which spends most of its time on looking for NaNs and on
    axes: the rules take some fifty medians of every run.
    """
    array = np.asarray(values).reshape(-1)
    count = len(array)
    half = count // 2
    if count <= _FEW:
        few = sorted(array.tolist())
        if not count:
            return float("nan")
        return float(few[half] if count % 2 else (few[half - 1] + few[half]) / 2)
    ordered = array.copy()
    if count <= _SHORT:
        ordered.sort()
    else:
        ordered.partition((half - 1, half))
    return float(ordered[half]) if count % 2 else float((ordered[half - 1] + ordered[half]) / 2)


def medians(rows: Floats) -> Floats:
    """The median of each row of ``rows`` (m, n ≥ 1), which hold no NaN; shape (m,)."""
    count = rows.shape[1]
    half = count // 2
    ordered = rows.copy()
    if count <= _SHORT:
        ordered.sort(axis=1)
    else:
        ordered.partition((half - 1, half), axis=1)
    middle: Floats = ordered[:, half]
    return middle if count % 2 else (ordered[:, half - 1] + middle) / 2
