"""Which tag is the learning rate, the epoch, a norm of the whole model, the time of a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tbdiag.model.role import Role
from tbdiag.model.series import Series
from tbdiag.naming.candidates import Candidate, Choice, choose

PER_LAYER = 3  # tags of one norm that tell that it was logged layer by layer


def playing(role: Role, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates whose words name this role."""
    return [c for c in candidates if c.meaning.role is role]


def whole_model(role: Role, candidates: Sequence[Candidate]) -> Choice:
    """A number for the whole model; one that was logged layer by layer leaves the role open."""
    pool = [c for c in playing(role, candidates) if c.meaning.split in ("train", "")]
    plain = [c for c in pool if not c.meaning.family]
    if not plain and len({c.meaning.family for c in pool}) >= PER_LAYER:
        return Choice()
    return choose(
        plain or pool, lambda c: (c.logged == 1, not c.meaning.total, c.meaning.smooth, c.grain)
    )


def step_time(candidates: Sequence[Candidate]) -> Choice:
    """The seconds that a step takes; a bare ``time`` is that only beside ``data_time``."""
    beside_data = any({"data", "time"} <= set(c.meaning.words) for c in candidates)
    return whole_model(
        Role.STEP_TIME,
        [c for c in candidates if beside_data or not set(c.meaning.words) <= {"train", "time"}],
    )


def epoch(candidates: Sequence[Candidate]) -> Candidate | None:
    """The tag that counts epochs, or the like: it never goes down."""
    counting = [
        c
        for c in playing(Role.EPOCH, candidates)
        if len(c.curve) and bool(np.all(np.diff(c.curve.values) >= 0))
    ]
    return min(counting, key=lambda c: ("epoch" not in c.meaning.words, -c.logged), default=None)


def epochs_spanned(counter: Candidate | None) -> float | None:
    """How many epochs the counter saw; None where it counts something else."""
    if counter is None or not len(counter.curve) or "epoch" not in counter.meaning.words:
        return None
    return float(np.ptp(counter.curve.values)) + 1


def learning_rate(candidates: Sequence[Candidate], train: Candidate | None) -> Choice:
    """The learning rate of the first group of parameters, counted in the steps of ``train``.

    Rates that are multiples of each other belong to one schedule: the first by name stands for it.
    """
    pool = playing(Role.LEARNING_RATE, candidates)

    def key(candidate: Candidate) -> tuple[Any, ...]:
        said = candidate.meaning
        return (
            candidate.logged == 1,
            bool(said.family),
            said.split not in ("train", ""),
            not {"min", "max", "minimum", "maximum"}.isdisjoint(said.words),
            _far(candidate, train),
            tuple(int(word) for word in said.stem if word.isdecimal() and len(word) < 9),
        )

    choice = choose(pool, key)
    tied = [c for c in pool if c.tag in choice.tied]
    if tied and _proportional([c.curve for c in tied]):
        return Choice(tied[0])
    return choice


def _far(candidate: Candidate, train: Candidate | None) -> bool:
    """Whether the curves are counted in other units: their last steps differ by over twofold."""
    if train is None or not len(candidate.curve) or not len(train.curve):
        return False
    last = [abs(float(c.curve.steps[-1])) + 1 for c in (candidate, train)]
    return abs(math.log2(last[0] / last[1])) > 1


def _proportional(curves: Sequence[Series]) -> bool:
    first = curves[0].values
    for curve in curves[1:]:
        if len(curve) != len(first) or not np.any(first) or not np.any(curve.values):
            return False
        scale = np.abs(curve.values).max() / np.abs(first).max()
        if not np.allclose(curve.values, first * scale, rtol=1e-3, atol=0):
            return False
    return True
