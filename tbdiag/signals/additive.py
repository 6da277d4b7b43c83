"""A classifier of which each feature speaks by itself: what it says can be shown, one by one.

A multinomial logistic regression on piecewise linear functions of the features, which is a generalized
additive model (Hastie and Tibshirani, 1986) with the knots fixed. A feature that is not known has a weight
of its own and says nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats

KNOTS = (-0.7, 0.0, 0.7)  # in standard deviations from the mean, beside the straight line
FORMS = len(KNOTS) + 2  # a line, a bend at each knot, and whether the feature is missing


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """How features become comparable: cut off at ``low`` and ``high``, less ``mean``, over ``sd``; (n,) each."""

    low: Floats
    high: Floats
    mean: Floats
    sd: Floats

    @classmethod
    def of(cls, features: Floats, cut: float = 0.02) -> Scale:
        """The scale of ``features`` (runs, n), of which the share ``cut`` at either end is cut off."""
        low, high = np.nanquantile(features, [cut, 1.0 - cut], axis=0)
        inside = np.clip(features, low, high)
        return cls(low, high, np.nanmean(inside, axis=0), np.nanstd(inside, axis=0) + 1e-9)

    def forms(self, features: Floats) -> Floats:
        """Each of the features (…, n) in its forms, zero but for the last where it is NaN; (…, n, forms)."""
        scaled = (np.clip(features, self.low, self.high) - self.mean) / self.sd
        missing = np.isnan(scaled)
        scaled = np.where(missing, 0.0, scaled)
        bends = (np.where(missing, 0.0, np.maximum(scaled - knot, 0.0)) for knot in KNOTS)
        return np.stack([scaled, *bends, missing.astype(np.float64)], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """Tells ``kinds`` (k) apart by features (n,): ``weights`` (k, n, forms) and ``intercepts`` (k,)."""

    kinds: tuple[str, ...]
    scale: Scale
    weights: Floats
    intercepts: Floats

    def scores(self, features: Floats) -> Floats:
        """What each feature says for each kind, in units of log odds; shape (k, n)."""
        said: Floats = np.einsum("knf,nf->kn", self.weights, self.scale.forms(features))
        return said

    def shares(self, scores: Floats) -> Floats:
        """The probability of each kind by what the features say, as `scores` gives it; shape (k,)."""
        total = scores.sum(axis=1) + self.intercepts
        odds = np.exp(total - total.max())
        shares: Floats = odds / odds.sum()
        return shares
