"""Rank correlation: whether two quantities rise together, however crooked the way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from tbdiag.model.series import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Spearman's ``rho`` of n pairs, its confidence interval [low, high], its two-sided ``p``."""

    rho: float
    low: float
    high: float
    p: float
    n: int


def ranks(values: Floats) -> Floats:
    """The ranks of ``values`` (n,) from 1; ties share their mean rank, infinities rank last or first."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    shared: Floats = ends - (counts - 1) / 2
    return shared[inverse]


def spearman(x: Floats, y: Floats, level: float = 0.9) -> Correlation:
    """Spearman's rank correlation of ``x`` (n,) and ``y`` (n,), which may be infinite but not NaN.

    The interval is that of Fisher's z with the variance of Bonett and Wright (2000), and p that of
    the t distribution with n − 2 degrees of freedom, by a normal approximation of Wallace (1959).
    Fewer than four pairs, or a constant side, tell nothing: rho 0 within [−1, 1], p 1.
    """
    n = len(x)
    if n < 4 or not (np.ptp(a := ranks(x)) > 0 and np.ptp(b := ranks(y)) > 0):
        return Correlation(rho=0.0, low=-1.0, high=1.0, p=1.0, n=n)
    rho = float(np.clip(np.corrcoef(a, b)[0, 1], -1.0, 1.0))
    inner = math.atanh(np.clip(rho, -0.999999, 0.999999))
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return Correlation(
        rho=rho,
        low=min(math.tanh(inner - half), rho),
        high=max(math.tanh(inner + half), rho),
        p=_two_sided(rho, n),
        n=n,
    )


def _two_sided(rho: float, n: int) -> float:
    """The p of a rank correlation without ties."""
    free = n - 2
    t2 = rho**2 * free / max(1 - rho**2, 1e-12)
    z = (8 * free + 1) / (8 * free + 3) * math.sqrt(free * math.log1p(t2 / free))
    return math.erfc(z / math.sqrt(2))
