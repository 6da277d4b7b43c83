"""What a run has to log, gathered under plain names until it is written in some convention."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from benchmarks.gallery.recipe import Floats

BUCKETS_END = 9e19
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a curve. ``epoch`` is None for what is logged by the step."""

    curve: str
    step: int
    epoch: int | None
    value: float
    wall: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The values of a tensor at a step."""

    name: str
    step: int
    values: Floats
    wall: float


@dataclass(slots=True)
class Session:
    """What one process logs into its event file."""

    points: list[Point] = field(default_factory=list)
    spreads: list[Spread] = field(default_factory=list)
    finished: bool = True

    def scalar(
        self, curve: str, step: int, value: float | None, wall: float, epoch: int | None = None
    ) -> None:
        """Log a value; None is not logged."""
        if value is not None:
            self.points.append(Point(curve, step, epoch, float(value), wall))

    def tensors(self, tensors: dict[str, Floats], step: int, wall: float) -> None:
        """Log histograms of those tensors that are finite, as writers refuse the others.

        They refuse as well what lies beyond all of their buckets.
        """
        for name, values in tensors.items():
            if values.size and np.isfinite(values).all() and np.abs(values).min() < BUCKETS_END:
                copy = np.array(values, dtype=np.float64).ravel()
                self.spreads.append(Spread(name, step, copy, wall))

    @property
    def nonfinite(self) -> bool:
        """Whether a curve holds a NaN or an infinity in single precision, as event files have it."""
        return any(not abs(point.value) <= LARGEST for point in self.points)


class Clock:
    """Wall times: each step takes about ``seconds``, with some jitter, times the ``slowness``."""

    def __init__(self, start: float, seconds: float, seed: int) -> None:
        self.now, self._seconds = start, seconds
        self._rng = np.random.default_rng([seed, 77])

    def tick(self, slowness: float = 1.0, steps: float = 1.0) -> float:
        """Let ``steps`` steps pass; the time after them."""
        self.now += self._seconds * steps * slowness * math.exp(0.08 * self._rng.standard_normal())
        return self.now
