"""A training run in memory: from settings and a seed to curves, always the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from benchmarks.advisor.layers import Array, Layer, Network
from benchmarks.advisor.losses import Loss
from tbdiag.model.run import Scalar

Kind = Literal["dense", "regression", "convolutional", "recurrent or attention", "unusual"]
Curve = tuple[Array, Array]  # steps, values

EVERY = 2  # epochs between two evaluations


@dataclass(frozen=True, slots=True)
class Data:
    """Training and validation samples, (x, y) each."""

    train: tuple[Array, Array]
    val: tuple[Array, Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is learned: ``data``, a network of a width and a dropout, a loss, and for how long.

    ``width`` and ``rate`` are what a sane person would begin with; ``classes`` whether there is an
    accuracy.
    """

    name: str
    kind: Kind
    what: str
    data: Callable[[], Data]
    network: Callable[[int, float], list[Layer]]
    loss: Loss
    epochs: int
    width: int
    rate: float = 1e-3
    classes: bool = False


def rate_at(step: int, total: int, peak: float, scheduler: str, warmup: float) -> float:
    """The learning rate at a step; ``warmup`` is the share of the run in which it rises.

    step: ÷10 after half and again after three quarters. onecycle: a cosine up from peak/25 over the
    first 30 %, then one down to nothing.
    """
    if step < warmup * total:
        return peak * (step + 1) / (warmup * total + 1)
    done = step / total
    if scheduler == "cosine":
        return peak * 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))
    if scheduler == "step":
        return peak * (1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01)
    if scheduler == "onecycle":
        if done < 0.3:
            return peak * (1 - 0.96 * 0.5 * (1 + math.cos(math.pi * done / 0.3)))
        return peak * 0.5 * (1 + math.cos(math.pi * (done - 0.3) / 0.7))
    return peak


class Optimizer:
    """Updates a network's weights; decay is added to the gradient, apart from it with adamw."""

    def __init__(self, kind: str, network: Network, decay: float) -> None:
        self.kind, self.network, self.decay = kind, network, np.float32(decay)
        self.first = np.zeros_like(network.weights)
        self.second = np.zeros_like(network.weights)
        self.updates = 0

    def step(self, rate: float) -> None:
        """One update."""
        weights, gradient = self.network.weights, self.network.gradients
        pull = self.decay * self.network.decays * weights
        if self.kind == "adamw":
            weights -= np.float32(rate) * pull
        else:
            gradient = gradient + pull
        if self.kind == "sgd":
            weights -= np.float32(rate) * gradient
            return
        if self.kind == "momentum":
            self.first *= np.float32(0.9)
            self.first += gradient
            weights -= np.float32(rate) * self.first
            return
        self.updates += 1
        self.first += np.float32(0.1) * (gradient - self.first)
        self.second += np.float32(0.001) * (gradient * gradient - self.second)
        size = rate / (1 - 0.9**self.updates)
        root = np.sqrt(self.second * np.float32(1 / (1 - 0.999**self.updates)))
        weights -= np.float32(size) * self.first / (root + np.float32(1e-8))


def train(task: Task, params: Mapping[str, Scalar]) -> dict[str, Curve]:
    """The curves of a run by tag: per step the batch's loss, rate and norm; the means every other epoch.

    ``params`` holds all settings, the seed among them. After a NaN nothing is computed that could
    only be NaN.
    """
    told: Any = params
    data = task.data()
    rng = np.random.default_rng([int(told["seed"]), 7])
    layers = task.network(int(told["width"]), float(told["dropout"]))
    network = Network(layers, rng, float(told["init_scale"]))
    optimizer = Optimizer(str(told["optimizer"]), network, float(told["weight_decay"]))
    x, y = data.train
    size = min(int(told["batch_size"]), len(x))
    batches = len(x) // size
    total = batches * task.epochs
    losses, norms, rates = (np.full(total, np.nan) for _ in range(3))
    told_so_far: dict[str, list[float]] = {}
    step, hits = 0, 0.0
    with np.errstate(all="ignore"):
        for epoch in range(1, task.epochs + 1):
            order = rng.permutation(len(x))
            for batch in range(batches):
                rows = order[batch * size : (batch + 1) * size]
                rates[step] = rate_at(
                    step, total, float(told["lr"]), str(told["scheduler"]), float(told["warmup"])
                )
                if step == 0 or math.isfinite(losses[step - 1]):
                    outputs = network.forward(x[rows], rng)
                    losses[step], slope = task.loss(outputs, y[rows])
                    hits += _right(outputs, y[rows]) if task.classes else 0.0
                    network.backward(slope)
                    norms[step] = math.sqrt(float(network.gradients @ network.gradients))
                    optimizer.step(float(rates[step]))
                step += 1
            if epoch % EVERY:
                continue
            since = EVERY * batches
            scores = {"train/loss": float(np.mean(losses[step - since : step]))}
            scores |= {"train/accuracy": hits / (since * size)} if task.classes else {}
            outputs, hits = network.forward(data.val[0]), 0.0
            scores["val/loss"] = task.loss(outputs, data.val[1])[0]
            if task.classes:
                scores["val/accuracy"] = _right(outputs, data.val[1]) / len(data.val[1])
            for tag, value in scores.items():
                told_so_far.setdefault(tag, []).append(value)
    steps = np.arange(1, total + 1)
    ends = np.arange(EVERY, task.epochs + 1, EVERY) * batches
    curves: dict[str, Curve] = {tag: (ends, np.array(each)) for tag, each in told_so_far.items()}
    return curves | {
        "batch/loss": (steps, losses),
        "lr": (steps, rates),
        "grad_norm": (steps, norms),
    }


def _right(outputs: Array, classes: Array) -> float:
    """How many samples are right; of several answers to one their share."""
    right = outputs.argmax(axis=-1) == classes
    return float(right.sum() if right.ndim == 1 else right.mean(axis=1).sum())
