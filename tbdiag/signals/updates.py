"""How far each step moves the weights, relative to their size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats, Ints, Series
from tbdiag.naming.layers import Part, Quantity
from tbdiag.signals.layers import Layers, Tensor

# Optimizers whose steps are about as long as the rate, whatever the gradient's size.
_NORMALIZED = ("adam", "adamw", "nadam", "radam", "adamax", "lion")
_NOISY = 0.2  # of the rate is what they step where gradients are mostly noise
_VANISHED = 0.01  # of its largest size: what is left of weights that decay alone
_PLAIN = ("sgd", "momentum", "nesterov")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is known of the optimizer: its ``name`` in lower case, and its ``momentum`` or None."""

    name: str
    momentum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Updates:
    """Update over weight of one layer at the steps (m,): at least ``low``, at most ``high`` (m,).

    ``measured`` tells whether the updates were logged, or follow from rate, gradient and weights.
    """

    tag: str
    span: tuple[int, int]
    steps: Ints
    low: Floats
    high: Floats
    measured: bool


def updates(layers: Layers, rate: Series | None, peak: float | None, rule: Rule) -> list[Updates]:
    """The ratio of each weight tensor of which enough was logged.

    ``rate`` is the curve of the learning rate, else ``peak`` stands for all of it. From SGD the
    step is rate·gradient, 1/(1 − momentum) times that in the long run; from Adam it is about the
    rate for each weight while gradients agree, and a fifth of it where they are mostly noise. Other optimizers, and a rate that is not known, give nothing.
    """
    logged = {each.name.layer: each for each in layers.of(Quantity.UPDATE, Part.KERNEL)}
    gradients = {each.name.layer: each for each in layers.of(Quantity.GRADIENT, Part.KERNEL)}
    found = []
    for weight in layers.kernels:
        update, gradient = logged.get(weight.name.layer), gradients.get(weight.name.layer)
        if update is not None and len(update) == len(weight):
            ratio = _over(update.rms, weight.rms)
            found.append(_made(weight, ratio, ratio, measured=True))
            continue
        at = _rates(weight, rate, peak)
        if at is None:
            continue
        if rule.name in _NORMALIZED:
            ratio = _over(at, weight.rms)
            found.append(_made(weight, _NOISY * ratio, ratio, measured=False))
        elif rule.name in _PLAIN and gradient is not None and len(gradient) == len(weight):
            ratio = _over(at * gradient.rms, weight.rms)
            gain = 1 / (1 - min(rule.momentum or 0.0, 0.999))
            sure = rule.name != "sgd" or not rule.momentum  # some recipes log one that they ignore
            found.append(_made(weight, ratio * (gain if sure else 1), ratio * gain, measured=False))
    return found


def _made(weight: Tensor, low: Floats, high: Floats, *, measured: bool) -> Updates:
    return Updates(
        tag=weight.tag,
        span=weight.span,
        steps=weight.steps,
        low=low,
        high=high,
        measured=measured,
    )


def rate_at(steps: Ints, rate: Series) -> Floats:
    """The learning rate at other ``steps`` (m,), shape (m,); ``rate`` has a point or more.

    Where the two count in other units, as epochs and batches, along the share of the run.
    """
    at, axis = steps.astype(np.float64), rate.steps.astype(np.float64)
    shorter, longer = sorted((abs(float(at[-1])) + 1, abs(float(axis[-1])) + 1))
    if shorter < longer / 2 and len(at) > 1:
        at, axis = (at - at[0]) / max(at[-1] - at[0], 1), np.linspace(0, 1, len(axis))
    return np.interp(at, axis, rate.values)


def _rates(weight: Tensor, rate: Series | None, peak: float | None) -> Floats | None:
    if rate is not None and len(rate):
        return rate_at(weight.steps, rate)
    return None if peak is None or not math.isfinite(peak) else np.full(len(weight), peak)


def _over(above: Floats, below: Floats) -> Floats:
    """The ratio, NaN where the weights are zero or have decayed to next to nothing."""
    there = below > _VANISHED * below.max(initial=0.0)
    ratio: Floats = np.divide(above, below, out=np.full(len(below), np.nan), where=there)
    return ratio
