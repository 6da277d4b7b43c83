"""A file that a URL names as a source of bytes: what is skipped is not fetched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.place import UrlPath
from tbdiag.reading import frames
from tbdiag.reading.remote import FIRST, WHOLE, mounted, size_of

Bytes = bytes  # which a method is named for as well

_MOST = 4 << 20  # bytes that are fetched at once at most
_LEAST = 1 << 10
_LOOKED = 1 << 9  # bytes beyond the short records that tell what a blob is
_CHECKSUM = 12  # bytes of a header, and more than those of a checksum
_KEPT = 1 << 12  # bytes at both ends of what was read that are kept for a while


class RemoteSource:
    """A file that a URL names, read like a `Source`: what is skipped is not fetched.

    A window is fetched, larger each time as long as reading goes straight on. After a jump over a
    blob it is as large as what was read between the last two, and a little more, for training loops
    repeat.
    """

    inode = 0  # a store writes a file anew when it grows

    def __init__(self, url: UrlPath, buffer: NDArray[np.uint8]) -> None:
        self._mount, self._url = mounted(url), str(url)
        self.buffer = buffer
        self.size = size_of(url)
        self._data = self._mount.block(self._url)
        self._start = 0  # where the window stands
        self._run = 0  # where the records begin that stand before the next blob
        self._record = 0  # where some record begins in the window
        self._more = self.size if self.size <= WHOLE else FIRST  # what is fetched next
        self._head = self._data[:_KEPT]

    def __enter__(self) -> RemoteSource:
        return self

    def __exit__(self, *error: object) -> None:
        tail = self._data[-_KEPT - _LEAST :]
        self._mount.keep_ends(self._url, (self._head, self._end - len(tail), tail))
        self._data = b""

    @property
    def _end(self) -> int:
        return self._start + len(self._data)

    def fill(self, offset: int, count: int) -> int:
        """Brings up to ``count`` bytes from ``offset`` to the start of the buffer; returns how many.

        A record begins at ``offset``. Fewer than there are may come, but one at least.
        """
        least = min(count, max(_LEAST, self._more // 4), self.size - offset)
        if not self._start <= offset <= self._end:
            self._jump(offset)
        elif self._end < offset + least:
            self._extend(offset, least)
        self._record = offset
        data = memoryview(self._data)[offset - self._start :][:count]
        self.buffer.data[: len(data)] = data
        return len(data)

    def bytes(self, offset: int, count: int) -> bytes:
        """The bytes at ``offset``, fewer than ``count`` where the file ends."""
        count = min(count, self.size - offset)
        if count <= 0:
            return b""
        if self._start <= offset and offset + count <= self._end:
            pass
        elif count > _CHECKSUM:  # a part of a blob
            return self._mount.one(self._url, offset, offset + count)
        elif offset > self._end:  # the checksum of a blob, behind which reading goes on
            self._jump(offset)
        else:
            self._extend(max(self._start, min(offset, self._end)), count)
        return self._data[offset - self._start :][:count]

    def _jump(self, offset: int) -> None:
        between = self._blob() - self._run
        size = between + between // 16 + _LOOKED
        self._run = self._record = offset
        self._more = max(size // 4, _LEAST)
        self._start, self._data = offset, self._fetched(offset, size)

    def _extend(self, offset: int, count: int) -> None:
        """Moves the window on to ``offset``, which stands in it or at its end."""
        rest, start = self._data[offset - self._start :], self._end
        self._data = rest + self._fetched(start, max(self._more, count - len(rest)))
        self._start = offset
        self._more = min(2 * self._more, _MOST)

    def _fetched(self, start: int, count: int) -> Bytes:
        found = self._mount.one(self._url, start, min(start + count, self.size))
        if start == 0:
            self._head = found[:_KEPT]
        return found

    def _blob(self) -> int:
        """Where the record begins that the window does not hold to its end."""
        at, data = self._record - self._start, memoryview(self._data)
        while at + frames.HEADER.size <= len(data):
            length, _ = frames.HEADER.unpack_from(data, at)
            if at + length + frames.FRAME > len(data):
                break
            at += length + frames.FRAME
        return self._start + at
