"""When the events of many records happened: wall time and step, with which each of them begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.series import Ints
from tbdiag.reading.frames import HEADER

U64 = NDArray[np.uint64]

WALL_KEY, STEP_KEY = 0x09, 0x10  # `wall_time` as fixed64 and `step` as varint
WALL = 9  # bytes of the wall time with its key
_HIGH_BITS = np.uint64(0x8080808080808080)


class Chunk:
    """The bytes of one chunk, to be gathered from at any place."""

    def __init__(self, buffer: NDArray[np.uint8]) -> None:
        self.bytes = buffer
        self.words: U64 = self.at("<u8")

    def at(self, kind: str) -> NDArray[Any]:
        """The values of a NumPy type that stand at each byte: a view."""
        width = np.dtype(kind).itemsize
        return np.ndarray((len(self.bytes) - width + 1,), kind, self.bytes.data, 0, (1,))


@dataclass(slots=True, eq=False, repr=False)
class Stamps:
    """The stamps of n events: each (n,), and meant where ``sound``.

    ``tails`` is where in the chunk an event goes on after them, and ``lengths`` how many bytes it has from there.
    ``step_bits`` is the step as it stands, without what follows it; ``widths`` counts its bytes with its key.
    """

    tails: Ints
    lengths: Ints
    wall_bits: U64
    step_bits: U64
    steps: Ints
    widths: Ints
    sound: NDArray[np.bool_]


def stamps(chunk: Chunk, places: Ints, lengths: Ints) -> Stamps:
    """Those of the records at ``places`` with payloads of ``lengths``, each (n,).

    A negative step, which takes ten bytes, is not sound; nor is what does not begin with a wall time.
    """
    starts = places + HEADER.size
    wall_bits = chunk.words[starts + 1]
    key = chunk.bytes[starts + WALL]
    bits = chunk.words[starts + WALL + 1]
    stops = ~bits & _HIGH_BITS
    lowest = stops & (np.uint64(0) - stops)
    # 2^(8k-1) as a double shows its exponent: k bytes
    exponent = (lowest.astype(np.float64).view(np.int64) >> 52) - 1023
    widths = (exponent >> 3) + 2
    bits &= (lowest << np.uint64(1)) - np.uint64(1)
    sound = (chunk.bytes[starts] == WALL_KEY) & (lowest != 0)
    stepped = key == STEP_KEY
    if not stepped.all():
        widths = np.where(stepped, widths, 0)
        bits = np.where(stepped, bits, np.uint64(0))
        sound = (chunk.bytes[starts] == WALL_KEY) & ((lowest != 0) | ~stepped)
    before = widths + WALL
    return Stamps(starts + before, lengths - before, wall_bits, bits, number(bits), widths, sound)


def number(bits: U64) -> Ints:
    """Varints of up to eight bytes, their groups of seven bits pushed together pair by pair."""
    u = np.uint64
    bits = bits & u(0x7F7F7F7F7F7F7F7F)
    bits = (bits & u(0x007F007F007F007F)) | ((bits & u(0x7F007F007F007F00)) >> u(1))
    bits = (bits & u(0x00003FFF00003FFF)) | ((bits & u(0x3FFF00003FFF0000)) >> u(2))
    bits = (bits & u(0x0FFFFFFF)) | ((bits & u(0x0FFFFFFF00000000)) >> u(4))
    return bits.view(np.int64)
