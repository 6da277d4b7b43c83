"""Problems of everyday practice that all others lacked, with most of their faults in the rate.

Targets far from zero that nobody scaled, weights that were learned on another task, a ranking loss over
embeddings, and labels that are smoothed under a loss per step and nothing else.
"""

from __future__ import annotations

from functools import partial

from benchmarks.gallery.problems import practice_pools as pools
from benchmarks.gallery.problems.neural import neural
from benchmarks.gallery.problems.practice_runs import RUNS
from benchmarks.gallery.problems.small import perceptron
from benchmarks.gallery.recipe import Part, Problem, Recipe

_HERE: Part = "calibration"

PROBLEMS: list[Problem] = [
    perceptron(
        "kelvins",
        _HERE,
        partial(pools.kelvins, 2600, 2.0),
        0,
        Recipe(
            train_size=800, val_size=600, batch_size=40, hidden=(32, 16), epochs=40, rate=0.04,
            weight_decay=1e-4, schedule="step", warmup=0.05,
        ),
        "keras",
        RUNS["kelvins"],
    ),
    neural(
        "topics-tuned",
        _HERE,
        partial(pools.topics, 3200, 32),
        ("tuned", {"features": 32, "outputs": 3, "basis": partial(pools.fine_topics, 1500, 32)}),
        3,
        Recipe(
            train_size=960, val_size=800, batch_size=24, hidden=(48, 32), epochs=6,
            optimizer="adamw", rate=0.003, weight_decay=0.01, schedule="linear", warmup=0.1,
            log_every=2, clip=1.0,
        ),
        "huggingface",
        runs=RUNS["topics-tuned"],
    ),
    neural(
        "tastes-ranked",
        _HERE,
        partial(pools.tastes, 12000, 150, 100),
        ("Factors", {"users": 150, "items": 100}),
        0,
        Recipe(
            train_size=6000, val_size=1000, batch_size=250, hidden=(6,), epochs=16,
            optimizer="adamw", rate=0.025, weight_decay=0.3, schedule="cosine",
            log_every=4,
        ),
        "loop",
        objective="ranked",
        runs=RUNS["tastes-ranked"],
    ),
    neural(
        "stamps-smoothed",
        _HERE,
        partial(pools.stamps, 4200, 8, 0.7),
        ("mlp", {"features": 64, "outputs": 10}),
        10,
        Recipe(
            train_size=2048, val_size=0, batch_size=256, hidden=(64, 32), epochs=32,
            optimizer="momentum", rate=0.25, weight_decay=2e-3, schedule="cosine", warmup=0.05,
            log_every=2,
        ),
        "steps",
        objective="smoothed",
        runs=RUNS["stamps-smoothed"],
    ),
    perceptron(
        "queues",
        _HERE,
        partial(pools.queues, 4000, 0.4),
        4,
        Recipe(
            train_size=1600, val_size=800, batch_size=32, hidden=(40,), epochs=8,
            optimizer="sgd", rate=0.5, weight_decay=1e-4, schedule="linear", log_every=2,
        ),
        "plain",
        RUNS["queues"],
    ),
    neural(
        "drafts",
        _HERE,
        partial(pools.drafts, 3000, 10, 0.15),
        ("mlp", {"features": 10, "outputs": 1}),
        0,
        Recipe(
            train_size=1200, val_size=0, batch_size=60, hidden=(48, 24), activation="gelu",
            epochs=16, optimizer="adamw", rate=0.015, weight_decay=0.02, schedule="cosine",
            warmup=0.05,
        ),
        "steps",
        objective="robust",
        runs=RUNS["drafts"],
    ),
]  # fmt: skip
