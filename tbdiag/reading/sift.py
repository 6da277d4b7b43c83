"""The short records of a file without the blobs between them, one after another in a buffer."""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tbdiag.reading import frames
from tbdiag.reading.checksums import DELTA, crc32c, masked
from tbdiag.reading.frames import SLACK
from tbdiag.reading.glimpses import ROW

SHORT = 256  # bytes of a payload that is kept whatever it holds
SMALL = 1 << 15  # bytes of a payload that is checked whatever it holds

_CHECKSUM = struct.Struct("<I")

Known = Callable[[bytes, Sequence[int]], int]


@dataclass(slots=True, eq=False, repr=False)
class Pack:
    """Short records that were taken out of a file: the first ``size`` bytes of ``buffer``.

    What the longer ones between them are, ``known`` is asked of many at once: of their first `ROW` bytes
    each, one after another, and of their places in the file. It answers how many are no surprise. Each time
    that was all of them, twice as many are passed before it is asked again, up to ``trust``. Where short ones
    come as often as they did the last time, they are not walked through one by one: who takes them in will.
    """

    buffer: NDArray[np.uint8]
    known: Known
    trust: int
    size: int = 0
    _starts: list[int] = field(default_factory=list)
    _offsets: list[int] = field(default_factory=list)
    _rows: bytearray = field(default_factory=bytearray)
    _passed: list[int] = field(default_factory=list)
    _trusted: int = 1
    _runs: dict[int, int] = field(default_factory=dict)

    def sift(
        self,
        data: memoryview,
        size: int,
        left: int,
        offset: int,
        sound: Callable[[int, int], bool] | None = None,
    ) -> int:
        """Keep the short records at the start of ``data``, of which ``size`` bytes count.

        It stands at ``offset`` of a file of which ``left`` bytes follow. Of a longer record ``sound`` is
        asked, if it is given, with its place in the file and its length. Returns where the first one
        starts that is damaged, not whole or a surprise, or where the last one ends: that may be beyond
        ``size``, and a surprise before ``data``.
        """
        header, unpack = frames.HEADER.size, frames.HEADER.unpack_from
        told, into = _CHECKSUM.unpack_from, self.buffer.data
        checksum_of, of_length = crc32c(), _of_length
        rows, passed, runs = self._rows, self._passed, self._runs
        at = first = begun = 0
        while at + header <= size:
            length, checksum = unpack(data, at)
            end = at + length + frames.FRAME
            if of_length(length) != checksum or end > left:
                break
            if length <= SHORT:
                if end > size:
                    break
                if at == first:
                    begun, end = length, self._run(data, at, size, length) or end
            else:
                if length <= SMALL:
                    if end > size:
                        break
                    plain = checksum_of(data[at + header : end - 4])  # `masked`, without a call
                    if ((plain >> 15 | plain << 17) + DELTA) & 0xFFFFFFFF != told(data, end - 4)[0]:
                        break
                elif at + ROW > size or (sound is not None and not sound(offset + at, length)):
                    break
                rows += data[at : at + ROW]
                passed.append(offset + at)
                if first < at:
                    runs[begun] = at - first
                    self._keep(data, first, at, offset, into)
                first = end
                if len(passed) >= self._trusted and (surprise := self.settle()) is not None:
                    return surprise - offset
            at = end
        self._keep(data, first, at, offset, into)
        return at

    def _run(self, data: memoryview, at: int, size: int, length: int) -> int:
        """Where the short records at ``at`` end, the first one of ``length``, if all is as the last time; else 0."""
        end = at + self._runs.get(length, size)
        if end + frames.HEADER.size > size:
            return 0
        length, checksum = frames.HEADER.unpack_from(data, end)
        return end if length > SHORT and _of_length(length) == checksum else 0

    def _keep(self, data: memoryview, first: int, end: int, offset: int, into: memoryview) -> None:
        if first < end:
            size = self.size
            self._starts.append(size)
            self._offsets.append(offset + first)
            self.size = size + end - first
            into[size : self.size] = data[first:end]

    def settle(self) -> int | None:
        """Ask of the longer records that were passed; returns where in the file the first surprise stands.

        What was kept from behind it is dropped.
        """
        if not self._passed:
            return None
        passed = self._passed.copy()
        count = self.known(bytes(self._rows), passed)
        self._rows.clear()
        self._passed.clear()
        if count == len(passed):
            self._trusted = min(max(self._trusted, 2 * count), self.trust)
            return None
        self._trusted = 1
        run = bisect_left(self._offsets, passed[count])
        if run < len(self._starts):
            self.size = self._starts[run]
            del self._starts[run:], self._offsets[run:]
        return passed[count]

    def room(self) -> int:
        """How many bytes more it may take."""
        return len(self.buffer) - SLACK - self.size

    def where(self, place: int) -> int:
        """Where in the file the byte at ``place`` stands."""
        run = bisect_right(self._starts, place) - 1
        return self._offsets[run] + place - self._starts[run]

    def drop(self, count: int) -> None:
        """Forget the first bytes."""
        if count < self.size:
            run = bisect_right(self._starts, count) - 1
            rest = self.where(count)
            self._starts = [0, *(start - count for start in self._starts[run + 1 :])]
            self._offsets = [rest, *self._offsets[run + 1 :]]
            data = self.buffer.data
            data[: self.size - count] = data[count : self.size]
        else:
            self._starts, self._offsets = [], []
        self.size -= count


@lru_cache(maxsize=1 << 12)
def _of_length(length: int) -> int:
    return masked(length.to_bytes(8, "little"))
