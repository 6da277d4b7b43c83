"""Event files to columns: everything tbdiag looks at, in file order and unsampled."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tbdiag.errors import ReadError
from tbdiag.reading import frames
from tbdiag.reading.columns import Columns
from tbdiag.reading.gathered import Gathered, NotAnEventError
from tbdiag.reading.scalars import Chunk, Scalars, scan
from tbdiag.reading.templates import Templates

_CHUNK = 1 << 19
_SLACK = 512  # gathers look beyond a record, never beyond this
_MOST_TAGS = 1 << 15  # after which the templates of earlier files are forgotten
_WALL_TIME = struct.Struct("<d")
_NOT_AN_EVENT = "a record is not an event"
_WRONG = "the checksum of a record is wrong"


def read(path: Path, limit: int | None = None) -> Columns:
    """Everything in an event file that tbdiag looks at, in file order and unsampled.

    Scalars are those that TensorBoard's EventAccumulator keeps with nothing dropped, of both
    dialects (``simple_value`` and tensors of one number). ``limit`` reads only so many bytes: no
    record is begun beyond. Damage is told in the result; raises ReadError only where the file cannot
    be opened.
    """
    reading = Reading(path, limit)
    if reading.gathered.ambiguous:
        reading = Reading(path, limit, plain=True)
    return reading.columns


class _Workspace(threading.local):
    """What reading one file after another in a thread shares."""

    def __init__(self) -> None:
        self.templates = Templates()
        self.buffer: NDArray[np.uint8] = np.zeros(_CHUNK + _SLACK, dtype=np.uint8)


_workspace = _Workspace()


class Reading:
    """One pass over a file, from ``offset`` on: ``gathered``, ``columns``, and the ``offset`` reached.

    ``plugins``, ``sessions`` and the tags of ``scalars`` are what the records before ``offset`` told.
    With ``plain``, every record is decoded in its turn, whatever it looks like. Raises ReadError where
    the file cannot be opened or read.
    """

    def __init__(
        self,
        path: Path,
        limit: int | None = None,
        *,
        plain: bool = False,
        offset: int = 0,
        plugins: Mapping[str, tuple[str, int]] | None = None,
        sessions: bool = False,
        scalars: Iterable[str] = (),
    ) -> None:
        if len(_workspace.templates.names) > _MOST_TAGS:
            _workspace.templates = Templates()
        self.gathered = Gathered(_workspace.templates, plugins, sessions=sessions, scalars=scalars)
        self.offset = offset
        self._plain = plain
        self._fault = ""
        self._buffer = _workspace.buffer
        try:
            with path.open("rb", buffering=0) as file:
                self._descriptor = file.fileno()
                told = os.fstat(self._descriptor)
                self.size, self.inode = told.st_size, told.st_ino
                self._read(self.size if limit is None else min(self.size, limit))
                rest = b""
                if self._fault and self._fault != _NOT_AN_EVENT:
                    rest = self._bytes(self.offset, frames.GLANCE)
        except OSError as error:
            raise ReadError(f"{path}: {error.strerror or error}") from error
        damage = None
        if self._fault:
            damage = frames.damage(str(path), self.offset, self.size, self._fault, rest)
        self.columns = self.gathered.columns(damage)

    def _bytes(self, offset: int, count: int) -> bytes:
        parts = []
        while count > 0 and (part := os.pread(self._descriptor, count, offset)):
            parts.append(part)
            offset += len(part)
            count -= len(part)
        return b"".join(parts)

    def _read(self, end: int) -> None:
        while self.offset < end and not self._fault:
            whole = self._buffer.data[:_CHUNK]
            size = os.preadv(self._descriptor, [whole], self.offset)
            size = min(size, self.size - self.offset)
            self._buffer[size : size + _SLACK] = 0
            found = frames.find(self._buffer, size)
            count = int(np.searchsorted(found.places, end - self.offset))
            if count:
                self._take(found, count)
            else:
                self._next()

    def _take(self, found: frames.Frames, count: int) -> None:
        """Take in the first ``count`` records of the buffer."""
        places, lengths = found.places[:count], found.lengths[:count]
        scalars: Scalars | None = None
        odd = np.arange(count)
        if not self._plain:
            scalars = scan(Chunk(self._buffer), places, lengths, self.gathered.templates)
            odd = scalars.odd
            if scalars.wrong >= 0:
                count, self._fault = scalars.wrong, _WRONG
        if self.gathered.started is None and count and (not len(odd) or odd[0]):
            start = int(places[0]) + frames.HEADER.size
            (self.gathered.started,) = _WALL_TIME.unpack_from(self._buffer.data, start + 1)
        for record in odd[: np.searchsorted(odd, count)].tolist():
            place = int(places[record]) + frames.HEADER.size
            after = place + int(lengths[record])
            payload = self._buffer[place:after].tobytes()
            fault = self._add(record, payload, self._buffer[after : after + 4].tobytes())
            if fault:
                count, self._fault = record, fault
                break
        self.gathered.close_chunk(scalars, count)
        if count:
            self.offset += int(places[count - 1] + lengths[count - 1]) + frames.FRAME

    def _next(self) -> None:
        """Take in the one record at the offset, which is larger than the buffer, or damaged."""
        header = self._bytes(self.offset, frames.HEADER.size)
        length, self._fault = frames.next_length(header, self.size - self.offset)
        if self._fault:
            return
        body = self._bytes(self.offset + frames.HEADER.size, length + 4)
        if len(body) < length + 4:
            self._fault = frames.TORN
            return
        self._fault = self._add(0, body[:-4], body[-4:])
        self.gathered.close_chunk(None, 0 if self._fault else 1)
        if not self._fault:
            self.offset += length + frames.FRAME

    def _add(self, record: int, payload: bytes, checksum: bytes) -> str:
        if not frames.sound(payload, checksum):
            return _WRONG
        try:
            self.gathered.add(record, payload)
        except NotAnEventError:
            return _NOT_AN_EVENT
        return ""
