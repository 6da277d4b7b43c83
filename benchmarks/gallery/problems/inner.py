"""Problems that are looked at from the inside: most of their runs log histograms, as each user chooses them.

Deep networks with norms and leaky rectifiers, several labels a sample, heavy tails, rare classes, a wide layer of
sigmoids, a judge with a margin, a shop that orders goods.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmarks.gallery.problems import inner_pools as pools
from benchmarks.gallery.problems.games import adversarial, policy
from benchmarks.gallery.problems.inner_runs import RUNS
from benchmarks.gallery.problems.neural import neural
from benchmarks.gallery.problems.small import perceptron
from benchmarks.gallery.recipe import Part, Problem, Recipe

_HERE: Part = "calibration"

_SUPERVISED: list[Problem] = [
    neural(
        "skews-normed",
        _HERE,
        partial(pools.skews, 3000, 16),
        ("Normed", {"features": 16, "norm": "batch", "outputs": 6}),
        6,
        Recipe(
            train_size=600, val_size=600, batch_size=50, hidden=(32, 32, 24), activation="leaky",
            epochs=12, optimizer="momentum", rate=0.09, weight_decay=1e-3, schedule="step", warmup=0.05,
        ),
        "parameters",
        runs=RUNS["skews-normed"],
    ),
    neural(
        "tags-deep",
        _HERE,
        partial(pools.tags, 3000, 20, 8),
        ("mlp", {"features": 20, "outputs": 8}),
        2,
        Recipe(
            train_size=600, val_size=400, batch_size=50, hidden=(24, 24, 24), activation="tanh",
            epochs=14, optimizer="adamw", rate=0.016, weight_decay=0.02, schedule="step",
            warmup=0.05,
        ),
        "watched",
        objective="several",
        answers=8,
        runs=RUNS["tags-deep"],
    ),
    perceptron(
        "claims",
        _HERE,
        partial(pools.claims, 3600),
        0,
        Recipe(
            train_size=800, val_size=700, batch_size=40, hidden=(20, 20, 20, 20), epochs=24,
            optimizer="adamw", rate=0.03, weight_decay=0.09, schedule="linear", warmup=0.05,
        ),
        "watched",
        RUNS["claims"],
    ),
    perceptron(
        "glass-wide",
        _HERE,
        partial(pools.glass, 3600, 9),
        7,
        Recipe(
            train_size=700, val_size=800, batch_size=35, hidden=(96,), activation="sigmoid",
            init="xavier", epochs=28, rate=0.035, weight_decay=1e-4, schedule="step", warmup=0.05,
        ),
        "loop",
        RUNS["glass-wide"],
    ),
]  # fmt: skip

# These came after the rules were mended on the ones above.
_LATER: list[Problem] = [
    neural(
        "plates-normed",
        _HERE,
        partial(pools.plates, 3200, 24, 9),
        ("Normed", {"features": 24, "norm": "layer", "outputs": 9}),
        9,
        Recipe(
            train_size=700, val_size=700, batch_size=50, hidden=(40, 40, 40), activation="gelu",
            epochs=10, rate=0.01, weight_decay=0.005, schedule="exponential", warmup=0.05,
        ),
        "lightning",
        runs=RUNS["plates-normed"],
    ),
    perceptron(
        "doses",
        _HERE,
        partial(pools.doses, 3000),
        0,
        Recipe(
            train_size=700, val_size=600, batch_size=35, hidden=(24, 24, 24), activation="tanh",
            init="xavier", epochs=24, optimizer="adamw", rate=0.03, weight_decay=0.05, schedule="linear",
            warmup=0.05,
        ),
        "parameters",
        RUNS["doses"],
    ),
]  # fmt: skip

PROBLEMS: list[Problem] = [
    *(replace(problem, histograms=1) for problem in _SUPERVISED),
    replace(
        adversarial("petals", _HERE, "gan-bare", beta1=0.0, g_rate=5e-4, steps=700),
        runs=RUNS["petals-gan"],
    ),
    policy("shelves", _HERE, "cleanrl", RUNS["shelves"], reward_scale=0.3, gamma=0.9, updates=24),
    *(replace(problem, histograms=1) for problem in _LATER),
]
