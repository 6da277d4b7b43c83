"""What one event file holds, before it becomes part of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tbdiag.model.run import Damage, Restart, Scalar
from tbdiag.model.series import Floats, Ints
from tbdiag.reading.stored import Stored


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Points:
    """The scalars of one tag in file order: ``steps``, ``values``, ``wall_times``, each (n,)."""

    steps: Ints
    values: Floats
    wall_times: Floats

    @classmethod
    def of(cls, steps: ArrayLike, values: ArrayLike, wall_times: ArrayLike) -> Points:
        """Points from three sequences of one length."""
        return cls(
            np.asarray(steps, dtype=np.int64),
            np.asarray(values, dtype=np.float64),
            np.asarray(wall_times, dtype=np.float64),
        )

    def __len__(self) -> int:
        return len(self.steps)

    def take(self, which: NDArray[np.bool_] | Ints) -> Points:
        """The points that a mask or an index selects, in its order."""
        return Points(self.steps[which], self.values[which], self.wall_times[which])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RawHistograms:
    """The histograms of one tag in file order: ``steps`` and ``wall_times`` (n,), undecoded records.

    A record is the wire form of one ``Summary.Value``, which mostly still stands in its file;
    `tbdiag.reading.histograms` decodes it.
    """

    steps: Ints
    wall_times: Floats
    records: Stored

    def __len__(self) -> int:
        return len(self.steps)

    def take(self, which: NDArray[np.bool_] | Ints) -> RawHistograms:
        """The histograms that a mask or an index selects, in its order."""
        return RawHistograms(self.steps[which], self.wall_times[which], self.records.take(which))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Columns:
    """All that is read from one event file, by tag and in file order; nothing is sampled.

    ``texts`` holds the last text of each tag, ``hparams`` what the HParams plugin logged. ``started``
    is the wall time of the first event. Points that a ``SessionLog.START`` of this file declared void
    are gone, and told in ``purges``; ``voids`` is the lowest step of such an event, at and after which
    points of earlier files of the folder are void too. ``damage`` says where reading had to stop.
    """

    scalars: Mapping[str, Points] = field(default_factory=dict)
    histograms: Mapping[str, RawHistograms] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    hparams: Mapping[str, Scalar] = field(default_factory=dict)
    started: float | None = None
    voids: int | None = None
    purges: tuple[Restart, ...] = ()
    damage: Damage | None = None
