"""Pools of samples of the problems that are looked at from the inside: skewed classes, tags, claims, glass."""

from __future__ import annotations

import numpy as np

from benchmarks.gallery.problems.pools import Pool


def skews(n: int, features: int) -> Pool:
    """Six classes, each half as common as the one before, each a bent cloud; (n, features)."""
    rng = np.random.default_rng(91)
    shares = 0.6 ** np.arange(6)
    label = rng.choice(6, n, p=shares / shares.sum())
    centres, bends = rng.normal(0, 0.55, (6, features)), rng.normal(0, 0.35, (6, features))
    along = rng.normal(0, 1, (n, 1))
    x = centres[label] + bends[label] * (along**2 - 1.0) + rng.standard_normal((n, features))
    return x, label


def tags(n: int, features: int, labels: int) -> Pool:
    """Which of several tags hold of a text, by what it is about; (n, features), (n, labels) of 0 and 1."""
    rng = np.random.default_rng(92)
    about = rng.normal(0, 1, (n, 4))
    x = np.tanh(about @ rng.normal(0, 1, (4, features))) + 0.3 * rng.standard_normal((n, features))
    odds = 1.6 * np.sin(about @ rng.normal(0, 0.8, (4, labels))) - rng.uniform(0.2, 1.2, labels)
    return x, (odds + 0.25 * rng.logistic(size=(n, labels)) > 0).astype(float)


def claims(n: int) -> Pool:
    """What an insurance pays for damage, in hundreds: most of it little, some of it very much."""
    rng = np.random.default_rng(93)
    x = rng.normal(0, 1, (n, 6))
    size = 0.8 * x[:, 0] + 0.5 * np.sin(2 * x[:, 1]) * x[:, 2] + 0.3 * np.abs(x[:, 3])
    y = np.exp(0.9 * size) + 0.25 * rng.standard_t(3, n)
    return x, y - y.mean()


def glass(n: int, features: int) -> Pool:
    """Of which of seven kinds a piece of glass is, by what it is made of; some kinds are rare."""
    rng = np.random.default_rng(94)
    label = rng.choice(7, n, p=np.array([30, 25, 15, 10, 10, 6, 4]) / 100)
    mixed = rng.dirichlet(np.full(features, 1.5), 14)[2 * label + rng.integers(0, 2, n)]
    x = np.log(mixed + 0.02) + 0.45 * rng.standard_normal((n, features))
    return x - x.mean(0), label


def plates(n: int, features: int, classes: int) -> Pool:
    """Which of several signs a plate shows, by strokes that are turned and partly worn off; (n, features)."""
    rng = np.random.default_rng(95)
    label, forms = rng.integers(0, classes, n), rng.normal(0, 1, (classes, 2, features))
    turned = rng.uniform(-0.8, 0.8, (n, 1))
    x = np.cos(turned) * forms[label, 0] + np.sin(turned) * forms[label, 1]
    return x * (rng.random(x.shape) > 0.25) + 0.9 * rng.standard_normal(x.shape), label


def doses(n: int) -> Pool:
    """How much of a drug is left in the blood, by dose, time, weight and two that mean nothing."""
    rng = np.random.default_rng(96)
    x = rng.uniform(-1, 1, (n, 5))
    taken, hours = 2.0 + x[:, 0], 3.0 + 3.0 * x[:, 1]
    left = taken * (np.exp(-0.3 * hours * (1.2 - 0.5 * x[:, 2])) - np.exp(-2.0 * hours))
    y = left * np.exp(0.15 * rng.standard_normal(n))
    return x, (y - y.mean()) / y.std()
