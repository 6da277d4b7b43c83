"""Pools of samples of the problems of everyday practice: warmth, topics, tastes and stamps."""

from __future__ import annotations

import numpy as np

from benchmarks.gallery.problems.pools import Pool


def kelvins(n: int, noise: float) -> Pool:
    """How warm it is, in kelvins, by six measurements: far from zero, and hardly varying beside that."""
    rng = np.random.default_rng(91)
    x = rng.normal(0, 1, (n, 6))
    season = 9.0 * np.sin(1.2 * x[:, 0]) + 4.0 * x[:, 1] * x[:, 2]
    y = 285.0 + season - 3.0 * np.abs(x[:, 3]) + noise * rng.standard_normal(n)
    return x, y


def fine_topics(n: int, words: int) -> Pool:
    """Of which of twelve topics a text is, by how often it uses each word; (n, words)."""
    return _texts(np.random.default_rng(92), n, words)


def topics(n: int, words: int) -> Pool:
    """Which of three readers likes a text, who go by its topic, some by chance; (n, words)."""
    rng = np.random.default_rng(93)
    x, topic = _texts(rng, n, words)
    readers = np.array([0, 1, 2, 0, 2, 1, 1, 0, 2, 2, 1, 0])
    return x, np.where(rng.random(n) < 0.06, rng.integers(0, 3, n), readers[topic])


def _texts(rng: np.random.Generator, n: int, words: int) -> Pool:
    """Texts of two kinds within each of twelve topics, and their topics."""
    kinds = np.random.default_rng(94).normal(0, 1, (24, words))
    kind = rng.integers(0, 24, n)
    return 0.8 * kinds[kind] + 1.1 * rng.standard_normal((n, words)), kind % 12


def tastes(n: int, users: int, items: int) -> Pool:
    """Users, of two items the one that each preferred, and the other; (n, 3), the targets mean nothing."""
    rng = np.random.default_rng(95)
    user, item = rng.normal(0, 1, (users, 3)), rng.normal(0, 1, (items, 3))
    liked = 0.7 * rng.normal(0, 1, items)
    who = rng.integers(0, users, n)
    one = rng.integers(0, items, n)
    other = (one + rng.integers(1, items, n)) % items
    lead = ((user[who] * (item[one] - item[other])).sum(1) + liked[one] - liked[other]) * 1.5
    first = rng.random(n) < 1.0 / (1.0 + np.exp(-lead))
    x = np.stack([who, np.where(first, one, other), np.where(first, other, one)], axis=1)
    return x, np.zeros(n)


def stamps(n: int, size: int, noise: float) -> Pool:
    """Which of ten blurred stamps was put, somewhat aside and with too little ink; (n, size * size)."""
    rng = np.random.default_rng(96)
    forms = rng.normal(0, 1, (10, size, size))
    forms = forms + np.roll(forms, 1, 1) + np.roll(forms, 1, 2)
    label = rng.integers(0, 10, n)
    moved = rng.integers(-1, 2, (n, 2))
    x = np.stack([np.roll(forms[kind], by, (0, 1)) for kind, by in zip(label, moved, strict=True)])
    x = 0.5 * rng.uniform(0.5, 1.0, (n, 1, 1)) * x + noise * rng.standard_normal(x.shape)
    return x.reshape(n, -1), label


def queues(n: int, noise: float) -> Pool:
    """At which of four counters one is served first, by the length and pace of each queue; (n, 8)."""
    rng = np.random.default_rng(97)
    long, pace = rng.uniform(0, 6, (n, 4)), rng.uniform(0.5, 2.0, (n, 4))
    waits = long / pace + noise * rng.standard_normal((n, 4))
    x = np.concatenate([(long - 3.0) / 2.0, (pace - 1.25) / 0.45], axis=1)
    return x, waits.argmin(axis=1)


def drafts(n: int, features: int, noise: float) -> Pool:
    """How strongly air is drawn through a house, by what stands open; standardised, (n, features)."""
    rng = np.random.default_rng(98)
    x = rng.normal(0, 1, (n, features))
    along = np.tanh(x[:, 0] * x[:, 1]) + np.maximum(x[:, 2], x[:, 3])
    y = along * np.cos(0.8 * x[:, 4]) + noise * rng.standard_normal(n)
    return x, (y - y.mean()) / y.std()
