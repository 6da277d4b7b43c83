"""The networks of the tasks: layers for a width and a dropout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.advisor.layers import (
    Array,
    Attention,
    Dense,
    Dropout,
    Embedding,
    Flat,
    Layer,
    Mean,
    Patches,
    Places,
    Recurrent,
    Relu,
    Tanh,
)


def perceptron(
    inputs: int, outputs: int, smooth: bool = False, depth: int = 2
) -> Callable[[int, float], list[Layer]]:
    """Dense layers for ``depth`` times the width, with ReLU, or tanh where ``smooth``."""

    def layers(width: int, dropout: float) -> list[Layer]:
        found: list[Layer] = []
        gain = 1.0 if smooth else 2.0
        before = inputs
        for _ in range(depth):
            found += [Dense(before, width, gain), Tanh() if smooth else Relu(), Dropout(dropout)]
            before = width
        return [*found, Dense(before, outputs, 1.0)]

    return layers


def image_network(width: int, dropout: float) -> list[Layer]:
    """Two convolutions on images of 8 by 8."""
    return [
        Patches((3, 3), 1), Dense(9, width // 2), Relu(),
        Patches((2, 2), 2), Dense(2 * width, width), Relu(),
        Flat(), Dropout(dropout), Dense(9 * width, 10, 1.0),
    ]  # fmt: skip


def wave_network(width: int, dropout: float) -> list[Layer]:
    """Two convolutions along a line of 32."""
    return [
        Patches((1, 5), 1), Dense(5, width), Relu(),
        _Along(4), Dense(4 * width, width), Relu(),
        Flat(), Dropout(dropout), Dense(7 * width, 3, 1.0),
    ]  # fmt: skip


class _Along(Layer):
    """Neighbours along a line, ``size`` at a time, as one: a convolution of that stride."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Array, rng: np.random.Generator | None) -> Array:
        n, high, wide, channels = self.kept = x.shape
        whole = wide // self.size
        return x[:, :, : whole * self.size].reshape(n, high, whole, channels * self.size)

    def backward(self, dy: Array) -> Array:
        n, high, _, channels = self.kept
        dx = np.zeros(self.kept, np.float32)
        whole = dy.shape[2] * self.size
        dx[:, :, :whole] = dy.reshape(n, high, whole, channels)
        return dx


def text_network(width: int, dropout: float) -> list[Layer]:
    """An embedding of 30 symbols and a recurrent layer."""
    return [
        Embedding(30, 16), Recurrent(16, width), Dropout(dropout), Dense(width, 30, 1.0),
    ]  # fmt: skip


def token_network(width: int, dropout: float) -> list[Layer]:
    """Attention over eight patches."""
    return [
        Dense(8, width, 1.0), Places(8, width), Attention(width), Dropout(dropout),
        Dense(width, width), Relu(), Mean(), Dense(width, 10, 1.0),
    ]  # fmt: skip


def narrow_network(width: int, dropout: float) -> list[Layer]:
    """An autoencoder through 8 numbers."""
    return [
        Dense(64, width), Relu(), Dropout(dropout), Dense(width, 8), Relu(),
        Dense(8, width), Relu(), Dense(width, 64, 1.0),
    ]  # fmt: skip
