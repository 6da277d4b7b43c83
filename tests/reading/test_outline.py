"""What the first bytes of a blob tell, at every length at which a size takes a byte more."""

from __future__ import annotations

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from tbdiag.reading.outline import glimpse, outline

_EDGES = [edge + off for edge in (128, 1 << 14, 1 << 21) for off in range(-24, 8)]


def _image(size: int, step: int) -> bytes:
    image = Summary.Image(encoded_image_string=bytes(size))
    value = Summary.Value(tag="an image", image=image)
    event: bytes = Event(
        wall_time=1.5, step=step, summary=Summary(value=[value])
    ).SerializeToString()
    return event


@pytest.mark.parametrize("step", [0, 1, 127, 128, 1 << 20, -1])
def test_glimpse_tells_what_the_outline_does(step: int) -> None:
    for size in _EDGES:
        payload = _image(size, step)
        whole, seen = outline(payload), glimpse(payload[:320], len(payload))
        assert whole is not None
        assert seen is not None, size
        assert seen[:2] == (whole.wall_time, whole.step)
        assert seen[2] == whole.values[0].tag.encode()
        assert seen[3] == whole.values[0].key


def test_glimpse_leaves_other_ways_to_write_a_size_to_the_outline() -> None:
    payload = _image(300, 3)
    place = payload.index(b"\x2a")
    size = payload[place + 1 : place + 3]
    wide = bytes([size[0], size[1] | 0x80, 0])
    odd = payload[: place + 1] + wide + payload[place + 3 :]
    assert glimpse(odd[:320], len(odd)) is None
    assert outline(odd) == outline(payload) or outline(odd) is not None


def test_glimpse_takes_nothing_that_goes_on() -> None:
    payload = _image(300, 3)
    assert glimpse(payload[:320], len(payload) + 1) is None
    assert glimpse(payload[:320], len(payload) - 1) is None
