"""Data of a problem, cut into training, validation, and test samples that are never logged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.gallery.recipe import Floats, Recipe

MOST = 600  # samples of the test set, and of the training set where it is evaluated
SPLIT_SEED = 0  # the same split for every seed of a problem


@dataclass(frozen=True, slots=True)
class Data:
    """(features, targets) of each split."""

    train: tuple[Floats, Floats]
    val: tuple[Floats, Floats]
    test: tuple[Floats, Floats]


def split(x: Floats, y: Floats, recipe: Recipe, classes: int) -> Data:
    """Cut a pool as the recipe wants it. Raises ValueError where it is too small for that.

    The training set is taken from the front of a fixed order, the rest is for the others: half of
    it is the test set, at least, and the validation set comes off the end.
    """
    rng = np.random.default_rng(SPLIT_SEED)
    order = rng.permutation(len(y))
    x, y = x[order], y[order]
    if recipe.rare:
        x, y = _thinned(x, y, recipe.rare, rng)
    if recipe.label_noise:
        y = _noisy(y, recipe.label_noise, classes, rng)
    free = len(y) - recipe.train_size
    if free < recipe.val_size + 30:
        raise ValueError(
            f"{len(y)} samples are too few for {recipe.train_size} + {recipe.val_size}"
        )
    train = x[: recipe.train_size], y[: recipe.train_size].copy()
    rest = x[recipe.train_size :], y[recipe.train_size :]
    if recipe.easy_val:
        rest = _easiest_last(train, rest, recipe.easy_val, recipe.val_size)
    cut = free - recipe.val_size
    val = rest[0][cut:], rest[1][cut:]
    test = rest[0][:cut][-MOST:], rest[1][:cut][-MOST:]
    if recipe.leak:
        val = _leaked(train, val, recipe.leak, rng)
    if recipe.train_noise:
        train = train[0], _noisy(train[1], recipe.train_noise, classes, rng)
    if recipe.input_scale != 1.0:  # whole numbers, which are characters, stay whole numbers
        train, val, test = ((part[0] * recipe.input_scale, part[1]) for part in (train, val, test))
    return Data(train, val, test)


def _thinned(x: Floats, y: Floats, share: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The last class against the rest, with only `share` of it; in a new order."""
    order = rng.permutation(len(y))
    positive = (y == y.max())[order]
    x = x[order]
    keep = round((~positive).sum() * share / (1.0 - share))
    negative, few = np.flatnonzero(~positive), np.flatnonzero(positive)[:keep]
    kept = rng.permutation(np.concatenate([negative, few]))
    return x[kept], positive[kept].astype(y.dtype)


def _noisy(y: Floats, share: float, classes: int, rng: np.random.Generator) -> Floats:
    """Targets of which a share is drawn anew: from the classes, or from the targets."""
    drawn = rng.random(y.shape) < share
    new = rng.integers(0, classes, y.shape) if classes else rng.permutation(y)
    return np.where(drawn, new, y)


def _leaked(
    train: tuple[Floats, Floats],
    val: tuple[Floats, Floats],
    share: float,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """A validation set of which a share are training samples."""
    n = len(val[1])
    taken = rng.choice(len(train[1]), min(round(share * n), len(train[1])), replace=False)
    kept = n - len(taken)
    return (
        np.concatenate([train[0][taken], val[0][:kept]]),
        np.concatenate([train[1][taken], val[1][:kept]]),
    )


def _easiest_last(
    train: tuple[Floats, Floats], rest: tuple[Floats, Floats], share: float, size: int
) -> tuple[Floats, Floats]:
    """The samples outside the training set, those last that a linear model finds easiest.

    The validation set is drawn from the easiest `share` of them.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=300).fit(train[0], train[1])
    sure = model.predict_proba(rest[0])[np.arange(len(rest[1])), rest[1].astype(int)]
    order = np.argsort(sure, kind="stable")
    easy = order[-max(round(share * len(order)), size) :]
    picked = np.random.default_rng(SPLIT_SEED).permutation(easy)[:size]
    others = np.setdiff1d(order, picked)
    order = np.concatenate([others, picked])
    return rest[0][order], rest[1][order]
