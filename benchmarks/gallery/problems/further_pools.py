"""Pools of samples for the latest problems: tables, rules on bits, curves, glyphs, arms and chains."""

from __future__ import annotations

import numpy as np

from benchmarks.gallery.problems import signals
from benchmarks.gallery.problems.pools import Pool
from benchmarks.gallery.recipe import Floats


def _standard(values: Floats) -> Floats:
    scaled: Floats = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)
    return scaled


def wine(noise: float) -> Pool:
    """Three kinds of wine by thirteen measurements, with noise on top."""
    from sklearn.datasets import load_wine

    x, y = load_wine(return_X_y=True)
    return _standard(x) + noise * np.random.default_rng(51).standard_normal(x.shape), y


def bent(n: int, noise: float) -> Pool:
    """A sheet bent like an S, in four parts along it."""
    from sklearn.datasets import make_s_curve

    x, along = make_s_curve(n, noise=noise, random_state=52)
    return _standard(x), np.searchsorted(np.quantile(along, [0.25, 0.5, 0.75]), along)


def folded(n: int, features: int, noise: float, scale: float) -> Pool:
    """The absolute value of a linear function of a few of many features, times `scale`."""
    from sklearn.datasets import make_regression

    x, y = make_regression(n, features, n_informative=5, random_state=53)
    y = np.abs(y / y.std()) + noise * np.random.default_rng(53).standard_normal(n)
    return x, scale * (y - y.mean()) / y.std()


def waveforms(n: int) -> Pool:
    """Breiman's waves: two of three triangles, mixed by chance, in noise; 21 features, three classes."""
    rng = np.random.default_rng(54)
    label, mixed, at = rng.integers(0, 3, n), rng.random((n, 1)), np.arange(21)
    triangles = np.stack([np.clip(6 - np.abs(at - peak), 0, None) for peak in (6, 14, 10)])
    pairs = np.array([(0, 1), (0, 2), (1, 2)])[label]
    x = mixed * triangles[pairs[:, 0]] + (1 - mixed) * triangles[pairs[:, 1]]
    return _standard(x + rng.standard_normal(x.shape)), label


def multiplexer(n: int, noise: float) -> Pool:
    """The one of four bits that two others point at, among three that mean nothing."""
    rng = np.random.default_rng(55)
    bits = rng.integers(0, 2, (n, 9))
    label = bits[np.arange(n), 2 + 2 * bits[:, 0] + bits[:, 1]]
    return 2.0 * bits - 1 + noise * rng.standard_normal(bits.shape), label


def tails(n: int, scale: float) -> Pool:
    """A smooth function of three features with errors of Student's, of three degrees of freedom."""
    rng = np.random.default_rng(56)
    x = rng.normal(0, 1, (n, 3))
    y = np.tanh(2 * x[:, 0]) + 0.6 * x[:, 1] * x[:, 2] + 0.15 * rng.standard_t(3, n)
    return x, scale * (y - y.mean()) / y.std()


def bands(n: int, noise: float) -> Pool:
    """Stripes across a plane in four dimensions, by their colour; three classes."""
    rng = np.random.default_rng(57)
    x = rng.normal(0, 1, (n, 4))
    across = 1.1 * x[:, 0] + 0.8 * x[:, 1] - 0.5 * x[:, 2]
    return x, np.floor(across + noise * rng.standard_normal(n) + 30).astype(int) % 3


def faint(n: int, features: int, noise: float, scale: float) -> Pool:
    """A linear function of all of the features, half of it noise."""
    rng = np.random.default_rng(64)
    x = rng.normal(0, 1, (n, features))
    y = x @ rng.normal(0, 1, features)
    y = y / y.std() + noise * rng.standard_normal(n)
    return x, scale * (y - y.mean()) / y.std()


def bessel(n: int, scale: float) -> Pool:
    """Ripples about a point in three dimensions, of standard deviation `scale`."""
    rng = np.random.default_rng(65)
    x = rng.uniform(-1.5, 1.5, (n, 3))
    far = 2.5 * np.sqrt((x**2).sum(1)) + 0.3
    y = np.sin(2 * far) / far + 0.05 * rng.standard_normal(n)
    return x, scale * (y - y.mean()) / y.std()


def currents(n: int, noise: float) -> Pool:
    """Friedman's second problem with its axes turned, in its own unit of hundreds of ohms."""
    from sklearn.datasets import make_friedman2

    x, y = make_friedman2(n, noise=noise, random_state=66)
    turned = _standard(x) @ np.linalg.qr(np.random.default_rng(66).normal(0, 1, (4, 4)))[0]
    return turned, y - y.mean()


def pinwheel(n: int, arms: int, noise: float) -> Pool:
    """Points in arms that bend about the centre, by their arm."""
    rng = np.random.default_rng(67)
    label, far = rng.integers(0, arms, n), 0.5 + 1.5 * rng.random(n)
    turn = 2 * np.pi * label / arms + 1.1 * far + noise * rng.standard_normal(n)
    return np.stack([far * np.cos(turn), far * np.sin(turn)], 1), label


def shells(n: int, features: int) -> Pool:
    """In which of four shells about the centre a point lies, with a twist by its first feature."""
    rng = np.random.default_rng(68)
    x = rng.normal(0, 1, (n, features))
    height = (x**2).sum(1) + 1.5 * np.sin(3 * x[:, 0])
    return x, np.searchsorted(np.quantile(height, [0.25, 0.5, 0.75]), height)


def votes(n: int, flip: float) -> Pool:
    """Whether most of eleven votes of unequal weight agree, some of them counted wrongly."""
    rng = np.random.default_rng(69)
    x = rng.choice([-1.0, 1.0], (n, 11)) + 0.4 * rng.standard_normal((n, 11))
    label = (x @ (1.0 + np.arange(11) / 5) * np.where(x[:, 0] > 0, 1.0, 0.6) > 0).astype(int)
    wrong = rng.random(n) < flip
    return x, np.where(wrong, 1 - label, label)


def glyphs(n: int, size: int, noise: float) -> Pool:
    """One of eight patterns of strokes, shifted a little; (n, size, size), eight classes."""
    rng = np.random.default_rng(58)
    inner = size - 3
    forms = (rng.random((8, inner, inner)) < 0.35).astype(float)
    label, x = rng.integers(0, 8, n), np.zeros((n, size, size))
    down, across = rng.integers(0, 4, (2, n))
    for at in range(n):
        x[at, down[at] : down[at] + inner, across[at] : across[at] + inner] = forms[label[at]]
    return x + noise * rng.standard_normal(x.shape), label


def pulses(n: int, length: int, noise: float) -> Pool:
    """How far apart two pulses lie in a noisy signal; (n, length), four classes."""
    rng = np.random.default_rng(59)
    label = rng.integers(0, 4, n)
    first = rng.integers(0, length - 6, n)
    x = noise * rng.standard_normal((n, length))
    x[np.arange(n), first] += 1.0
    x[np.arange(n), first + 2 + label] += 1.0
    return x, label


def arms(n: int, noise: float) -> Pool:
    """How far an arm of three joints reaches from a point, by its angles and lengths; standardised."""
    rng = np.random.default_rng(60)
    x = rng.uniform(-1, 1, (n, 6))
    turned = np.cumsum(1.5 * x[:, :3], axis=1)
    long = 1.0 + 0.4 * x[:, 3:]
    y = np.hypot((long * np.cos(turned)).sum(1) - 0.5, (long * np.sin(turned)).sum(1) - 1.0)
    y = _standard(y)
    return x, y + noise * rng.standard_normal(n)


def fields(n: int, size: int) -> Pool:
    """Smooth random landscapes of two waves each; (n, size, size), no classes."""
    rng = np.random.default_rng(61)
    down, across = np.mgrid[:size, :size] / size
    x = np.zeros((n, size, size))
    for _ in range(2):
        turns, phase = rng.uniform(-1.5, 1.5, (2, n, 1, 1)), rng.random((n, 1, 1))
        x += np.sin(2 * np.pi * (turns[0] * down + turns[1] * across + phase))
    return 0.4 * x + 0.08 * rng.standard_normal(x.shape), np.zeros(n)


def chains(n: int, length: int, symbols: int) -> signals.Pool:
    """Chains of symbols of which each depends on the two before it; the next of each; (n, length)."""
    rng = np.random.default_rng(62)
    likely = rng.dirichlet(np.full(symbols, 0.15), (symbols, symbols)).cumsum(axis=2)
    chain = np.zeros((n, length + 1), dtype=np.int64)
    chain[:, :2] = rng.integers(0, symbols, (n, 2))
    for at in range(2, length + 1):
        seen = likely[chain[:, at - 2], chain[:, at - 1]]
        chain[:, at] = np.minimum((rng.random((n, 1)) > seen).sum(1), symbols - 1)
    return chain[:, :-1], chain[:, 1:]


def highest(n: int, length: int) -> signals.Pool:
    """Numbers, and the highest of each and the two before it; (n, length) both, a few of them wrong."""
    rng = np.random.default_rng(63)
    x = rng.integers(0, 10, (n, length))
    y = x.copy()
    for back in (1, 2):
        y[:, back:] = np.maximum(y[:, back:], x[:, :-back])
    wrong = rng.random(y.shape) < 0.04
    return x, np.where(wrong, rng.integers(0, 10, y.shape), y)
