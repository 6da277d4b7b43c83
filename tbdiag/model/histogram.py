"""Histograms that a run logged under one tag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """One record: ``edges`` (b+1,) increasing, ``counts`` (b,), and the exact moments where logged.

    Legacy records carry ``total`` (sum), ``squares`` (sum of squares), ``low`` and ``high`` exactly;
    tensor records do not, and then these are judged from bucket centres.
    """

    edges: Floats
    counts: Floats
    low: float
    high: float
    total: float
    squares: float

    @property
    def size(self) -> float:
        """How many numbers the histogram counts."""
        return float(self.counts.sum())

    @property
    def mean(self) -> float:
        """The mean, NaN for an empty histogram."""
        return self.total / self.size if self.size else float("nan")

    @property
    def spread(self) -> float:
        """The standard deviation, NaN for an empty histogram."""
        if not self.size:
            return float("nan")
        return float(np.sqrt(max(self.squares / self.size - self.mean**2, 0.0)))

    def quantile(self, share: float) -> float:
        """The ``share`` quantile, linear within a bucket; NaN for an empty histogram."""
        if not self.size:
            return float("nan")
        heights = np.concatenate([[0.0], np.cumsum(self.counts)])
        return float(np.interp(share * self.size, heights, self.edges))


@dataclass(frozen=True, slots=True, eq=False)
class Histograms:
    """The histograms of one tag: ``steps`` (n,) strictly increasing, one record for each."""

    tag: str
    steps: Ints
    records: Sequence[Histogram]

    def __len__(self) -> int:
        return len(self.steps)
