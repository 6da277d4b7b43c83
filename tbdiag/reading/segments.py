"""Files of records one behind the other, and where in them a record stands."""

from __future__ import annotations

import mmap
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tbdiag.reading.checksums import crc32c
from tbdiag.reading.store import remove

_AROUND = 1 << 16  # bytes that the system maps around one that is read


@dataclass(slots=True, eq=False)
class Segment:
    """A file of records one behind the other, of which ``size`` bytes are written.

    The first ``safe`` of them are on their way to the disk: an index may name them.
    """

    path: Path
    size: int
    safe: int = 0
    file: BinaryIO | None = None  # as long as it is written
    _map: mmap.mmap | None = None

    def view(self, offset: int, length: int) -> memoryview | None:
        """The bytes of a record; None where they are not there."""
        if offset + length > self.size:
            return None
        if self._map is None or len(self._map) < offset + length:
            try:
                self._open()
            except (OSError, ValueError):
                return None
        assert self._map is not None
        whole = memoryview(self._map)
        return whole[offset : offset + length] if offset + length <= len(whole) else None

    def write(self, record: bytes | memoryview) -> None:
        """Puts a record behind the others; raises OSError."""
        assert self.file is not None
        self.file.write(record)
        self.size += len(record)

    def give_up(self) -> None:
        """Takes back what is not safe, since it cannot be written; that may be all of it."""
        self.size = self.safe
        if not self.safe:
            remove(self.path)
        self.close()

    def close(self) -> None:
        """Ends writing."""
        if self.file is not None:
            with suppress(OSError):
                self.file.close()
            self.file = None

    def unused(self, offset: int, length: int) -> None:
        """The memory of a record may be had by others; it comes back where it is used after all."""
        if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            first = offset // _AROUND * _AROUND
            size = min(offset + length + _AROUND, len(self._map)) - first
            self._map.madvise(mmap.MADV_DONTNEED, first, size)

    def _open(self) -> None:
        if self.file is not None:
            self.file.flush()
            self._map = mmap.mmap(self.file.fileno(), self.size, access=mmap.ACCESS_READ)
            return
        with self.path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @property
    def there(self) -> bool:
        """Whether all of it can be read: it is mapped from then on, whoever removes the file."""
        return not self.size or self.view(0, self.size) is not None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands."""

    segment: Segment
    offset: int
    length: int
    checksum: int

    @property
    def there(self) -> bool:
        """Whether it was written, as far as is known."""
        return self.offset + self.length <= self.segment.size

    def record(self) -> memoryview | None:
        """The record; None where it is gone or damaged, and then its segment goes, too."""
        found = self.segment.view(self.offset, self.length)
        if found is not None and crc32c()(found) == self.checksum:
            return found
        remove(self.segment.path)
        return None

    def unused(self) -> None:
        """As `Segment.unused`."""
        self.segment.unused(self.offset, self.length)
