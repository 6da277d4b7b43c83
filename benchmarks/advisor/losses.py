"""Losses: the mean over the answers, and its gradient with respect to the outputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.advisor.layers import Array

Loss = Callable[[Array, Array], tuple[float, Array]]


def cross_entropy(outputs: Array, classes: Array) -> tuple[float, Array]:
    """In nats; ``outputs`` (…, classes) are logits."""
    flat, wanted = outputs.reshape(-1, outputs.shape[-1]), classes.ravel()
    rows = np.arange(len(wanted))
    shifted = flat - flat.max(axis=1, keepdims=True)
    odds = np.exp(shifted)
    total = odds.sum(axis=1, keepdims=True)
    loss = np.mean(np.log(total[:, 0]) - shifted[rows, wanted])
    slope = odds / total
    slope[rows, wanted] -= 1
    return float(loss), (slope / np.float32(len(wanted))).reshape(outputs.shape)


def squared(outputs: Array, targets: Array) -> tuple[float, Array]:
    """The mean squared error; ``targets`` has the shape of the outputs."""
    error = outputs - targets
    return float(np.mean(error * error)), error * np.float32(2 / error.size)


def huber(width: float) -> Loss:
    """Huber's loss: half the square up to an error of ``width``, linear beyond."""
    limit = np.float32(width)

    def loss(outputs: Array, targets: Array) -> tuple[float, Array]:
        error = outputs - targets
        near = np.clip(error, -limit, limit)
        return float(np.mean(near * (error - near / 2))), near / np.float32(error.size)

    return loss


def deviance(outputs: Array, counts: Array) -> tuple[float, Array]:
    """Half the Poisson deviance; ``outputs`` are logarithms of rates. It is 0 for a perfect fit."""
    rates = np.exp(outputs)
    log = np.log(np.maximum(counts, 1))
    loss = np.mean(rates - counts - counts * (outputs - log))
    return float(loss), (rates - counts) / np.float32(counts.size)
