"""What an event holds, told from its outline alone, so that few events need be decoded."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

from tbdiag.reading.wire import (
    BYTES,
    FIXED64,
    VARINT,
    OddError,
    Wire,
    fields,
    number,
    once,
    text,
    varint,
)

_WALL, _STEP, _VERSION, _GRAPH, _SUMMARY, _SOURCE = 1, 2, 3, 4, 5, 10
_NO_CONTENT = (_GRAPH, 8, 9)  # and two kinds of meta-graphs: bytes that nobody looks into
_TAG, _IMAGE, _HISTO, _AUDIO, _TENSOR, _METADATA = 1, 4, 5, 6, 8, 9
_BLOB_KEYS = (_IMAGE << 3 | BYTES, _HISTO << 3 | BYTES, _AUDIO << 3 | BYTES)
TENSOR_KEY = _TENSOR << 3 | BYTES
_WALL_SIZE = 9  # bytes of the wall time with its key
_DOUBLE = struct.Struct("<d")


class Value(NamedTuple):
    """A value of a summary: ``start`` and ``end`` of its message in the payload."""

    tag: str
    plugin: str
    data_class: int
    key: int
    histo: bool
    tensor: bool
    start: int
    end: int


class Outline(NamedTuple):
    """An event: its values are histograms, tensors, images and sounds, if any."""

    wall_time: float
    step: int
    version: str | None
    values: tuple[Value, ...]


Glimpse = tuple[float, int, bytes, int]  # wall time, step, tag as it stands, key of the blob


def glimpse(head: bytes, length: int) -> Glimpse | None:
    """What the first bytes of an event of ``length`` bytes tell, where that is enough.

    The event holds one value, and that value a tag, a blob and, after a tensor, its metadata.
    """
    try:
        step, at = 0, _WALL_SIZE
        if head[at] == 0x10:
            step, at = _number(head, at + 1)
            step -= (step >> 63) << 64
        opening = _opening(length - at)
        if head[0] != 0x09 or not head.startswith(opening, at):
            return None
        start = at + len(opening) + 1
        size = head[start - 1]
        at = start + size
        key = head[at]
        if size > 127:
            return None
        if key != TENSOR_KEY:
            number, _ = _filling(length - at)
            if key not in _BLOB_KEYS or not head.startswith(number, at + 1):
                return None
        return _DOUBLE.unpack_from(head, 1)[0], step, head[start:at], key
    except (IndexError, struct.error, OddError):
        return None


@lru_cache(maxsize=1 << 12)
def _opening(length: int) -> bytes:
    """How a summary of ``length`` bytes begins that holds one value, which begins with its tag."""
    outer, inside = _filling(length)
    inner, _ = _filling(inside)
    return b"\x2a" + outer + b"\x0a" + inner + b"\x0a"


@lru_cache(maxsize=1 << 12)
def _filling(length: int) -> tuple[bytes, int]:
    """The size of a message that fills ``length`` bytes with its key and that size: in bytes, and itself.

    Raises OddError where there is none: 129 bytes are one too many for a size of one byte, and one
    too few for two.
    """
    for width in range(1, 11):
        size = length - 1 - width
        if size < 0:
            break
        written = _varint(size)
        if len(written) == width:
            return written, size
    raise OddError


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes((*written, number))


def _number(head: bytes, at: int) -> tuple[int, int]:
    """As `varint`, faster for numbers of up to three bytes."""
    low = head[at]
    if low < 128:
        return low, at + 1
    middle = head[at + 1]
    if middle < 128:
        return low & 127 | middle << 7, at + 2
    high = head[at + 2]
    if high < 128:
        return low & 127 | (middle & 127) << 7 | high << 14, at + 3
    return varint(head, at, len(head))


def outline(payload: Wire) -> Outline | None:
    """The outline of an event; None where only its full decoding tells what it holds."""
    try:
        return _outline(payload)
    except OddError:
        return None


def _outline(payload: Wire) -> Outline | None:
    event = once(payload, 0, len(payload))
    wall_time, step = 0.0, 0
    if _WALL in event:
        kind, start, _ = event.pop(_WALL)
        if kind != FIXED64:
            return None
        (wall_time,) = _DOUBLE.unpack(payload[start : start + 8])
    if _STEP in event:
        step = number(payload, event.pop(_STEP))
        step -= (step >> 63) << 64
    _drop_source(payload, event)
    if len(event) != 1:
        return None
    ((what, span),) = event.items()
    if what == _VERSION:
        return Outline(wall_time, step, text(payload, span), ())
    if span[0] != BYTES:
        return None
    if what in _NO_CONTENT:
        # A tagged_run_metadata holds a string, whose form is the classes' to judge.
        return None if what == 8 else Outline(wall_time, step, None, ())
    if what != _SUMMARY:
        return None
    values = []
    for key, kind, start, end in fields(payload, span[1], span[2]):
        value = _value(payload, start, end) if (key, kind) == (1, BYTES) else None
        if value is None:
            return None
        values.append(value)
    return Outline(wall_time, step, None, tuple(values))


def _drop_source(payload: Wire, event: dict[int, tuple[int, int, int]]) -> None:
    """Forget the name of the writer, which TensorFlow tells beside the version."""
    if _VERSION in event and _SOURCE in event:
        source = _message(payload, event.pop(_SOURCE))
        if source.keys() != {1}:
            raise OddError
        text(payload, source[1])


def _value(payload: Wire, start: int, end: int) -> Value | None:
    value = once(payload, start, end)
    tag = text(payload, value.pop(_TAG)) if _TAG in value else ""
    plugin, data_class = _metadata(payload, value.pop(_METADATA, None))
    if not tag or plugin == "hparams" or len(value) != 1:
        return None
    ((what, span),) = value.items()
    if span[0] != BYTES or what not in (_IMAGE, _HISTO, _AUDIO, _TENSOR):
        return None
    key = what << 3 | BYTES
    return Value(tag, plugin, data_class, key, what == _HISTO, what == _TENSOR, start, end)


def _metadata(payload: Wire, span: tuple[int, int, int] | None) -> tuple[str, int]:
    if span is None:
        return "", 0
    metadata = _message(payload, span)
    plugin = _message(payload, metadata[1]) if 1 in metadata else {}
    for key in (2, 3):
        if key in metadata:
            text(payload, metadata[key])
    name = text(payload, plugin[1]) if 1 in plugin else ""
    if 4 in metadata and metadata[4][0] != VARINT:
        raise OddError
    return name, number(payload, metadata[4]) if 4 in metadata else 0


def _message(payload: Wire, span: tuple[int, int, int]) -> dict[int, tuple[int, int, int]]:
    if span[0] != BYTES:
        raise OddError
    return once(payload, span[1], span[2])
