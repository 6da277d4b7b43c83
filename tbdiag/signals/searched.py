"""The range in which a numeric setting was searched, on the scale that it goes by."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats
from tbdiag.signals.medians import median

_DECADE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Searched:
    """Values ``low`` to ``high`` were tried; ``places`` (n,) are where they lie in it, from 0 to 1.

    On a logarithmic scale a zero lies a decade below the lowest positive value.
    """

    low: float
    high: float
    log: bool
    places: Floats

    def beyond(self, *, upper: bool, by: float = 0.5) -> float:
        """The value that lies ``by`` of the range, at most a decade, beyond one of its ends.

        Rounded to 1, 2 or 5 times a power of ten where the scale is logarithmic, else to two digits.
        """
        if self.log:
            low = self.low if self.low > 0 else self.high / _DECADE
            factor = min(max((self.high / low) ** by, 2.0), _DECADE)
            return _round(self.high * factor if upper else low / factor)
        way = by * (self.high - self.low)
        return _two_digits(self.high + way if upper else self.low - way)


def searched(values: Floats, *, by_ratio: bool) -> Searched:
    """The range of ``values`` (n ≥ 2,), not all the same; ``by_ratio``: the setting goes by ratios.

    Such a setting is on a logarithmic scale unless it is negative somewhere; any other one is where
    its positive values span a decade and lie more evenly so.
    """
    positive = values[values > 0]
    log = bool(np.all(values >= 0)) and len(np.unique(positive)) >= 2
    if log and not by_ratio:
        log = bool(np.all(values > 0)) and positive.max() / positive.min() >= _DECADE
        log = log and _uneven(np.log(values)) < _uneven(values)
    scaled = values
    if log:
        scaled = np.log(np.where(values > 0, values, positive.min() / _DECADE))
    low, high = float(scaled.min()), float(scaled.max())
    return Searched(
        low=float(values.min()),
        high=float(values.max()),
        log=log,
        places=(scaled - low) / (high - low),
    )


def _uneven(values: Floats) -> float:
    """How far the median is from the middle of the range, as a share of the range."""
    return abs(float(median(values) - (values.min() + values.max()) / 2)) / float(np.ptp(values))


def _round(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    nearest = min((1, 2, 5, 10), key=lambda each: abs(math.log(value / power / each)))
    return float(f"{nearest * power:.1g}")


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")
