"""Problems that came after the rules were mended on all others: another look at what they have not met.

Rates that are constant by design or fall with the root of the steps, plain gradient descent and RMSprop,
residual blocks, patches, sets and dilated convolutions, very short and rather long runs.
"""

from __future__ import annotations

from functools import partial

from benchmarks.gallery.problems import latest_pools as pools
from benchmarks.gallery.problems.latest_runs import RUNS
from benchmarks.gallery.problems.neural import neural
from benchmarks.gallery.problems.small import perceptron
from benchmarks.gallery.recipe import Part, Problem, Recipe

_HERE: Part = "calibration"

PROBLEMS: list[Problem] = [
    perceptron(
        "pairs",
        _HERE,
        partial(pools.pairs, 4200, 0.1),
        2,
        Recipe(
            train_size=1600, val_size=600, batch_size=32, hidden=(24, 24), epochs=50, optimizer="sgd",
            rate=0.08, weight_decay=1e-3, schedule="constant",
        ),
        "keras",
        RUNS["pairs"],
    ),
    perceptron(
        "crowds",
        _HERE,
        partial(pools.crowds, 5000, 14, 20),
        20,
        Recipe(
            train_size=3000, val_size=1000, batch_size=50, hidden=(64,), epochs=10,
            optimizer="momentum", rate=0.2, weight_decay=1e-4, schedule="sqrt", log_every=5,
        ),
        "loop",
        RUNS["crowds"],
    ),
    perceptron(
        "yields",
        _HERE,
        partial(pools.yields, 2400, 0.08),
        0,
        Recipe(
            train_size=320, val_size=500, batch_size=64, hidden=(24,), activation="tanh",
            init="xavier", epochs=150, rate=0.2, weight_decay=1e-4, schedule="cosine",
        ),
        "words",
        RUNS["yields"],
    ),
    perceptron(
        "scores",
        _HERE,
        partial(pools.scores, 4000),
        2,
        Recipe(
            train_size=1500, val_size=800, batch_size=50, hidden=(16,), epochs=16, rate=0.008,
            weight_decay=1e-3, schedule="constant",
        ),
        "lightning",
        RUNS["scores"],
    ),
    neural(
        "tones-residual",
        _HERE,
        partial(pools.tones, 3000, 24, 1.1),
        ("Residual", {"features": 24, "outputs": 6}),
        6,
        Recipe(
            train_size=900, val_size=500, batch_size=30, hidden=(32, 32), activation="gelu",
            epochs=16, optimizer="adamw", rate=0.004, weight_decay=0.05, warmup=0.05,
            schedule="sqrt", log_every=3,
        ),
        "huggingface",
        runs=RUNS["tones-residual"],
    ),
    neural(
        "tiles-patches",
        _HERE,
        partial(pools.tiles, 4000, 8, 0.2),
        ("Patches", {"size": 8, "patch": 2, "outputs": 4}),
        4,
        Recipe(
            train_size=2000, val_size=500, batch_size=40, epoch_steps=25, hidden=(24, 48), activation="gelu",
            epochs=18, optimizer="adamw", rate=0.012, weight_decay=0.02, warmup=0.1,
            schedule="linear", clip=1.0,
        ),
        "plain",
        runs=RUNS["tiles-patches"],
    ),
    neural(
        "spreads-pooled",
        _HERE,
        partial(pools.spreads, 2600, 12),
        ("Pooled", {"features": 3, "outputs": 1}),
        0,
        Recipe(
            train_size=800, val_size=500, batch_size=40, hidden=(24, 24), epochs=30,
            optimizer="rmsprop", rate=0.006, schedule="exponential",
        ),
        "catalyst",
        objective="robust",
        runs=RUNS["spreads-pooled"],
    ),
    neural(
        "trends-dilated",
        _HERE,
        partial(pools.trends, 1500, 24, 0.3),
        ("Dilated", {"outputs": 3}),
        3,
        Recipe(
            train_size=400, val_size=200, batch_size=25, hidden=(12, 12, 12), epochs=12, rate=0.02,
            schedule="cosine",
        ),
        "bare",
        answers=24,
        runs=RUNS["trends-dilated"],
    ),
    perceptron(
        "knots",
        _HERE,
        partial(pools.knots, 4000, 0.2),
        4,
        Recipe(
            train_size=1200, val_size=900, batch_size=48, hidden=(48,), epochs=24, rate=0.03,
            weight_decay=2e-4, schedule="linear",
        ),
        "catalyst",
        RUNS["knots"],
    ),
    perceptron(
        "rents",
        _HERE,
        partial(pools.rents, 3000, 0.1),
        0,
        Recipe(
            train_size=900, val_size=700, batch_size=32, hidden=(32, 16), epochs=40,
            optimizer="adamw", rate=0.02, weight_decay=0.01, schedule="cosine", warmup=0.05,
        ),
        "plain",
        RUNS["rents"],
    ),
    perceptron(
        "letters",
        _HERE,
        partial(pools.letters, 5000, 24, 0.14),
        26,
        Recipe(
            train_size=2600, val_size=1200, batch_size=64, hidden=(48,), epochs=16,
            optimizer="momentum", rate=0.025, weight_decay=5e-4, schedule="step",
        ),
        "bare",
        RUNS["letters"],
    ),
    neural(
        "walls-residual",
        _HERE,
        partial(pools.walls, 3200, 0.15),
        ("Residual", {"features": 3, "outputs": 1}),
        0,
        Recipe(
            train_size=1000, val_size=600, batch_size=50, hidden=(24, 24), activation="gelu",
            epochs=20, rate=0.004, schedule="constant",
        ),
        "lightning",
        objective="squares",
        runs=RUNS["walls-residual"],
    ),
    neural(
        "weaves-patches",
        _HERE,
        partial(pools.weaves, 2600, 8, 0.9),
        ("Patches", {"size": 8, "patch": 4, "outputs": 5}),
        5,
        Recipe(
            train_size=800, val_size=500, batch_size=40, hidden=(16, 32), activation="gelu",
            epochs=12, rate=0.008, schedule="cosine",
        ),
        "loop",
        runs=RUNS["weaves-patches"],
    ),
]  # fmt: skip
