"""Histogram records, decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from tbdiag.model.histogram import Histogram


class DecodedHistograms(Sequence[Histogram]):
    """Histogram records that stay on the wire until one is asked for: ``wire`` is what they stand in."""

    def __init__(self, records: Sequence[bytes]) -> None:
        self.wire = records

    def __len__(self) -> int:
        return len(self.wire)

    @overload
    def __getitem__(self, index: int) -> Histogram: ...
    @overload
    def __getitem__(self, index: slice) -> DecodedHistograms: ...
    def __getitem__(self, index: int | slice) -> Histogram | DecodedHistograms:
        if isinstance(index, slice):
            return DecodedHistograms(self.wire[index])
        return decode(self.wire[index])


def decode(record: bytes) -> Histogram:
    """The histogram of a ``Summary.Value`` on the wire, legacy or tensor, without its empty ends.

    A legacy record's outermost limits (±1.8e308 as often as not) give way to its exact minimum and
    maximum, as TensorBoard's ``data_compat`` does. A record with no mass, or
    one that is no message at all, gives an empty histogram.
    """
    from tbdiag.reading import records

    value = records.value_of(record)
    if value is None:
        return _EMPTY
    if value.WhichOneof("value") == "histo":
        return _legacy(value.histo)
    table = records.numbers(value.tensor)
    if table is None or table.ndim != 2 or table.shape[1] != 3:
        return _EMPTY
    left, right, counts = table.astype(np.float64).T
    mass = np.flatnonzero(counts > 0)
    if not len(mass):
        return _EMPTY
    inside = slice(mass[0], mass[-1] + 1)
    edges = np.concatenate([left[inside][:1], right[inside]])
    counts = counts[inside]
    centres = (left[inside] + right[inside]) / 2
    return _histogram(edges, counts, float(counts @ centres), float(counts @ centres**2))


def _legacy(histo: Any) -> Histogram:
    limits = np.array(histo.bucket_limit, dtype=np.float64)
    counts = np.array(histo.bucket, dtype=np.float64)
    counts = counts[: len(limits)]
    mass = np.flatnonzero(counts > 0)
    if not len(mass):
        return _EMPTY
    first, last = mass[0], mass[-1]
    edges = np.concatenate([[histo.min], limits[first:last], [histo.max]])
    return _histogram(edges, counts[first : last + 1], histo.sum, histo.sum_squares)


def _histogram(edges: ArrayLike, counts: ArrayLike, total: float, squares: float) -> Histogram:
    # Limits rounded to float32 may fall beyond the exact minimum and maximum.
    ordered = np.maximum.accumulate(np.asarray(edges, dtype=np.float64))
    ordered.setflags(write=False)
    heights = np.asarray(counts, dtype=np.float64)
    heights.setflags(write=False)
    return Histogram(ordered, heights, float(ordered[0]), float(ordered[-1]), total, squares)


_EMPTY = Histogram(np.zeros(1), np.zeros(0), float("nan"), float("nan"), 0.0, 0.0)
