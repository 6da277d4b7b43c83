"""Small networks of the usual kinds."""

from __future__ import annotations

import torch
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
