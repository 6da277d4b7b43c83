"""What an event holds, told from its outline alone, so that few events need be decoded."""

from __future__ import annotations

import struct
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
)

_WALL, _STEP, _VERSION, _GRAPH, _SUMMARY, _SOURCE = 1, 2, 3, 4, 5, 10
_NO_CONTENT = (_GRAPH, 8, 9)  # and two kinds of meta-graphs: bytes that nobody looks into
_TAG, _IMAGE, _HISTO, _AUDIO, _TENSOR, _METADATA = 1, 4, 5, 6, 8, 9
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
