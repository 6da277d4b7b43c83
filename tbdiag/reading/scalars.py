"""Short records to scalars, all records of a chunk at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.series import Floats, Ints
from tbdiag.reading.checksums import effect, effect_of_bytes, effect_of_two, mask, of_zeros
from tbdiag.reading.frames import HEADER
from tbdiag.reading.templates import Group, Templates, hashed

U64 = NDArray[np.uint64]

_WALL_KEY, _STEP_KEY = 0x09, 0x10  # `wall_time` as fixed64 and `step` as varint
_HEAD = 9  # bytes of the wall time with its key
_SHORTEST = 12
_FEW = 1500  # records for which no tables of two bytes are made
_HIGH_BITS = np.uint64(0x8080808080808080)


@dataclass(frozen=True, slots=True, eq=False)
class Scalars:
    """Values found in records: each (m,), sorted by ``record`` and by place within it.

    ``record`` counts the records of the chunk, ``tags`` are numbers of `Templates`. ``odd`` are the
    records, ascending, that hold something else; ``wrong`` is the first record whose data does not
    match its checksum, or -1.
    """

    record: Ints
    tags: Ints
    steps: Ints
    walls: Floats
    values: Floats
    odd: Ints
    wrong: int


class Chunk:
    """The bytes of one chunk, to be gathered from at any place."""

    def __init__(self, buffer: NDArray[np.uint8]) -> None:
        self.bytes = buffer
        self.words: U64 = self.at("<u8")

    def at(self, kind: str) -> NDArray[Any]:
        """The values of a NumPy type that stand at each byte: a view."""
        width = np.dtype(kind).itemsize
        return np.ndarray((len(self.bytes) - width + 1,), kind, self.bytes.data, 0, (1,))


@dataclass(slots=True, eq=False)
class _Heads:
    starts: Ints  # where each payload starts
    tails: Ints  # where its summary starts
    lengths: Ints  # of the tail
    wall_bits: U64
    step_bits: U64  # as they stand, without what follows them
    steps: Ints
    widths: Ints  # of key and number of the step
    sound: NDArray[np.bool_]


def _heads(chunk: Chunk, places: Ints, lengths: Ints) -> _Heads:
    starts = places + HEADER.size
    wall_bits = chunk.words[starts + 1]
    key = chunk.bytes[starts + _HEAD]
    bits = chunk.words[starts + _HEAD + 1]
    stops = ~bits & _HIGH_BITS
    lowest = stops & (np.uint64(0) - stops)
    # 2^(8k-1) as a double shows its exponent: k bytes
    exponent = (lowest.astype(np.float64).view(np.int64) >> 52) - 1023
    widths = (exponent >> 3) + 2
    bits &= (lowest << np.uint64(1)) - np.uint64(1)
    sound = (chunk.bytes[starts] == _WALL_KEY) & (lowest != 0)
    stepped = key == _STEP_KEY
    if not stepped.all():
        widths = np.where(stepped, widths, 0)
        bits = np.where(stepped, bits, np.uint64(0))
        sound = (chunk.bytes[starts] == _WALL_KEY) & ((lowest != 0) | ~stepped)
    tails = starts + _HEAD + widths
    left = lengths - _HEAD - widths
    sound &= left >= _SHORTEST
    return _Heads(starts, tails, left, wall_bits, bits, _number(bits), widths, sound)


def _number(bits: U64) -> Ints:
    """Varints of up to eight bytes, their groups of seven bits pushed together pair by pair."""
    u = np.uint64
    bits = bits & u(0x7F7F7F7F7F7F7F7F)
    bits = (bits & u(0x007F007F007F007F)) | ((bits & u(0x7F007F007F007F00)) >> u(1))
    bits = (bits & u(0x00003FFF00003FFF)) | ((bits & u(0x3FFF00003FFF0000)) >> u(2))
    bits = (bits & u(0x0FFFFFFF)) | ((bits & u(0x0FFFFFFF00000000)) >> u(4))
    return bits.view(np.int64)


def scan(
    chunk: Chunk, places: Ints, lengths: Ints, templates: Templates, *, verify: bool
) -> Scalars:
    """The scalars of the records at ``places`` with payloads of ``lengths``, each (n,).

    With ``verify``, the checksums of the records that are no oddities are compared.
    """
    heads = _heads(chunk, places, lengths)
    odd = ~heads.sound
    wrong = len(places)
    pieces: list[tuple[Ints, Ints, Ints, Floats]] = []
    for index in _alike(heads):
        length, width = int(heads.lengths[index[0]]), int(heads.widths[index[0]])
        while len(index):
            for group in templates.groups(length):
                which, matched = _match(chunk, heads.tails[index], group)
                hit = index[matched]
                if not len(hit):
                    continue
                which = which[matched]
                tails = heads.tails[hit]
                raw = [chunk.at(kind)[tails + start] for start, kind in group.layout]
                for place, values in enumerate(raw):
                    pieces.append(
                        (
                            hit,
                            np.full(len(hit), place),
                            group.tags[which, place],
                            values.astype(np.float64),
                        )
                    )
                if verify:
                    found = _checksums(heads, hit, which, group, raw, length, width)
                    told = chunk.at("<u4")[heads.tails[hit] + length]
                    bad = hit[found != told]
                    if len(bad):
                        wrong = min(wrong, int(bad.min()))
                index = index[~matched]
                if not len(index):
                    break
            index = _learn(chunk, heads, index, templates, odd)
    return _sorted(heads, pieces, np.flatnonzero(odd), wrong if wrong < len(places) else -1)


def _alike(heads: _Heads) -> list[Ints]:
    """The records whose tails and whose steps are of one length."""
    sound = np.flatnonzero(heads.sound)
    if not len(sound):
        return []
    keys = (heads.lengths[sound] * 16 + heads.widths[sound]).astype(np.uint16)
    if (keys == keys[0]).all():
        return [sound]
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    return np.split(sound[order], np.flatnonzero(keys[1:] != keys[:-1]) + 1)


def _match(chunk: Chunk, tails: Ints, group: Group) -> tuple[Ints, NDArray[np.bool_]]:
    """Which template of a group each record has, and whether it truly has."""
    ok = np.ones(len(tails), dtype=bool)
    hashes: U64 | None = None
    varying = []
    for place, offset in enumerate(group.offsets):
        words, mask_ = chunk.words[tails + offset], group.mask[place]
        if mask_ != 0xFFFFFFFFFFFFFFFF:
            words &= mask_
        column = group.words[:, place]
        if (column == column[0]).all():
            ok &= words == column[0]
        else:
            varying.append((column, words))
            added = hashed(words, place)
            hashes = added if hashes is None else hashes + added
    if hashes is None:
        return np.zeros(len(tails), dtype=np.int64), ok
    which = np.searchsorted(group.hashes, hashes)
    which[which == len(group.hashes)] = 0
    for column, words in varying:
        ok &= column[which] == words
    return which, ok


def _learn(chunk: Chunk, heads: _Heads, index: Ints, templates: Templates, odd: Any) -> Ints:
    """Make templates of the first of the unmatched records; those that give none are odd."""
    tried, step, fresh = 0, 64, False
    while tried < len(index) and not fresh:
        for record in index[tried : tried + step].tolist():
            start = int(heads.tails[record])
            tail = chunk.bytes[start : start + int(heads.lengths[record])].tobytes()
            if templates.one(tail) is None:
                odd[record] = True
            else:
                fresh = True
        tried += step
        step *= 2
    left: Ints = index[~odd[index]]
    return left


def _checksums(
    heads: _Heads,
    hit: Ints,
    which: Ints,
    group: Group,
    raw: list[NDArray[Any]],
    length: int,
    width: int,
) -> NDArray[np.uint32]:
    """The masked checksums of records of one template group and one length of step."""
    constant = of_zeros(_HEAD + width + length)
    constant ^= effect_of_bytes(bytes([_WALL_KEY]), 8 + width + length)
    if width:
        constant ^= effect_of_bytes(bytes([_STEP_KEY]), width - 1 + length)
    tails = np.array([effect_of_bytes(tail, 0) for tail in group.tails], dtype=np.uint32)
    total = tails[which] if len(tails) > 1 else np.full(len(hit), tails[0])
    total ^= np.uint32(constant)
    _add(total, heads.wall_bits[hit], 8, length + width)
    if width:
        _add(total, heads.step_bits[hit], width - 1, length)
    for (start, _), values in zip(group.layout, raw, strict=True):
        size = values.dtype.itemsize
        _add(total, values.view(f"<u{size}"), size, length - start - size)
    return mask(total)


def _add(total: NDArray[np.uint32], numbers: NDArray[Any], size: int, distance: int) -> None:
    """XOR into ``total`` what ``size`` little-endian bytes of each number do ``distance`` before the end."""
    place, width = 0, numbers.dtype.itemsize
    columns = np.ascontiguousarray(numbers).view(np.uint8).reshape(-1, width)
    pairs = columns.view("<u2") if width > 1 and len(total) >= _FEW else None
    while place < size:
        if pairs is not None and place + 2 <= size:
            column = pairs[:, place // 2]
            table = effect_of_two(distance + size - place - 2)
            place += 2
        else:
            column = columns[:, place]
            table = effect(distance + size - place - 1)
            place += 1
        total ^= table[column[0]] if (column == column[0]).all() else table[column]


def _sorted(
    heads: _Heads, pieces: list[tuple[Ints, Ints, Ints, Floats]], odd: Ints, wrong: int
) -> Scalars:
    if not pieces:
        none = np.zeros(0, dtype=np.int64)
        return Scalars(none, none, none, none.astype(float), none.astype(float), odd, wrong)
    record, place, tags, values = (np.concatenate(part) for part in zip(*pieces, strict=True))
    if len(pieces) > 1:
        order = np.argsort(record * (int(place.max()) + 1) + place, kind="stable")
        record, tags, values = record[order], tags[order], values[order]
    walls = heads.wall_bits.view(np.float64)[record]
    return Scalars(record, tags, heads.steps[record], walls, values, odd, wrong)
