"""Points of many tags as they come in, and in the end the points of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.run import Restart
from tbdiag.model.series import Floats, Ints
from tbdiag.reading.columns import Points
from tbdiag.reading.scalars import Batch, Scalars

Point = tuple[int, int, int, float, float]  # record, tag, step, wall time, value
Start = tuple[int, int, float]  # points before it, step, wall time

_COLUMNS = ("record", "tags", "steps", "walls", "values")


class Batches:
    """The points of a file in its order; ``tags`` are those of the points that came many at once.

    ``starts`` are the session logs that declare what was logged before them at later steps void.
    ``whole`` tells whether all that was expected was handed in sound.
    """

    def __init__(self, tags: set[int]) -> None:
        self.tags = tags
        self.starts: list[Start] = []
        self._batches: list[Batch | None] = []  # None until it was handed in
        self.whole = True
        self._count = 0
        self._chunk_points: list[Point] = []
        self._chunk_starts: list[Start] = []

    def add(self, batch: Batch, tags: Iterable[int]) -> None:
        """Take in points of the ``tags``, in their order."""
        self.tags.update(tags)
        self._batches.append(_narrow(batch))
        self._count += len(batch)

    def expect(self, count: int, tags: Iterable[int]) -> Callable[[Batch | None], None]:
        """Keep a place for ``count`` points of the ``tags``; the result takes them, or None if damaged."""
        self.tags.update(tags)
        place = len(self._batches)
        self._batches.append(None)
        self._count += count

        def take(batch: Batch | None) -> None:
            self._batches[place] = None if batch is None else _narrow(batch)
            self.whole &= batch is not None

        return take

    def note(self, record: int, tag: int, step: int, wall_time: float, value: float) -> None:
        """Take in one point of record number ``record`` of the chunk."""
        self._chunk_points.append((record, tag, step, wall_time, value))

    def restart(self, record: int, step: int, wall_time: float) -> None:
        """Declare what was logged before ``record`` of the chunk at ``step`` or later void."""
        self._chunk_starts.append((record, step, wall_time))

    def close_chunk(self, found: Scalars | None, records: int) -> None:
        """Order the points of a chunk, of which only the first ``records`` records count."""
        parts = [] if found is None else [found]
        if found is not None:
            self.tags.update(np.flatnonzero(np.bincount(found.tags)).tolist())
        if self._chunk_points:
            record, tags, steps, walls, values = zip(*self._chunk_points, strict=True)
            none = np.zeros(0, dtype=np.int64)
            parts.append(
                Scalars(
                    np.array(record, dtype=np.int64),
                    np.array(tags, dtype=np.int64),
                    np.array(steps, dtype=np.int64),
                    np.array(walls, dtype=np.float64),
                    np.array(values, dtype=np.float64),
                    none,
                    -1,
                )
            )
        for start in self._chunk_starts:
            before = sum(int(np.count_nonzero(part.record < start[0])) for part in parts)
            self.starts.append((self._count + before, start[1], start[2]))
        if parts:
            self.add(_merged(parts, records), ())
        self._chunk_points, self._chunk_starts = [], []

    def points(self, names: Sequence[str]) -> tuple[dict[str, Points], tuple[Restart, ...]]:
        """The points of each tag, by its name, that are not void, and what was dropped."""
        tags = self._taken("tags")
        if not len(tags):
            return {}, ()
        order = np.argsort(tags, kind="stable")
        steps = self._taken("steps")
        valid, purges = _purge(steps, self.starts)
        if valid is not None:
            order = order[valid[order]]
        if not len(order):
            return {}, purges
        tags, steps = tags.take(order), steps.take(order).astype(np.int64)
        walls: Floats = self._taken("walls").take(order)
        values = self._taken("values").take(order).astype(np.float64)
        firsts = np.flatnonzero(np.append(True, tags[1:] != tags[:-1]))
        ends = np.append(firsts[1:], len(tags))
        points = {}
        for which in np.argsort(order[firsts]).tolist():  # in the order of their first points
            part = slice(int(firsts[which]), int(ends[which]))
            points[names[int(tags[part.start])]] = Points(steps[part], values[part], walls[part])
        return points, purges

    def _taken(self, name: str) -> NDArray[Any]:
        columns = [getattr(batch, name) for batch in self._batches if batch is not None]
        return np.concatenate(columns) if columns else np.zeros(0)


def _narrow(batch: Batch) -> Batch:
    """The same points in less memory, where that loses nothing."""
    tags, steps = batch.tags, batch.steps
    if len(steps):
        if int(tags.max()) < 1 << 16:  # two bytes also sort by radix
            tags = tags.astype(np.uint16)
        if int(steps.min()) >= -(1 << 31) and int(steps.max()) < 1 << 31:
            steps = steps.astype(np.int32)
    return Batch(tags, steps, batch.walls, batch.values)


def _merged(parts: list[Scalars], records: int) -> Batch:
    """The points of the first ``records`` records, in their order."""
    if len(parts) == 1:
        (both,) = parts
        record, tags, steps, walls, values = (getattr(both, name) for name in _COLUMNS)
    else:
        columns = [np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS]
        order = np.argsort(columns[0], kind="stable")
        record, tags, steps, walls, values = (column[order] for column in columns)
    count = int(np.searchsorted(record, records))
    return Batch(tags[:count], steps[:count], walls[:count], values[:count])


def _purge(
    steps: Ints, starts: Sequence[Start]
) -> tuple[NDArray[np.bool_] | None, tuple[Restart, ...]]:
    """Which points no session's start declares void, as EventAccumulator does, and what it dropped."""
    if not starts:
        return None, ()
    valid = np.ones(len(steps), dtype=bool)
    purges = []
    for count, step, wall_time in starts:
        void = valid[:count] & (steps[:count] >= step)
        if dropped := int(np.count_nonzero(void)):
            reached = int(steps[:count][void].max())
            purges.append(Restart(step=step, reached=reached, dropped=dropped, wall_time=wall_time))
            valid[:count] &= ~void
    return valid, tuple(purges)
