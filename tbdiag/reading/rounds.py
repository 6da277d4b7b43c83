"""Records that come back round after round: compared as one block of memory, without frames."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.series import Ints
from tbdiag.reading.arena import Arena
from tbdiag.reading.batches import Batch, Block
from tbdiag.reading.checksums import add, effect, effect_of_bytes, mask, masked
from tbdiag.reading.frames import HEADER
from tbdiag.reading.scalars import constant
from tbdiag.reading.stamps import STEP_KEY, WALL, WALL_KEY, number
from tbdiag.reading.templates import Slot

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]

_ROW = 4096  # bytes that are compared at least at once
_FIRST = 1 << 16  # bytes that are compared before all others


class Member(NamedTuple):
    """A record of a cycle: its bytes from the summary on, blank where the value stands, and its tag."""

    tail: bytes
    slot: Slot
    tag: int


class _Alike(NamedTuple):
    """Members whose steps are equally wide, and whose values are of one type and equally far from the end.

    ``columns`` are their places in the round, all of them or (p,); ``values`` (p,) where their values
    stand in its bytes; ``sums`` (p,) what all but wall time, step and value add to their checksums.
    ``tails`` (p, 4) is where in ``advance`` the table of each byte of a checksum starts, which tells
    what that byte becomes over the length of the tail.
    """

    columns: Ints | slice
    values: Ints
    sums: U32
    width: int  # of the step and its key
    kind: str
    after: int  # bytes that follow the value
    tails: Ints
    advance: U32

    def checksums(self, walls: U64, steps: U64, raw: NDArray[Any], arena: Arena) -> U32:
        """The masked checksums of records with these bytes, each (p, rounds)."""
        heads = arena.array((walls.size,), np.uint32)
        heads[:] = 0
        add(heads, walls.ravel(), 8, self.width)
        if self.width:
            add(heads, steps.ravel(), self.width - 1, 0)
        bytes_of_heads = heads.view(np.uint8).reshape(*walls.shape, 4)
        which = arena.array(walls.shape, np.intp)
        total = arena.array(walls.shape, np.uint32)
        total[:] = self.sums[:, None]
        for place in range(4):
            np.add(bytes_of_heads[:, :, place], self.tails[:, place, None], out=which)
            total ^= self.advance.take(which)
        size = raw.dtype.itemsize
        flat = total.ravel()
        add(flat, raw.view(f"<u{size}").ravel(), size, self.after)
        return mask(flat).reshape(walls.shape)


@dataclass(slots=True, eq=False, repr=False)
class Round:
    """The members of a cycle, once each, with steps of known ``widths`` (bytes, their key included).

    ``row`` is a whole number of rounds as words, and ``mask`` has zeros where wall times, steps,
    values and checksums stand. ``walls``, ``told`` and ``ends`` (p,) are where each wall time and
    checksum starts, and where each record ends. ``distinct`` tells whether no tag comes twice.
    """

    members: tuple[Member, ...]
    widths: tuple[int, ...]
    size: int
    row: U64
    mask: U64
    walls: Ints
    told: Ints
    ends: Ints
    step_masks: U64
    tags: Ints
    distinct: bool
    groups: tuple[_Alike, ...]

    def match(self, buffer: U8, size: int, scratch: U64, *, more: bool) -> int:
        """How many records at the start of ``buffer`` are these, of which ``size`` bytes count.

        Where there is ``more`` to come and nothing differs, only whole rounds count.
        """
        same = self._agreeing(buffer, size, scratch)
        rounds, rest = divmod(same, self.size)
        if more and same == size and rounds:
            return rounds * len(self.ends)
        return rounds * len(self.ends) + int(np.searchsorted(self.ends, rest, side="right"))

    def end(self, count: int) -> int:
        """Where the first ``count`` records end."""
        rounds, rest = divmod(count, len(self.ends))
        return rounds * self.size + (int(self.ends[rest - 1]) if rest else 0)

    def _agreeing(self, buffer: U8, size: int, scratch: U64) -> int:
        row, mask = self.row.view(np.uint8), self.mask.view(np.uint8)
        first = min(size, self.size)
        found = _agreeing(buffer[:first], row, mask)
        if found < first:
            return found
        count, width = size // len(row), len(self.row)
        done, rows = 0, min(max(_FIRST // len(row), 1), count)
        while rows:  # what differs may come soon
            block = buffer[done : done + rows * len(row)].view(np.uint64).reshape(rows, width)
            odd = scratch[: rows * width].reshape(rows, width)
            np.bitwise_xor(block, self.row, out=odd)
            np.bitwise_and(odd, self.mask, out=odd)
            if odd.max():
                place = 8 * int((odd.reshape(-1) != 0).argmax())
                word = odd.reshape(-1).view(np.uint8)[place : place + 8]
                return done + place + int((word != 0).argmax())
            done += rows * len(row)
            count -= rows
            rows = count
        return done + _agreeing(buffer[done:size], row, mask)

    def rows(self, count: int) -> int:
        """How many rounds ``count`` records are, the last of them maybe in part."""
        return -(-count // len(self.ends))

    def points(self, block: U8, counts: Sequence[int], arena: Arena) -> list[Batch | Block | None]:
        """The points of the rounds that stand in ``block`` one after another, in parts.

        Each part begins with a round of its own and has as many records as ``counts`` says; where a
        checksum in it is wrong, it is None. The points of one tag stand in their order. What is needed on
        the way stands in ``arena``.
        """
        rows = sum(map(self.rows, counts))

        def columns(kind: str, places: Ints) -> NDArray[Any]:
            made = arena.array((len(places), rows), kind)
            return _columns(block, self.size, places, made)

        walls = columns("<u8", self.walls)
        steps = columns("<u8", self.walls + WALL)
        steps &= self.step_masks[:, None]
        kinds = {group.kind for group in self.groups}
        values = arena.array(walls.shape, kinds.pop() if len(kinds) == 1 else np.float64)
        right = arena.array(walls.shape, np.bool_)
        told = columns("<u4", self.told)
        for group in self.groups:
            raw = columns(group.kind, group.values)
            values[group.columns] = raw
            sums = group.checksums(walls[group.columns], steps[group.columns], raw, arena)
            right[group.columns] = sums == told[group.columns]
        common = _common(steps)
        parts, first = list[Batch | Block | None](), 0
        for count in counts:
            span = slice(first, first + self.rows(count))
            first = span.stop
            cut: list[NDArray[Any]] = [
                each[:, span] for each in (common, walls.view(np.float64), values)
            ]
            sound = right[:, span]
            if count < sound.size:  # of the last round only the first records
                sound = sound.T.ravel()[:count]
            parts.append(self._part(count, *cut) if sound.all() else None)
        return parts

    def _part(
        self, count: int, steps: NDArray[Any], walls: NDArray[Any], values: NDArray[Any]
    ) -> Batch | Block:
        """Copies of ``count`` records in these columns, each (p, n)."""
        if self.distinct and count == walls.size:
            return Block(self.tags, steps.copy(), walls.copy(), values.copy())
        tags = np.broadcast_to(self.tags[:, None], walls.shape)
        steps = np.broadcast_to(steps, walls.shape)
        columns: list[NDArray[Any]] = [tags, steps, walls, values]
        return Batch(*(each.T.flatten()[:count] for each in columns))


def _columns(block: U8, size: int, places: Ints, made: NDArray[Any]) -> NDArray[Any]:
    """What stands at ``places`` (p,) of each row of ``size`` bytes, written into ``made`` (p, rows)."""
    rows = made.shape[1:]
    for column, place in zip(made, places.tolist(), strict=True):
        column[:] = np.ndarray(rows, made.dtype, block.data, place, (size,))
    return made


def _common(bits: U64) -> Ints:
    """The steps (p, n), or (1, n) where they are the same for all records of a round, as they mostly are."""
    first = bits[:1]
    return number(first if (bits == first).all() else bits)


def _agreeing(buffer: U8, row: U8, mask: U8) -> int:
    """How many bytes agree where the mask is set."""
    odd = (buffer ^ row[: len(buffer)]) & mask[: len(buffer)] != 0
    return int(odd.argmax()) if odd.any() else len(odd)


def size(member: Member, width: int) -> int:
    """The bytes of a record with a step of this width (bytes, its key included)."""
    return HEADER.size + WALL + width + len(member.tail) + 4


def head(member: Member, width: int) -> bytes:
    """The header of such a record."""
    length = struct.pack("<Q", WALL + width + len(member.tail))
    return length + struct.pack("<I", masked(length))


def make(members: Sequence[Member], widths: Sequence[int]) -> Round:
    """The round of members with steps of these widths."""
    row, mask = bytearray(), bytearray()
    ends, walls = [], []
    for member, width in zip(members, widths, strict=True):
        walls.append(len(row) + HEADER.size + 1)
        row += head(member, width)
        mask += b"\xff" * HEADER.size
        row += bytes([WALL_KEY]) + bytes(8)
        mask += b"\xff" + bytes(8)
        if width:
            row += bytes([STEP_KEY]) + b"\x80" * (width - 2) + b"\0"
            mask += b"\xff" + b"\x80" * (width - 1)
        row += member.tail + bytes(4)
        start, kind = member.slot
        end = start + int(kind[2])
        mask += b"\xff" * start + bytes(end - start) + b"\xff" * (len(member.tail) - end)
        mask += bytes(4)
        ends.append(len(row))
    times = 8 * -(-_ROW // (8 * len(row)))
    return Round(
        members=tuple(members),
        widths=tuple(widths),
        size=len(row),
        row=np.frombuffer(bytes(row) * times, dtype=np.uint64),
        mask=np.frombuffer(bytes(mask) * times, dtype=np.uint64),
        walls=np.array(walls),
        told=np.array(ends) - 4,
        ends=np.array(ends),
        step_masks=np.array(
            [(1 << 8 * (width - 1)) - 1 if width else 0 for width in widths], dtype=np.uint64
        ),
        tags=np.array([member.tag for member in members]),
        distinct=len({member.tag for member in members}) == len(members),
        groups=_groups(members, widths, ends),
    )


def _groups(
    members: Sequence[Member], widths: Sequence[int], ends: Sequence[int]
) -> tuple[_Alike, ...]:
    alike: dict[tuple[int, str, int], list[int]] = {}
    for column, (member, width) in enumerate(zip(members, widths, strict=True)):
        start, kind = member.slot
        after = len(member.tail) - start - int(kind[2])
        alike.setdefault((width, kind, after), []).append(column)
    groups = []
    for (width, kind, after), columns in alike.items():
        lengths = [len(members[column].tail) for column in columns]
        distinct = sorted(set(lengths))
        tables = [effect(length - 1 - place) for length in distinct for place in range(4)]
        tails = 1024 * np.array([distinct.index(length) for length in lengths])
        sums = [
            effect_of_bytes(members[column].tail, 0) ^ constant(width, length)
            for column, length in zip(columns, lengths, strict=True)
        ]
        groups.append(
            _Alike(
                columns=np.array(columns) if len(alike) > 1 else slice(None),
                values=np.array([ends[column] for column in columns]) - 4 - after - int(kind[2]),
                sums=np.array(sums, dtype=np.uint32),
                width=width,
                kind=kind,
                after=after,
                tails=tails[:, None] + np.array([0, 256, 512, 768]),
                advance=np.concatenate(tables),
            )
        )
    return tuple(groups)
