"""More problems to calibrate on, of other data, networks, optimizers, cadences and scales of loss.

They came later than the others. With a dozen problems the thresholds had learned those by heart.
"""

from __future__ import annotations

from functools import partial

from benchmarks.gallery.problems import signals, wider_pools
from benchmarks.gallery.problems.games import adversarial, policy
from benchmarks.gallery.problems.neural import neural
from benchmarks.gallery.problems.small import perceptron
from benchmarks.gallery.problems.wider_runs import RUNS
from benchmarks.gallery.recipe import Part, Problem, Recipe

_HERE: Part = "calibration"
_WORDS = signals.VOCABULARY

_SMALL: list[Problem] = [
    perceptron(
        "circles",
        _HERE,
        partial(wider_pools.circles, 4000, 0.12),
        2,
        Recipe(
            train_size=400, val_size=800, hidden=(24,), epochs=30, optimizer="momentum", rate=0.24,
            weight_decay=1e-5, schedule="exponential",
        ),
        "catalyst",
        RUNS["circles"],
    ),
    perceptron(
        "blobs-8",
        _HERE,
        partial(wider_pools.blobs, 5000, 12, 8, 6.0),
        8,
        Recipe(
            train_size=1600, val_size=1000, hidden=(48,), epochs=20, optimizer="momentum",
            rate=0.067, weight_decay=8e-3, schedule="cosine", log_every=5,
        ),
        "huggingface",
        RUNS["blobs-8"],
    ),
    perceptron(
        "parity",
        _HERE,
        partial(wider_pools.parity, 4000, 8, 3, 0.35),
        2,
        Recipe(
            train_size=1200, val_size=500, hidden=(40, 40), activation="tanh", init="xavier", epochs=24,
            rate=0.014, weight_decay=1e-4, schedule="linear", warmup=0.05,
        ),
        "bare",
        RUNS["parity"],
    ),
    perceptron(
        "roll",
        _HERE,
        partial(wider_pools.roll, 5000, 0.6),
        5,
        Recipe(
            train_size=800, val_size=2000, hidden=(64, 32), epochs=24, optimizer="adamw",
            rate=9e-3, weight_decay=0.07, schedule="step", warmup=0.05,
        ),
        "keras",
        RUNS["roll"],
    ),
    perceptron(
        "arctan",
        _HERE,
        partial(wider_pools.arctan, 3500, 0.1, 30.0),
        0,
        Recipe(
            train_size=900, val_size=800, hidden=(48, 24), epochs=50, rate=0.013,
            weight_decay=3e-3, schedule="cosine", warmup=0.05,
        ),
        "plain",
        RUNS["arctan"],
    ),
    perceptron(
        "sparse",
        _HERE,
        partial(wider_pools.sparse, 3000, 0.6, 1.0),
        0,
        Recipe(
            train_size=500, val_size=300, hidden=(24,), epochs=30, optimizer="momentum",
            rate=0.015, weight_decay=8e-3, schedule="exponential", batch_size=20,
        ),
        "words",
        RUNS["sparse"],
    ),
]  # fmt: skip

_NEURAL: list[Problem] = [
    neural(
        "counts-cnn",
        _HERE,
        partial(wider_pools.counts, 2400, 12, 0.25),
        ("Convolutions", {"size": 12, "outputs": 4, "normed": True}),
        4,
        Recipe(
            train_size=560, val_size=700, hidden=(6, 10), epochs=16, optimizer="momentum",
            rate=0.05, weight_decay=1e-3,
        ),
        "loop",
        runs=RUNS["counts-cnn"],
    ),
    neural(
        "chirps-lstm",
        _HERE,
        partial(wider_pools.chirps, 2600, 16, 0.35),
        ("Recurrent", {"cell": "LSTM", "vocabulary": 0, "outputs": 5}),
        5,
        Recipe(
            train_size=900, val_size=900, hidden=(20,), epochs=16, rate=0.02,
            weight_decay=1e-3, schedule="linear", clip=1.0, log_every=2,
        ),
        "lightning",
        runs=RUNS["chirps-lstm"],
    ),
    neural(
        "wells-mlp",
        _HERE,
        partial(wider_pools.wells, 6000, 6),
        ("mlp", {"features": 6, "outputs": 3}),
        3,
        Recipe(
            train_size=1800, val_size=1200, hidden=(48, 48), activation="gelu", epochs=24,
            optimizer="adamw", rate=0.018, weight_decay=2e-4, schedule="step", batch_size=64, warmup=0.05,
        ),
        "plain",
        runs=RUNS["wells-mlp"],
    ),
    neural(
        "shapes-vae",
        _HERE,
        partial(signals.shapes, 2200, 10, 0.1),
        ("Autoencoder", {"pixels": 100}),
        0,
        Recipe(train_size=800, val_size=500, hidden=(64, 64), epochs=36, rate=6e-3, schedule="constant"),
        "keras",
        objective="evidence",
        runs=RUNS["shapes-vae"],
    ),
    neural(
        "springs-regression",
        _HERE,
        partial(wider_pools.springs, 4000, 0.1),
        ("mlp", {"features": 5, "outputs": 1}),
        0,
        Recipe(
            train_size=1200, val_size=900, hidden=(64, 64), epochs=36, optimizer="momentum",
            rate=0.05, weight_decay=1e-5,
        ),
        "catalyst",
        objective="squares",
        runs=RUNS["springs-regression"],
    ),
    neural(
        "sums-transformer",
        _HERE,
        partial(wider_pools.sums, 4000, 16),
        ("Transformer", {"vocabulary": 8, "length": 16}),
        8,
        Recipe(
            train_size=3000, val_size=200, batch_size=32, epoch_steps=20, hidden=(24, 48),
            activation="gelu", epochs=20, rate=0.024, warmup=0.1, schedule="linear",
        ),
        "words",
        answers=16,
        runs=RUNS["sums-transformer"],
    ),
    neural(
        "code-lstm",
        _HERE,
        partial(signals.text, "tarfile", "zipfile", "shutil", "logging"),
        ("Recurrent", {"cell": "LSTM", "vocabulary": _WORDS, "outputs": _WORDS}),
        _WORDS,
        Recipe(
            train_size=5000, val_size=200, batch_size=16, epoch_steps=20, hidden=(40,), epochs=20,
            rate=0.02, schedule="constant", clip=1.0,
        ),
        "huggingface",
        answers=32,
        runs=RUNS["code-lstm"],
    ),
]  # fmt: skip

PROBLEMS: list[Problem] = [
    *_SMALL,
    *_NEURAL,
    policy("catch", _HERE, "cleanrl", gamma=0.95, value_rate=2.0),
    policy("hover", _HERE, "sb3", reward_scale=0.1, gamma=0.97),
    policy("pursuit", _HERE, "cleanrl", reward_scale=0.2, gamma=0.95),
    policy("corridor", _HERE, "sb3", reward_scale=0.5, gamma=0.97, ent_coef=0.01),
    adversarial("bars", _HERE, "gan-bare", d_rate=1e-3, g_rate=1e-3),
    adversarial("coil", _HERE, "gan-loop", d_rate=5e-4, g_rate=1e-3, batch_size=96),
]
