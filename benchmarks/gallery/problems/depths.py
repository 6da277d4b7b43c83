"""Problems with most of their faults in depth, of which most log no histograms, as most users do.

Norms of gradients by layer or of the whole network, shares of units that give nothing, or losses alone:
tracks on a plate, beats, spectra, a reactor, phrases, an oven; then alloys, tides, a road, and hulls and ores.
"""

from __future__ import annotations

from functools import partial

from benchmarks.gallery.problems import depths_pools as pools
from benchmarks.gallery.problems.depths_runs import RUNS
from benchmarks.gallery.problems.games import policy
from benchmarks.gallery.problems.neural import neural
from benchmarks.gallery.problems.small import perceptron
from benchmarks.gallery.recipe import Part, Problem, Recipe

_HERE: Part = "calibration"

PROBLEMS: list[Problem] = [
    neural(
        "tracks-cnn",
        _HERE,
        partial(pools.tracks, 1200, 8, 0.3),
        ("Convolutions", {"size": 8, "outputs": 5}),
        5,
        Recipe(
            train_size=400, val_size=300, batch_size=50, hidden=(8, 10, 12), epochs=9, rate=0.025,
            weight_decay=1e-4, schedule="cosine", warmup=0.05,
        ),
        "grad-norms",
        runs=RUNS["tracks-cnn"],
    ),
    neural(
        "beats-rnn",
        _HERE,
        partial(pools.beats, 1000, 8, 0.15),
        ("Recurrent", {"cell": "RNN", "vocabulary": 0, "outputs": 4}),
        4,
        Recipe(
            train_size=400, val_size=300, batch_size=25, hidden=(16,), epochs=14, rate=0.025,
            weight_decay=1e-4, schedule="cosine",
        ),
        "evaluated",
        runs=RUNS["beats-rnn"],
    ),
    perceptron(
        "spectra",
        _HERE,
        partial(pools.spectra, 3000, 24),
        7,
        Recipe(
            train_size=700, val_size=700, batch_size=50, hidden=(32, 24, 16), epochs=14,
            optimizer="momentum", rate=0.07, weight_decay=1.5e-3, schedule="cosine",
        ),
        "keras",
        RUNS["spectra"],
    ),
    perceptron(
        "reactors",
        _HERE,
        partial(pools.reactors, 3000),
        0,
        Recipe(
            train_size=700, val_size=600, batch_size=35, hidden=(24, 24, 24, 24), epochs=16,
            optimizer="adamw", rate=0.035, weight_decay=0.09, schedule="linear", warmup=0.05,
        ),
        "zeros",
        RUNS["reactors"],
    ),
    neural(
        "phrases-transformer",
        _HERE,
        partial(pools.phrases, 1100, 10, 8),
        ("Transformer", {"vocabulary": 10, "length": 8}),
        10,
        Recipe(
            train_size=400, val_size=300, batch_size=50, hidden=(16, 24), epochs=9,
            optimizer="adamw", rate=0.035, weight_decay=0.09, schedule="linear", warmup=0.05,
        ),
        "catalyst",
        answers=8,
        runs=RUNS["phrases-transformer"],
    ),
    policy(
        "ovens", _HERE, "sb3", RUNS["ovens"], reward_scale=0.3, gamma=0.9, learning_rate=0.01,
        value_rate=2.0, n_envs=16, n_steps=32, n_epochs=3, updates=24,
    ),
    # These came after the rules were mended on the ones above.
    perceptron(
        "alloys",
        _HERE,
        partial(pools.alloys, 2600),
        5,
        Recipe(
            train_size=700, val_size=600, batch_size=35, hidden=(28, 28, 28, 28, 28), epochs=14,
            optimizer="momentum", rate=0.08, weight_decay=1e-4, schedule="step", warmup=0.05,
        ),
        "grad-norms",
        RUNS["alloys"],
    ),
    neural(
        "tides-mlp",
        _HERE,
        partial(pools.tides, 2000),
        ("mlp", {"features": 9, "outputs": 1}),
        0,
        Recipe(
            train_size=600, val_size=500, batch_size=50, hidden=(20, 20, 20, 20), activation="tanh",
            epochs=14, rate=0.01, weight_decay=1e-4, schedule="cosine",
        ),
        "lightning",
        objective="squares",
        runs=RUNS["tides-mlp"],
    ),
    policy(
        "lanes", _HERE, "cleanrl", RUNS["lanes"], reward_scale=0.3, gamma=0.9, learning_rate=0.01,
        value_rate=1.0, n_envs=16, n_steps=32, n_epochs=3, updates=24,
    ),
    # And these when they were mended on those.
    perceptron(
        "hulls",
        _HERE,
        partial(pools.hulls, 2600, 12),
        3,
        Recipe(
            train_size=600, val_size=600, batch_size=40, hidden=(20, 16, 12), activation="tanh",
            init="xavier", epochs=14, optimizer="adamw", rate=0.014, weight_decay=0.018, schedule="step",
            warmup=0.05,
        ),
        "watched",
        RUNS["hulls"],
    ),
    perceptron(
        "ores",
        _HERE,
        partial(pools.ores, 2600),
        0,
        Recipe(
            train_size=700, val_size=600, batch_size=35, hidden=(48, 24), epochs=14,
            optimizer="momentum", rate=0.02, weight_decay=4e-3, schedule="linear", warmup=0.05,
        ),
        "loop",
        RUNS["ores"],
    ),
]  # fmt: skip
