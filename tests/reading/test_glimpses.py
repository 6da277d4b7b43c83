"""What the first bytes of a blob tell, at every length at which a size takes a byte more."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from tbdiag.reading.glimpses import HEAD, ROW, Glimpses, glimpse, glimpses
from tbdiag.reading.outline import outline
from tbdiag.reading.stamps import Chunk

_EDGES = [edge + off for edge in (128, 1 << 14, 1 << 21) for off in range(-24, 8)]
_STEPS = (0, 1, 127, 128, 1 << 20, (1 << 56) - 1, 1 << 56, -1)


def _image(size: int, step: int, tag: str = "an image") -> bytes:
    image = Summary.Image(encoded_image_string=bytes(size))
    value = Summary.Value(tag=tag, image=image)
    event: bytes = Event(
        wall_time=1.5, step=step, summary=Summary(value=[value])
    ).SerializeToString()
    return event


def _together(payloads: Sequence[bytes]) -> tuple[bytes, Glimpses]:
    rows = b"".join(
        (struct.pack("<QI", len(each), 0) + each[:HEAD]).ljust(ROW, b"\0") for each in payloads
    )
    places = np.arange(0, len(rows), ROW)
    lengths = np.array([len(each) for each in payloads])
    return rows, glimpses(Chunk(np.frombuffer(rows, dtype=np.uint8)), places, lengths)


@pytest.mark.parametrize("step", _STEPS)
def test_glimpse_tells_what_the_outline_does(step: int) -> None:
    for size in _EDGES:
        payload = _image(size, step)
        whole, seen = outline(payload), glimpse(payload[:HEAD], len(payload))
        assert whole is not None
        assert seen is not None, size
        assert seen[:2] == (whole.wall_time, whole.step)
        assert seen.name == whole.values[0].tag.encode() + bytes([whole.values[0].key])


@pytest.mark.parametrize("tag", ["i", "an image", "i" * 127, "i" * 128, "ü" * 30])
def test_glimpses_tell_what_each_glimpse_does(tag: str) -> None:
    payloads = [_image(size, step, tag) for step in _STEPS for size in _EDGES if size > 256]
    tensor = Summary.Value(tag=tag)
    tensor.tensor.tensor_content = bytes(400)
    scalar = Summary.Value(tag=tag, simple_value=1.0)
    scalar.metadata.summary_description = "x" * 300
    several = [Summary.Value(tag=tag, image=Summary.Image(encoded_image_string=bytes(300)))] * 2
    odd = [tensor], [scalar], several, [Summary.Value(node_name=tag * 300)]
    payloads += [
        Event(wall_time=2.5, summary=Summary(value=each)).SerializeToString() for each in odd
    ]
    payloads += [bytes([flip]) + payloads[0][1:] for flip in range(0, 256, 5)]
    for place in range(len(payloads[0][:HEAD])):
        for bit in range(8):
            flipped = bytearray(payloads[0])
            flipped[place] ^= 1 << bit
            payloads.append(bytes(flipped))
    rows, found = _together(payloads)
    sound = 0
    for number, payload in enumerate(payloads):
        alone = glimpse(payload[:HEAD], len(payload))
        if found.sound[number]:
            sound += 1
            name = rows[found.starts[number] : found.ends[number]]
            assert alone is not None
            assert (found.steps[number], name) == (alone.step, alone.name)
            assert struct.pack("<d", found.walls[number]) == struct.pack("<d", alone.wall_time)
        elif alone is not None:  # steps of more bytes than eight are looked at one by one
            assert not 0 <= alone.step < 1 << 56
    assert (sound > 100) is (len(tag) < 128)


def test_glimpse_leaves_other_ways_to_write_a_size_to_the_outline() -> None:
    payload = _image(300, 3)
    place = payload.index(b"\x2a")
    size = payload[place + 1 : place + 3]
    wide = bytes([size[0], size[1] | 0x80, 0])
    odd = payload[: place + 1] + wide + payload[place + 3 :]
    assert glimpse(odd[:HEAD], len(odd)) is None
    assert not _together([odd])[1].sound[0]
    assert outline(odd) == outline(payload) or outline(odd) is not None


@pytest.mark.parametrize("more", [1, -1])
def test_glimpse_takes_nothing_that_goes_on(more: int) -> None:
    payload = _image(300, 3)
    assert glimpse(payload[:HEAD], len(payload) + more) is None
    assert not _together([payload[:more] if more < 0 else payload + b"\0"])[1].sound[0]
