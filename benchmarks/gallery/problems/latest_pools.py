"""Pools of samples of the problems that came last: votes of pairs, many classes, yields, scores, tones, tiles."""

from __future__ import annotations

import numpy as np

from benchmarks.gallery.problems import signals
from benchmarks.gallery.problems.pools import Pool


def pairs(n: int, noise: float) -> Pool:
    """Whether two points of a plane lie on the same side of a wave; (n, 4), two classes."""
    rng = np.random.default_rng(71)
    x = rng.normal(0, 1, (n, 4))
    sides = x[:, 1::2] > 0.8 * np.sin(1.5 * x[:, ::2])
    return x + noise * rng.standard_normal(x.shape), (sides[:, 0] == sides[:, 1]).astype(int)


def crowds(n: int, features: int, classes: int) -> Pool:
    """Two clouds for each of many classes, stretched differently along the axes."""
    rng = np.random.default_rng(72)
    centres = 1.1 * rng.standard_normal((2 * classes, features))
    widths = rng.uniform(0.4, 1.0, (2 * classes, features))
    cloud = rng.integers(0, 2 * classes, n)
    return centres[cloud] + widths[cloud] * rng.standard_normal((n, features)), cloud % classes


def yields(n: int, noise: float) -> Pool:
    """What a field bears, in kilograms, by rain, warmth and three that hardly matter."""
    rng = np.random.default_rng(73)
    x = rng.uniform(-1, 1, (n, 5))
    rain, warmth = x[:, 0], x[:, 1]
    best = np.exp(-2.0 * (rain - 0.4 * warmth) ** 2) * (1.0 + 0.5 * warmth) + 0.1 * x[:, 2]
    y = 300.0 * (best + noise * rng.standard_normal(n))
    return x, y - y.mean()


def scores(n: int) -> Pool:
    """Whether a loan is paid back, which its ten figures tell hardly better than in three of four cases."""
    rng = np.random.default_rng(74)
    x = rng.normal(0, 1, (n, 10))
    odds = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.8 * np.maximum(x[:, 2], 0) * x[:, 3] + 0.5
    return x, (rng.random(n) < 1.0 / (1.0 + np.exp(-odds))).astype(int)


def tones(n: int, length: int, noise: float) -> Pool:
    """Which of six chords of two tones sounds in a noisy signal; (n, length)."""
    rng = np.random.default_rng(75)
    chords = np.array([(2, 3), (2, 5), (3, 4), (3, 7), (4, 5), (5, 7)])
    label, at = rng.integers(0, 6, n), np.arange(length) / length
    phases = rng.uniform(0, 0.35, (n, 2, 1))
    x = np.sin(2 * np.pi * (chords[label][:, :, None] * at + phases)).sum(1)
    return x + noise * rng.standard_normal(x.shape), label


def tiles(n: int, size: int, noise: float) -> Pool:
    """How two bright tiles lie to each other: beside, above, across or the same, some told wrongly; (n, size, size)."""
    rng = np.random.default_rng(76)
    many, x = size // 2, noise * rng.standard_normal((n, size, size))
    label = rng.integers(0, 4, n)
    for at, kind in enumerate(label):
        down, across = rng.integers(0, many - 1, 2)
        other = {0: (down, across + 1), 1: (down + 1, across), 2: (down + 1, across + 1)}
        for row, column in ((down, across), other.get(int(kind), (down, across))):
            x[at, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] += 1.0
    return x, np.where(rng.random(n) < 0.06, rng.integers(0, 4, n), label)


def spreads(n: int, members: int) -> Pool:
    """The logarithm of how far the points of a set lie apart, some measured wrongly; (n, members, 3)."""
    rng = np.random.default_rng(77)
    wide, middle = rng.uniform(0.3, 2.0, (n, 1, 1)), rng.normal(0, 1, (n, 1, 3))
    x = middle + wide * rng.standard_normal((n, members, 3))
    y = np.log(x.std(axis=1).mean(axis=1)) + np.where(rng.random(n) < 0.05, 2.0, 0.0)
    return x, (y - y.mean()) / y.std()


def trends(n: int, length: int, noise: float) -> signals.Pool:
    """Whether a noisy walk rose, fell or stayed over its last four steps; (n, length) both."""
    rng = np.random.default_rng(78)
    steps = np.repeat(rng.choice([-0.5, 0.0, 0.5], (n, length // 4 + 1)), 4, axis=1)[:, :length]
    walk = np.cumsum(steps, axis=1)
    moved = walk - np.concatenate([np.zeros((n, 4)), walk[:, :-4]], axis=1)
    label = (moved > 0.6).astype(int) + 2 * (moved < -0.6).astype(int)
    x = np.diff(walk, axis=1, prepend=0.0) + noise * rng.standard_normal(walk.shape)
    return x, label


def knots(n: int, noise: float) -> Pool:
    """In which of four parts a wavy function of six features lies, with noise on top."""
    rng = np.random.default_rng(81)
    x = rng.normal(0, 1, (n, 6))
    height = np.sin(1.5 * x[:, 0]) + 0.7 * x[:, 1] * np.tanh(x[:, 2]) + 0.5 * x[:, 3]
    height += noise * rng.standard_normal(n)
    return x, np.searchsorted(np.quantile(height, [0.25, 0.5, 0.75]), height)


def rents(n: int, noise: float) -> Pool:
    """What flats cost a month, by size, age, height and two that mean little; dear ones vary more."""
    rng = np.random.default_rng(82)
    x = rng.uniform(-1, 1, (n, 5))
    size, age = 1.5 + x[:, 0], 1.0 + x[:, 1]
    y = 400.0 * size**1.3 * (1.0 + 0.3 * np.cos(2.0 * age)) + 60.0 * x[:, 2] * size
    y *= 1.0 + noise * rng.standard_normal(n)
    return x, y - y.mean()


def letters(n: int, dots: int, flip: float) -> Pool:
    """Which of 26 patterns of dots is shown, some of its dots flipped."""
    rng = np.random.default_rng(83)
    forms = rng.choice([-1.0, 1.0], (26, dots))
    label = rng.integers(0, 26, n)
    return forms[label] * np.where(rng.random((n, dots)) < flip, -1.0, 1.0), label


def walls(n: int, noise: float) -> Pool:
    """How far a ray in a room of two pillars goes, by where it begins and whither it goes; standardised."""
    rng = np.random.default_rng(84)
    x = rng.uniform(-1, 1, (n, 3))
    turned = np.pi * x[:, 2]
    down, across = np.cos(turned), np.sin(turned)
    far = np.minimum(
        (np.sign(down) - x[:, 0]) / (down + 1e-3 * np.sign(down)),
        (np.sign(across) - x[:, 1]) / (across + 1e-3 * np.sign(across)),
    )
    y = np.log(np.clip(far, 0.02, 4.0)) + noise * rng.standard_normal(n)
    return x, (y - y.mean()) / y.std()


def weaves(n: int, size: int, noise: float) -> Pool:
    """Which of five weaves a noisy piece of cloth has; (n, size, size)."""
    rng = np.random.default_rng(85)
    down, across = np.mgrid[:size, :size]
    weaves = np.stack(
        [down % 2, across % 2, (down + across) % 2, (down + across) % 4 < 2, down % 4 < 2]
    )
    label = rng.integers(0, 5, n)
    x = np.stack([np.roll(weaves[kind], rng.integers(0, 4, 2), (0, 1)) - 0.5 for kind in label])
    return x + noise * rng.standard_normal(x.shape), label
