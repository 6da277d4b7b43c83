"""A file that a URL names as a source of bytes: what is skipped is not fetched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.place import UrlPath
from tbdiag.reading import frames
from tbdiag.reading.glimpses import HEAD, glimpse
from tbdiag.reading.remote import FIRST, WHOLE, mounted, size_of
from tbdiag.reading.sift import SMALL

Bytes = bytes  # which a method is named for as well

_MOST = 4 << 20  # bytes that are fetched at once at most
_LEAST = 1 << 10
_DENSE = 1 << 16  # bytes without a blob from which on there may be none
_LOOKED = frames.HEADER.size + HEAD + 4  # bytes behind a blob that tell whether another one follows
_CHECKSUM = 12  # bytes of a header, and more than those of a checksum
_KEPT = 1 << 12  # bytes at both ends of what was read that are kept for a while


class RemoteSource:
    """A file that a URL names, read like a `Source`: what is skipped is not fetched.

    A window is fetched, larger each time as long as reading goes straight on. After a jump over a
    blob it is as large as what followed upon the last blob of that tag, and a little more, for training
    loops repeat.
    """

    inode = 0  # a store writes a file anew when it grows
    page = HEAD
    trust = 1  # what was left behind would have to be fetched again

    def __init__(self, url: UrlPath, buffer: NDArray[np.uint8]) -> None:
        self._mount, self._url = mounted(url), str(url)
        self.buffer = buffer
        self.size = size_of(url)
        self._data = self._mount.block(self._url)
        self._start = 0  # where the window stands
        self._before = 0, b""  # the window before the last jump
        self._run = 0  # where the records begin that stand before the next blob
        self._tag = b""  # of the blob before them
        self._runs: dict[bytes, int] = {}  # how many bytes of them followed upon a tag
        self._record = 0  # where some record begins in the window
        self._more = self.size if self.size <= WHOLE else FIRST  # bytes that are fetched next
        self._head = self._data[:_KEPT]

    def __enter__(self) -> RemoteSource:
        return self

    def __exit__(self, *error: object) -> None:
        head, tail, end = self._head, self._data, self._end
        known = self._mount.ends(self._url)
        if known is not None and not head:  # reading went on where it had stopped
            head, start, before = known
            tail = before + tail if start + len(before) == self._start else tail
        tail = tail[-_KEPT - _LEAST :]
        self._mount.keep_ends(self._url, (head, end - len(tail), tail))
        self._data, self._before = b"", (0, b"")

    @property
    def _end(self) -> int:
        return self._start + len(self._data)

    def fill(self, offset: int, count: int) -> int:
        """Brings up to ``count`` bytes from ``offset`` to the start of the buffer; returns how many.

        A record begins at ``offset``. Fewer than there are may come, but one at least.
        """
        if not self._start <= offset <= self._end:
            self._jump(offset)
        least = min(count, self._least(offset), self.size - offset)
        if self._end < offset + least:
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
        start, data = self._before
        if start <= offset and offset + count <= start + len(data):
            return data[offset - start :][:count]
        if offset < self._start or (offset + count > self._end and count > _CHECKSUM):
            return self._mount.one(self._url, offset, offset + count)  # a part of a blob
        if offset > self._end:  # the checksum of a blob, behind which reading goes on
            self._jump(offset)
        elif offset + count > self._end:
            self._extend(offset, count)
        return self._data[offset - self._start :][:count]

    def _least(self, offset: int) -> int:
        """How many bytes are of use from ``offset`` on: of a blob those that tell what it is."""
        at = offset - self._start
        if len(self._data) - at >= _LOOKED:
            length, _ = frames.HEADER.unpack_from(self._data, at)
            if length > SMALL:
                return _LOOKED
        return max(_LEAST, self._more // 4)

    def _jump(self, offset: int) -> None:
        if not self._end:  # where reading had stopped before the file grew
            rest = self.size - offset
            self._start = self._run = self._record = offset
            self._data = self._fetched(offset, rest if rest <= WHOLE else FIRST)
            return
        at = self._blob()
        between = self._runs[self._tag] = at - self._run
        self._tag = self._tag_at(at - self._start)
        between = self._runs.get(self._tag, between)
        size = between + between // 64 + _LOOKED
        self._before = self._start, self._data
        self._run = self._record = offset
        self._more = max(size // 2, _LEAST)
        self._start, self._data = offset, self._fetched(offset, size)

    def _extend(self, offset: int, count: int) -> None:
        """Moves the window on to ``offset``, which stands in it or at its end."""
        rest, start = self._data[offset - self._start :], self._end
        self._data = rest + self._fetched(start, max(self._more, count - len(rest)))
        self._start = offset
        run = self._end - self._run
        self._more = max(_LEAST, min(run if run > _DENSE else run // 2, _MOST))

    def _fetched(self, start: int, count: int) -> Bytes:
        found = self._mount.one(self._url, start, min(start + count, self.size))
        if start == 0:
            self._head = found[:_KEPT]
        return found

    def _tag_at(self, place: int) -> Bytes:
        """The tag of the blob whose record begins there in the window, empty where it is not told."""
        start = place + frames.HEADER.size
        if start > len(self._data):
            return b""
        length, _ = frames.HEADER.unpack_from(self._data, place)
        seen = glimpse(self._data[start : start + HEAD], length)
        return b"" if seen is None else seen.name

    def _blob(self) -> int:
        """Where the record begins that the window does not hold to its end."""
        at, data = max(self._record - self._start, 0), memoryview(self._data)
        while at + frames.HEADER.size <= len(data):
            length, _ = frames.HEADER.unpack_from(data, at)
            if at + length + frames.FRAME > len(data):
                break
            at += length + frames.FRAME
        return self._start + at
