"""A multilayer perceptron with hand-written gradients."""

from __future__ import annotations

import numpy as np

INITS = ("he", "xavier", "constant")


def relu(z):
    return np.maximum(z, 0.0)


def sigmoid(z):
    return 0.5 * (1.0 + np.tanh(0.5 * z))


# name -> (function, its derivative in terms of the function's value)
ACTIVATIONS = {
    "relu": (relu, lambda a: (a > 0).astype(a.dtype)),
    "tanh": (np.tanh, lambda a: 1.0 - a * a),
    "sigmoid": (sigmoid, lambda a: a * (1.0 - a)),
}


def initial_weights(init, scale, fan_in, fan_out, rng):
    """Weights of one layer, (fan_in, fan_out); `constant` gives every weight the value 0.1."""
    if init == "constant":
        return np.full((fan_in, fan_out), 0.1 * scale)
    variance = 2.0 / fan_in if init == "he" else 2.0 / (fan_in + fan_out)
    return scale * np.sqrt(variance) * rng.standard_normal((fan_in, fan_out))


class MLP:
    """Fully connected layers of the given sizes; the last one gives the logits.

    `params` maps `weights/layer1`, `biases/layer1`, `weights/layer2` … to arrays.
    """

    def __init__(self, sizes, rng, activation="relu", init="he", init_scale=1.0, dropout=0.0):
        self.depth = len(sizes) - 1
        self.activation, self.derivative = ACTIVATIONS[activation]
        self.dropout = dropout
        self.params = {}
        for layer in range(1, self.depth + 1):
            fan_in, fan_out = sizes[layer - 1], sizes[layer]
            weights = initial_weights(init, init_scale, fan_in, fan_out, rng)
            self.params[f"weights/layer{layer}"] = weights
            self.params[f"biases/layer{layer}"] = np.zeros(fan_out)

    def forward(self, x, rng=None):
        """Logits of a batch; with a generator, hidden units are dropped as in training."""
        self.inputs, self.activations, self.masks = [x], [], []
        for layer in range(1, self.depth):
            a = self.activation(self.affine(layer))
            mask = np.ones_like(a)
            if rng is not None and self.dropout > 0:
                mask = (rng.random(a.shape) >= self.dropout) / (1.0 - self.dropout)
            self.activations.append(a)
            self.masks.append(mask)
            self.inputs.append(a * mask)
        return self.affine(self.depth)

    def affine(self, layer):
        weights, biases = self.params[f"weights/layer{layer}"], self.params[f"biases/layer{layer}"]
        return self.inputs[-1] @ weights + biases

    def backward(self, d_logits):
        """Gradients of the last forward pass, under the names of `params`."""
        gradients, d_z = {}, d_logits
        for layer in range(self.depth, 0, -1):
            gradients[f"weights/layer{layer}"] = self.inputs[layer - 1].T @ d_z
            gradients[f"biases/layer{layer}"] = d_z.sum(axis=0)
            if layer > 1:
                d_a = d_z @ self.params[f"weights/layer{layer}"].T
                d_z = d_a * self.masks[layer - 2] * self.derivative(self.activations[layer - 2])
        return gradients


def cross_entropy(logits, labels):
    """Mean cross-entropy in nats, and its gradient with respect to the logits."""
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    d_logits = np.exp(log_p)
    d_logits[rows, labels] -= 1.0
    return -log_p[rows, labels].mean(), d_logits / len(labels)
