"""How soon a method came how near to the reference, with intervals by a bootstrap over tasks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_DRAWS = 2000
_LEVEL = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Reach:
    """When a search came within ``share`` of a reference: after how many follow-ups and epochs.

    Both infinite where it never did.
    """

    followups: float
    epochs: float


def reach(losses: Sequence[float], epochs: Sequence[int], reference: float, share: float) -> Reach:
    """The first follow-up within ``share`` above the reference, which is positive."""
    limit = reference * (1 + share)
    for at, loss in enumerate(losses):
        if loss <= limit:
            return Reach(at + 1, float(sum(epochs[: at + 1])))
    return Reach(math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


Statistic = Callable[[NDArray[np.int64]], float]


def estimate(statistic: Statistic, clusters: Sequence[str]) -> Estimate:
    """The statistic of all cells, and its percentile interval where whole tasks are drawn anew.

    ``statistic`` takes the indices of cells, which may be there several times; ``clusters`` are the
    tasks of the cells. Reproducible: the seed is fixed.
    """
    names = sorted(set(clusters))
    members = [np.flatnonzero(np.array(clusters) == name) for name in names]
    rng = np.random.default_rng(0)
    drawn = [
        statistic(np.concatenate([members[i] for i in rng.integers(len(names), size=len(names))]))
        for _ in range(_DRAWS)
    ]
    low, high = np.quantile(drawn, _LEVEL)
    return Estimate(statistic(np.arange(len(clusters))), float(low), float(high))


def capped(followups: Floats, most: int) -> Floats:
    """Counts where a search that never arrived counts as one more than it was given."""
    return np.minimum(followups, most + 1)


@dataclass(frozen=True, slots=True)
class Score:
    """A method over cells: shape (cells, seeds), follow-ups and epochs to 5 % and to 2 %."""

    near: Floats
    epochs: Floats
    nearer: Floats
    nearer_epochs: Floats
    clusters: tuple[str, ...]
    most: int  # follow-ups

    @property
    def hits(self) -> Estimate:
        """The share of cells within 5 %."""
        return self._of(lambda i: float(np.isfinite(self.near[i]).mean()))

    @property
    def nearer_hits(self) -> Estimate:
        """The share of cells within 2 %."""
        return self._of(lambda i: float(np.isfinite(self.nearer[i]).mean()))

    @property
    def mean(self) -> Estimate:
        """The mean follow-ups to 5 %."""
        return self._of(lambda i: float(capped(self.near[i], self.most).mean()))

    @property
    def nearer_mean(self) -> Estimate:
        """The mean follow-ups to 2 %."""
        return self._of(lambda i: float(capped(self.nearer[i], self.most).mean()))

    @property
    def median(self) -> float:
        """The median follow-ups to 5 %, infinite where most never got there."""
        return float(np.median(self.near))

    def mean_epochs(self, limits: Floats) -> Estimate:
        """The mean epochs to 5 %; a search that never arrived counts with all of a full search's.

        ``limits``: (cells, 1).
        """
        return self._of(lambda i: float(np.minimum(self.epochs[i], limits[i]).mean()))

    def ahead(self, other: Score) -> Estimate:
        """By how much the share of cells within 5 % is higher than another method's."""
        return self._of(
            lambda i: float(np.isfinite(self.near[i]).mean() - np.isfinite(other.near[i]).mean())
        )

    def fewer(self, other: Score) -> Estimate:
        """How many times as many follow-ups the other one takes to 5 % on average."""
        return self._of(
            lambda i: float(
                capped(other.near[i], self.most).mean() / capped(self.near[i], self.most).mean()
            )
        )

    def of(self, chosen: Sequence[int]) -> Score:
        """The same method on some of the cells."""
        rows = list(chosen)
        parts = (self.near, self.epochs, self.nearer, self.nearer_epochs)
        near, epochs, nearer, nearer_epochs = (each[rows] for each in parts)
        clusters = tuple(self.clusters[i] for i in rows)
        return Score(near, epochs, nearer, nearer_epochs, clusters, self.most)

    def _of(self, statistic: Statistic) -> Estimate:
        return estimate(statistic, self.clusters)


def scored(
    traces: Sequence[Sequence[tuple[Sequence[float], Sequence[int]]]],
    references: Sequence[float],
    clusters: Sequence[str],
    most: int,
) -> Score:
    """The score of a method from the (losses, epochs) of each cell and seed."""
    near, epochs = _reached(traces, references, 0.05)
    nearer, nearer_epochs = _reached(traces, references, 0.02)
    return Score(near, epochs, nearer, nearer_epochs, tuple(clusters), most)


def _reached(
    traces: Sequence[Sequence[tuple[Sequence[float], Sequence[int]]]],
    references: Sequence[float],
    share: float,
) -> tuple[Floats, Floats]:
    found = [
        [reach(losses, epochs, reference, share) for losses, epochs in cell]
        for cell, reference in zip(traces, references, strict=True)
    ]
    return (
        np.array([[each.followups for each in row] for row in found]),
        np.array([[each.epochs for each in row] for row in found]),
    )
