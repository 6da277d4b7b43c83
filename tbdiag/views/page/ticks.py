"""Round numbers beside an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from tbdiag.views.text import result

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_DECADES = 6  # powers of ten that are marked at most


def linear(low: float, high: float, most: int) -> list[float]:
    """Multiples of a round number from ``low`` to ``high``: two at least where it can be, ``most`` at most."""
    spread = high - low
    if not (math.isfinite(spread) and spread > 0):
        return [low]
    rough = spread / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in _STEPS if each * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    found = [(first + n) * step for n in range(most + 1)]
    return [each for each in found if each <= high + step * 1e-9]


def whole(low: float, high: float, most: int) -> list[float]:
    """What `linear` gives for steps: none between two whole numbers."""
    return [each for each in linear(low, high, most) if each == round(each)] or [round(low)]


def labels(marks: Sequence[float]) -> list[str]:
    """The marks as text, with more digits than results have where they lie so near each other."""
    apart = min((abs(b - a) for a, b in pairwise(marks) if a != b), default=math.inf)
    for digits in range(4, 16):
        said = [result(each) if digits == 4 else f"{each:.{digits}g}" for each in marks]
        if all(
            abs(float(text) - each) <= apart / 20 for text, each in zip(said, marks, strict=True)
        ):
            return said
    return [repr(each) for each in marks]


def powers(low: float, high: float) -> list[float]:
    """Powers of ten between two positive numbers, six at most; ends and middle where there is none."""
    first = math.ceil(math.log10(low) - 1e-9)
    last = math.floor(math.log10(high) + 1e-9)
    if last - first < 1:
        return [float(f"{each:.2g}") for each in (low, math.sqrt(low * high), high)]
    stride = -(-(last - first) // _DECADES)
    return [10.0**power for power in range(first, last + 1, max(stride, 1))]
