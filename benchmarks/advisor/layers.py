"""Layers with gradients written by hand, in float32: a batch forward, its gradient backward."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Shape:
    """A parameter: its dimensions, and the deviation of its first values (0: they are zeros).

    ``decays`` is false for biases, which no weight decay touches.
    """

    dims: tuple[int, ...]
    deviation: float = 0.0
    decays: bool = True


@dataclass(slots=True)
class Layer:
    """What all layers have: parameters ``p`` and their gradients ``g``, views into the network's own.

    ``forward`` takes a generator in training, None in evaluation; ``backward`` the gradient of the
    mean loss with respect to its output, fills ``g`` and returns that with respect to its input.
    """

    shapes: tuple[Shape, ...] = ()
    p: list[Array] = field(default_factory=list)
    g: list[Array] = field(default_factory=list)
    kept: Any = None

    def forward(self, x: Array, rng: Random | None) -> Array:
        """The output for a batch."""
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        """The gradient with respect to the last input."""
        raise NotImplementedError


def _by(x: Array, weights: Array) -> Array:
    """The last axis of ``x`` times a matrix: as one product, not as one for each sample."""
    flat = x.reshape(-1, x.shape[-1]) @ weights
    return flat.reshape(*x.shape[:-1], weights.shape[1])


class Dense(Layer):
    """An affine map of the last axis, deviation √(gain / inputs)."""

    def __init__(self, inputs: int, outputs: int, gain: float = 2.0) -> None:
        weights = Shape((inputs, outputs), math.sqrt(gain / inputs))
        super().__init__((weights, Shape((outputs,), decays=False)))

    def forward(self, x: Array, rng: Random | None) -> Array:  # noqa: D102
        self.kept = x
        return _by(x, self.p[0]) + self.p[1]

    def backward(self, dy: Array) -> Array:  # noqa: D102
        x = self.kept.reshape(-1, self.kept.shape[-1])
        flat = dy.reshape(-1, dy.shape[-1])
        np.matmul(x.T, flat, out=self.g[0])
        np.sum(flat, axis=0, out=self.g[1])
        return _by(dy, self.p[0].T)


class Relu(Layer):
    """The positive part."""

    def forward(self, x: Array, rng: Random | None) -> Array:  # noqa: D102
        kept: Array = np.maximum(x, 0)
        self.kept = kept
        return kept

    def backward(self, dy: Array) -> Array:  # noqa: D102
        alive: Array = self.kept > 0
        return dy * alive


class Tanh(Layer):
    """The hyperbolic tangent."""

    def forward(self, x: Array, rng: Random | None) -> Array:  # noqa: D102
        kept: Array = np.tanh(x)
        self.kept = kept
        return kept

    def backward(self, dy: Array) -> Array:  # noqa: D102
        slope: Array = 1 - self.kept * self.kept
        return dy * slope


class Dropout(Layer):
    """Units dropped in training at the rate ``share``, the others scaled up."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Array, rng: Random | None) -> Array:  # noqa: D102
        self.kept = None
        if rng is None or self.share <= 0:
            return x
        keep = 1 - self.share
        self.kept = (rng.random(x.shape, dtype=np.float32) < keep) * np.float32(1 / keep)
        return x * self.kept  # type: ignore[no-any-return]

    def backward(self, dy: Array) -> Array:  # noqa: D102
        return dy if self.kept is None else dy * self.kept


class Flat(Layer):
    """All axes but the first as one."""

    def forward(self, x: Array, rng: Random | None) -> Array:  # noqa: D102
        self.kept = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: Array) -> Array:  # noqa: D102
        return dy.reshape(self.kept)


class Mean(Layer):
    """The mean over the second axis, of tokens."""

    def forward(self, x: Array, rng: Random | None) -> Array:  # noqa: D102
        self.kept = x.shape
        return x.mean(axis=1)  # type: ignore[no-any-return]

    def backward(self, dy: Array) -> Array:  # noqa: D102
        return np.broadcast_to(dy[:, None] / np.float32(self.kept[1]), self.kept)


class Patches(Layer):
    """Windows of ``size`` at every ``stride``-th place of (n, height, width, channels), flattened.

    With a `Dense` behind it that is a convolution; a height of 1 makes it one along a line.
    """

    def __init__(self, size: tuple[int, int], stride: int) -> None:
        super().__init__()
        self.size, self.stride = size, stride

    def forward(self, x: Array, rng: Random | None) -> Array:  # noqa: D102
        (rows, columns), s = self.size, self.stride
        self.kept = x.shape
        windows = np.lib.stride_tricks.sliding_window_view(x, self.size, (1, 2))[:, ::s, ::s]
        shape = (*windows.shape[:3], x.shape[3] * rows * columns)
        return windows.reshape(shape)

    def backward(self, dy: Array) -> Array:  # noqa: D102
        (rows, columns), s = self.size, self.stride
        n, high, wide, _ = dy.shape
        parts = dy.reshape(n, high, wide, self.kept[3], rows, columns)
        dx = np.zeros(self.kept, np.float32)
        for row in range(rows):
            for column in range(columns):
                place = dx[:, row : row + s * high : s, column : column + s * wide : s]
                place += parts[..., row, column]
        return dx


class Embedding(Layer):
    """Vectors of whole numbers, with those of their places where ``places`` are given."""

    def __init__(self, symbols: int, size: int) -> None:
        super().__init__((Shape((symbols, size), 1.0),))

    def forward(self, x: Array, rng: Random | None) -> Array:  # noqa: D102
        self.kept = x
        return self.p[0][x]

    def backward(self, dy: Array) -> Array:  # noqa: D102
        self.g[0].fill(0)
        np.add.at(self.g[0], self.kept.ravel(), dy.reshape(-1, dy.shape[-1]))
        return dy


class Places(Layer):
    """A learned vector added to each of ``n`` tokens."""

    def __init__(self, n: int, size: int) -> None:
        super().__init__((Shape((n, size), 0.5),))

    def forward(self, x: Array, rng: Random | None) -> Array:  # noqa: D102
        return x + self.p[0]

    def backward(self, dy: Array) -> Array:  # noqa: D102
        np.sum(dy, axis=0, out=self.g[0])
        return dy


class Attention(Layer):
    """One head of self-attention over the second axis, added to its input."""

    def __init__(self, size: int) -> None:
        super().__init__(tuple(Shape((size, size), math.sqrt(1 / size)) for _ in range(4)))
        self.scale = np.float32(1 / math.sqrt(size))

    def forward(self, x: Array, rng: Random | None) -> Array:  # noqa: D102
        q, k, v = (_by(x, w) for w in self.p[:3])
        scores = q @ k.swapaxes(1, 2) * self.scale
        scores -= scores.max(axis=2, keepdims=True)
        weights = np.exp(scores)
        weights /= weights.sum(axis=2, keepdims=True)
        mixed = weights @ v
        self.kept = (x, q, k, v, weights, mixed)
        return x + _by(mixed, self.p[3])

    def backward(self, dy: Array) -> Array:  # noqa: D102
        x, q, k, v, weights, mixed = self.kept
        size = x.shape[2]
        flat = x.reshape(-1, size).T
        np.matmul(mixed.reshape(-1, size).T, dy.reshape(-1, size), out=self.g[3])
        d_mixed = _by(dy, self.p[3].T)
        d_weights = d_mixed @ v.swapaxes(1, 2)
        d_scores = weights * (d_weights - (d_weights * weights).sum(axis=2, keepdims=True))
        d_scores *= self.scale
        parts = (d_scores @ k, d_scores.swapaxes(1, 2) @ q, weights.swapaxes(1, 2) @ d_mixed)
        dx = dy.copy()
        for place, part in enumerate(parts):
            np.matmul(flat, part.reshape(-1, size), out=self.g[place])
            dx += _by(part, self.p[place].T)
        return dx


class Recurrent(Layer):
    """Elman's network with tanh over the second axis; gives the state at every time."""

    def __init__(self, inputs: int, size: int) -> None:
        super().__init__(
            (
                Shape((inputs, size), math.sqrt(1 / inputs)),
                Shape((size, size), math.sqrt(1 / size)),
                Shape((size,), decays=False),
            )
        )

    def forward(self, x: Array, rng: Random | None) -> Array:  # noqa: D102
        inner = _by(x, self.p[0]) + self.p[2]
        states = np.empty_like(inner)
        state = np.zeros_like(inner[:, 0])
        for time in range(x.shape[1]):
            state = np.tanh(inner[:, time] + state @ self.p[1])
            states[:, time] = state
        self.kept = (x, states)
        return states

    def backward(self, dy: Array) -> Array:  # noqa: D102
        x, states = self.kept
        d_inner = np.empty_like(states)
        later = np.zeros_like(states[:, 0])
        slope = 1 - states * states
        for time in range(x.shape[1] - 1, -1, -1):
            d = (dy[:, time] + later) * slope[:, time]
            d_inner[:, time] = d
            later = d @ self.p[1].T
        flat = d_inner.reshape(-1, d_inner.shape[2])
        np.matmul(x.reshape(-1, x.shape[2]).T, flat, out=self.g[0])
        before = states[:, :-1].reshape(-1, states.shape[2])
        np.matmul(before.T, d_inner[:, 1:].reshape(-1, states.shape[2]), out=self.g[1])
        np.sum(flat, axis=0, out=self.g[2])
        return _by(d_inner, self.p[0].T)


class Network:
    """Layers one after the other, whose parameters are one vector ``weights``, ``gradients`` likewise."""

    def __init__(self, layers: list[Layer], rng: Random, scale: float) -> None:
        self.layers = layers
        shapes = [(layer, shape) for layer in layers for shape in layer.shapes]
        total = sum(math.prod(shape.dims) for _, shape in shapes)
        self.weights = np.zeros(total, np.float32)
        self.gradients = np.zeros(total, np.float32)
        self.decays = np.zeros(total, np.float32)
        at = 0
        for layer, shape in shapes:
            part = slice(at, at := at + math.prod(shape.dims))
            if shape.deviation:
                first = rng.standard_normal(math.prod(shape.dims), dtype=np.float32)
                self.weights[part] = first * np.float32(scale * shape.deviation)
            self.decays[part] = shape.decays
            layer.p.append(self.weights[part].reshape(shape.dims))
            layer.g.append(self.gradients[part].reshape(shape.dims))

    def forward(self, x: Array, rng: Random | None = None) -> Array:
        """The outputs for a batch; with a generator as in training."""
        for layer in self.layers:
            x = layer.forward(x, rng)
        return x

    def backward(self, dy: Array) -> None:
        """Fills the gradients."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
