"""Problems that were made to see how the rules do on what they have not met, and to calibrate on then.

They hold many runs of the kinds that were missed most, on other data and networks, at other lengths,
batches and scales of the loss than all before them.
"""

from __future__ import annotations

from functools import partial

from benchmarks.gallery.problems import further_pools, pools
from benchmarks.gallery.problems.further_runs import RUNS
from benchmarks.gallery.problems.neural import neural
from benchmarks.gallery.problems.small import perceptron
from benchmarks.gallery.recipe import Part, Problem, Recipe

_HERE: Part = "calibration"

_SMALL: list[Problem] = [
    perceptron(
        "wine",
        _HERE,
        partial(further_pools.wine, 0.8),
        3,
        Recipe(
            train_size=80, val_size=40, batch_size=10, hidden=(16,), epochs=30, optimizer="momentum",
            rate=0.06, weight_decay=1e-3, schedule="cosine",
        ),
        "loop",
        RUNS["wine"],
    ),
    perceptron(
        "bent",
        _HERE,
        partial(further_pools.bent, 4000, 0.35),
        4,
        Recipe(
            train_size=700, val_size=900, batch_size=64, hidden=(32,), activation="tanh", init="xavier",
            epochs=45, rate=0.013, weight_decay=1e-4, schedule="cosine",
        ),
        "bare",
        RUNS["bent"],
    ),
    perceptron(
        "folded",
        _HERE,
        partial(further_pools.folded, 4000, 12, 0.2, 0.3),
        0,
        Recipe(
            train_size=900, val_size=700, hidden=(40, 20), init_scale=0.5, epochs=14, optimizer="adamw",
            rate=0.012, weight_decay=1e-2, schedule="linear",
        ),
        "keras",
        RUNS["folded"],
    ),
    perceptron(
        "clusters-10",
        _HERE,
        partial(pools.clusters, 6000, 30, 10, 64, 0.03),
        10,
        Recipe(
            train_size=2400, val_size=1500, batch_size=64, hidden=(96,), epochs=12, optimizer="adamw",
            rate=0.015, weight_decay=0.05, schedule="cosine", warmup=0.05, log_every=4,
        ),
        "huggingface",
        RUNS["clusters-10"],
    ),
    perceptron(
        "waveforms",
        _HERE,
        partial(further_pools.waveforms, 4000),
        3,
        Recipe(
            train_size=500, val_size=1200, hidden=(20,), epochs=20, optimizer="momentum", rate=0.03,
            weight_decay=5e-3, schedule="linear",
        ),
        "lightning",
        RUNS["waveforms"],
    ),
    perceptron(
        "multiplexer",
        _HERE,
        partial(further_pools.multiplexer, 4000, 0.3),
        2,
        Recipe(
            train_size=1000, val_size=350, batch_size=40, hidden=(32, 32), epochs=30, rate=0.01,
            weight_decay=1e-4, schedule="step",
        ),
        "words",
        RUNS["multiplexer"],
    ),
    perceptron(
        "tails",
        _HERE,
        partial(further_pools.tails, 3000, 40.0),
        0,
        Recipe(
            train_size=300, val_size=600, batch_size=16, hidden=(32,), epochs=90, optimizer="adamw",
            rate=0.05, weight_decay=0.01, schedule="exponential",
        ),
        "catalyst",
        RUNS["tails"],
    ),
    perceptron(
        "bands",
        _HERE,
        partial(further_pools.bands, 5000, 0.1),
        3,
        Recipe(
            train_size=1500, val_size=1000, batch_size=100, hidden=(64, 32), epochs=40, rate=0.03,
            weight_decay=1e-4, schedule="cosine", log_every=5,
        ),
        "plain",
        RUNS["bands"],
    ),
]  # fmt: skip

_NEURAL: list[Problem] = [
    neural(
        "glyphs-cnn",
        _HERE,
        partial(further_pools.glyphs, 1800, 10, 0.5),
        ("Convolutions", {"size": 10, "outputs": 8, "normed": True}),
        8,
        Recipe(
            train_size=400, val_size=300, batch_size=40, hidden=(6, 10), epochs=12, optimizer="momentum",
            rate=0.05, weight_decay=1e-3, schedule="step",
        ),
        "bare",
        runs=RUNS["glyphs-cnn"],
    ),
    neural(
        "pulses-gru",
        _HERE,
        partial(further_pools.pulses, 2600, 12, 0.15),
        ("Recurrent", {"cell": "GRU", "vocabulary": 0, "outputs": 4}),
        4,
        Recipe(
            train_size=480, val_size=500, batch_size=40, hidden=(20,), epochs=20, rate=0.03,
            schedule="cosine", clip=1.0,
        ),
        "plain",
        runs=RUNS["pulses-gru"],
    ),
    neural(
        "arms-regression",
        _HERE,
        partial(further_pools.arms, 4000, 0.1),
        ("mlp", {"features": 6, "outputs": 1}),
        0,
        Recipe(
            train_size=720, val_size=600, batch_size=48, hidden=(48, 48), activation="gelu", epochs=24,
            optimizer="adamw", rate=0.014, weight_decay=1e-2, schedule="linear", warmup=0.05,
        ),
        "loop",
        objective="squares",
        runs=RUNS["arms-regression"],
    ),
    neural(
        "fields-vae",
        _HERE,
        partial(further_pools.fields, 2000, 7),
        ("Autoencoder", {"pixels": 49}),
        0,
        Recipe(
            train_size=480, val_size=300, hidden=(48, 48), activation="tanh", epochs=24, rate=8e-3,
            schedule="cosine",
        ),
        "huggingface",
        objective="evidence",
        runs=RUNS["fields-vae"],
    ),
    neural(
        "chains-gru",
        _HERE,
        partial(further_pools.chains, 4000, 16, 12),
        ("Recurrent", {"cell": "GRU", "vocabulary": 12, "outputs": 12}),
        12,
        Recipe(
            train_size=2400, val_size=200, batch_size=20, epoch_steps=16, hidden=(32,), epochs=20,
            rate=0.02, schedule="linear", clip=1.0,
        ),
        "lightning",
        answers=16,
        runs=RUNS["chains-gru"],
    ),
    neural(
        "highest-transformer",
        _HERE,
        partial(further_pools.highest, 3000, 12),
        ("Transformer", {"vocabulary": 10, "length": 12}),
        10,
        Recipe(
            train_size=2000, val_size=250, batch_size=25, epoch_steps=16, hidden=(24, 40),
            activation="gelu", epochs=20, rate=0.01, warmup=0.1, schedule="cosine",
        ),
        "catalyst",
        answers=12,
        runs=RUNS["highest-transformer"],
    ),
]  # fmt: skip

# Of these there are hardly more runs than such at wrong rates.
_RATES: list[Problem] = [
    perceptron(
        "faint",
        _HERE,
        partial(further_pools.faint, 700, 8, 0.9, 60.0),
        0,
        Recipe(
            train_size=200, val_size=100, hidden=(16,), epochs=50, optimizer="adamw", rate=0.01,
            weight_decay=0.08, schedule="linear", warmup=0.05,
        ),
        "loop",
        RUNS["faint"],
    ),
    perceptron(
        "bessel",
        _HERE,
        partial(further_pools.bessel, 4000, 0.03),
        0,
        Recipe(
            train_size=900, val_size=900, hidden=(48, 48), activation="tanh", init="xavier", epochs=30,
            rate=6e-3, schedule="cosine",
        ),
        "bare",
        RUNS["bessel"],
    ),
    perceptron(
        "currents",
        _HERE,
        partial(further_pools.currents, 3000, 40.0),
        0,
        Recipe(
            train_size=800, val_size=800, hidden=(48, 24), epochs=40, optimizer="adamw", rate=0.02,
            weight_decay=1e-3, schedule="cosine", warmup=0.05,
        ),
        "plain",
        RUNS["currents"],
    ),
    perceptron(
        "pinwheel",
        _HERE,
        partial(further_pools.pinwheel, 4000, 5, 0.3),
        5,
        Recipe(
            train_size=600, val_size=1000, hidden=(40, 40), epochs=40, optimizer="adamw", rate=0.012,
            weight_decay=0.02, schedule="step", warmup=0.05,
        ),
        "catalyst",
        RUNS["pinwheel"],
    ),
    perceptron(
        "shells",
        _HERE,
        partial(further_pools.shells, 5000, 4),
        4,
        Recipe(
            train_size=1200, val_size=900, hidden=(56,), epochs=40, rate=0.025, weight_decay=2e-4,
            schedule="step", warmup=0.05,
        ),
        "keras",
        RUNS["shells"],
    ),
    perceptron(
        "votes",
        _HERE,
        partial(further_pools.votes, 4000, 0.08),
        2,
        Recipe(
            train_size=500, val_size=700, hidden=(24,), epochs=24, optimizer="momentum", rate=0.03,
            weight_decay=4e-3, schedule="linear", warmup=0.05,
        ),
        "lightning",
        RUNS["votes"],
    ),
]  # fmt: skip

PROBLEMS: list[Problem] = [*_SMALL, *_NEURAL, *_RATES]
