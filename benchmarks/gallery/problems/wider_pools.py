"""Pools of samples for the problems that only calibrate: points, rules on bits, signals, images."""

from __future__ import annotations

import numpy as np

from benchmarks.gallery.problems import signals
from benchmarks.gallery.problems.pools import Pool
from benchmarks.gallery.recipe import Floats


def _standard(values: Floats) -> Floats:
    scaled: Floats = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)
    return scaled


def circles(n: int, noise: float) -> Pool:
    """Two rings around each other."""
    from sklearn.datasets import make_circles

    return make_circles(n, noise=noise, factor=0.6, random_state=31)  # type: ignore[no-any-return]


def blobs(n: int, features: int, classes: int, spread: float) -> Pool:
    """Round clusters that overlap, as many as classes."""
    from sklearn.datasets import make_blobs

    x, y = make_blobs(n, features, centers=classes, cluster_std=spread, random_state=32)
    return _standard(x), y


def parity(n: int, bits: int, counted: int, noise: float) -> Pool:
    """Whether an even number of the first `counted` bits is set; noisy bits of -1 and 1."""
    rng = np.random.default_rng(33)
    x = rng.choice([-1.0, 1.0], (n, bits))
    label = (x[:, :counted] > 0).sum(1) % 2
    return x + noise * rng.standard_normal(x.shape), label


def roll(n: int, noise: float) -> Pool:
    """The turns of a rolled sheet in five parts along it."""
    from sklearn.datasets import make_swiss_roll

    x, along = make_swiss_roll(n, noise=noise, random_state=34)
    cuts = np.quantile(along, [0.2, 0.4, 0.6, 0.8])
    return _standard(x), np.searchsorted(cuts, along)


def arctan(n: int, noise: float, scale: float) -> Pool:
    """Friedman's third regression problem, its target standardised, times `scale`."""
    from sklearn.datasets import make_friedman3

    x, y = make_friedman3(n, noise=noise, random_state=35)
    return _standard(x), scale * (y - y.mean()) / y.std()


def sparse(n: int, noise: float, scale: float) -> Pool:
    """A linear function of four of ten features, and much noise."""
    from sklearn.datasets import make_sparse_uncorrelated

    x, y = make_sparse_uncorrelated(n, 10, random_state=36)
    y = y / y.std() + noise * np.random.default_rng(36).standard_normal(n)
    return x, scale * (y - y.mean()) / y.std()


def wells(n: int, features: int) -> Pool:
    """In which of three wells a ball comes to rest that starts at random, by its state."""
    rng = np.random.default_rng(37)
    x = rng.normal(0, 1, (n, features))
    height = np.sin(2.2 * x[:, 0]) + 0.8 * np.cos(1.7 * x[:, 1] + x[:, 2]) + 0.3 * x[:, 3]
    height = height + 0.1 * rng.standard_normal(n)
    return x, np.searchsorted(np.quantile(height, [1 / 3, 2 / 3]), height)


def counts(n: int, size: int, noise: float) -> Pool:
    """Images of one to four soft spots; (n, size, size), four classes."""
    rng = np.random.default_rng(38)
    label, grid = rng.integers(0, 4, n), np.arange(size)
    x = np.zeros((n, size, size))
    for at in range(n):
        for _ in range(label[at] + 1):
            row, column = rng.uniform(1, size - 2, 2)
            far = (grid - row)[:, None] ** 2 + (grid - column)[None, :] ** 2
            x[at] += np.exp(-far / 2)
    return x + noise * rng.standard_normal(x.shape), label


def chirps(n: int, length: int, noise: float) -> Pool:
    """Noisy waves that get faster, slower, louder, or fainter, or stay; (n, length), five classes."""
    rng = np.random.default_rng(39)
    label, time = rng.integers(0, 5, n), np.arange(length) / length
    pace = np.array([1.0, -0.6, 0.0, 0.0, 0.0])[label][:, None]
    swell = np.array([0.0, 0.0, 1.6, -0.8, 0.0])[label][:, None]
    start = rng.uniform(2.0, 3.0, n)[:, None]
    phase = 2 * np.pi * (start * (time + pace * time**2) + rng.random(n)[:, None])
    x = np.sin(phase) * (1 + swell * time) / np.sqrt(1 + swell / 2)
    return x + noise * rng.standard_normal(x.shape), label


def springs(n: int, noise: float) -> Pool:
    """Where a damped spring is after a time, by its start, stiffness, damping and that time."""
    rng = np.random.default_rng(40)
    x = rng.uniform(-1, 1, (n, 5))
    stiff, damping, time = 4 + 3 * x[:, 2], 0.6 + 0.5 * x[:, 3], 1.5 + 1.2 * x[:, 4]
    turns = np.sqrt(stiff) * time
    y = np.exp(-damping * time) * (x[:, 0] * np.cos(turns) + x[:, 1] * np.sin(turns))
    y = _standard(y)
    return x, y + noise * rng.standard_normal(n)


def sums(n: int, length: int) -> signals.Pool:
    """Digits and the last digit of their sum so far; (n, length) both, with some wrong ones."""
    rng = np.random.default_rng(41)
    x = rng.integers(0, 8, (n, length))
    y = (x + np.roll(x, 1, axis=1) * (np.arange(length) > 0)) % 8
    wrong = rng.random(y.shape) < 0.05
    return x, np.where(wrong, rng.integers(0, 8, y.shape), y)
