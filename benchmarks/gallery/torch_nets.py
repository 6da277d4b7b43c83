"""Small networks of the usual kinds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.gallery.recipe import Recipe

_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}


def mlp(recipe: Recipe, features: int, outputs: int) -> nn.Module:
    """Linear layers with an activation, and dropout where it is wanted."""
    layers: list[nn.Module] = []
    for width in recipe.hidden:
        layers += [nn.Linear(features, width), _ACTIVATIONS[recipe.activation]()]
        if recipe.dropout:
            layers.append(nn.Dropout(recipe.dropout))
        features = width
    return nn.Sequential(*layers, nn.Linear(features, outputs))


class Convolutions(nn.Module):
    """Convolutions that halve the image, and a linear layer; `normed` puts batch norms between."""

    def __init__(self, recipe: Recipe, size: int, outputs: int, normed: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for number, width in enumerate(recipe.hidden):
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            if normed:
                layers.append(nn.BatchNorm2d(width))
            layers.append(_ACTIVATIONS[recipe.activation]())
            if number < 2:
                layers.append(nn.MaxPool2d(2))
                size //= 2
            channels = width
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(recipe.dropout)
        self.head = nn.Linear(channels * size * size, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, size, size) → (n, outputs)."""
        return self.head(self.dropout(self.features(x[:, None]).flatten(1)))


class Transformer(nn.Module):
    """A causal transformer over characters; norms after the residual, as in the first one."""

    def __init__(self, recipe: Recipe, vocabulary: int, length: int) -> None:
        super().__init__()
        width, *blocks = recipe.hidden
        self.embedding = nn.Embedding(vocabulary, width)
        self.position = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, 2, inner, recipe.dropout, nn.GELU(), batch_first=True, norm_first=False
            )
            for inner in blocks
        )
        self.head = nn.Linear(width, vocabulary)
        self.register_buffer("mask", torch.full((length, length), -torch.inf).triu(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, length) → (n, length, vocabulary)."""
        hidden = self.embedding(x) + self.position
        for block in self.blocks:
            hidden = block(hidden, src_mask=self.mask)
        return self.head(hidden)


class Recurrent(nn.Module):
    """A recurrent network over characters (`vocabulary`) or over a signal (0).

    `cell` "RNN" is the plain one. Over characters it answers at each step, else at the end.
    """

    def __init__(self, recipe: Recipe, cell: str, vocabulary: int, outputs: int) -> None:
        super().__init__()
        width = recipe.hidden[0]
        self.embedding = nn.Embedding(vocabulary, width) if vocabulary else None
        kind = getattr(nn, cell)
        self.cell = kind(width if vocabulary else 1, width, batch_first=True)
        if recipe.init == "explosive":  # a recurrent matrix that stretches
            with torch.no_grad():
                self.cell.weight_hh_l0 *= 6.0
        self.dropout = nn.Dropout(recipe.dropout)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, length) → (n, length, outputs) over characters, else (n, outputs)."""
        steps = self.embedding(x) if self.embedding is not None else x[:, :, None]
        hidden, _ = self.cell(steps)
        if self.embedding is None:
            hidden = hidden[:, -1]
        return self.head(self.dropout(hidden))


class Autoencoder(nn.Module):
    """A variational autoencoder of flattened images."""

    def __init__(self, recipe: Recipe, pixels: int, latent: int = 4) -> None:
        super().__init__()
        act = _ACTIVATIONS[recipe.activation]
        widths = recipe.hidden
        self.encoder = nn.Sequential(
            nn.Linear(pixels, widths[0]), act(), nn.Dropout(recipe.dropout)
        )
        self.code = nn.Linear(widths[0], 2 * latent)
        self.decoder = nn.Sequential(
            nn.Linear(latent, widths[-1]), act(), nn.Linear(widths[-1], pixels)
        )

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What is shown again, and mean and log variance of the code; (n, pixels), (n, latent)."""
        mean, log_variance = self.code(self.encoder(x.flatten(1))).chunk(2, 1)
        noise = torch.randn_like(mean) if self.training else torch.zeros_like(mean)
        code = mean + noise * (0.5 * log_variance).exp()
        return self.decoder(code), mean, log_variance


class Residual(nn.Module):
    """A perceptron with residual blocks, each behind a layer norm, as wide as the first of `hidden`."""

    def __init__(self, recipe: Recipe, features: int, outputs: int) -> None:
        super().__init__()
        width = recipe.hidden[0]
        self.entry = nn.Linear(features, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, inner),
                _ACTIVATIONS[recipe.activation](),
                nn.Dropout(recipe.dropout),
                nn.Linear(inner, width),
            )
            for inner in recipe.hidden
        )
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, features) → (n, outputs)."""
        hidden = self.entry(x)
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return self.head(hidden)


class Patches(nn.Module):
    """A transformer over the square patches of an image; norms before the residual, a mean at the end."""

    def __init__(self, recipe: Recipe, size: int, patch: int, outputs: int) -> None:
        super().__init__()
        width, *blocks = recipe.hidden
        self.cut = nn.Conv2d(1, width, patch, stride=patch)
        self.position = nn.Parameter(0.02 * torch.randn((size // patch) ** 2, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, 2, inner, recipe.dropout, nn.GELU(), batch_first=True, norm_first=True
            )
            for inner in blocks
        )
        self.head = nn.Linear(width, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, size, size) → (n, outputs)."""
        hidden = self.cut(x[:, None]).flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            hidden = block(hidden)
        return self.head(hidden.mean(1))


class Pooled(nn.Module):
    """A network over sets: the same layers for each member, the mean of all, and layers for that."""

    def __init__(self, recipe: Recipe, features: int, outputs: int) -> None:
        super().__init__()
        act, width = _ACTIVATIONS[recipe.activation], recipe.hidden[0]
        self.each = nn.Sequential(nn.Linear(features, width), act(), nn.Linear(width, width), act())
        self.dropout = nn.Dropout(recipe.dropout)
        self.all = nn.Sequential(
            nn.Linear(width, recipe.hidden[-1]), act(), nn.Linear(recipe.hidden[-1], outputs)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, members, features) → (n, outputs)."""
        return self.all(self.dropout(self.each(x).mean(1)))


class Dilated(nn.Module):
    """Causal convolutions along a signal, each with twice the stride of the one before."""

    def __init__(self, recipe: Recipe, outputs: int) -> None:
        super().__init__()
        channels, layers = 1, list[nn.Module]()
        for number, width in enumerate(recipe.hidden):
            reach = 2**number
            layers += [
                nn.ConstantPad1d((2 * reach, 0), 0.0),
                nn.Conv1d(channels, width, 3, dilation=reach),
                _ACTIVATIONS[recipe.activation](),
            ]
            channels = width
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(recipe.dropout)
        self.head = nn.Linear(channels, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, length) → (n, length, outputs)."""
        return self.head(self.dropout(self.features(x[:, None]).transpose(1, 2)))


class Normed(nn.Module):
    """A perceptron of many layers, a norm and a leaky rectifier after each; `norm` "batch" or "layer"."""

    shows_norms = True

    def __init__(self, recipe: Recipe, features: int, norm: str, outputs: int) -> None:
        super().__init__()
        layers = list[nn.Module]()
        for width in recipe.hidden:
            normed = nn.BatchNorm1d(width) if norm == "batch" else nn.LayerNorm(width)
            act = nn.LeakyReLU(0.1) if recipe.activation == "leaky" else None
            layers += [nn.Linear(features, width), normed, act or _ACTIVATIONS[recipe.activation]()]
            if recipe.dropout:
                layers.append(nn.Dropout(recipe.dropout))
            features = width
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(features, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, features) → (n, outputs)."""
        return self.head(self.layers(x))


class Factors(nn.Module):
    """A vector for each user and each item, and a number for how well each item is liked."""

    def __init__(self, recipe: Recipe, users: int, items: int) -> None:
        super().__init__()
        width = recipe.hidden[0]
        self.users, self.items = nn.Embedding(users, width), nn.Embedding(items, width)
        self.liked = nn.Embedding(items, 1)
        self.dropout = nn.Dropout(recipe.dropout)
        for table in (self.users, self.items, self.liked):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """User and two items, (n, 3) → how far the first item leads the second, (n, 1)."""
        user, pair = self.dropout(self.users(x[:, 0])), self.items(x[:, 1:])
        scores = (user[:, None] * pair).sum(2, keepdim=True) + self.liked(x[:, 1:])
        return scores[:, 0] - scores[:, 1]


Basis = Callable[[], tuple[NDArray[np.float64], NDArray[np.int64]]]


def tuned(recipe: Recipe, features: int, outputs: int, basis: Basis) -> nn.Module:
    """A perceptron whose hidden layers were trained on the samples of `basis`, with a new last layer."""
    net = mlp(recipe, features, outputs)
    mine = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    for layer, state in zip(mine, _learned(recipe.hidden, recipe.activation, basis), strict=False):
        layer.load_state_dict(state)
    return net


@cache
def _learned(
    hidden: tuple[int, ...], activation: str, basis: Basis
) -> list[dict[str, torch.Tensor]]:
    """The hidden layers of a perceptron after 15 epochs on other labels; the same in every process."""
    values, labels = basis()
    x, y = torch.from_numpy(values.astype(np.float32)), torch.from_numpy(labels)
    recipe = Recipe(
        train_size=len(y), val_size=0, batch_size=50, hidden=hidden, activation=activation
    )
    random = torch.get_rng_state()
    torch.manual_seed(0)
    net = mlp(recipe, x.shape[1], int(y.max()) + 1)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(15):
        for rows in torch.randperm(len(y)).split(recipe.batch_size):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
    torch.set_rng_state(random)
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    return [layer.state_dict() for layer in layers[:-1]]
