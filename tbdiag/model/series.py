"""One scalar curve: what a run logged under one tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def _frozen(values: ArrayLike, dtype: type[Any]) -> NDArray[Any]:
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


def _part(steps: Ints, first: float, last: float) -> slice:
    """Where those of the increasing ``steps`` stand that are within ``first`` and ``last``."""
    start, stop = np.searchsorted(steps, first), np.searchsorted(steps, last, "right")
    return slice(int(start), max(int(stop), int(start)))


@dataclass(frozen=True, slots=True, eq=False)
class NonFinite:
    """The points of a curve that were NaN or infinite: ``steps`` (m,), ``values`` (m,), in step order."""

    steps: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.steps)


_NONE = NonFinite(_frozen((), np.int64), _frozen((), np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A curve of n points: ``steps`` strictly increasing, ``values`` finite, ``wall_times`` in seconds.

    All arrays are read-only and of shape (n,). Points that were NaN or infinite stand apart in
    ``nonfinite``. Build one with `Series.of`, which sorts and splits.
    """

    tag: str
    steps: Ints
    values: Floats
    wall_times: Floats
    nonfinite: NonFinite

    @classmethod
    def of(
        cls,
        tag: str,
        steps: ArrayLike,
        values: ArrayLike,
        wall_times: ArrayLike | None = None,
    ) -> Series:
        """A series from points whose steps are strictly increasing; NaN and Inf are set apart.

        ``steps``, ``values``, ``wall_times``: shape (n,); without wall times every point gets its
        index in seconds. Raises ValueError where the shapes differ or steps do not increase.
        """
        steps_ = np.asarray(steps, dtype=np.int64)
        values_ = np.asarray(values, dtype=np.float64)
        walls = (
            np.arange(len(steps_), dtype=np.float64)
            if wall_times is None
            else np.asarray(wall_times, dtype=np.float64)
        )
        if not steps_.shape == values_.shape == walls.shape or steps_.ndim != 1:
            raise ValueError(f"steps, values and wall times of {tag!r} differ in shape")
        if len(steps_) > 1 and not bool(np.all(np.diff(steps_) > 0)):
            raise ValueError(f"the steps of {tag!r} do not increase strictly")
        finite = np.isfinite(values_)
        return cls(
            tag,
            _frozen(steps_[finite], np.int64),
            _frozen(values_[finite], np.float64),
            _frozen(walls[finite], np.float64),
            NonFinite(_frozen(steps_[~finite], np.int64), _frozen(values_[~finite], np.float64)),
        )

    @classmethod
    def adopting(cls, tag: str, steps: Ints, values: Floats, wall_times: Floats) -> Series:
        """A series of these very arrays, shape (n,), which are read-only from now on.

        The caller has seen that ``steps`` increase strictly and that all ``values`` are finite.
        """
        for array in (steps, values, wall_times):
            array.flags.writeable = False
        return cls(tag, steps, values, wall_times, _NONE)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def logged(self) -> int:
        """How many points were logged, NaN and Inf included."""
        return len(self.steps) + len(self.nonfinite)

    def between(self, first: float, last: float) -> Series:
        """The points with ``first <= step <= last``, as a new series."""
        keep, bad = _part(self.steps, first, last), _part(self.nonfinite.steps, first, last)
        return Series(
            self.tag,
            self.steps[keep],
            self.values[keep],
            self.wall_times[keep],
            NonFinite(self.nonfinite.steps[bad], self.nonfinite.values[bad])
            if len(self.nonfinite)
            else self.nonfinite,
        )

    def with_values(self, values: ArrayLike) -> Series:
        """The same finite points with other ``values``, shape (n,); they must be finite."""
        array = _frozen(values, np.float64)
        if array.shape != self.values.shape or not bool(np.all(np.isfinite(array))):
            raise ValueError(f"{self.tag!r} takes {len(self)} finite values")
        return Series(self.tag, self.steps, array, self.wall_times, self.nonfinite)
