"""The blobs of one event file: which are known by their first bytes, and where its histograms stand."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np

from tbdiag.model.series import Floats, Ints
from tbdiag.reading.columns import RawHistograms
from tbdiag.reading.frames import HEADER
from tbdiag.reading.glimpses import ROW, glimpse, glimpses
from tbdiag.reading.stamps import Chunk
from tbdiag.reading.stored import Stored

_MANY = 12  # records that are looked at together sooner than one by one
_NEW = -1


class Kind(Enum):
    """What a blob is good for."""

    HISTOGRAM = "histogram"
    TEXT = "text"
    IGNORED = "ignored"


class _Block(NamedTuple):
    """Histograms, each (n,): numbers of their tags, steps, wall times, and ``places`` as of `Stored`."""

    tags: Ints
    steps: Ints
    walls: Floats
    places: Ints

    def take(self, which: Ints) -> _Block:
        tags, steps, walls, places = self
        return _Block(tags[which], steps[which], walls[which], places[which])


class Blobs:
    """Takes in records by their first bytes, if they are blobs as others before them were.

    ``texts`` tells of the last text of each tag where its frame starts in the file, and the length of its
    payload, 0 where that has been decoded.
    """

    def __init__(self) -> None:
        self.texts: dict[str, tuple[int, int]] = {}
        self._known: dict[bytes, int] = {}  # by tag and key as they stand: a number of `_kinds`
        self._kinds: list[tuple[Kind, str]] = []
        self._tags: dict[str, int] = {}  # of histograms
        self._blocks: list[_Block] = []
        self._single: list[tuple[int, int, float, tuple[int, int, int, int]]] = []

    def expect(self, tag: str, key: int, kind: Kind) -> None:
        """Know from now on the records of one value of that tag, whose ``key`` follows it."""
        self._known[tag.encode() + bytes([key])] = len(self._kinds)
        self._kinds.append((kind, tag))

    def histogram(
        self, tag: str, step: int, wall_time: float, offset: int, length: int, which: int = 0
    ) -> None:
        """Take in a histogram: value ``which`` of the record at ``offset``."""
        number = self._tags.setdefault(tag, len(self._tags))
        self._single.append((number, step, wall_time, (0, offset, length, which)))

    def text(self, tag: str, offset: int, length: int = 0) -> None:
        """Note where a text stands, if none is known from behind it: short ones come in after longer ones."""
        if offset >= self.texts.get(tag, (-1, 0))[0]:
            self.texts[tag] = (offset, length)

    def one(self, head: bytes, offset: int, length: int) -> bool:
        """Whether a record was taken in, by the first bytes of its payload.

        ``offset`` is where its frame starts in the file, ``length`` that of its payload.
        """
        seen = glimpse(head, length) if self._known else None
        number = _NEW if seen is None else self._known.get(seen.name, _NEW)
        if seen is None or number == _NEW:
            return False
        kind, tag = self._kinds[number]
        if kind is Kind.HISTOGRAM:
            self.histogram(tag, seen.step, seen.wall_time, offset, length)
        elif kind is Kind.TEXT:
            self.text(tag, offset, length)
        return True

    def many(self, rows: bytes, offsets: Sequence[int]) -> int:
        """As `one`, of records of more than 256 bytes, one after another until one is new.

        Of each the first `ROW` bytes stand in ``rows``. Returns how many were taken in.
        """
        count = len(offsets)
        if count < _MANY or not self._known:
            alone = (self._row(rows, number, offset) for number, offset in enumerate(offsets))
            return next((number for number, old in enumerate(alone) if not old), count)
        chunk = Chunk(np.frombuffer(rows, dtype=np.uint8))
        places = np.arange(0, len(rows), ROW)
        lengths = chunk.words[places].astype(np.int64)
        seen, known = glimpses(chunk, places, lengths), self._known.get
        spans = zip(seen.starts.tolist(), seen.ends.tolist(), strict=True)
        numbers = np.array([known(rows[start:end], _NEW) for start, end in spans])
        numbers[~seen.sound] = _NEW
        for number in np.flatnonzero(numbers == _NEW).tolist():
            if not self._row(rows, number, offsets[number]):
                count = number
                break
        which = self._of(Kind.HISTOGRAM, numbers[:count])
        where = np.zeros((len(which), 4), dtype=np.int64)
        where[:, 1], where[:, 2] = np.array(offsets)[which], lengths[which]
        tags = np.array([self._tags.get(tag, _NEW) for _, tag in self._kinds])[numbers[which]]
        self._blocks.append(_Block(tags, seen.steps[which], seen.walls[which], where))
        for number in self._of(Kind.TEXT, numbers[:count]).tolist():
            _, tag = self._kinds[numbers[number]]
            self.text(tag, offsets[number], int(lengths[number]))
        return count

    def _row(self, rows: bytes, number: int, offset: int) -> bool:
        length, _ = HEADER.unpack_from(rows, number * ROW)
        head = rows[number * ROW + HEADER.size : (number + 1) * ROW]
        return self.one(head, offset, length)

    def _of(self, kind: Kind, numbers: Ints) -> Ints:
        """Which of the records with these ``numbers`` of `_kinds` are of that kind."""
        alike = np.array([*(each is kind for each, _ in self._kinds), False])
        return np.flatnonzero(alike[numbers])  # a new one has the last number

    def void(self, step: int, offset: int) -> None:
        """Forget the histograms before the record at ``offset`` whose step is ``step`` or more."""
        self._gather()
        self._blocks = [
            each.take(np.flatnonzero((each.steps < step) | (each.places[:, 1] > offset)))
            for each in self._blocks
        ]

    def _gather(self) -> None:
        """Make a block of those that came one by one."""
        if self._single:
            tags, steps, walls, places = zip(*self._single, strict=True)
            self._blocks.append(
                _Block(
                    np.array(tags, dtype=np.int64),
                    np.array(steps, dtype=np.int64),
                    np.array(walls, dtype=np.float64),
                    np.array(places, dtype=np.int64),
                )
            )
            self._single = []

    def histograms(self, file: str) -> dict[str, RawHistograms]:
        """Those of each tag, in the order of their places in ``file``."""
        self._gather()
        if not self._blocks:
            return {}
        # Short ones come in only after longer ones.
        block = _Block(*(np.concatenate(each) for each in zip(*self._blocks, strict=True)))
        block = block.take(np.lexsort((block.places[:, 3], block.places[:, 1], block.tags)))
        ends = np.searchsorted(block.tags, np.arange(len(self._tags) + 1)).tolist()
        return {
            tag: RawHistograms(
                block.steps[start:end],
                block.walls[start:end],
                Stored((file,), block.places[start:end]),
            )
            for tag, start, end in zip(self._tags, ends[:-1], ends[1:], strict=True)
            if start < end
        }
