"""Event files byte by byte, independently of the reader that is measured."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise

import crc32c
import numpy as np
from numpy.typing import NDArray

START = 1.7e9  # the first wall time, in seconds
TORCH = b"tensorboard.summary.writer.event_file_writer"
TENSORFLOW = b"tensorflow.core.util.events_writer"

Numbers = NDArray[np.float64]

_DELTA = 0xA282EAD8
_VALUE = struct.pack("<f", 0.0)


def varint(number: int) -> bytes:
    """A number below 2⁶⁴ as the wire has it."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes) -> bytes:
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def masked(content: bytes | memoryview) -> int:
    """The masked CRC-32C of TFRecord files."""
    checksum: int = crc32c.crc32c(content)
    return ((checksum >> 15 | checksum << 17) + _DELTA) & 0xFFFFFFFF


def header(length: int) -> bytes:
    """The length of a record and its checksum."""
    told = struct.pack("<Q", length)
    return told + struct.pack("<I", masked(told))


def record(payload: bytes) -> bytes:
    """A TFRecord."""
    return header(len(payload)) + payload + struct.pack("<I", masked(payload))


def head(wall_time: float, step: int) -> bytes:
    """What an event begins with; step 0 is omitted."""
    return b"\x09" + struct.pack("<d", wall_time) + (b"\x10" + varint(step) if step else b"")


def version(writer: bytes) -> bytes:
    """The record that a file begins with, of PyTorch's writer or of TensorFlow's."""
    return record(head(START, 0) + field(3, b"brain.Event:2") + field(10, field(1, writer)))


def summary(tag: str, value: bytes) -> bytes:
    """A summary of one value."""
    return field(5, field(1, field(1, tag.encode()) + value))


def plain(number: bytes = _VALUE) -> bytes:
    """A scalar as `torch.utils.tensorboard` writes it."""
    return b"\x15" + number


def tensor(number: bytes = _VALUE) -> bytes:
    """A scalar as `tf.summary.scalar` writes it in TensorFlow 2, with metadata in each event."""
    content = b"\x08\x01" + field(2, b"") + field(4, number)
    return field(8, content) + field(9, field(1, field(1, b"scalars")) + b"\x20\x01")


def scalars(
    tags: Sequence[str], steps: NDArray[np.int64], walls: Numbers, values: Numbers, *, tensors: bool
) -> bytes:
    """Records of one value each, tag after tag at each of the ascending ``steps``, shape (n,).

    ``walls`` and ``values`` are (n, tags); values are rounded to float32.
    """
    widths = np.array([len(varint(int(step))) if step else 0 for step in steps])
    cuts = np.flatnonzero(np.diff(widths)) + 1
    return b"".join(
        _block(tags, steps[a:b], walls[a:b], values[a:b], tensors=tensors)
        for a, b in pairwise([0, *cuts.tolist(), len(steps)])
    )


def _block(
    tags: Sequence[str], steps: NDArray[np.int64], walls: Numbers, values: Numbers, *, tensors: bool
) -> bytes:
    """The records at steps that are of one width on the wire: all rows are alike but for numbers."""
    stepped = head(0.0, int(steps[0]))
    tails = [summary(tag, tensor() if tensors else plain()) for tag in tags]
    # `metadata` follows upon the number of a tensor
    after = len(tensor()) - tensor().index(field(4, _VALUE)) - len(field(4, _VALUE))
    parts = [header(len(stepped) + len(tail)) + stepped + tail + bytes(4) for tail in tails]
    rows = np.tile(np.frombuffer(b"".join(parts), np.uint8), (len(steps), 1))
    ends = np.cumsum([len(part) for part in parts])
    starts = ends - [len(part) for part in parts] + 12
    for column, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        rows[:, start + 1 : start + 9] = _bytes(walls[:, column].astype("<f8"))
        for place in range(len(stepped) - 10):
            more = 128 if place < len(stepped) - 11 else 0
            rows[:, start + 10 + place] = (steps >> 7 * place) & 127 | more
        number = end - 4 - (after if tensors else 0)
        rows[:, number - 4 : number] = _bytes(values[:, column].astype("<f4"))
    _sign(rows, starts, ends - 4)
    return rows.tobytes()


def _bytes(numbers: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(numbers).view(np.uint8).reshape(len(numbers), -1)


def _sign(rows: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
    """Write behind each payload its checksum."""
    base = np.arange(len(rows))[:, None] * rows.shape[1]
    spans = zip((base + starts).ravel().tolist(), (base + ends).ravel().tolist(), strict=True)
    view = rows.data.cast("B")
    checksums = np.array([crc32c.crc32c(view[a:b]) for a, b in spans], dtype=np.uint32)
    signed = (checksums >> np.uint32(15) | checksums << np.uint32(17)) + np.uint32(_DELTA)
    columns = signed.astype("<u4").view(np.uint8).reshape(len(rows), len(starts), 4)
    for column, end in enumerate(ends.tolist()):
        rows[:, end : end + 4] = columns[:, column]
