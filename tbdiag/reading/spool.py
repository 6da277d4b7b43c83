"""Pieces of bytes that are put aside: in memory while they are few, then in a file that has no name."""

from __future__ import annotations

import os
import threading
import weakref
from abc import abstractmethod
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, TypeVar, overload

T = TypeVar("T")

MEMORY = 1 << 20  # bytes that are held before a file is made
HELD = 1000  # items of a long sequence that are held as they are

_BLOCK = 1 << 15  # bytes that are read at once


class Spool:
    """Bytes one behind the other, of which any part can be had again.

    The file is gone with the process, however that ends: it never has a name, or on Windows the system
    removes it. Where no file can be made or the disk is full, what is left stays in memory.
    """

    def __init__(self, memory: int | None = None) -> None:
        self._memory = MEMORY if memory is None else memory
        self._new = bytearray()  # what stands behind the bytes of the file
        self._size = 0  # of the file
        self._file: IO[bytes] | None = None
        self._stuck = False
        self._block: tuple[int, bytes] = 0, b""  # where it begins, and what was read last
        self._lock = threading.Lock()

    def add(self, piece: bytes) -> int:
        """Puts a piece behind the others; returns where it begins."""
        at = self._size + len(self._new)
        self._new += piece
        if len(self._new) > self._memory and not self._stuck:
            with self._lock:
                self._write()
        return at

    def get(self, at: int, length: int) -> bytes:
        """The bytes from ``at`` on. May be called in any thread."""
        start, block = self._block
        if start <= at and at + length <= start + len(block):
            return block[at - start : at - start + length]
        with self._lock:
            if at >= self._size:
                return bytes(self._new[at - self._size : at - self._size + length])
            block = self._read(at, max(length, min(_BLOCK, self._size - at)))
            self._block = at, block
        return block[:length]

    @property
    def size(self) -> int:
        """The bytes in all."""
        return self._size + len(self._new)

    def _write(self) -> None:
        try:
            if self._file is None:
                import tempfile  # which few need, and which brings half of the standard library

                self._file = tempfile.TemporaryFile(prefix="tbdiag-", buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            self._file.seek(self._size)
            written = 0
            while written < len(self._new):
                written += self._file.write(memoryview(self._new)[written:]) or 0
        except OSError:  # the disk is full, or there is no place for temporary files
            self._stuck = True
            return
        self._size += written
        self._new = bytearray()

    def _read(self, at: int, length: int) -> bytes:
        assert self._file is not None
        self._file.seek(at)
        found = bytearray()
        while len(found) < length:
            piece = self._file.read(length - len(found))
            if not piece:
                import tempfile

                raise OSError(0, "a temporary file was cut short", os.fspath(tempfile.gettempdir()))
            found += piece
        return bytes(found)


class Numbered(Sequence[T]):
    """A sequence that makes its items when they are asked for."""

    @abstractmethod
    def item(self, number: int) -> T:
        """The item of this number, which is there."""

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        numbers = range(len(self))[index]  # which knows negative ones, and raises IndexError
        return self.item(numbers) if isinstance(numbers, int) else [*map(self.item, numbers)]

    def __iter__(self) -> Iterator[T]:
        return map(self.item, range(len(self)))


class Spooled(Numbered[T]):
    """A sequence of which the first ``held`` items are held, and the others are made anew of bytes.

    ``dump`` and ``load`` are the way there and back. Of an item put aside 8 bytes stay in memory.
    """

    def __init__(
        self, dump: Callable[[T], bytes], load: Callable[[bytes], T], held: int | None = None
    ) -> None:
        self._dump, self._load = dump, load
        self._most = HELD if held is None else held
        self._held: list[T] = []
        self._spool = Spool()
        self._ends = array("Q", [0])  # of the pieces

    def append(self, item: T) -> None:
        """Adds an item."""
        if len(self._held) < self._most:
            self._held.append(item)
        else:
            piece = self._dump(item)
            self._ends.append(self._spool.add(piece) + len(piece))

    def __len__(self) -> int:
        return len(self._held) + len(self._ends) - 1

    def item(self, number: int) -> T:
        """The item, as it was given or made anew."""
        if number < len(self._held):
            return self._held[number]
        at = number - len(self._held)
        start, end = self._ends[at], self._ends[at + 1]
        return self._load(self._spool.get(start, end - start))


class Chosen(Numbered[T]):
    """Items of another sequence, by their numbers there."""

    def __init__(self, whole: Sequence[T], numbers: Iterable[int]) -> None:
        self._whole, self._numbers = whole, array("Q", numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def item(self, number: int) -> T:
        """The item in that place."""
        return self._whole[self._numbers[number]]


class Made(Numbered[T]):
    """What ``make`` gives for each number below ``count``."""

    def __init__(self, count: int, make: Callable[[int], T]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    def item(self, number: int) -> T:
        """The item, made anew."""
        return self._make(number)
