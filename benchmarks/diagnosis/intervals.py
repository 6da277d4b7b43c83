"""Intervals of shares: Wilson's for independent runs, a bootstrap over problems for all together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_Z = 1.959964  # 95 %


@dataclass(frozen=True, slots=True)
class Share:
    """``hits`` of ``total`` with a 95 % interval from ``low`` to ``high``, all three NaN of none."""

    hits: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself."""
        return self.hits / self.total if self.total else math.nan

    def __str__(self) -> str:
        if not self.total:
            return "–"
        return f"{self.value:.0%} ({self.low:.0%}–{self.high:.0%})"


def wilson(hits: int, total: int) -> Share:
    """A share of independent cases with the score interval of Wilson (1927)."""
    if not total:
        return Share(0, 0, math.nan, math.nan)
    p, z = hits / total, _Z
    middle = p + z * z / (2 * total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return Share(hits, total, max((middle - half) / scale, 0.0), min((middle + half) / scale, 1.0))


def clustered(hits: Sequence[bool], clusters: Sequence[str], draws: int = 2000) -> Share:
    """A share of cases that are alike within their cluster, by a bootstrap that draws clusters.

    The percentile interval of Efron; where all clusters have the same share it would shrink to a
    point, so that it is never narrower than Wilson's. Reproducible: the seed is fixed.
    """
    plain = wilson(sum(hits), len(hits))
    names = sorted(set(clusters))
    if len(names) < 2:
        return plain
    counts = np.zeros((len(names), 2))
    for hit, cluster in zip(hits, clusters, strict=True):
        counts[names.index(cluster)] += (hit, 1)
    drawn = np.random.default_rng(0).integers(len(names), size=(draws, len(names)))
    sums = counts[drawn].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], (0.025, 0.975))
    return Share(plain.hits, plain.total, min(low, plain.low), max(high, plain.high))
