"""Pools of samples of the problems of depth: tracks, beats, spectra, reactors, phrases, alloys, tides, hulls, ores."""

from __future__ import annotations

import numpy as np

from benchmarks.gallery.problems import signals
from benchmarks.gallery.problems.pools import Pool


def tracks(n: int, size: int, noise: float) -> Pool:
    """Which trace a particle left on a plate: straight, bent, forked, a ring or none; (n, size, size)."""
    rng = np.random.default_rng(101)
    label = rng.integers(0, 5, n)
    along = np.linspace(-1, 1, 12)
    x = noise * rng.standard_normal((n, size, size))
    turn, bend = rng.uniform(0, 2 * np.pi, n), rng.choice([-1, 1], n) * rng.uniform(0.5, 0.9, n)
    for at, kind in enumerate(label):
        across = {0: 0 * along, 1: bend[at] * (along**2 - 0.4), 2: bend[at] * np.maximum(along, 0)}
        points = np.stack([along, across.get(int(kind), 0 * along)])
        if kind == 2:
            points = np.concatenate([points, points * [[1], [-1]]], axis=1)
        if kind == 3:
            points = 0.6 * np.stack([np.cos(np.pi * along), np.sin(np.pi * along)])
        if kind == 4:
            continue
        sine, cosine = np.sin(turn[at]), np.cos(turn[at])
        rotated = np.array([[cosine, -sine], [sine, cosine]]) @ points
        rows = np.clip(np.round((rotated * 0.85 + 1) / 2 * (size - 1)).astype(int), 0, size - 1)
        x[at, rows[0], rows[1]] += 1.0
    return x, label


def beats(n: int, length: int, noise: float) -> Pool:
    """Which of four rhythms a signal has: even, dropped, doubled or swelling beats; (n, length)."""
    rng = np.random.default_rng(102)
    label = rng.integers(0, 4, n)
    phase, time = rng.integers(0, 4, (n, 1)), np.arange(length)
    beat = ((time + phase) % 4 == 0).astype(float)
    dropped = beat * ((time + phase) % 8 != 0)
    doubled = beat + 0.6 * ((time + phase) % 4 == 1)
    swelling = beat * (0.4 + 1.2 * time / length)
    x = np.stack([beat, dropped, doubled, swelling])[label, np.arange(n)]
    return x + noise * rng.standard_normal((n, length)), label


def spectra(n: int, channels: int) -> Pool:
    """Of which of seven gases a sample is, by lines that shift a little and are cut off when strong."""
    rng = np.random.default_rng(103)
    label, place = rng.integers(0, 7, n), np.arange(channels)
    lines = rng.uniform(0, channels, (7, 3))
    strength = rng.uniform(0.6, 1.4, (7, 3))
    shift = rng.normal(0, 0.6, (n, 1, 1))
    peaks = np.exp(-0.5 * ((place - lines[label][:, :, None] - shift) / 0.9) ** 2)
    dose = rng.uniform(0.5, 1.5, (n, 1))
    x = dose * (strength[label][:, :, None] * peaks).sum(1)
    x = np.minimum(x, 1.2) + 0.28 * rng.standard_normal((n, channels))
    return (x - x.mean(0)) / x.std(0), label


def reactors(n: int) -> Pool:
    """How much a reactor yields, by warmth, pressure, flow and four that count little; standardised."""
    rng = np.random.default_rng(104)
    x = rng.uniform(-1.7, 1.7, (n, 7))
    rate = np.exp(0.8 * x[:, 0]) / (1.0 + np.exp(1.5 * x[:, 0] - 1.0))
    y = rate * (1.5 + x[:, 1]) - 0.7 * np.sin(2.0 * x[:, 2] + x[:, 3]) + 0.3 * x[:, 4] * x[:, 5]
    y = y + 0.2 * rng.standard_normal(n)
    return x, (y - y.mean()) / y.std()


def phrases(n: int, words: int, length: int) -> signals.Pool:
    """Phrases in which a word goes by the one before it, or stands two after its pair; (n, length) both."""
    rng = np.random.default_rng(105)
    follows = rng.dirichlet(np.full(words, 0.12), words).cumsum(1)
    drawn = np.zeros((n, length + 1), dtype=np.int64)
    drawn[:, :2] = rng.integers(0, words, (n, 2))
    for at in range(2, length + 1):
        free = np.minimum((rng.random((n, 1)) > follows[drawn[:, at - 1]]).sum(1), words - 1)
        paired = (drawn[:, at - 2] + 5) % words
        drawn[:, at] = np.where(drawn[:, at - 2] < 4, paired, free)
    return drawn[:, :-1], drawn[:, 1:]


def alloys(n: int) -> Pool:
    """In which of five states an alloy is, by what is in it and how it was cooled; (n, 8)."""
    rng = np.random.default_rng(106)
    x = rng.normal(0, 1, (n, 8))
    hard = x[:, 0] + 0.7 * np.tanh(2.0 * x[:, 1] * x[:, 2]) + 0.6 * np.abs(x[:, 3])
    hard = hard + 0.15 * rng.standard_normal(n)
    return x, np.searchsorted(np.quantile(hard, [0.2, 0.4, 0.6, 0.8]), hard)


def tides(n: int) -> Pool:
    """How high the water stands, by the places of sun and moon, wind and pressure; standardised, (n, 9)."""
    rng = np.random.default_rng(107)
    angle = rng.uniform(0, 2 * np.pi, (n, 3))
    weather = rng.normal(0, 1, (n, 3))
    moon = np.cos(angle[:, 0]) * (1.0 + 0.5 * np.cos(angle[:, 1]))
    y = moon + 0.5 * np.cos(2 * angle[:, 2]) + 0.5 * weather[:, 0] * np.sin(angle[:, 1])
    y = y - 0.3 * np.abs(weather[:, 1]) + 0.1 * rng.standard_normal(n)
    x = np.concatenate([np.sin(angle), np.cos(angle), weather], axis=1)
    return x, (y - y.mean()) / y.std()


def hulls(n: int, features: int) -> Pool:
    """What shape a ship's hull has, by echoes of it: round, sharp or flat, each at any speed; (n, features)."""
    rng = np.random.default_rng(108)
    label, speed = rng.integers(0, 3, n), rng.uniform(0.5, 1.5, (n, 1))
    place = np.linspace(0, 3, features)
    waves = np.stack(
        [np.sin(place * speed * 2), np.sin(place * speed * 2) ** 3, np.cos(place / speed)]
    )
    x = waves[label, np.arange(n)] * speed + 0.35 * rng.standard_normal((n, features))
    return (x - x.mean(0)) / x.std(0), label


def ores(n: int) -> Pool:
    """How much metal rocks hold, in grams a ton, by eight measurements of which some are cut off; skewed."""
    rng = np.random.default_rng(109)
    x = np.minimum(rng.normal(0, 1, (n, 8)), 1.5)
    rich = (
        0.5 * x[:, 0] - 0.4 * x[:, 1] * x[:, 2] + 0.3 * np.sin(2 * x[:, 3]) + 0.2 * np.abs(x[:, 4])
    )
    y = 4.0 * np.exp(0.6 * rich) + 0.4 * rng.standard_normal(n)
    return x, y
