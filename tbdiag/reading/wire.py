"""Outlines of protobuf messages: which fields stand where, without their content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, overload

Field = tuple[int, int, int, int]  # number, wire type, where the content starts, where it ends

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_WIDTHS = {FIXED64: 8, FIXED32: 4}


class Wire(Protocol):
    """Bytes, or what gives bytes when it is asked for them."""

    def __len__(self) -> int:
        """How many there are."""

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> bytes: ...


class OddError(ValueError):
    """A message that no known writer writes: one for the protobuf classes to judge."""


def fields(data: Wire, at: int, end: int) -> Iterator[Field]:
    """The fields of the message in ``data[at:end]``, in order. Raises OddError where it is malformed."""
    while at < end:
        key, at = varint(data, at, end)
        kind = key & 7
        if kind == BYTES:
            length, at = varint(data, at, end)
            stop = at + length
        elif kind == VARINT:
            stop = varint(data, at, end)[1]
        elif kind in _WIDTHS:
            stop = at + _WIDTHS[kind]
        else:
            raise OddError
        if stop > end or not key >> 3:
            raise OddError
        yield key >> 3, kind, at, stop
        at = stop


def once(data: Wire, at: int, end: int) -> dict[int, tuple[int, int, int]]:
    """The fields of a message by number: wire type, start, end. Raises OddError where one comes twice."""
    found: dict[int, tuple[int, int, int]] = {}
    for number, kind, start, stop in fields(data, at, end):
        if number in found:
            raise OddError
        found[number] = (kind, start, stop)
    return found


def varint(data: Wire, at: int, end: int) -> tuple[int, int]:
    """The unsigned number at ``at``, and where it ends. Raises OddError beyond 64 bits."""
    number = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            if number >> 64:
                raise OddError
            return number, at
        shift += 7
        if shift > 63:
            raise OddError
    raise OddError


def text(data: Wire, span: tuple[int, int, int]) -> str:
    """The string that a field holds. Raises OddError where it is none."""
    kind, start, stop = span
    if kind != BYTES:
        raise OddError
    try:
        return data[start:stop].decode()
    except UnicodeDecodeError:
        raise OddError from None


def number(data: Wire, span: tuple[int, int, int]) -> int:
    """The whole number that a field holds. Raises OddError where it is none."""
    kind, start, stop = span
    if kind != VARINT:
        raise OddError
    return varint(data, start, stop)[0]
