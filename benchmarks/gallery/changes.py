"""The changes to a supervised recipe that faults are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks.gallery.recipe import Recipe

Change = Callable[[Any], Any]  # from a recipe to the same type of recipe


def with_values(**values: Any) -> Change:
    """Other values for some fields."""
    return lambda recipe: replace(recipe, **values)


def rate_times(factor: float, **more: Any) -> Change:
    """A rate times a factor, and other values for some fields."""
    return lambda recipe: replace(recipe, rate=recipe.rate * factor, **more)


def epochs_times(factor: float, least: int = 8, **more: Any) -> Change:
    """Epochs times a factor, `least` at the least, and other values for some fields."""
    return lambda r: replace(r, epochs=max(round(r.epochs * factor), least), **more)


def cut_short(factor: float, least: int = 8) -> Change:
    """Stopped after a share of the epochs for which the schedule was made."""
    return lambda r: replace(r, epochs=max(round(r.epochs * factor), least), horizon=r.epochs)


def slowly(rate: float, epochs: float) -> Change:
    """A constant rate on the low side, and too few epochs for it."""
    return lambda r: replace(
        r,
        rate=r.rate * rate,
        epochs=max(round(r.epochs * epochs), 12),
        schedule="constant",
        warmup=0.0,
    )


def few_samples(share: float, epochs: float, **more: Any) -> Change:
    """A small training set seen for a long time, with nothing against memorising it."""

    def change(r: Recipe) -> Recipe:
        size = max(round(r.train_size * share), 40)
        updates = 0.0 if r.epoch_steps else r.epochs * r.train_size / size
        return replace(
            r,
            train_size=size,
            epochs=min(round(max(r.epochs, 0.6 * updates) * epochs), 300),
            batch_size=min(r.batch_size, max(size // 5, 4)),
            weight_decay=0.0,
            dropout=0.0,
            schedule="constant",
            warmup=0.0,
            log_every=2,
            **more,
        )

    return change


def past_the_best(epochs: float, share: float = 1.0) -> Change:
    """A constant rate, no decay of the weights, and many times the epochs that were needed."""
    return lambda r: replace(
        r,
        train_size=max(round(r.train_size * share), 40),
        epochs=min(round(r.epochs * epochs), 240),
        weight_decay=0.0,
        dropout=0.0,
        schedule="constant",
        warmup=0.0,
        log_every=4,
    )


def deep(layers: int, width: int, **more: Any) -> Change:
    """Many narrow layers."""
    return lambda r: replace(r, hidden=(width,) * layers, **more)


def narrow(units: int, epochs: float = 1.5) -> Change:
    """Very few hidden units, and epochs enough to get to what they can do."""
    return lambda r: replace(r, hidden=(units,), epochs=round(r.epochs * epochs))


def evaluations(count: int) -> Change:
    """About so many evaluations in the whole run."""
    return lambda r: replace(r, eval_every=max(r.epochs // count, 1))
