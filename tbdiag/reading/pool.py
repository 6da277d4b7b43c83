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
_KEPT = 8  # blocks of that size, of which only what was used takes memory


@dataclass(slots=True, eq=False, repr=False)
class _Held:
    """Whole rounds of one kind one behind the other: the first ``size`` bytes of ``block``.

    ``counts`` tells how many records count of the rounds of each file, ``takers`` who takes their points.
    """

    block: U8
    size: int = 0
    counts: list[int] = field(default_factory=list)
    takers: list[Taker] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Pool:
    """Records that came in rounds, until `flush` hands out their points."""

    _held: dict[Round, _Held] = field(default_factory=dict)
    _size: int = 0
    _blocks: list[U8] = field(default_factory=list)  # to be used again: new memory costs more
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
        held = self._held.get(each)
        if held is None:
            block = self._blocks.pop() if self._blocks else np.empty(_MOST + _LARGE, np.uint8)
            held = self._held[each] = _Held(block)
        held.block[held.size : held.size + size] = buffer[:size]
        held.size += size
        held.counts.append(count)
        held.takers.append(taker)
        self._size += size
        if self._size > _MOST:
            self.flush()

    def flush(self) -> None:
        """Hand out the points of all that is held."""
        all_held, self._held, self._size = self._held, {}, 0
        for each, held in all_held.items():
            self._scratch.clear()
            batches = each.points(held.block[: held.size], held.counts, self._scratch)
            for taker, batch in zip(held.takers, batches, strict=True):
                taker(batch)
        free = [held.block for held in all_held.values()]
        self._blocks = (self._blocks + free)[:_KEPT]
