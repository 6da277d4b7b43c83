"""Bytes of an event file to its records, one after another, each checksummed."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from tbdiag.errors import ReadError
from tbdiag.model.run import Damage

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_LARGEST = 2**31 - 1  # a protobuf message cannot be larger
_GLANCE = 1 << 16


class Frames:
    """The payloads of a file's records, in order, each with both of its checksums verified.

    Iterating stops at the end of the file, or where it is damaged: ``damage`` then says where and
    why. ``offset`` is where the first byte stands that was not read. With ``limit``, no record is
    begun beyond that many bytes. Raises ReadError where the file cannot be opened or read.
    """

    def __init__(self, path: Path, limit: int | None = None) -> None:
        self.path = path
        self.limit = limit
        self.offset = 0
        self.damage: Damage | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                end = size if self.limit is None else min(size, self.limit)
                while self.offset < end:
                    header = file.read(_HEADER.size)
                    length, fault = _length(header, size - self.offset)
                    body = b"" if fault else file.read(length + _FOOTER.size)
                    if not fault:
                        fault = _fault(body, length)
                    if fault:
                        self._stop(size, fault, header + body + file.read(_GLANCE))
                        return
                    yield body[: -_FOOTER.size]
                    self.offset += _HEADER.size + len(body)
        except OSError as error:
            raise ReadError(f"{self.path}: {error.strerror or error}") from error

    def reject(self, reason: str) -> None:
        """Declare the record that was yielded last unreadable for ``reason``; iterate no further."""
        self._stop(self.path.stat().st_size, reason, b"")

    def _stop(self, size: int, fault: str, rest: bytes) -> None:
        zeros = len(rest) >= _HEADER.size and not rest.strip(b"\0")
        torn = fault == _TORN
        reason = "only zero bytes follow" if zeros else fault
        if self.offset == 0 and not torn:
            reason = _in_place_of_events(rest) or reason
        lost = max(size - self.offset, 0)
        self.damage = Damage(
            file=str(self.path), offset=self.offset, lost=lost, reason=reason, torn=torn
        )


_TORN = "the file ends in the middle of a record"


def _length(header: bytes, remaining: int) -> tuple[int, str]:
    """The length that a record's header tells, and what is wrong with it, if anything."""
    if len(header) < _HEADER.size:
        return 0, _TORN
    length, checksum = _HEADER.unpack(header)
    if _masked(header[:8]) != checksum:
        return 0, "the checksum of a record's length is wrong"
    if length > _LARGEST:
        return 0, f"a record claims {length} bytes"
    if length + _HEADER.size + _FOOTER.size > remaining:
        return 0, _TORN
    return int(length), ""


def _fault(body: bytes, length: int) -> str:
    if len(body) < length + _FOOTER.size:
        return _TORN
    (checksum,) = _FOOTER.unpack_from(body, length)
    return "" if _masked(body[:length]) == checksum else "the checksum of a record is wrong"


def _in_place_of_events(start: bytes) -> str:
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer stands in place of the event file"
    text = start[:256]
    if text and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in text):
        return "text stands in place of event records"
    return ""


def _masked(data: bytes) -> int:
    """The masked CRC-32C of TFRecord files (tensorflow/core/lib/hash/crc32c.h)."""
    checksum = _crc32c()(data)
    return (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _crc32c() -> Callable[[bytes], int]:
    """The CRC-32C of the `crc32c` package, or TensorBoard's own, slower by three orders."""
    try:
        module = import_module("crc32c")
    except ImportError:
        module = import_module("tensorboard.compat.tensorflow_stub.pywrap_tensorflow")
    function: Callable[[bytes], int] = module.crc32c
    return function
