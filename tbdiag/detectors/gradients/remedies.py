"""Changes of a network and its optimizer that several rules about layers call for."""

from __future__ import annotations

from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, SetTo, Within

HE = Remedy.turn(
    Knob.INIT,
    SetTo("he"),
    "Draw the weights by He's rule, or by Xavier's where units are tanh or sigmoid",
    "at that scale signals keep their size from layer to layer, forwards and backwards",
)
CLIP = Remedy.turn(
    Knob.CLIP_NORM,
    Within(0.5, 5.0),
    "Clip the norm of the gradient at the 90th percentile of those seen, or at 1",
    "then no single batch can throw the weights far away",
)
NORMALIZE = Remedy.advice(
    "Put a normalisation layer before or after each hidden layer",
    "it gives every layer inputs of one scale, whatever the weights do",
)
RESIDUAL = Remedy.advice(
    "Add residual connections around the hidden layers",
    "they give the gradient a way to the first layers that nothing shrinks",
)
RECTIFIED = Remedy.advice(
    "Use ReLU, ELU or SELU in place of sigmoid and tanh in the hidden layers",
    "their slope is one over half of the inputs, while a sigmoid's is a quarter at best",
)
LEAKY = Remedy.advice(
    "Use LeakyReLU, ELU or SELU in place of ReLU",
    "they have a slope below zero, so that a unit that was pushed there can come back",
)
