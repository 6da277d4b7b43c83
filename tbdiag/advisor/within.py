"""Values of a setting within what the configuration allows: multiplied, shifted, chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tbdiag.config.training import Choices, Dimension, Range, Value
from tbdiag.model.run import Scalar
from tbdiag.search.entrant import numeric

_DIGITS = 3  # significant ones: nobody wants a rate of 0.0031622776601683795


def fitted(dimension: Dimension, value: float) -> Value | None:
    """The allowed value nearest to the number, by ratio where both are positive; None where none is."""
    if isinstance(dimension, Choices):
        numbers = [(numeric(each), each) for each in dimension.values]
        known = [(number, each) for number, each in numbers if number is not None]
        return min(known, key=lambda pair: _distance(pair[0], value))[1] if known else None
    low, high = dimension.low, dimension.high
    if dimension.step is not None:
        value = low + round((value - low) / dimension.step) * dimension.step
        value = float(f"{value:.12g}")  # 0.1 + 2 · 0.1
    elif not _whole(dimension):
        value = float(f"{value:.{_DIGITS}g}")
    value = min(max(value, low), high)
    return round(value) if _whole(dimension) else float(value)


def scaled(dimension: Dimension, value: Scalar, by: float) -> Value | None:
    """The allowed value nearest to ``by`` times the value, None where it would not move that way.

    Also for choices such as ``"64,64"``, whose numbers are multiplied one by one.
    """
    number = _plain(value)
    if number is None:
        return _resized(dimension, value, by) if isinstance(dimension, Choices) else None
    if isinstance(dimension, Choices):
        ahead = [
            (other, each)
            for each in dimension.values
            if (other := _plain(each)) is not None and (other - number) * (by - 1) > 0
        ]
        target = number * by
        return min(ahead, key=lambda pair: _distance(pair[0], target))[1] if ahead else None
    return _moved(number, fitted(dimension, number * by), by > 1)


def shifted(
    dimension: Dimension, value: Scalar, by: float, low: float = -math.inf, high: float = math.inf
) -> Value | None:
    """The allowed value nearest to the value plus ``by``, within [low, high] if it was before.

    None where it would not move that way.
    """
    number = _plain(value)
    if number is None:
        return None
    target = min(max(number + by, min(low, number)), max(high, number))
    return _moved(number, fitted(dimension, target), by > 0)


def chosen(dimension: Dimension, words: Sequence[str]) -> Value | None:
    """The first choice that has one of the words in it, the earlier words first; None without one."""
    if not isinstance(dimension, Choices):
        return None
    for word in words:
        for each in dimension.values:
            if isinstance(each, str) and word in each.lower():
                return each
    return None


def allowed(dimension: Dimension, value: Scalar) -> bool:
    """Whether the value is one that the configuration allows."""
    if isinstance(dimension, Choices):
        return any(type(each) is type(value) and each == value for each in dimension.values)
    number = _plain(value)
    return number is not None and dimension.low <= number <= dimension.high


def whole(dimension: Dimension) -> bool:
    """Whether the values are integers."""
    return isinstance(dimension, Range) and _whole(dimension)


def _whole(dimension: Range) -> bool:
    return all(isinstance(n, int) for n in (dimension.low, dimension.high, dimension.step or 0))


def _plain(value: Scalar) -> float | None:
    return None if isinstance(value, bool) else numeric(value)


def _moved(before: float, after: Value | None, up: bool) -> Value | None:
    if after is None or isinstance(after, str) or (after > before) is not up or after == before:
        return None
    return after


def _distance(one: float, other: float) -> float:
    if one > 0 and other > 0:
        return abs(math.log(one / other))
    return abs(one - other) + (1e6 if one * other == 0 and one != other else 0.0)


def _resized(dimension: Choices, value: Scalar, by: float) -> Value | None:
    """The next choice of as many or more numbers that is larger, or smaller, in sum."""
    now = sizes(value)
    if now is None:
        return None
    others = [(found, each) for each in dimension.values if (found := sizes(each)) is not None]
    ahead = [(found, each) for found, each in others if (sum(found) - sum(now)) * (by - 1) > 0]
    target = sum(now) * by
    return min(
        ahead,
        key=lambda pair: (len(pair[0]) != len(now), _distance(sum(pair[0]), target)),
        default=(now, None),
    )[1]


def sizes(value: Scalar) -> tuple[float, ...] | None:
    """``"64,64"`` as its numbers, None where it is no list of numbers."""
    parts = str(value).replace("x", ",").split(",")
    numbers = [numeric(part) for part in parts]
    return None if None in numbers else tuple(n for n in numbers if n is not None)
