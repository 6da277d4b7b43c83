"""The network of ``examples/digits`` as a learner, on scikit-learn's data."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.gallery.recipe import Floats, Recipe, Rows, Scores, Split
from benchmarks.gallery.splits import MOST, Data

_EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "digits"
HALF_MAX = 65504.0  # the largest number of half precision
FIRST_SCALE = 65536.0


def _example(name: str) -> ModuleType:
    """A module of the example, which is no package."""
    known = sys.modules.get(f"digits_{name}")
    if known is not None:
        return known
    spec = importlib.util.spec_from_file_location(f"digits_{name}", _EXAMPLE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[f"digits_{name}"] = module
    spec.loader.exec_module(module)
    return module


class NumpyLearner:
    """A multilayer perceptron; cross-entropy with `classes`, else mean squared error."""

    def __init__(self, recipe: Recipe, data: Data, classes: int, seed: int) -> None:
        network, optim = _example("network"), _example("optim")
        self._loss = network.cross_entropy if classes else _squared_error
        self._recipe, self._data, self._classes = recipe, data, classes
        self._rng = np.random.default_rng([seed, 1])
        self._clip_by_norm = optim.clip_by_norm
        x, _ = data.train
        self.samples = len(x)
        self.sizes = {name: len(getattr(data, name)[1]) for name in ("train", "val", "test")}
        self.loss_scale = FIRST_SCALE if recipe.half else 1.0
        self._good_steps = 0
        sizes = (x.shape[1], *recipe.hidden, classes or 1)
        init, scale = (
            ("constant", 0.0) if recipe.init == "zero" else (recipe.init, recipe.init_scale)
        )
        self._model: Any = network.MLP(
            sizes, np.random.default_rng(seed), recipe.activation, init, scale, recipe.dropout
        )
        self._disturb_initial_weights()
        known = self._known_to_the_optimizer()
        self._optimizer: Any = optim.Optimizer(
            recipe.optimizer, known, recipe.weight_decay, recipe.momentum
        )
        self._gradients: dict[str, Floats] = {}
        self._activations: list[Floats] = []
        self._overflow = False

    def _disturb_initial_weights(self) -> None:
        recipe, params = self._recipe, self._model.params
        for layer in range(1, self._model.depth + 1):
            along = (layer - 1) / max(self._model.depth - 1, 1)
            params[f"weights/layer{layer}"] *= recipe.uneven ** (1.0 - 2.0 * along)
            if layer < self._model.depth:
                params[f"biases/layer{layer}"] += recipe.bias

    def _known_to_the_optimizer(self) -> dict[str, Floats]:
        depth, frozen = self._model.depth, self._recipe.frozen
        left_out = {
            "": (),
            "first": (1,),
            "all-but-last": range(1, depth),
            "all": range(1, depth + 1),
        }
        return {
            name: values
            for name, values in self._model.params.items()
            if int(name.rpartition("layer")[2]) not in left_out[frozen]
        }

    def zero(self) -> None:
        """Forget the gradients."""
        self._gradients = {}
        self._overflow = False

    def backward(self, rows: Rows, share: float, damage: float) -> tuple[float, float]:
        """Loss and accuracy (NaN for a regression) of the samples; their gradients are added."""
        x, y = self._data.train[0][rows], self._data.train[1][rows]
        if self._recipe.noise_augmentation:
            x = x + self._recipe.noise_augmentation * self._rng.standard_normal(x.shape)
        if math.isnan(damage):
            x = x.copy()
            x[0, 0] = math.nan
        elif damage != 1.0:
            x = x * damage
        logits = self._model.forward(x, self._rng)
        loss, d_logits = self._loss(logits, y)
        if self._recipe.half:
            self._overflow |= max(np.abs(a).max() for a in self._model.inputs) > HALF_MAX
        for name, gradient in self._model.backward(d_logits * share).items():
            if self._recipe.half:
                gradient = self._through_half(gradient)
            self._gradients[name] = self._gradients.get(name, 0.0) + gradient
        self._activations = list(self._model.activations)
        hits = float((logits.argmax(axis=1) == y).mean()) if self._classes else math.nan
        return (math.inf if self._overflow else float(loss)), hits

    def _through_half(self, gradient: Floats) -> Floats:
        """What is left of a gradient that was scaled, stored in half precision, and unscaled."""
        stored = (gradient * self.loss_scale).astype(np.float16)
        self._overflow |= not bool(np.isfinite(stored).all())
        return stored.astype(np.float64) / self.loss_scale

    def norm(self) -> float:
        """The global norm of the gradients."""
        return math.sqrt(sum(float(np.vdot(g, g)) for g in self._gradients.values()))

    def clip(self, limit: float) -> None:
        """Scale the gradients to a norm of at most `limit`."""
        self._clip_by_norm(self._gradients, limit)

    def apply(self, rate: float) -> None:
        """One update; after an overflow none, but half the loss scale."""
        if self._overflow:
            self.loss_scale, self._good_steps = self.loss_scale / 2, 0
            return
        self._good_steps += 1
        if self._recipe.half and self._good_steps % 500 == 0:
            self.loss_scale *= 2
        self._optimizer.step(self._gradients, rate)

    def evaluate(self, split: Split) -> Scores:
        """Loss and metrics of a whole split, without dropout."""
        x, y = getattr(self._data, split)
        if split == "train":
            x, y = x[:MOST], y[:MOST]
        logits = self._model.forward(x)
        loss = float(self._loss(logits, y)[0])
        if not self._classes:
            return Scores(loss, None)
        right = logits.argmax(axis=1) == y
        shares = [right[y == label].mean() for label in range(self._classes) if (y == label).any()]
        return Scores(loss, float(right.mean()), float(np.mean(shares)))

    def order(self) -> Rows:
        """The training samples by class or target."""
        return np.argsort(self._data.train[1], kind="stable")

    def tensors(self) -> dict[str, Floats]:
        """Weights, biases, gradients of the weights and hidden activations by layer."""
        tensors = dict(self._model.params)
        for layer in range(1, self._model.depth + 1):
            gradient = self._gradients.get(f"weights/layer{layer}")
            if gradient is not None:
                tensors[f"gradients/layer{layer}"] = gradient
        for layer, activation in enumerate(self._activations, start=1):
            tensors[f"activations/layer{layer}"] = activation
        return tensors

    def adopt(self, other: NumpyLearner) -> None:
        """Take the weights of another learner of the same make."""
        for name, values in other._model.params.items():
            self._model.params[name][...] = values

    def health(self) -> dict[str, float]:
        """Truths about the inside, on the training set; for gradients, of the last batch."""
        self._model.forward(self._data.train[0])
        hidden = self._model.activations
        found = {}
        if hidden:
            found["zero"] = float(max((a == 0).mean() for a in hidden))
            found["saturated"] = float(max((np.abs(a) > 0.95).mean() for a in hidden))
        if self._gradients:
            first = self._gradients["weights/layer1"]
            last = self._gradients[f"weights/layer{self._model.depth}"]
            found["first_gradient"] = float(np.sqrt(np.mean(first**2)))
            found["last_gradient"] = float(np.sqrt(np.mean(last**2)))
        return found


def _squared_error(outputs: Floats, y: Floats) -> tuple[float, Floats]:
    """Mean squared error and its gradient with respect to the outputs, (n, 1)."""
    error = outputs[:, 0] - y
    return float(np.mean(error**2)), 2.0 * error[:, None] / len(y)
