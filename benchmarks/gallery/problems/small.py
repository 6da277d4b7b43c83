"""Small classifications and regressions in NumPy, on scikit-learn's data."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from benchmarks.gallery.numpy_learner import NumpyLearner
from benchmarks.gallery.problems import pools
from benchmarks.gallery.problems.small_runs import RUNS
from benchmarks.gallery.recipe import Part, Problem, Recipe
from benchmarks.gallery.splits import split


def perceptron(
    name: str,
    part: Part,
    pool: Callable[[], pools.Pool],
    classes: int,
    recipe: Recipe,
    convention: str,
    runs: dict[str, tuple[str, ...]] | None = None,
) -> Problem:
    """A problem for the network in NumPy; `runs` says what is injected, else the table does."""
    kept = cache(pool)

    def make(changed: Recipe, seed: int) -> NumpyLearner:
        x, y = kept()
        labels = 2 if changed.rare else classes
        return NumpyLearner(changed, split(x, y, changed, classes), labels, seed)

    return Problem(
        name=name,
        part=part,
        setting="digits",
        recipe=recipe,
        make=make,
        classes=classes,
        convention=convention,
        runs=RUNS[name] if runs is None else runs,
    )


PROBLEMS: list[Problem] = [
    perceptron(
        "digits-low",
        "calibration",
        partial(pools.digits, 0, 4, 0.4),
        5,
        Recipe(
            train_size=450,
            val_size=250,
            hidden=(32,),
            epochs=40,
            rate=0.01,
            weight_decay=5.5e-3,
            schedule="exponential",
            warmup=0.05,
        ),
        "plain",
    ),
    perceptron(
        "cancer",
        "calibration",
        pools.cancer,
        2,
        Recipe(
            train_size=300,
            val_size=120,
            hidden=(16,),
            epochs=40,
            rate=7e-3,
            weight_decay=0.02,
            schedule="exponential",
            warmup=0.05,
        ),
        "words",
    ),
    perceptron(
        "moons",
        "calibration",
        partial(pools.moons, 4000, 0.2),
        2,
        Recipe(
            train_size=500,
            val_size=1500,
            hidden=(32, 32),
            epochs=50,
            rate=0.011,
            weight_decay=1.6e-3,
            schedule="linear",
            warmup=0.05,
        ),
        "keras",
    ),
    perceptron(
        "clusters-6",
        "calibration",
        partial(pools.clusters, 4000, 20, 6, 11, 0.02),
        6,
        Recipe(
            train_size=1500,
            val_size=1200,
            hidden=(64, 64),
            epochs=24,
            optimizer="adamw",
            rate=0.016,
            weight_decay=0.13,
            schedule="step",
            warmup=0.05,
        ),
        "lightning",
    ),
    perceptron(
        "friedman-1",
        "calibration",
        partial(pools.friedman, 3000, 1, 2.0, 0.05),
        0,
        Recipe(
            train_size=800,
            val_size=700,
            hidden=(48, 48),
            init_scale=0.3,
            epochs=60,
            optimizer="momentum",
            rate=0.3,
            weight_decay=1e-4,
            schedule="linear",
            warmup=0.05,
        ),
        "bare",
    ),
    perceptron(
        "digits-high",
        "report",
        partial(pools.digits, 5, 9, 0.3),
        5,
        Recipe(
            train_size=450,
            val_size=240,
            hidden=(48, 24),
            epochs=30,
            optimizer="momentum",
            rate=0.02,
            weight_decay=4.7e-3,
            schedule="linear",
            warmup=0.05,
        ),
        "loop",
    ),
    perceptron(
        "spirals",
        "report",
        partial(pools.spirals, 4000, 0.12),
        3,
        Recipe(
            train_size=600,
            val_size=1200,
            hidden=(48, 48),
            epochs=45,
            optimizer="adamw",
            rate=0.01,
            weight_decay=0.018,
            schedule="step",
            warmup=0.05,
        ),
        "huggingface",
    ),
    perceptron(
        "quantiles",
        "report",
        partial(pools.quantiles, 5000),
        4,
        Recipe(
            train_size=1200,
            val_size=800,
            hidden=(64,),
            epochs=50,
            rate=0.03,
            weight_decay=1.4e-4,
            schedule="step",
            warmup=0.05,
        ),
        "catalyst",
    ),
    perceptron(
        "clusters-3",
        "report",
        partial(pools.clusters, 3000, 12, 3, 23, 0.05),
        3,
        Recipe(
            train_size=900,
            val_size=1000,
            hidden=(32,),
            activation="tanh",
            epochs=40,
            rate=0.011,
            weight_decay=1.6e-3,
            schedule="linear",
            warmup=0.05,
        ),
        "plain",
    ),
    perceptron(
        "friedman-2",
        "report",
        partial(pools.friedman, 3000, 2, 120.0, 400.0),
        0,
        Recipe(
            train_size=700,
            val_size=900,
            hidden=(64, 32),
            epochs=40,
            rate=0.013,
            optimizer="adamw",
            weight_decay=5e-4,
            schedule="cosine",
            warmup=0.05,
        ),
        "keras",
    ),
    perceptron(
        "diabetes",
        "report",
        partial(pools.diabetes, 70.0),
        0,
        Recipe(
            train_size=220,
            val_size=90,
            hidden=(16,),
            epochs=60,
            optimizer="adamw",
            rate=0.011,
            weight_decay=0.09,
            schedule="linear",
            warmup=0.05,
        ),
        "words",
    ),
]
