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
_KNOTS = np.array(KNOTS)
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
        scaled = (np.minimum(np.maximum(features, self.low), self.high) - self.mean) / self.sd
        missing = np.isnan(scaled)
        scaled[missing] = -np.inf  # below each knot
        forms: Floats = np.empty((*scaled.shape, FORMS))
        forms[..., 1:-1] = np.maximum(scaled[..., None] - _KNOTS, 0.0)
        scaled[missing] = 0.0
        forms[..., 0], forms[..., -1] = scaled, missing
        return forms


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """Tells ``kinds`` (k) apart by features (n,): ``weights`` (k, n, forms) and ``intercepts`` (k,)."""

    kinds: tuple[str, ...]
    scale: Scale
    weights: Floats
    intercepts: Floats

    def shares(self, features: Floats) -> Floats:
        """The probability of each kind by the features (n,); shape (k,)."""
        forms = self.scale.forms(features).reshape(-1)
        total = self.weights.reshape(len(self.kinds), -1) @ forms + self.intercepts
        odds = np.exp(total - total.max())
        shares: Floats = odds / odds.sum()
        return shares

    def reasons(self, features: Floats, kind: str, beside: str) -> Floats:
        """What each feature says for ``kind`` against ``beside``, in log odds; (n,), NaN where it is unknown."""
        weights = self.weights[self.kinds.index(kind)] - self.weights[self.kinds.index(beside)]
        said: Floats = (weights * self.scale.forms(features)).sum(axis=1)
        return np.where(np.isnan(features), np.nan, said)
