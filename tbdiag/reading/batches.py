"""Points of many tags as they come in, and in the end the points of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.run import Restart
from tbdiag.model.series import Floats, Ints
from tbdiag.reading.columns import Points
from tbdiag.reading.scalars import Scalars

Point = tuple[int, int, int, float, float]  # record, tag, step, wall time, value
Row = tuple[Ints, Floats, NDArray[Any]]  # steps, wall times and values of one tag
Start = tuple[int, int, float]  # points before it, step, wall time

_FRAGMENT = 16  # points of a tag in a batch, on average, from which it pays to join them tag by tag
_COLUMNS = ("record", "tags", "steps", "walls", "values")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Batch:
    """Points of many tags in the order of their records, each (n,)."""

    tags: NDArray[Any]
    steps: Ints
    walls: Floats
    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.tags)

    def flat(self) -> Batch:
        """The points in one row."""
        return self

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each tag with its points, in the order of their first ones."""
        if not len(self):
            return
        order = np.argsort(self.tags, kind="stable")
        tags = self.tags.take(order)
        steps, walls, values = (
            self.steps.take(order),
            self.walls.take(order),
            self.values.take(order),
        )
        firsts = np.flatnonzero(np.append(True, tags[1:] != tags[:-1]))
        ends = np.append(firsts[1:], len(tags))
        for which in np.argsort(order[firsts]).tolist():
            part = slice(int(firsts[which]), int(ends[which]))
            yield int(tags[part.start]), (steps[part], walls[part], values[part])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Block:
    """Rounds of points by tag: ``tags`` (p,), each once, and the columns of each (p, n).

    ``steps`` may be the same for all, (1, n).
    """

    tags: Ints
    steps: Ints
    walls: Floats
    values: NDArray[Any]

    def __len__(self) -> int:
        return self.walls.size

    def flat(self) -> Batch:
        """The points tag by tag, in one row."""
        return Batch(
            np.repeat(self.tags, self.walls.shape[1]),
            np.broadcast_to(self.steps, self.walls.shape).ravel(),
            self.walls.ravel(),
            self.values.ravel(),
        )

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each tag with its points, in the order of their first ones."""
        common = self.steps[0]
        steps = self.steps if len(self.steps) > 1 else repeat(common)
        yield from zip(
            self.tags.tolist(), zip(steps, self.walls, self.values, strict=False), strict=True
        )


class Batches:
    """The points of a file in its order; ``tags`` are those of the points that came many at once.

    ``starts`` are the session logs that declare what was logged before them at later steps void.
    ``whole`` tells whether all that was expected was handed in sound.
    """

    def __init__(self, tags: set[int]) -> None:
        self.tags = tags
        self.starts: list[Start] = []
        self._batches: list[Batch | Block | None] = []  # None until it was handed in
        self.whole = True
        self._count = 0
        self._chunk_points: list[Point] = []
        self._chunk_starts: list[Start] = []

    def add(self, batch: Batch, tags: Iterable[int]) -> None:
        """Take in points of the ``tags``, in their order."""
        self.tags.update(tags)
        self._batches.append(_narrow(batch))
        self._count += len(batch)

    def expect(self, count: int, tags: Iterable[int]) -> Callable[[Batch | Block | None], None]:
        """Keep a place for ``count`` points of the ``tags``; the result takes them, or None if damaged."""
        self.tags.update(tags)
        place = len(self._batches)
        self._batches.append(None)
        self._count += count

        def take(batch: Batch | Block | None) -> None:
            self._batches[place] = _narrow(batch) if isinstance(batch, Batch) else batch
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
        batches = [batch for batch in self._batches if batch is not None]
        purges: tuple[Restart, ...] = ()
        if not batches:
            return {}, purges
        if self.starts or len(batches) * len(self.tags) > self._count // _FRAGMENT:
            whole, purges = _purged(_concatenated(batches), self.starts)
            batches = [whole]
        pieces: dict[int, list[Row]] = {}
        for batch in batches:
            for tag, row in batch.rows():
                pieces.setdefault(tag, []).append(row)
        return {names[tag]: points for tag, points in _joined(pieces)}, purges


def _joined(pieces: Mapping[int, Sequence[Row]]) -> Iterator[tuple[int, Points]]:
    """The points of each tag; those that were logged at the very same steps share them."""
    shared: dict[tuple[int, ...], Ints] = {}
    for tag, rows in pieces.items():
        columns = list(zip(*rows, strict=True))
        key = tuple(map(id, columns[0]))
        if key not in shared:
            shared[key] = _whole(columns[0], np.int64)
        walls, values = (_whole(column, np.float64) for column in columns[1:])
        yield tag, Points(shared[key], values, walls)


def _whole(parts: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    if len(parts) == 1:
        return parts[0].astype(dtype, copy=False)
    return np.concatenate(parts, dtype=dtype)


def _concatenated(batches: Sequence[Batch | Block]) -> Batch:
    flat = [batch.flat() for batch in batches]
    if len(flat) == 1:
        return flat[0]
    return Batch(*(np.concatenate([getattr(b, name) for b in flat]) for name in _COLUMNS[1:]))


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


def _purged(batch: Batch, starts: Sequence[Start]) -> tuple[Batch, tuple[Restart, ...]]:
    """The points that no session's start declares void, as EventAccumulator does, and what it dropped."""
    if not starts:
        return batch, ()
    steps = batch.steps
    valid = np.ones(len(steps), dtype=bool)
    purges = []
    for count, step, wall_time in starts:
        void = valid[:count] & (steps[:count] >= step)
        if dropped := int(np.count_nonzero(void)):
            reached = int(steps[:count][void].max())
            purges.append(Restart(step=step, reached=reached, dropped=dropped, wall_time=wall_time))
            valid[:count] &= ~void
    return Batch(*(getattr(batch, name)[valid] for name in _COLUMNS[1:])), tuple(purges)
