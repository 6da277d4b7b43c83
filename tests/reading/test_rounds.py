"""A round agrees with a block up to the first record that differs, wherever that is."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from tbdiag.reading.rounds import Member, make

TAIL = b"\x2a\x0f\x0a\x0d\x0a\x04loss\x15\0\0\0\0"
OTHER = b"\x2a\x11\x0a\x0f\x0a\x06metric\x15\0\0\0\0"
ROUNDS = 3000  # more than is compared at once


@pytest.fixture
def each():
    slot = (len(TAIL) - 4, "<f4"), (len(OTHER) - 4, "<f4")
    return make([Member(TAIL, slot[0], 0), Member(OTHER, slot[1], 1)], [2, 2])


def block(each) -> np.ndarray:
    row = each.row.view(np.uint8)[: each.size]
    whole = np.tile(row, ROUNDS)
    walls = np.frombuffer(struct.pack("<d", 1.7e9), dtype=np.uint8)
    for start in each.walls.tolist():
        for place in range(8):
            whole[start + place :: each.size] = walls[place]
    return whole


@pytest.mark.parametrize("record", [0, 1, 2, 700, 701, 2001, 2 * ROUNDS - 1])
@pytest.mark.parametrize("place", [0, 12, 30])
def test_the_first_byte_that_differs_ends_the_rounds(each, record: int, place: int) -> None:
    whole = block(each)
    scratch = np.zeros(len(whole) // 8 + 1, dtype=np.uint64)
    assert each.match(whole, len(whole), scratch, more=True) == 2 * ROUNDS
    whole[(each.end(record) if record else 0) + place] ^= 0x80
    assert each.match(whole, len(whole), scratch, more=True) == record
    whole[each.end(record + 1) :] = 0  # what comes after it does not matter
    assert each.match(whole, len(whole), scratch, more=True) == record
