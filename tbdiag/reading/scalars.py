"""Short records to scalars, all records of a chunk at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.series import Floats, Ints
from tbdiag.reading.checksums import add, effect_of_bytes, mask, of_zeros
from tbdiag.reading.stamps import STEP_KEY, U64, WALL, WALL_KEY, Chunk, Stamps, stamps
from tbdiag.reading.templates import Group, Layout, Templates, hashed

U32 = NDArray[np.uint32]

_SHORTEST = 12
_LONGEST = (
    1 << 12
)  # bytes of a tail, so that it is told in two bytes together with the step's width


class Scalars(NamedTuple):
    """Values found in records: each (m,), sorted by ``record`` and by place within it.

    ``record`` counts the records of the chunk, ``tags`` are numbers of `Templates`; ``values`` are of
    the type in which all of them were logged, or float64. ``odd`` are the records, ascending, that
    hold something else; ``wrong`` is the first record whose data does not match its checksum, or -1.
    """

    record: Ints
    tags: Ints
    steps: Ints
    walls: Floats
    values: NDArray[Any]
    odd: Ints
    wrong: int


def scan(chunk: Chunk, places: Ints, lengths: Ints, templates: Templates) -> Scalars:
    """The scalars of the records at ``places`` with payloads of ``lengths``, each (n,).

    The checksums of the records that are no oddities are compared.
    """
    heads = stamps(chunk, places, lengths)
    heads.sound &= (heads.lengths >= _SHORTEST) & (heads.lengths < _LONGEST)
    found = _Found(heads, len(places))
    odd = ~heads.sound
    wrong = len(places)
    for index in _alike(heads):
        length, width = int(heads.lengths[index[0]]), int(heads.widths[index[0]])
        while len(index):
            for group in templates.groups(length):
                tails = heads.tails[index]
                which, matched = _match(chunk, tails, group)
                hit = index
                if not matched.all():
                    hit, which, tails = index[matched], which[matched], tails[matched]
                    index = index[~matched]
                else:
                    index = index[:0]
                if not len(hit):
                    continue
                raw = [chunk.at(kind)[tails + start] for start, kind in group.layout]
                found.take(hit, group.tags[which], raw)
                sums = group.sums[which]
                walls, steps = heads.wall_bits[hit], heads.step_bits[hit]
                expected = checksums(sums, walls, steps, width, length, raw, group.layout)
                bad = np.flatnonzero(expected != chunk.at("<u4")[tails + length])
                if len(bad):
                    wrong = min(wrong, int(hit[bad].min()))
                if not len(index):
                    break
            index = _learn(chunk, heads, index, templates, odd)
    return found.scalars(np.flatnonzero(odd), wrong if wrong < len(places) else -1)


@dataclass(slots=True, eq=False, repr=False)
class _Found:
    """Values as they are found, those of records of one value in their places at once."""

    heads: Stamps
    count: int
    tags: Ints = field(init=False)
    values: NDArray[Any] = field(init=False)
    single: NDArray[np.bool_] = field(init=False)
    pieces: list[tuple[Ints, Ints, Ints, Floats]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tags = np.empty(self.count, dtype=np.int64)
        self.values = np.empty(self.count, dtype=np.float32)
        self.single = np.zeros(self.count, dtype=bool)

    def take(self, hit: Ints, tags: Ints, raw: Sequence[NDArray[Any]]) -> None:
        """The values of records ``hit`` (m,) at each of their places; ``tags`` (m, places)."""
        if len(raw) == 1:
            if raw[0].dtype != self.values.dtype:
                self.values = self.values.astype(np.float64)
            self.tags[hit], self.values[hit], self.single[hit] = tags[:, 0], raw[0], True
            return
        for place, values in enumerate(raw):
            column = np.full(len(hit), place)
            self.pieces.append((hit, column, tags[:, place], values.astype(np.float64)))

    def scalars(self, odd: Ints, wrong: int) -> Scalars:
        """All values in the order of their records."""
        heads = self.heads
        if not self.pieces and self.single.all():
            walls = heads.wall_bits.view(np.float64)
            record = np.arange(self.count)
            return Scalars(record, self.tags, heads.steps, walls, self.values, odd, wrong)
        record = np.flatnonzero(self.single)
        tags, values = self.tags[record], self.values[record]
        if self.pieces:
            zeros = np.zeros(len(record), dtype=np.int64)
            parts = [(record, zeros, tags, values.astype(np.float64)), *self.pieces]
            record, place, tags, values = (
                np.concatenate(part) for part in zip(*parts, strict=True)
            )
            order = np.lexsort((place, record))
            record, tags, values = record[order], tags[order], values[order]
        walls = heads.wall_bits.view(np.float64)[record]
        return Scalars(record, tags, heads.steps[record], walls, values, odd, wrong)


def _alike(heads: Stamps) -> list[Ints]:
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


def _learn(chunk: Chunk, heads: Stamps, index: Ints, templates: Templates, odd: Any) -> Ints:
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


def checksums(
    sums: U32,
    walls: U64,
    steps: U64,
    width: int,
    length: int,
    raw: Sequence[NDArray[Any]],
    layout: Layout,
) -> U32:
    """The masked checksums of records, from all bytes that vary: ``walls``, ``steps``, ``raw``, (n,).

    ``sums`` (n,) is what the tails of ``length`` bytes add; ``width`` is that of the step and its key.
    """
    total = sums ^ np.uint32(constant(width, length))
    add(total, walls, 8, length + width)
    if width:
        add(total, steps, width - 1, length)
    for (start, _), values in zip(layout, raw, strict=True):
        size = values.dtype.itemsize
        add(total, values.view(f"<u{size}"), size, length - start - size)
    return mask(total)


@lru_cache(maxsize=4096)
def constant(width: int, length: int) -> int:
    """What the length and the keys of the head add to a checksum."""
    constant = of_zeros(WALL + width + length)
    constant ^= effect_of_bytes(bytes([WALL_KEY]), 8 + width + length)
    if width:
        constant ^= effect_of_bytes(bytes([STEP_KEY]), width - 1 + length)
    return constant
