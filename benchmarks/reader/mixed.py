"""An event file in which scalars are few among histograms, images and texts."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.reader import wire
from benchmarks.reader.wire import field, head, record, summary, varint

_VARIANTS = 8  # of each large content, so that generation is no work of its own
_TRAIN = [f"train/metric_{index:02}" for index in range(40)]
_VAL = [f"val/metric_{index:02}" for index in range(12)]
_LAYERS = [f"layers.{index}.weight" for index in range(10)]
_IMAGES = {"samples/large": (640, 1), "samples/grid": (256, 4), "samples/thumb": (64, 8)}
_PARAGRAPH = "The quick brown fox jumps over the lazy dog, again and again. " * 70

Floats = NDArray[np.float64]


def mixed(path: Path, rows: int) -> int:
    """Write so many epochs, about 2.3 MB each; returns the number of scalars."""
    dice = np.random.default_rng(0)
    blobs = list(_blobs(dice))
    with path.open("wb") as file:
        file.write(wire.version(wire.TORCH))
        for row in range(rows):
            wall = wire.START + 60.0 * row
            file.write(_scalars(_TRAIN, row, wall, dice))
            for place, variants in enumerate(blobs):
                content = variants[row % len(variants)]
                file.write(record(head(wall + 30 + place / 100, row) + content))
            file.write(_scalars(_VAL, row, wall + 50, dice))
    return rows * (len(_TRAIN) + len(_VAL))


def _scalars(tags: Sequence[str], row: int, wall: float, dice: np.random.Generator) -> bytes:
    walls = wall + np.arange(len(tags)) / 1000
    values = 1 / (1 + row) + 0.1 * dice.standard_normal(len(tags))
    steps = np.array([row], dtype=np.int64)
    return wire.scalars(tags, steps, walls[None], values[None], tensors=False)


def _blobs(dice: np.random.Generator) -> Iterator[list[bytes]]:
    """For each summary that is no scalar what it may hold: one of several in each epoch."""
    for layer in _LAYERS:
        for name in (layer, f"{layer}.grad"):
            draws = [dice.standard_normal(10_000) for _ in range(_VARIANTS)]
            yield [summary(f"torch/{name}", field(5, _legacy(each))) for each in draws]
            yield [summary(f"tf/{name}", _tensor_histogram(each)) for each in draws]
    for tag, (side, count) in _IMAGES.items():
        pictures = [field(4, _image(side, dice)) for _ in range(_VARIANTS)]
        for place in range(count):
            turned = pictures[place:] + pictures[:place]
            yield [summary(f"{tag}/{place}", each) for each in turned]
    for tag in ("notes", "sample_output"):
        yield [summary(f"{tag}/text_summary", _text(f"{n}. {_PARAGRAPH}")) for n in range(8)]


def _default_bins() -> Floats:
    """The edges that TensorFlow 1 and PyTorch use: 10 % apart, of both signs."""
    half = 1e-12 * 1.1 ** np.arange(774)
    return np.concatenate([-half[::-1], [0.0], half])


def _legacy(values: Floats) -> bytes:
    """A `HistogramProto` as `SummaryWriter.add_histogram` makes it."""
    edges = _default_bins()
    counts = np.histogram(values, edges)[0].astype(np.float64)
    mass = np.flatnonzero(counts)
    first, last = int(mass[0]), int(mass[-1]) + 1
    limits, counts = edges[first : last + 1], np.append(0.0, counts[first:last])
    moments = (values.min(), values.max(), len(values), values.sum(), (values**2).sum())
    told = [varint(key << 3 | 1) + struct.pack("<d", x) for key, x in enumerate(moments, 1)]
    return b"".join([*told, field(6, limits.tobytes()), field(7, counts.tobytes())])


def _tensor_histogram(values: Floats) -> bytes:
    """A histogram of thirty buckets as `tf.summary.histogram` writes it."""
    counts, edges = np.histogram(values, 30)
    table = np.stack([edges[:-1], edges[1:], counts.astype(np.float64)], axis=1)
    shape = field(2, b"\x08\x1e") + field(2, b"\x08\x03")
    content = b"\x08\x02" + field(2, shape) + field(4, table.tobytes())
    return field(8, content) + field(9, field(1, field(1, b"histograms")) + b"\x20\x02")


def _image(side: int, dice: np.random.Generator) -> bytes:
    """A `Summary.Image` of noise, which does not compress."""
    told = b"".join(varint(key << 3) + varint(n) for key, n in enumerate((side, side, 3), 1))
    return told + field(4, _png(dice.integers(0, 256, (side, side, 3), dtype=np.uint8)))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file of (height, width, 3) bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    height, width, _ = pixels.shape
    lines = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    lines[:, 1:] = pixels.reshape(height, -1)
    form = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(lines.tobytes(), 1)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", form) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def _text(words: str) -> bytes:
    """A text as `SummaryWriter.add_text` writes it."""
    content = b"\x08\x07" + field(2, field(2, b"\x08\x01")) + field(8, words.encode())
    return field(8, content) + field(9, field(1, field(1, b"text")))
