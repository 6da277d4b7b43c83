"""The short records of a file without the blobs between them, one after another in a buffer."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tbdiag.reading import frames
from tbdiag.reading.checksums import masked
from tbdiag.reading.frames import SLACK

SHORT = 256  # bytes of a payload that is kept whatever it holds
SMALL = 1 << 15  # bytes of a payload that is checked whatever it holds
HEAD = 320  # bytes of a payload that tell what it is, if its tag is no longer than most

_CHECKSUM = struct.Struct("<I")

Known = Callable[[bytes, int, int], bool]


@dataclass(slots=True, eq=False, repr=False)
class Pack:
    """Short records that were taken out of a file: the first ``size`` bytes of ``buffer``."""

    buffer: NDArray[np.uint8]
    size: int = 0
    _starts: list[int] = field(default_factory=list)
    _offsets: list[int] = field(default_factory=list)

    def sift(
        self,
        data: memoryview,
        size: int,
        left: int,
        offset: int,
        known: Known,
        sound: Callable[[int, int], bool] | None = None,
    ) -> int:
        """Keep the short records at the start of ``data``, of which ``size`` bytes count.

        It stands at ``offset`` of a file of which ``left`` bytes follow. Of a longer record ``known``
        is asked, with its first bytes, its place in the file and its length, and before that ``sound``,
        if it is given, with the latter two. Returns where the first one starts that is not, or that is
        damaged or not whole, or where the last one ends: that may be beyond ``size``.
        """
        header, unpack = frames.HEADER.size, frames.HEADER.unpack_from
        told, into = _CHECKSUM.unpack_from, self.buffer.data
        at = first = 0
        while at + header <= size:
            length, checksum = unpack(data, at)
            end = at + length + frames.FRAME
            if _of_length(length) != checksum or end > left:
                break
            if length <= SHORT:
                if end > size:
                    break
            else:
                start = at + header
                if length <= SMALL:
                    whole = end <= size and masked(data[start : end - 4]) == told(data, end - 4)[0]
                else:
                    whole = start + HEAD <= size and (sound is None or sound(offset + at, length))
                head = bytes(data[start : min(start + HEAD, end - 4)]) if whole else b""
                if not (whole and known(head, offset + at, length)):
                    break
                self._keep(data, first, at, offset, into)
                first = end
            at = end
        self._keep(data, first, at, offset, into)
        return at

    def _keep(self, data: memoryview, first: int, end: int, offset: int, into: memoryview) -> None:
        if first < end:
            size = self.size
            self._starts.append(size)
            self._offsets.append(offset + first)
            self.size = size + end - first
            into[size : self.size] = data[first:end]

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
