"""Pools of images, signals and texts that are made or come with Python."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np

from benchmarks.gallery.recipe import Floats

Pool = tuple[Floats, Any]


def shapes(n: int, size: int, noise: float) -> Pool:
    """Noisy images of a disc, a ring, a square, a cross and a bar; (n, size, size)."""
    rng = np.random.default_rng(21)
    label = rng.integers(0, 5, n)
    grid = np.arange(size)
    x = np.zeros((n, size, size))
    for at in range(n):
        row, column = rng.uniform(0.35 * size, 0.65 * size, 2)
        radius = rng.uniform(0.2 * size, 0.33 * size)
        down, across = np.abs(grid - row)[:, None], np.abs(grid - column)[None, :]
        far, box = np.hypot(down, across), np.maximum(down, across)
        x[at] = (
            far <= radius,
            (far <= radius) & (far > 0.55 * radius),
            box <= 0.85 * radius,
            (np.minimum(down, across) < 0.35 * radius) & (box <= radius),
            (down < 0.4 * radius) & (across <= 1.2 * radius),
        )[label[at]]
    return x + noise * rng.standard_normal(x.shape), label


def gratings(n: int, size: int, noise: float) -> Pool:
    """Noisy gratings of three directions and two widths; (n, size, size), six classes."""
    rng = np.random.default_rng(22)
    label = rng.integers(0, 6, n)
    angle = (label % 3) * np.pi / 3 + rng.normal(0, 0.12, n)
    wave = np.where(label < 3, 0.9, 1.6) + rng.normal(0, 0.1, n)
    down, across = np.mgrid[:size, :size]
    along = (np.cos(angle)[:, None, None] * down + np.sin(angle)[:, None, None] * across) * wave[
        :, None, None
    ]
    x = np.sin(along + rng.uniform(0, 2 * np.pi, n)[:, None, None])
    return x + noise * rng.standard_normal(x.shape), label


def bumps(n: int, size: int) -> Pool:
    """Images of one soft bump somewhere, of some width; (n, size, size), no classes."""
    rng = np.random.default_rng(23)
    grid = np.arange(size)
    row, column = rng.uniform(1, size - 1, (2, n))
    width = rng.uniform(1.0, 2.5, n)[:, None, None]
    down = (grid[None, :] - row[:, None])[:, :, None]
    across = (grid[None, :] - column[:, None])[:, None, :]
    x = np.exp(-(down**2 + across**2) / (2 * width**2))
    return x + 0.05 * rng.standard_normal(x.shape), np.zeros(n)


def digit_images(first: int, last: int) -> Pool:
    """Images of digits with values of 0 … 1; (n, 64), no classes."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    kept = (y >= first) & (y <= last)
    return x[kept] / 16.0, np.zeros(int(kept.sum()))


def waves(n: int, length: int, noise: float) -> Pool:
    """Noisy sine, square, saw-tooth and triangle waves; (n, length), four classes."""
    rng = np.random.default_rng(24)
    label = rng.integers(0, 4, n)
    turns = rng.uniform(1.5, 3.0, n)[:, None] * np.arange(length) / length
    turns = turns + rng.random(n)[:, None]
    part = turns % 1.0
    forms = np.stack(
        [
            np.sin(2 * np.pi * turns),
            np.where(part < 0.5, 1.0, -1.0),
            2 * part - 1,
            4 * np.abs(part - 0.5) - 1,
        ]
    )
    x = forms[label, np.arange(n)]
    return x + noise * rng.standard_normal(x.shape), label


def ripples(n: int, scale: float, noise: float) -> Pool:
    """A sum of waves over four inputs, of standard deviation `scale`."""
    rng = np.random.default_rng(25)
    x = rng.uniform(-2, 2, (n, 4))
    y = np.sin(2 * x[:, 0]) + 0.7 * np.cos(3 * x[:, 1]) * x[:, 2] + 0.5 * np.abs(x[:, 3])
    y = y + noise * rng.standard_normal(n)
    return x, scale * (y - y.mean()) / y.std()


def hastie(n: int, flip: float) -> Pool:
    """Whether ten Gaussian features have more than the usual sum of squares."""
    from sklearn.datasets import make_hastie_10_2

    x, y = make_hastie_10_2(n, random_state=26)
    label = (y > 0).astype(int)
    wrong = np.random.default_rng(26).random(n) < flip
    return x, np.where(wrong, 1 - label, label)


def boards(n: int, noise: float) -> Pool:
    """Cells of a board of three by three in five dimensions, by their colour; three classes."""
    rng = np.random.default_rng(27)
    x = rng.uniform(-1.5, 1.5, (n, 5))
    label = (np.floor(x[:, 0] + 1.5) + np.floor(x[:, 1] + 1.5)).astype(int) % 3
    return x + noise * rng.standard_normal(x.shape), label


def text(*modules: str, attribute: str = "", length: int = 32) -> Pool:
    """Windows of characters and the characters that follow each; (n, length) both, as integers.

    The text is the source of modules, or the values of a dictionary `attribute` in them. What is
    not printable ASCII, or has a code of its own only now and then, becomes a blank.
    """
    parts = []
    for name in modules:
        module = importlib.import_module(name)
        parts.append(
            "\n".join(getattr(module, attribute).values())
            if attribute
            else inspect.getsource(module)
        )
    codes = np.frombuffer("\n".join(parts).encode("ascii", "replace"), dtype=np.uint8)
    printable = (codes >= 32) & (codes < 127)
    numbers: Any = np.where(printable, codes.astype(np.int64) - 31, 0)
    n = (len(codes) - 1) // length
    return numbers[: n * length].reshape(n, length), numbers[1 : n * length + 1].reshape(n, length)


VOCABULARY = 96
