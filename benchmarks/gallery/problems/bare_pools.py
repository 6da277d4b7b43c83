"""Pools of samples of the bare problems: grades, leavers, prices, signs, strokes and cloth."""

from __future__ import annotations

import numpy as np

from benchmarks.gallery.problems.pools import Pool


def grades(n: int, noise: float) -> Pool:
    """Which of five grades a paper gets, by fourteen marks that say so roughly; (n, 14)."""
    rng = np.random.default_rng(101)
    x = rng.normal(0, 1, (n, 14))
    worth = x[:, 0] + np.maximum(x[:, 1], x[:, 2]) + 0.8 * x[:, 3] * x[:, 4]
    worth += 0.6 * np.sin(2.0 * x[:, 5]) + noise * rng.standard_normal(n)
    return x, np.searchsorted(np.quantile(worth, (0.15, 0.4, 0.65, 0.88)), worth)


def leavers(n: int) -> Pool:
    """Whether a customer leaves, a third of them do: two choices of several as ones, and six numbers; (n, 16)."""
    rng = np.random.default_rng(102)
    plan, region, numbers = rng.integers(0, 6, n), rng.integers(0, 4, n), rng.normal(0, 1, (n, 6))
    by_plan = np.array([1.2, -0.4, 0.3, -1.5, 0.6, -0.2])[plan]
    sign = np.where(region % 2, 1.0, -1.0)
    logit = by_plan + 1.6 * sign * numbers[:, 0] + 1.3 * np.abs(numbers[:, 1]) - 2.0
    logit += 0.9 * numbers[:, 2] * (plan < 3) - 0.5 * numbers[:, 3]
    left = rng.random(n) < 1.0 / (1.0 + np.exp(-1.5 * logit))
    x = np.concatenate([np.eye(6)[plan], np.eye(4)[region], numbers], axis=1)
    return x, left.astype(np.int64)


def prices(n: int, noise: float) -> Pool:
    """What a flat costs, in hundreds of thousands, by where it is, its area, its age and its floor; (n, 8)."""
    rng = np.random.default_rng(103)
    x = rng.normal(0, 1, (n, 8))
    centres, worth = rng.normal(0, 1.2, (5, 2)), rng.uniform(-0.5, 0.9, 5)
    near = np.exp(-1.5 * ((x[:, None, :2] - centres) ** 2).sum(2))
    log = 0.5 + near @ worth + 0.35 * x[:, 2] - 0.15 * x[:, 3] ** 2 + 0.1 * x[:, 4] * x[:, 2]
    return x, np.exp(log + noise * rng.standard_normal(n))


def signs(n: int, size: int, noise: float) -> Pool:
    """Which of twelve signs was drawn, somewhat aside; (n, size, size)."""
    rng = np.random.default_rng(104)
    forms = (rng.random((12, size, size)) < 0.3) * 1.0
    forms = forms + 0.6 * np.roll(forms, 1, 1) + 0.6 * np.roll(forms, 1, 2)
    label, moved = rng.integers(0, 12, n), rng.integers(-1, 2, (n, 2))
    x = np.stack([np.roll(forms[kind], by, (0, 1)) for kind, by in zip(label, moved, strict=True)])
    return x - x.mean() + noise * rng.standard_normal(x.shape), label


def strokes(n: int, length: int, noise: float) -> Pool:
    """Which of six strokes a pen made, by its height at each moment, begun a little late; (n, length)."""
    rng = np.random.default_rng(105)
    forms = np.cumsum(rng.normal(0, 1, (6, length + 3)), axis=1)
    forms = (forms - forms.mean(axis=1, keepdims=True)) / forms.std(axis=1, keepdims=True)
    label, late = rng.integers(0, 6, n), rng.integers(0, 4, n)
    x = forms[label[:, None], late[:, None] + np.arange(length)]
    return x * rng.uniform(0.6, 1.4, (n, 1)) + noise * rng.standard_normal((n, length)), label


def cloths(n: int, noise: float) -> Pool:
    """Of which of eight weaves a piece of cloth is, eight threads each way; (n, 8, 8)."""
    rng = np.random.default_rng(106)
    row, column = np.mgrid[0:8, 0:8]
    waves = [
        np.cos(2 * np.pi * (a * row + b * column) / 8)
        for a, b in ((0, 1), (1, 0), (1, 1), (1, 7), (0, 2), (2, 0), (2, 1), (1, 2))
    ]
    label = rng.integers(0, 8, n)
    other = (label + rng.integers(1, 8, n)) % 8
    turned = np.where(rng.random(n) < 0.5, 1.0, -1.0)[:, None, None]
    x = turned * np.stack(waves)[label] + 0.6 * np.stack(waves)[other]
    return x + noise * rng.standard_normal(x.shape), label


def meals(n: int) -> Pool:
    """Which of eight dishes is ordered, by ten tastes of the guest that overlap; (n, 10)."""
    rng = np.random.default_rng(107)
    centres = rng.normal(0, 1.0, (16, 10))
    kind = rng.integers(0, 16, n)
    return 0.8 * centres[kind] + rng.standard_normal((n, 10)), kind % 8


def fuel(n: int, noise: float) -> Pool:
    """How far a car goes on a litre, in units that nobody scaled, by weight, power, year and where it was made; (n, 9)."""
    rng = np.random.default_rng(108)
    x, made = rng.normal(0, 1, (n, 6)), rng.integers(0, 3, n)
    far = 24.0 - 5.0 * np.tanh(x[:, 0]) - 2.5 * x[:, 1] + 2.0 * x[:, 2] * (made - 1)
    far += 1.5 * x[:, 3] ** 2 - 1.0 * x[:, 0] * x[:, 4]
    return np.concatenate([x, np.eye(3)[made]], axis=1), far + noise * rng.standard_normal(n)


def moods(n: int, noise: float) -> Pool:
    """Which of four moods a voice has, by how twenty of its measures go together; (n, 20)."""
    rng = np.random.default_rng(109)
    turns = np.linalg.qr(rng.normal(0, 1, (20, 20)))[0]
    label, x = rng.integers(0, 4, n), rng.normal(0, 1, (n, 20))
    x[:, 0] += np.array([-1.2, -1.2, 1.2, 1.2])[label]
    x[:, 1] += np.where(label % 2, 1.0, -1.0) * (1.0 + np.abs(x[:, 2]))
    x[:, 3] *= np.where(label == 1, 2.0, 0.7)
    return x @ turns + noise * rng.standard_normal((n, 20)), label
