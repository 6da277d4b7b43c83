"""How much a result varies from seed to seed, and whether a difference is more than that."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tbdiag.model.series import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What one result strays by: ``seed_sd`` from seed to seed, ``error`` by the validation set.

    ``repeats`` tells from how many repeated runs the former was measured, 0 where it is assumed;
    ``samples`` how many samples the latter rests on, None where that is not known.
    """

    seed_sd: float
    error: float
    repeats: int
    samples: int | None

    def limit(self, factor: float, one: int = 1, other: int = 1) -> float:
        """The least difference between means of ``one`` and ``other`` repeats that is no noise.

        ``factor`` times the deviation of one result, for single results. More repeats calm what the
        seed does, but all of them are measured on the same validation set.
        """
        seeds = self.seed_sd * math.sqrt((1 / one + 1 / other) / 2)
        return factor * max(seeds, self.error)


def pooled(groups: Iterable[Floats], assumed: float, weight: float) -> tuple[float, int]:
    """The standard deviation within ``groups`` of repeats, and how many repeats there are.

    Two repeats tell little, so the ``assumed`` deviation counts like ``weight`` more degrees of
    freedom. A group of one tells nothing. Without repeats it is the assumed one, and 0.
    """
    squares, free, repeats = weight * assumed**2, weight, 0
    for group in groups:
        if len(group) > 1:
            squares += float(((group - np.mean(group)) ** 2).sum())
            free += len(group) - 1
            repeats += len(group)
    return (math.sqrt(squares / free) if free > 0 else assumed), repeats


def standard_error(share: float, size: int) -> float:
    """The standard error of a share of ``size`` samples; not 0 where all of them are right.

    Wald's, with the correction of Agresti and Coull (1998).
    """
    share = (share * size + 1) / (size + 2)
    return math.sqrt(share * (1 - share) / size)
