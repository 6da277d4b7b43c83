"""What the tasks learn from: small data sets, the same at every call."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.advisor.layers import Array
from benchmarks.advisor.training import Data

_TEXT = Path(__file__).resolve().parents[2] / "LICENSE"
_TIMES = 8  # characters in a sequence


def _split(x: Array, y: Array, train: int, val: int, seed: int) -> Data:
    order = np.random.default_rng(seed).permutation(len(x))[: train + val]
    first, rest = order[:train], order[train:]
    return Data((x[first], y[first]), (x[rest], y[rest]))


def _digits(train: int, val: int, seed: int, noise: float = 0.0) -> Data:
    """Handwritten digits, (n, 64) in 0…1; a share ``noise`` of the labels is drawn at random."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed + 1)
    y = np.where(rng.random(len(y)) < noise, rng.integers(0, 10, len(y)), y)
    return _split((x / 16).astype(np.float32), y, train, val, seed)


@cache
def noisy_digits() -> Data:
    """Digits, a tenth of whose labels are drawn at random."""
    return _digits(300, 900, 0, noise=0.1)


@cache
def clusters() -> Data:
    """Five overlapping clusters in 20 features."""
    from sklearn.datasets import make_classification

    x, y = make_classification(
        1500, 20, n_informative=8, n_redundant=4, n_classes=5, flip_y=0.05, random_state=3
    )
    return _split(x.astype(np.float32), y, 400, 1000, 0)


@cache
def spirals() -> Data:
    """Three spirals in noise, with wrong labels."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, 1200)
    radius = np.sqrt(rng.random(1200))
    angle = 2 * np.pi * (y / 3 + 0.8 * radius) + rng.normal(0, 0.25, 1200)
    y = np.where(rng.random(1200) < 0.1, rng.integers(0, 3, 1200), y)
    x = 2 * radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _split(x.astype(np.float32), y, 300, 800, 0)


@cache
def friedman() -> Data:
    """Friedman's first function with noise."""
    from sklearn.datasets import make_friedman1

    x, y = make_friedman1(1300, 10, noise=2.0, random_state=2)
    y = (y - y.mean()) / y.std()
    return _split(2 * x.astype(np.float32) - 1, y.astype(np.float32)[:, None], 300, 1000, 0)


@cache
def friedman_third() -> Data:
    """Friedman's third function with noise."""
    from sklearn.datasets import make_friedman3

    x, y = make_friedman3(1300, noise=0.2, random_state=4)
    x, y = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std()
    return _split(x.astype(np.float32), y.astype(np.float32)[:, None], 300, 1000, 0)


@cache
def halves() -> Data:
    """The lower halves of digits from the upper ones, (n, 32) each in 0…1."""
    from sklearn.datasets import load_digits

    x = (load_digits().data / 16).astype(np.float32)
    return _split(x[:, :32], x[:, 32:], 300, 900, 3)


@cache
def ripples() -> Data:
    """A sum of waves of several lengths along two features, in noise."""
    rng = np.random.default_rng(21)
    x = rng.uniform(-1, 1, (1400, 2))
    y = np.sin(4 * x[:, 0]) + np.sin(7 * x[:, 1] + 2 * x[:, 0]) + 0.5 * np.cos(9 * x[:, 0])
    y = (y + rng.normal(0, 0.4, len(y))) / 1.2
    return _split(x.astype(np.float32), y.astype(np.float32)[:, None], 400, 1000, 0)


@cache
def squares() -> Data:
    """The squares of a board of four by four, black and white, with wrong labels."""
    rng = np.random.default_rng(31)
    x = rng.uniform(-2, 2, (1500, 2))
    y = (np.floor(x[:, 0]) + np.floor(x[:, 1])).astype(int) % 2
    y = np.where(rng.random(len(y)) < 0.05, 1 - y, y)
    return _split(x.astype(np.float32), y, 400, 1000, 0)


@cache
def circles() -> Data:
    """Two circles, one in the other, beside eight features of noise."""
    from sklearn.datasets import make_circles

    x, y = make_circles(1400, noise=0.2, factor=0.5, random_state=32)
    rng = np.random.default_rng(33)
    x = np.concatenate([2 * x, rng.normal(size=(len(x), 8))], axis=1)
    return _split(x.astype(np.float32), y, 400, 1000, 0)


@cache
def friedman_second() -> Data:
    """Friedman's second function with noise that has outliers."""
    from sklearn.datasets import make_friedman2

    x, y = make_friedman2(1400, random_state=34)
    x, y = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std()
    y = y + 0.3 * np.random.default_rng(35).standard_t(2, len(y))
    return _split(x.astype(np.float32), y.astype(np.float32)[:, None], 300, 1000, 0)


@cache
def roll() -> Data:
    """How far along a rolled-up sheet a point lies, told in noise, from its place in space."""
    from sklearn.datasets import make_swiss_roll

    x, y = make_swiss_roll(1400, noise=0.5, random_state=36)
    x, y = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std()
    y = y + np.random.default_rng(37).normal(0, 0.3, len(y))
    return _split(x.astype(np.float32), y.astype(np.float32)[:, None], 400, 1000, 0)


@cache
def tumours() -> Data:
    """Breast tumours, a tenth of whose labels are wrong."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng(6)
    y = np.where(rng.random(len(y)) < 0.1, 1 - y, y)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return _split(x.astype(np.float32), y, 200, 369, 0)


@cache
def moons() -> Data:
    """Two moons that overlap."""
    from sklearn.datasets import make_moons

    x, y = make_moons(1300, noise=0.3, random_state=7)
    return _split(x.astype(np.float32), y, 300, 1000, 0)


@cache
def shells() -> Data:
    """Four shells around each other in six features."""
    from sklearn.datasets import make_gaussian_quantiles

    x, y = make_gaussian_quantiles(
        n_samples=1600, n_features=6, n_classes=4, cov=1.0, random_state=9
    )
    return _split(x.astype(np.float32), y, 500, 1000, 0)


def _diabetes() -> tuple[Array, Array]:
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return (x / x.std(axis=0)).astype(np.float32), y.astype(np.float32)[:, None]


@cache
def progression() -> Data:
    """The progression of diabetes, standardised."""
    x, y = _diabetes()
    return _split(x, (y - y.mean()) / y.std(), 240, 202, 0)


@cache
def progression_in_points() -> Data:
    """The progression of diabetes in its own units, 25 to 346."""
    return _split(*_diabetes(), 240, 202, 1)


@cache
def images() -> Data:
    """Digits as images, (n, 8, 8, 1)."""
    data = _digits(300, 500, 2, noise=0.05)
    return Data(
        (data.train[0].reshape(-1, 8, 8, 1), data.train[1]),
        (data.val[0].reshape(-1, 8, 8, 1), data.val[1]),
    )


@cache
def waves() -> Data:
    """Sine, square and saw-tooth waves of any phase and many periods in noise, (n, 1, 32, 1)."""
    rng = np.random.default_rng(8)
    y = rng.integers(0, 3, 1300)
    t = np.arange(32) / 32
    phase = t * rng.uniform(2, 4, (1300, 1)) + rng.random((1300, 1))
    sine = np.sin(2 * np.pi * phase)
    shapes = np.stack([1.4 * sine, np.sign(sine), 1.7 * (2 * (phase % 1) - 1)])
    x = shapes[y, np.arange(1300)] + rng.normal(0, 0.6, (1300, 32))
    return _split(x[:, None, :, None].astype(np.float32), y, 300, 500, 0)


@cache
def text() -> Data:
    """Characters of a licence in runs of eight, (n, 8) whole numbers, and the next ones."""
    words = " ".join(_TEXT.read_text("utf-8").lower().split())
    symbols = {s: i for i, s in enumerate(sorted(set("abcdefghijklmnopqrstuvwxyz .,")))}
    codes = np.array([symbols.get(each, len(symbols)) for each in words])
    n = (len(codes) - 1) // _TIMES
    x = codes[: n * _TIMES].reshape(n, _TIMES)
    y = codes[1 : n * _TIMES + 1].reshape(n, _TIMES)
    return _split(x, y, 400, 400, 0)


@cache
def tokens() -> Data:
    """Digits as eight patches of two by four, (n, 8, 8)."""
    data = _digits(300, 400, 6, noise=0.05)

    def cut(x: Array) -> Array:
        return x.reshape(-1, 4, 2, 2, 4).swapaxes(2, 3).reshape(-1, 8, 8)

    return Data((cut(data.train[0]), data.train[1]), (cut(data.val[0]), data.val[1]))


@cache
def counts() -> Data:
    """Counts whose rate is e to a smooth function of eight features."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(1400, 8))
    log = 1 + 0.6 * np.sin(2 * x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] - 0.4 * np.abs(x[:, 3])
    y = rng.poisson(np.exp(np.clip(log, -3, 3.5)))
    return _split(x.astype(np.float32), y.astype(np.float32)[:, None], 300, 1000, 0)


@cache
def pixels() -> Data:
    """Digits in their own units of 0…16, to be told from themselves."""
    from sklearn.datasets import load_digits

    x = load_digits().data.astype(np.float32)
    return _split(x, x, 300, 900, 9)
