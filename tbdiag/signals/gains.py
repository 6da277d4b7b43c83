"""What the weights of each layer multiply the scale of a signal by as a run begins."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tbdiag.naming.layers import Part, Quantity
from tbdiag.signals.layers import Layers, Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """The weights of a layer, and the root mean square of them times the root of the layer's inputs."""

    tensor: Tensor
    value: float


def is_early(tensor: Tensor, early: float) -> bool:
    """Whether the first record came within the share ``early`` of the steps that were logged."""
    first, last = tensor.span
    return first <= max(1, early * last)


def first_gains(layers: Layers, early: float, moved: float) -> list[Gain]:
    """The gains of the hidden layers at the start, as far as the number of inputs is known by the biases.

    Weights that are no larger than ``moved`` may have been made by the first step, and are left out.
    """
    biases = {each.name.layer: each for each in layers.of(Quantity.PARAMETER, Part.BIAS)}
    found = []
    for tensor in layers.kernels:
        bias, record = biases.get(tensor.name.layer), tensor.record(0)
        if bias is None or not 0 < bias.size < record.size or record.spread == 0:
            continue
        inputs = record.size / bias.size
        if inputs == round(inputs) and is_early(tensor, early):
            found.append(Gain(tensor=tensor, value=float(tensor.rms[0]) * math.sqrt(inputs)))
    # The last layer may start as small as it likes, and goes before those that the first step made.
    hidden = found[:-1] if len(found) > 2 else found
    return [each for each in hidden if each.value > 0 and each.tensor.rms[0] > moved]


def bounded(layers: Layers) -> bool:
    """Whether the hidden units are bounded, so that large weights saturate them."""
    active = layers.activations
    return bool(active) and all(max(abs(e.record(0).low), e.record(0).high) <= 1 for e in active)


def normalized(layers: Layers) -> bool:
    """Whether there are norms among the layers, named or told by their ones."""
    return bool(layers.of(Quantity.PARAMETER, Part.NORM)) or layers.unnamed_norms
