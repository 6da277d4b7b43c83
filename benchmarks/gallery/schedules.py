"""Courses of the learning rate, right and wrong ones."""

from __future__ import annotations

import math
from collections.abc import Callable

from benchmarks.gallery.recipe import Recipe

FLOOR = 1e-3  # of the peak, what an early decay ends at


class Schedule:
    """The rate by the step; ``epoch_done`` tells schedules that listen how the loss went."""

    def __init__(self, recipe: Recipe, steps_per_epoch: int) -> None:
        self._recipe = recipe
        self._total = (recipe.horizon or recipe.epochs) * steps_per_epoch
        self._run = recipe.epochs * steps_per_epoch
        self._kind, _, number = recipe.schedule.partition(":")
        self._number = float(number or 0)
        self._factor, self._best, self._bad = 1.0, math.inf, 0

    def rate(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        recipe, done = self._recipe, min(step / self._total, 1.0)
        peak = recipe.rate
        if recipe.jump_at is not None and step >= recipe.jump_at * self._run:
            peak *= recipe.jump
        if recipe.warmup and done < recipe.warmup:
            return peak * (step + 1) / (recipe.warmup * self._total + 1)
        done = (done - recipe.warmup) / (1.0 - recipe.warmup)
        return peak * self._shape(done) * self._factor

    def _shape(self, done: float) -> float:
        """The rate over its peak after a share of the run."""
        if self._kind in _SMOOTH:
            return _SMOOTH[self._kind](done)
        match self._kind:
            case "step":
                return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01
            case "onecycle":
                if done < 0.3:
                    return 0.04 + 0.96 * _cosine(1.0 - done / 0.3)
                return _cosine((done - 0.3) / 0.7)
            case "restarts":  # `number` cycles
                return _cosine(done * self._number % 1.0)
            case "bump":  # a stretch at a rate that is too high, and an anneal that makes up for it
                return 0.5 if done < 0.35 else 4.0 if done < 0.55 else _cosine((done - 0.55) / 0.45)
            case "early":  # a cosine that is over after `number` of the run
                return max(_cosine(min(done / self._number, 1.0)), FLOOR)
            case "early-step":  # two divisions by thirty, the second after `number` of the run
                return 1.0 if done < self._number / 2 else 1 / 30 if done < self._number else FLOOR
            case "constant" | "rises" | "drops":
                return 1.0
        raise ValueError(f"there is no schedule {self._kind}")

    def epoch_done(self, loss: float) -> None:
        """Hear the mean training loss of an epoch."""
        if loss < self._best * 0.98:
            self._best, self._bad = loss, 0
            return
        self._bad += 1
        if self._kind == "rises":  # the factor of a plateau scheduler upside down
            self._factor *= self._number
        elif self._kind == "drops" and self._bad >= 4:
            self._factor, self._bad = self._factor * self._number, 0


def _cosine(done: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))


_SMOOTH: dict[str, Callable[[float], float]] = {
    "cosine": _cosine,
    "linear": lambda done: 1.0 - done,
    "exponential": lambda done: math.exp(math.log(0.01) * done),  # to 1 % over the run
    "sqrt": lambda done: 1.0 / math.sqrt(1.0 + 24.0 * done),  # by the root of the steps, to a fifth
}
