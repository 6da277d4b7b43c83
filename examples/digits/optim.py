"""Optimizers, learning-rate schedules and gradient clipping."""

from __future__ import annotations

import math

import numpy as np

OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")
SCHEDULERS = ("constant", "cosine", "step", "onecycle")


def learning_rate(step, total, peak, scheduler="constant", warmup=0.0):
    """The rate at a step of `total`; `warmup` is the share of the run in which it rises.

    step: ÷10 after 50 % and again after 75 % of the run. onecycle: a cosine up from
    peak/25 over the first 30 %, then a cosine down to nearly nothing.
    """
    if step < warmup * total:
        return peak * (step + 1) / (warmup * total + 1)
    done = step / total
    if scheduler == "cosine":
        done = (done - warmup) / (1.0 - warmup)
        return peak * 0.5 * (1.0 + math.cos(math.pi * done))
    if scheduler == "step":
        return peak * (1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01)
    if scheduler == "onecycle":
        if done < 0.3:
            return peak * (1.0 - 0.96 * 0.5 * (1.0 + math.cos(math.pi * done / 0.3)))
        return peak * 0.5 * (1.0 + math.cos(math.pi * (done - 0.3) / 0.7))
    return peak


def clip_by_norm(gradients, limit):
    """Scale the gradients in place to a global norm of at most `limit` (0: leave them).

    Returns the norm before clipping.
    """
    norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients.values()))
    if limit > 0 and norm > limit:
        for g in gradients.values():
            g *= limit / norm
    return norm


class Optimizer:
    """Updates parameters in place; `state` holds all that a checkpoint needs.

    Weight decay applies to weights, not to biases: added to the gradient (L2) for sgd,
    momentum and adam; decoupled from it for adamw.
    """

    def __init__(self, kind, params, weight_decay=0.0, momentum=0.9, beta2=0.999, eps=1e-8):
        self.kind, self.params = kind, params
        self.weight_decay, self.momentum, self.beta2, self.eps = weight_decay, momentum, beta2, eps
        slots = {"sgd": (), "momentum": ("velocity",)}.get(kind, ("mean", "square"))
        self.state = {f"{s}/{name}": np.zeros_like(p) for s in slots for name, p in params.items()}
        self.updates = 0

    def step(self, gradients, lr):
        self.updates += 1
        for name, p in self.params.items():
            g = gradients[name]
            if self.weight_decay and name.startswith("weights/"):
                if self.kind == "adamw":
                    p -= lr * self.weight_decay * p
                else:
                    g = g + self.weight_decay * p
            p -= lr * self._direction(name, g)

    def _direction(self, name, g):
        if self.kind == "sgd":
            return g
        if self.kind == "momentum":
            velocity = self.state[f"velocity/{name}"]
            velocity *= self.momentum
            velocity += g
            return velocity
        mean, square = self.state[f"mean/{name}"], self.state[f"square/{name}"]
        mean += (1.0 - self.momentum) * (g - mean)
        square += (1.0 - self.beta2) * (g * g - square)
        mean_hat = mean / (1.0 - self.momentum**self.updates)
        square_hat = square / (1.0 - self.beta2**self.updates)
        return mean_hat / (np.sqrt(square_hat) + self.eps)
