"""Within which limits a setting is usually searched, with the sources."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tbdiag.config.training import Choices, Dimension, Range
from tbdiag.model.knob import Knob
from tbdiag.model.run import Scalar

_RANGES: dict[Knob, tuple[Range, str]] = {
    Knob.LR: (
        Range(low=1e-6, high=1.0, log=True),
        "Bengio 2012, Practical recommendations, 3.1: below 1 and above 1e-6",
    ),
    Knob.WEIGHT_DECAY: (
        Range(low=1e-7, high=0.3, log=True),
        "Loshchilov and Hutter 2019, figure 1, and .1 as in large language models",
    ),
    Knob.DROPOUT: (
        Range(low=0.0, high=0.8),
        "Srivastava and others 2014, section 7.3 and figure 9: .2 to .8 dropped",
    ),
    Knob.MOMENTUM: (
        Range(low=0.0, high=0.99),
        "Sutskever and others 2013, table 1: up to .999; .99 is enough for a retrained run",
    ),
    Knob.BETA1: (Range(low=0.5, high=0.99), "Kingma and Ba 2015; .5 as in Radford and others 2016"),
    Knob.BETA2: (Range(low=0.9, high=0.9999), "Kingma and Ba 2015, figure 4"),
    Knob.LABEL_SMOOTHING: (Range(low=0.0, high=0.3), "Müller and others 2019: .05 to .2"),
}
_CLIP = ((0.1, 0.3, 1.0, 3.0, 10.0), "Pascanu and others 2013; 1 where nothing is known")
_WARMUP_SHARE = 0.3  # of the run: far above the 2–10 % that help
_BATCH_WIDEST, _BATCH_SMALLEST = (
    8,
    8,
)  # times the usual size; Shallue and others 2019: in powers of two
_WIDTH_WIDEST = 4
_DEEPEST = 2  # times the usual depth
_LONGER = 3  # times the usual budget: `stopped too early` asks for twice as much
_SHORTER = 4
_LATER = 10  # times the longest warm-up seen


def usual(
    knob: Knob, seen: Sequence[Scalar], choices: Sequence[Scalar] = ()
) -> tuple[Dimension, str] | None:
    """The dimension of a knob, widened to hold the values ``seen``, and where it comes from.

    ``seen`` are the default first and then those of the runs; ``choices`` those that the script
    allows. None where nothing tells what the knob may be.
    """
    values = [each for each in seen if isinstance(each, bool | int | float | str)]
    if knob is Knob.SEED:
        return None
    if choices:
        plain = tuple(dict.fromkeys(c for c in choices if isinstance(c, bool | int | float | str)))
        return (Choices(plain), "its choices") if len(plain) > 1 else None
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    numbers = [v for v in numbers if math.isfinite(v)]
    if any(isinstance(v, str) for v in values) or (not numbers and knob not in _RANGES):
        distinct = tuple(dict.fromkeys(values))
        return (Choices(distinct), "values seen") if len(distinct) > 1 else None
    if knob in _RANGES:
        limits, _ = _RANGES[knob]
        return _holding(limits, numbers), "usual range"
    return _around(knob, numbers)


def source(knob: Knob) -> str:
    """Where the usual range of a knob is from, empty where it goes by the values seen."""
    if knob is Knob.CLIP_NORM:
        return _CLIP[1]
    return _RANGES[knob][1] if knob in _RANGES else ""


def _holding(limits: Range, numbers: Sequence[float]) -> Range:
    """The range, wide enough for the numbers; a logarithmic one cannot hold 0."""
    inside = [each for each in numbers if each > 0 or not limits.log]
    low, high = min([limits.low, *inside]), max([limits.high, *inside])
    return Range(low=low, high=high, log=limits.log)


def _around(knob: Knob, numbers: Sequence[float]) -> tuple[Dimension, str] | None:
    usual_value = numbers[0]
    if knob is Knob.CLIP_NORM:
        return Choices(tuple(sorted({*numbers, *_CLIP[0]}))), "usual values"
    if knob is Knob.WARMUP:
        if max(numbers) < 1:
            return Range(low=0.0, high=max(_WARMUP_SHARE, *numbers)), "a share"
        most = math.ceil(max(numbers) * _LATER)
        return Range(low=0, high=most, step=1), "10 x those seen"
    if usual_value < 1 or any(not each.is_integer() for each in numbers):
        return None
    least, most = int(min(numbers)), int(max(numbers))
    if knob is Knob.BATCH_SIZE:
        low = min(least, max(_BATCH_SMALLEST, int(usual_value) // _BATCH_WIDEST))
        sizes = {int(v) for v in numbers} | _powers(
            low, max(most, int(usual_value) * _BATCH_WIDEST)
        )
        return Choices(tuple(sorted(sizes))), "around those seen"
    if knob is Knob.WIDTH:
        low, high = max(1, int(usual_value) // _WIDTH_WIDEST), int(usual_value) * _WIDTH_WIDEST
        sizes = {int(v) for v in numbers} | _powers(min(low, least), max(high, most))
        return Choices(tuple(sorted(sizes))), "around those seen"
    if knob is Knob.DEPTH:
        return Range(
            low=1, high=max(most, int(usual_value) * _DEEPEST, 2), step=1
        ), "2 x those seen"
    if knob in (Knob.EPOCHS, Knob.MAX_STEPS):
        low = max(1, min(least, int(usual_value) // _SHORTER))
        return Range(low=low, high=max(most, int(usual_value)) * _LONGER, step=1), "3 x those seen"
    return None


def _powers(low: int, high: int) -> set[int]:
    return {2**n for n in range(31) if low <= 2**n <= high}
