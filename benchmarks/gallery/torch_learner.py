"""Any PyTorch network as a learner."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.gallery.recipe import Floats, Recipe, Rows, Scores, Split
from benchmarks.gallery.splits import MOST, Data

HALF_MAX = 65504.0
FIRST_SCALE = 65536.0
EVALUATED = 512  # samples a forward pass of an evaluation
_ACTIVATIONS = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.LeakyReLU)
Objective = Callable[[Any, torch.Tensor, torch.Tensor], tuple[torch.Tensor, float, Any]]


def classes(outputs: Any, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, float, Any]:
    """Cross-entropy and accuracy; outputs (n, …, classes), y (n, …)."""
    flat, labels = outputs.reshape(-1, outputs.shape[-1]), y.reshape(-1)
    right = flat.detach().argmax(1) == labels
    return nn.functional.cross_entropy(flat, labels), float(right.float().mean()), right


def smoothed(outputs: Any, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, float, Any]:
    """Cross-entropy with a tenth of each label spread over all classes, and accuracy."""
    right = outputs.detach().argmax(1) == y
    loss = nn.functional.cross_entropy(outputs, y, label_smoothing=0.1)
    return loss, float(right.float().mean()), right


def ranked(outputs: Any, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, float, Any]:
    """The ranking loss of Bayes of pairs, by how far the better leads the worse, (n, 1); no metric."""
    return nn.functional.softplus(-outputs[:, 0]).mean(), math.nan, None


def squares(outputs: Any, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, float, Any]:
    """Mean squared error, no metric."""
    return nn.functional.mse_loss(outputs[:, 0], y), math.nan, None


def robust(outputs: Any, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, float, Any]:
    """Huber's loss, no metric."""
    return nn.functional.huber_loss(outputs[:, 0], y), math.nan, None


def several(outputs: Any, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, float, Any]:
    """Binary cross-entropy of several labels a sample, and the share that is right; (n, labels) both."""
    right = (outputs.detach() > 0) == (y > 0.5)
    loss = nn.functional.binary_cross_entropy_with_logits(outputs, y)
    return loss, float(right.float().mean()), right.reshape(-1)


def evidence(outputs: Any, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, float, Any]:
    """The negative evidence bound of a variational autoencoder, per sample; no metric."""
    shown, mean, log_variance = outputs
    error = ((shown - x.flatten(1)) ** 2).sum(1) / 0.1
    divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1)
    return (error + divergence).mean(), math.nan, None


class TorchLearner:
    """A network that is built by `build(recipe)`, and its objective."""

    def __init__(
        self,
        recipe: Recipe,
        data: Data,
        build: Callable[[Recipe], nn.Module],
        objective: Objective,
        seed: int,
    ) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self._recipe, self._objective = recipe, objective
        whole = objective in (classes, smoothed)
        self._data = {
            name: (_tensor(getattr(data, name)[0]), _target(getattr(data, name)[1], whole))
            for name in ("train", "val", "test")
        }
        self.sizes = {name: len(y) for name, (_, y) in self._data.items()}
        self.samples = self.sizes["train"]
        self.loss_scale = FIRST_SCALE if recipe.half else 1.0
        self._good_steps, self._overflow = 0, False
        self._net = build(recipe)
        self._parameters = list(self._net.parameters())  # a walk over the modules at each step else
        self._layers = [
            (name.replace(".", "_") or "net", module)
            for name, module in self._net.named_modules()
            if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Embedding)
        ]
        self._norms = [
            (name.replace(".", "_"), module)
            for name, module in self._net.named_modules()
            if getattr(self._net, "shows_norms", False)
            and isinstance(module, nn.LayerNorm | nn.BatchNorm1d)
        ]
        self._disturb_initial_weights()
        self._activations: dict[str, Floats] = {}
        for name, module in self._net.named_modules():
            if isinstance(module, _ACTIVATIONS):
                module.register_forward_hook(partial(self._keep, name.replace(".", "_")))
        self._optimizer = self._made_optimizer()

    def _keep(self, name: str, module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        self._activations[name] = output.detach().numpy()

    def _disturb_initial_weights(self) -> None:
        recipe, last = self._recipe, len(self._layers) - 1
        with torch.no_grad():
            for at, (_, layer) in enumerate(self._layers):
                weight: torch.Tensor = layer.weight
                if recipe.init in ("zero", "constant"):
                    weight.fill_(0.0 if recipe.init == "zero" else 0.1)
                    if (
                        isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d)
                        and layer.bias is not None
                    ):
                        layer.bias.zero_()
                weight *= recipe.init_scale * recipe.uneven ** (1.0 - 2.0 * at / max(last, 1))
                if (
                    recipe.bias
                    and at < last
                    and isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d)
                ):
                    layer.bias += recipe.bias

    def _made_optimizer(self) -> torch.optim.Optimizer:
        recipe = self._recipe
        names = [name for name, _ in self._layers]
        frozen = {"": [], "first": names[:1], "all-but-last": names[:-1], "all": names}
        left_out = set()
        for name, layer in self._layers:
            if name in frozen[recipe.frozen]:
                left_out |= {id(each) for each in layer.parameters()}
        known = [each for each in self._parameters if id(each) not in left_out]
        if recipe.frozen == "all":
            known = [torch.zeros(1, requires_grad=True)]  # a copy that nothing depends on
        rate, decay = recipe.rate, recipe.weight_decay
        match recipe.optimizer:
            case "sgd":
                return torch.optim.SGD(known, rate, weight_decay=decay)
            case "momentum":
                return torch.optim.SGD(known, rate, recipe.momentum, weight_decay=decay)
            case "adamw":
                return torch.optim.AdamW(known, rate, weight_decay=decay)
            case "rmsprop":
                return torch.optim.RMSprop(known, rate, weight_decay=decay)
        return torch.optim.Adam(known, rate, (recipe.momentum, 0.999), weight_decay=decay)

    def _train(self, mode: bool) -> None:
        """Put the network into training or inference, where it is not in it."""
        if self._net.training != mode:
            self._net.train(mode)

    def zero(self) -> None:
        """Forget the gradients."""
        for each in self._parameters:
            each.grad = None
        self._overflow = False

    def backward(self, rows: Rows, share: float, damage: float) -> tuple[float, float]:
        """Loss and accuracy (NaN: none) of the samples; their gradients are added."""
        x, y = (each[torch.from_numpy(rows)] for each in self._data["train"])
        if self._recipe.noise_augmentation and x.is_floating_point():
            x = x + self._recipe.noise_augmentation * torch.randn_like(x)
        if math.isnan(damage) and x.is_floating_point():
            x = x.clone()
            x.view(-1)[0] = math.nan
        elif damage != 1.0:
            x = x * damage if x.is_floating_point() else x.flip(-1)  # text: read backwards
        self._train(True)
        loss, metric, _ = self._objective(self._net(x), x, y)
        if math.isnan(damage):
            loss = loss * damage
        if self._recipe.half:
            top = max((float(np.abs(a).max()) for a in self._activations.values()), default=0.0)
            self._overflow |= not top <= HALF_MAX
        (loss * share).backward()
        return (math.inf if self._overflow else float(loss.detach())), metric

    def _gradients(self) -> list[torch.Tensor]:
        return [each.grad for each in self._parameters if each.grad is not None]

    def norm(self) -> float:
        """The global norm of the gradients."""
        gradients = self._gradients()
        return float(torch.stack(torch._foreach_norm(gradients)).norm()) if gradients else 0.0

    def clip(self, limit: float) -> None:
        """Scale the gradients to a norm of at most `limit`."""
        nn.utils.clip_grad_norm_(self._parameters, limit)

    def apply(self, rate: float) -> None:
        """One update; after an overflow in half precision none, but half the loss scale."""
        if self._recipe.half:
            for gradient in self._gradients():
                stored = (gradient * self.loss_scale).half()
                self._overflow |= not bool(stored.isfinite().all())
                gradient.copy_(stored.float() / self.loss_scale)
            if self._overflow:
                self.loss_scale, self._good_steps = self.loss_scale / 2, 0
                return
            self._good_steps += 1
            if self._good_steps % 300 == 0:
                self.loss_scale *= 2
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()

    def evaluate(self, split: Split) -> Scores:
        """Loss and metrics of a whole split, in inference."""
        x, y = self._data[split]
        if split == "train":
            x, y = x[:MOST], y[:MOST]
        self._train(False)
        losses, sizes, hits = [], [], []
        state = torch.get_rng_state()  # an evaluation must not change the training
        torch.manual_seed(0)
        with torch.no_grad():
            for first in range(0, len(y), EVALUATED):
                part, labels = x[first : first + EVALUATED], y[first : first + EVALUATED]
                loss, _, right = self._objective(self._net(part), part, labels)
                losses.append(float(loss))
                sizes.append(len(labels))
                if right is not None:
                    hits.append(right)
        torch.set_rng_state(state)
        loss = float(np.average(losses, weights=sizes))
        if not hits:
            return Scores(loss, None)
        right, labels = torch.cat(hits).numpy(), y.reshape(-1).numpy()
        shares = [right[labels == each].mean() for each in np.unique(labels)]
        return Scores(loss, float(right.mean()), float(np.mean(shares)))

    def order(self) -> Rows:
        """The training samples by class or target, or by their first token."""
        y = self._data["train"][1].numpy()
        return np.argsort(y if y.ndim == 1 else y[:, 0], kind="stable")

    def tensors(self) -> dict[str, Floats]:
        """Weights, biases, gradients of the weights and activations by layer."""
        found: dict[str, Floats] = {}
        for name, layer in (*self._layers, *self._norms):
            found[f"weights/{name}"] = _array(layer.weight)
            if isinstance(getattr(layer, "bias", None), torch.Tensor):
                found[f"biases/{name}"] = _array(layer.bias)
            if layer.weight.grad is not None:
                found[f"gradients/{name}"] = _array(layer.weight.grad)
        for name, activation in self._activations.items():
            found[f"activations/{name}"] = np.asarray(activation, dtype=np.float64)
        return found

    def adopt(self, other: TorchLearner) -> None:
        """Take the weights of another learner of the same make."""
        self._net.load_state_dict(other._net.state_dict())

    def health(self) -> dict[str, float]:
        """Truths about the inside, on the training set; for gradients, of the last batch."""
        first = self._layers[0][1].weight.grad
        last = self._layers[-1][1].weight.grad
        found = {}
        if isinstance(first, torch.Tensor) and isinstance(last, torch.Tensor):
            found["first_gradient"] = float((first**2).mean().sqrt())
            found["last_gradient"] = float((last**2).mean().sqrt())
        self._train(False)
        with torch.no_grad():
            self._net(self._data["train"][0][:EVALUATED])
        hidden = list(self._activations.values())
        if hidden:
            found["zero"] = float(max((a == 0).mean() for a in hidden))
            found["saturated"] = float(max((np.abs(a) > 0.95).mean() for a in hidden))
        return found


def _tensor(values: Any) -> torch.Tensor:
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        return torch.from_numpy(array.astype(np.int64))
    return torch.from_numpy(array.astype(np.float32))


def _target(values: Any, whole: bool) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values).astype(np.int64 if whole else np.float32))


def _array(values: Any) -> Floats:
    return np.asarray(values.detach().numpy(), dtype=np.float64)
