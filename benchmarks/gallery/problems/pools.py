"""Pools of samples from scikit-learn: features of about unit size, and targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.gallery.recipe import Floats

Pool = tuple[Floats, Any]


def _standard(x: Floats) -> Floats:
    scaled: Floats = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    return scaled


def digits(first: int, last: int, noise: float) -> Pool:
    """Noisy images of the digits `first` … `last`, (n, 64), with values of about 0 … 1."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    kept = (y >= first) & (y <= last)
    x = x[kept] / 16.0
    x += noise * np.random.default_rng(first).standard_normal(x.shape)
    return x, y[kept] - first


def cancer() -> Pool:
    """Benign or malign, from 30 measures of cells; 569 samples."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return _standard(x), y


def moons(n: int, noise: float) -> Pool:
    """Two interleaved half circles."""
    from sklearn.datasets import make_moons

    return make_moons(n, noise=noise, random_state=1)  # type: ignore[no-any-return]


def quantiles(n: int) -> Pool:
    """Four nested shells of a Gaussian in five dimensions."""
    from sklearn.datasets import make_gaussian_quantiles

    x, y = make_gaussian_quantiles(n_samples=n, n_features=5, n_classes=4, random_state=3)
    return x, y


def clusters(n: int, features: int, classes: int, seed: int, flip: float) -> Pool:
    """Clusters on the corners of a hypercube; a share `flip` of the labels is wrong."""
    from sklearn.datasets import make_classification

    x, y = make_classification(
        n, features, n_informative=features // 2, n_redundant=2, n_classes=classes,
        n_clusters_per_class=2, flip_y=flip, class_sep=1.5, random_state=seed,
    )  # fmt: skip
    return _standard(x), y


def friedman(n: int, kind: int, noise: float, scale: float) -> Pool:
    """One of Friedman's regression problems, its target standardised, times `scale`."""
    from sklearn import datasets

    maker = getattr(datasets, f"make_friedman{kind}")
    x, y = maker(n, noise=noise, random_state=5)
    return _standard(x), scale * (y - y.mean()) / y.std()


def diabetes(scale: float) -> Pool:
    """Progress of the disease from ten measures; 442 samples, very noisy."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return _standard(x), scale * (y - y.mean()) / y.std()


def spirals(n: int, noise: float) -> Pool:
    """Three arms of a spiral."""
    rng = np.random.default_rng(8)
    arm = rng.integers(0, 3, n)
    along = np.sqrt(rng.random(n)) * 2.6
    angle = 2.0 * along + arm * 2.0 * np.pi / 3.0
    x = np.stack([along * np.cos(angle), along * np.sin(angle)], axis=1)
    return x + noise * rng.standard_normal(x.shape), arm
