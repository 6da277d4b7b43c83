"""The bytes of an event file: a chunk at a time, or just those of a record that are needed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, overload

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.place import Place, UrlPath

if TYPE_CHECKING:  # reading what lies here needs none of it
    from tbdiag.reading.ranged import RemoteSource


@dataclass(slots=True, eq=False, repr=False)
class Source:
    """An open file of ``size`` bytes, read through a ``buffer`` that other files use after it.

    What was read is kept where it reaches to the end of the file, so a short file is read once.
    ``page`` bytes are looked at at once of a record that is too large for the buffer. Up to ``trust``
    records may be read a second time, where one was not what was expected.
    """

    page: ClassVar[int] = 1 << 12
    trust: ClassVar[int] = 1 << 11

    descriptor: int
    size: int
    buffer: NDArray[np.uint8]
    inode: int = 0
    _at: int = 0
    _held: int = 0

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self.descriptor)

    def fill(self, offset: int, count: int) -> int:
        """Brings up to ``count`` bytes from ``offset`` to the start of the buffer; returns how many."""
        data, skip = self.buffer.data, offset - self._at
        if 0 <= skip <= self._held and self._at + self._held == self.size:
            held = self._held - skip
            if skip:
                data[:held] = data[skip : self._held]
        else:
            held = os.preadv(self.descriptor, [data[:count]], offset)
            held = min(held, self.size - offset)
        self._at, self._held = offset, held
        return held

    def bytes(self, offset: int, count: int) -> bytes:
        """The bytes at ``offset``, fewer than ``count`` where the file ends."""
        parts = []
        while count > 0 and (part := os.pread(self.descriptor, count, offset)):
            parts.append(part)
            offset += len(part)
            count -= len(part)
        return b"".join(parts)


def opened(path: Place, buffer: NDArray[np.uint8]) -> Source | RemoteSource:
    """A file to be read, and closed at the end of a ``with``; raises OSError or ReadError."""
    if isinstance(path, UrlPath):
        from tbdiag.reading.ranged import RemoteSource

        return RemoteSource(path, buffer)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    told = os.fstat(descriptor)
    return Source(descriptor, told.st_size, buffer, told.st_ino)


@dataclass(slots=True, eq=False, repr=False)
class Sparse:
    """The ``length`` bytes at ``start`` of a file, of which only the pages that are asked for are read."""

    source: Source | RemoteSource
    start: int
    length: int
    _page: int = -1
    _data: bytes = field(default=b"")

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> bytes: ...
    def __getitem__(self, index: int | slice) -> int | bytes:
        if isinstance(index, slice):
            first, last, _ = index.indices(self.length)
            page, place = divmod(first, self.source.page)
            if place + last - first > self.source.page:
                return self.source.bytes(self.start + first, last - first)
            return self._paged(page)[place : place + last - first]
        page, place = divmod(index, self.source.page)
        return self._paged(page)[place]

    def _paged(self, page: int) -> bytes:
        if page != self._page:
            start, size = page * self.source.page, self.source.page
            self._data = self.source.bytes(self.start + start, min(size, self.length - start))
            self._page = page
        return self._data

    def __bytes__(self) -> bytes:
        return self.source.bytes(self.start, self.length)
