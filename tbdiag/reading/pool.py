"""Rounds of several files, unpacked together: few large operations instead of many small ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tbdiag.reading.arena import Arena
from tbdiag.reading.batches import Batch, Block
from tbdiag.reading.rounds import Round

U8 = NDArray[np.uint8]
Taker = Callable[[Batch | Block | None], object]

_LARGE = 1 << 18  # bytes of rounds that need no company
_MOST = 1 << 20


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Held:
    """The bytes of whole rounds, how many records of them count, and who takes their points."""

    block: U8
    count: int
    taker: Taker


@dataclass(slots=True, eq=False, repr=False)
class Pool:
    """Records that came in rounds, until `flush` hands out their points."""

    _held: dict[Round, list[_Held]] = field(default_factory=dict)
    _size: int = 0
    _kept: Arena = field(default_factory=Arena)  # of the blocks
    _scratch: Arena = field(default_factory=Arena)

    def hold(self, each: Round, buffer: U8, count: int, taker: Taker) -> None:
        """Keep the ``count`` records at the start of ``buffer``, which are rounds of one kind.

        ``taker`` is given their points in the end, or None where a checksum is wrong.
        """
        size = each.rows(count) * each.size
        if size >= _LARGE:
            self._scratch.clear()
            (batch,) = each.points(buffer, [count], self._scratch)
            taker(batch)
            return
        block = self._kept.array((size,), np.uint8)
        block[:] = buffer[:size]
        self._held.setdefault(each, []).append(_Held(block, count, taker))
        self._size += size
        if self._size > _MOST:
            self.flush()

    def flush(self) -> None:
        """Hand out the points of all that is held."""
        held, self._held, self._size = self._held, {}, 0
        for each, parts in held.items():
            self._scratch.clear()
            blocks = [part.block for part in parts]
            block = blocks[0]
            if len(blocks) > 1:
                whole = self._scratch.array((sum(map(len, blocks)),), np.uint8)
                block = np.concatenate(blocks, out=whole)
            batches = each.points(block, [part.count for part in parts], self._scratch)
            for part, batch in zip(parts, batches, strict=True):
                part.taker(batch)
        self._kept.clear()
