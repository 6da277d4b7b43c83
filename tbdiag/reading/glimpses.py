"""What the first bytes of an event tell of the blob in it, of one event or of many at once."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.series import Ints
from tbdiag.reading.frames import HEADER
from tbdiag.reading.stamps import STEP_KEY, U64, WALL, WALL_KEY, Chunk, number, stamps
from tbdiag.reading.wire import BYTES, OddError, varint

HEAD = 180  # bytes of a payload that tell what it is, if its tag is no longer than most
ROW = HEADER.size + HEAD  # bytes of a record, from its header on

_LONGEST_TAG = 127
_SUMMARY, _FIRST, _TENSOR = 5 << 3 | BYTES, 1 << 3 | BYTES, 8 << 3 | BYTES
_BLOBS = tuple(key << 3 | BYTES for key in (4, 5, 6))  # images, legacy histograms, sounds
_DOUBLE = struct.Struct("<d")


class Glimpse(NamedTuple):
    """A blob: ``name`` is its tag as it stands, and the key of what follows it."""

    wall_time: float
    step: int
    name: bytes


class Glimpses(NamedTuple):
    """Blobs of n events: each (n,), and meant where ``sound``; the others want a `glimpse` of their own.

    The name of each stands in the chunk from ``starts`` to ``ends``.
    """

    walls: NDArray[np.float64]
    steps: Ints
    starts: Ints
    ends: Ints
    sound: NDArray[np.bool_]


def glimpse(head: bytes, length: int) -> Glimpse | None:
    """What the first bytes of an event of ``length`` bytes tell, where that is enough.

    The event holds one value, and that value a tag, a blob and, after a tensor, its metadata.
    """
    try:
        step, at = 0, WALL
        if head[at] == STEP_KEY:
            step, at = varint(head, at + 1, len(head))
            step -= (step >> 63) << 64
        opening = _opening(length - at)
        if head[0] != WALL_KEY or not head.startswith(opening, at):
            return None
        start = at + len(opening) + 1
        size = head[start - 1]
        at = start + size
        key = head[at]
        if size > _LONGEST_TAG:
            return None
        if key != _TENSOR:
            written, _ = _filling(length - at)
            if key not in _BLOBS or not head.startswith(written, at + 1):
                return None
        return Glimpse(_DOUBLE.unpack_from(head, 1)[0], step, head[start : at + 1])
    except (IndexError, struct.error, OddError):
        return None


def glimpses(chunk: Chunk, places: Ints, lengths: Ints) -> Glimpses:
    """As `glimpse`, of the records at ``places`` with payloads of more than 256 bytes, ``lengths``.

    Of each record, `ROW` bytes stand in the chunk.
    """
    found = stamps(chunk, places, lengths)
    sound = found.sound
    width, size = _filled(found.lengths, _SUMMARY, chunk, found.tails, sound)
    inside = found.tails + width
    width, _ = _filled(size, _FIRST, chunk, inside, sound)
    starts = inside + width + 2
    sound &= chunk.bytes[starts - 2] == _FIRST
    tag = chunk.bytes[starts - 1].astype(np.int64)
    sound &= tag <= _LONGEST_TAG
    blobs = starts + np.minimum(tag, _LONGEST_TAG)
    keys = chunk.bytes[blobs]
    others = np.flatnonzero(sound & (keys != _TENSOR))
    if len(others):
        at = blobs[others]
        right = _IS_BLOB[keys[others]]
        _filled(places[others] + HEADER.size + lengths[others] - at, None, chunk, at, right)
        sound[others] = right
    return Glimpses(found.wall_bits.view(np.float64), found.steps, starts, blobs + 1, sound)


def _filled(
    lengths: Ints, key: int | None, chunk: Chunk, places: Ints, sound: NDArray[np.bool_]
) -> tuple[Ints, Ints]:
    """What `_filling` tells of messages of ``lengths``: bytes of key and size together, and the size.

    Takes from ``sound`` those at ``places`` of which key, where one is given, or size are others.
    """
    width = np.searchsorted(_EDGES, lengths, side="right")
    size = lengths - 1 - width
    words = chunk.words[places]
    bits = (words >> np.uint64(8)) & _MASKS[width]
    sound &= (size >= _LEAST[width]) & (number(bits) == size)
    sound &= bits & _GOES_ON == _CONTINUED[width]
    if key is not None:
        sound &= words & np.uint64(0xFF) == key
    return width + 1, size


_IS_BLOB = np.zeros(256, dtype=np.bool_)
_IS_BLOB[list(_BLOBS)] = True
_GOES_ON = np.uint64(0x8080808080808080)
# By the width of a size in bytes: the shortest message that needs it, key and size included, the least such
# size, the bits that say it goes on, and all its bits.
_EDGES = np.array([0, *((1 << 7 * width) + width + 1 for width in range(1, 5))])
_LEAST = np.array([0, 0, *(1 << 7 * width for width in range(1, 5))])
_CONTINUED: U64 = np.array([0, 0, 0x80, 0x8080, 0x808080, 0x80808080], dtype=np.uint64)
_MASKS: U64 = np.array([(1 << 8 * width) - 1 for width in range(6)], dtype=np.uint64)


@lru_cache(maxsize=1 << 12)
def _opening(length: int) -> bytes:
    """How a summary of ``length`` bytes begins that holds one value, which begins with its tag."""
    outer, inside = _filling(length)
    inner, _ = _filling(inside)
    return bytes([_SUMMARY, *outer, _FIRST, *inner, _FIRST])


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


def _varint(size: int) -> bytes:
    written = bytearray()
    while size > 127:
        written.append(size & 127 | 128)
        size >>= 7
    return bytes((*written, size))
