"""Networks in PyTorch on made-up images, signals and on text."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from benchmarks.gallery.problems import signals
from benchmarks.gallery.problems.neural_runs import RUNS
from benchmarks.gallery.recipe import Part, Problem, Recipe
from benchmarks.gallery.splits import split


def neural(
    name: str,
    part: Part,
    pool: Callable[[], signals.Pool],
    network: tuple[str, dict[str, Any]],
    classes: int,
    recipe: Recipe,
    convention: str,
    *,
    objective: str = "classes",
    answers: int = 1,
    runs: dict[str, tuple[str, ...]] | None = None,
) -> Problem:
    """A problem; `network` names a builder in torch_nets, with what it needs beside the recipe.

    `runs` says what is injected, else the table does.
    """
    kept = cache(pool)
    builder, needs = network

    def make(changed: Recipe, seed: int) -> Any:
        from benchmarks.gallery import torch_learner, torch_nets

        x, y = kept()
        data = split(x, y, changed, classes)
        more = dict(needs, outputs=2) if changed.rare and "outputs" in needs else needs
        return torch_learner.TorchLearner(
            changed,
            data,
            lambda r: getattr(torch_nets, builder)(r, **more),
            getattr(torch_learner, objective),
            seed,
        )

    return Problem(
        name=name,
        part=part,
        setting="torch",
        recipe=recipe,
        make=make,
        classes=classes,
        answers=answers,
        convention=convention,
        runs=RUNS[name] if runs is None else runs,
        seconds=0.2,
    )


_WORDS = signals.VOCABULARY

PROBLEMS: list[Problem] = [
    neural(
        "shapes-cnn",
        "calibration",
        partial(signals.shapes, 1800, 12, 0.3),
        ("Convolutions", {"size": 12, "outputs": 5}),
        5,
        Recipe(
            train_size=640, val_size=600, hidden=(6, 12), epochs=24, rate=7e-3, weight_decay=1e-4
        ),
        "bare",
    ),
    neural(
        "code-transformer",
        "calibration",
        partial(signals.text, "argparse", "typing", "inspect", "dataclasses"),
        ("Transformer", {"vocabulary": _WORDS, "length": 32}),
        _WORDS,
        Recipe(
            train_size=6000,
            val_size=150,
            batch_size=16,
            epoch_steps=16,
            hidden=(32, 64),
            activation="gelu",
            epochs=20,
            rate=0.012,
            warmup=0.1,
        ),
        "huggingface",
        answers=32,
    ),
    neural(
        "hastie-mlp",
        "calibration",
        partial(signals.hastie, 6000, 0.03),
        ("mlp", {"features": 10, "outputs": 2}),
        2,
        Recipe(
            train_size=1600, val_size=1500, hidden=(48, 48), epochs=25, rate=5e-3, weight_decay=2e-3
        ),
        "plain",
    ),
    neural(
        "digits-vae",
        "calibration",
        partial(signals.digit_images, 0, 4),
        ("Autoencoder", {"pixels": 64}),
        0,
        Recipe(train_size=500, val_size=200, hidden=(64, 64), epochs=40, rate=5e-3),
        "lightning",
        objective="evidence",
    ),
    neural(
        "waves-gru",
        "calibration",
        partial(signals.waves, 2000, 16, 0.15),
        ("Recurrent", {"cell": "GRU", "vocabulary": 0, "outputs": 4}),
        4,
        Recipe(train_size=800, val_size=600, hidden=(24,), epochs=24, rate=0.015, clip=1.0),
        "words",
    ),
    neural(
        "gratings-cnn",
        "report",
        partial(signals.gratings, 1900, 12, 1.2),
        ("Convolutions", {"size": 12, "outputs": 6, "normed": True}),
        6,
        Recipe(
            train_size=640, val_size=650, hidden=(6, 12), epochs=20, rate=0.015, weight_decay=1e-3
        ),
        "lightning",
    ),
    neural(
        "manual-gru",
        "report",
        partial(signals.text, "pydoc_data.topics", attribute="topics"),
        ("Recurrent", {"cell": "GRU", "vocabulary": _WORDS, "outputs": _WORDS}),
        _WORDS,
        Recipe(
            train_size=8000,
            val_size=150,
            batch_size=16,
            epoch_steps=16,
            hidden=(40,),
            epochs=24,
            rate=0.02,
            clip=1.0,
        ),
        "loop",
        answers=32,
    ),
    neural(
        "boards-mlp",
        "report",
        partial(signals.boards, 6000, 0.08),
        ("mlp", {"features": 5, "outputs": 3}),
        3,
        Recipe(train_size=1500, val_size=1600, hidden=(64, 64), epochs=25, rate=0.01),
        "catalyst",
    ),
    neural(
        "bumps-vae",
        "report",
        partial(signals.bumps, 2500, 10),
        ("Autoencoder", {"pixels": 100}),
        0,
        Recipe(train_size=600, val_size=700, hidden=(48, 64), epochs=40, rate=8e-3),
        "plain",
        objective="evidence",
    ),
    neural(
        "ripples-regression",
        "report",
        partial(signals.ripples, 4000, 0.02, 0.2),
        ("mlp", {"features": 4, "outputs": 1}),
        0,
        Recipe(
            train_size=1000, val_size=1000, hidden=(64, 64), activation="tanh", epochs=30, rate=5e-3
        ),
        "keras",
        objective="squares",
    ),
]
