"""Everyday problems that are learned to a modest accuracy: most that anyone trains are.

Grades, customers, prices, signs, strokes and cloth, with the rates and schedules of usual tutorials; most of their
faults are in the rate, and in what looks like one.
"""

from __future__ import annotations

from functools import partial

from benchmarks.gallery.problems import bare_pools as pools
from benchmarks.gallery.problems.bare_runs import RUNS
from benchmarks.gallery.problems.neural import neural
from benchmarks.gallery.problems.small import perceptron
from benchmarks.gallery.recipe import Part, Problem, Recipe

_HERE: Part = "calibration"

PROBLEMS: list[Problem] = [
    perceptron(
        "grades",
        _HERE,
        partial(pools.grades, 4000, 0.5),
        5,
        Recipe(
            train_size=1200, val_size=700, batch_size=32, hidden=(16,), epochs=16, rate=0.016,
            weight_decay=3e-3, schedule="constant",
        ),
        "keras",
        RUNS["grades"],
    ),
    perceptron(
        "leavers",
        _HERE,
        partial(pools.leavers, 4200),
        2,
        Recipe(
            train_size=1400, val_size=800, batch_size=64, hidden=(24,), epochs=30,
            optimizer="momentum", rate=0.1, weight_decay=4e-3, schedule="cosine",
        ),
        "bare",
        RUNS["leavers"],
    ),
    perceptron(
        "prices",
        _HERE,
        partial(pools.prices, 3600, 0.15),
        0,
        Recipe(
            train_size=1600, val_size=700, batch_size=64, hidden=(32, 32), epochs=24,
            optimizer="adamw", rate=0.02, weight_decay=0.4, schedule="drops:0.3",
        ),
        "lightning",
        RUNS["prices"],
    ),
    neural(
        "signs-cnn",
        _HERE,
        partial(pools.signs, 1180, 8, 0.7),
        ("Convolutions", {"size": 8, "outputs": 12}),
        12,
        Recipe(
            train_size=480, val_size=300, batch_size=48, hidden=(8, 16), epochs=12,
            optimizer="momentum", rate=0.075, weight_decay=1e-4, schedule="step", log_every=2,
        ),
        "loop",
        runs=RUNS["signs-cnn"],
    ),
    neural(
        "strokes-gru",
        _HERE,
        partial(pools.strokes, 1200, 10, 0.8),
        ("Recurrent", {"cell": "GRU", "vocabulary": 0, "outputs": 6}),
        6,
        Recipe(
            train_size=480, val_size=300, batch_size=60, hidden=(20,), epochs=14, rate=0.04,
            schedule="linear", clip=1.0,
        ),
        "catalyst",
        runs=RUNS["strokes-gru"],
    ),
    neural(
        "cloths-patches",
        _HERE,
        partial(pools.cloths, 1600, 1.3),
        ("Patches", {"size": 8, "patch": 4, "outputs": 8}),
        8,
        Recipe(
            train_size=840, val_size=300, batch_size=70, hidden=(24, 48), activation="gelu",
            epochs=8, optimizer="adamw", rate=0.012, weight_decay=0.1, schedule="linear",
            warmup=0.1, log_every=2,
        ),
        "huggingface",
        runs=RUNS["cloths-patches"],
    ),
    perceptron(
        "meals",
        _HERE,
        partial(pools.meals, 3800),
        8,
        Recipe(
            train_size=1000, val_size=800, batch_size=20, hidden=(40,), epochs=16, optimizer="sgd",
            rate=0.13, weight_decay=3e-3, schedule="step", log_every=5,
        ),
        "plain",
        RUNS["meals"],
    ),
    perceptron(
        "fuel",
        _HERE,
        partial(pools.fuel, 2200, 2.0),
        0,
        Recipe(
            train_size=600, val_size=400, batch_size=32, hidden=(32, 16), epochs=32,
            rate=0.026, weight_decay=4e-3, schedule="constant",
        ),
        "keras",
        RUNS["fuel"],
    ),
    neural(
        "moods-normed",
        _HERE,
        partial(pools.moods, 2200, 0.3),
        ("Normed", {"features": 20, "norm": "batch", "outputs": 4}),
        4,
        Recipe(
            train_size=800, val_size=500, batch_size=50, hidden=(32, 16), epochs=8,
            optimizer="adamw", rate=0.016, weight_decay=0.15, schedule="onecycle",
        ),
        "lightning",
        runs=RUNS["moods-normed"],
    ),
]  # fmt: skip
