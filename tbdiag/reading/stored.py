"""Values of summaries that stay in their files until one is asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.place import is_url
from tbdiag.model.series import Ints
from tbdiag.reading import frames
from tbdiag.reading.outline import outline

# Of a place: number of the file, where the record starts, length of its payload, number of its value.
COLUMNS = 4
_TOGETHER = 16


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stored(Sequence[bytes]):
    """The wire form of a ``Summary.Value`` each, read and checksummed when it is asked for.

    ``places`` is (n, 4): which of the ``files``, where its record starts there, the length of the
    record's payload, and which value of the record it is. A value that is no longer there, or that
    does not match its checksum, is empty.
    """

    files: tuple[str, ...]
    places: Ints

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Stored: ...
    def __getitem__(self, index: int | slice) -> bytes | Stored:
        if isinstance(index, slice):
            return Stored(self.files, self.places[index])
        file, offset, length, which = self.places[index].tolist()
        if is_url(self.files[file]):
            return _value(self._fetched(index, file), which)
        return _value(_payload(self.files[file], offset, length), which)

    def _fetched(self, index: int, file: int) -> bytes:
        """The payload of a record that is far away, with the next ones fetched beside it."""
        from tbdiag.reading import remote

        places = self.places[index : index + _TOGETHER or None]
        wanted = places[places[:, 0] == file][:, 1:3] + [0, frames.FRAME]
        length = int(self.places[index, 2])
        return _content(remote.record(self.files[file], wanted.tolist()), length)

    def take(self, which: NDArray[np.bool_] | Ints) -> Stored:
        """The values that a mask or an index selects, in its order."""
        return Stored(self.files, self.places[which])


def joined(parts: Sequence[Stored]) -> Stored:
    """The values of several files, one part after another."""
    files = tuple(dict.fromkeys(file for part in parts for file in part.files))
    number = {file: place for place, file in enumerate(files)}
    places = [np.zeros((0, COLUMNS), dtype=np.int64)]
    for part in parts:
        moved = part.places.copy()
        moved[:, 0] = np.array([number[file] for file in part.files], dtype=np.int64)[moved[:, 0]]
        places.append(moved)
    return Stored(files, np.concatenate(places))


def _payload(file: str, offset: int, length: int) -> bytes:
    """The payload of a record, empty where it is not there or not sound."""
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            record = os.pread(descriptor, length + frames.FRAME, offset)
        finally:
            os.close(descriptor)
    except OSError:
        return b""
    return _content(record, length)


def _content(record: bytes, length: int) -> bytes:
    """The payload of a record of which it is told how long it is, empty where it is not sound."""
    start = frames.HEADER.size
    if len(record) < length + frames.FRAME or frames.HEADER.unpack_from(record)[0] != length:
        return b""
    payload = record[start:-4]
    return payload if frames.sound(payload, record[-4:]) else b""


def _value(payload: bytes, which: int) -> bytes:
    known = outline(payload) if payload else None
    if known is not None and which < len(known.values):
        found = known.values[which]
        return payload[found.start : found.end]
    from tbdiag.reading import records

    event = records.event_of(payload)
    values = [] if event is None else event.summary.value
    wire: bytes = values[which].SerializeToString() if which < len(values) else b""
    return wire
