"""The folders of a scan in their order, each with what was found out about it in a pool of workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial

from tbdiag.reading.slots import Slot, Slots
from tbdiag.scale.base import Pool
from tbdiag.scale.batches import MOST_BYTES, MOST_RUNS, Item, Job, batches, diagnosed

_EACH = 8  # batches that each worker gets at least, so that the last one is not waited for
_KNOWN = 256  # slots that are held while the next one is looked for of which nothing is known


def stream(slots: Slots, pool: Pool, job: Job) -> Iterator[Slot]:
    """The slots in their order: folders of which nothing is known go to the ``pool`` in batches.

    All others, those that only grew among them, are read here. Only a few batches are under way, and
    no more slots than these take are held, nor than come before the next one of which nothing is known.
    """
    size, count = slots.pending()
    share = _EACH * pool.workers
    handed: deque[tuple[Slot, bool]] = deque()  # slots on their way, and whether they are awaited
    left = iter(slots)

    def given() -> Iterator[Item]:
        known = 0
        for slot in left:
            awaited = slot.unknown
            handed.append((slot, awaited))
            known = 0 if awaited else known + 1
            if awaited:
                yield slot.files, slot.looks
            elif known == _KNOWN:
                return

    while True:
        parts = batches(
            given(),
            most_bytes=max(min(MOST_BYTES, size // share), 1),
            most_runs=max(min(MOST_RUNS, count // share), 1),
        )
        for part in pool.map(partial(diagnosed, job=job), parts):
            for told in part:
                yield from _known(handed)
                slot, _ = handed.popleft()
                if told is not None:
                    slot.take(told)
                slot.read()
                yield slot
        if not handed:
            return
        yield from _known(handed)


def _known(handed: deque[tuple[Slot, bool]]) -> Iterator[Slot]:
    """Those at the front that need not be waited for."""
    while handed and not handed[0][1]:
        slot, _ = handed.popleft()
        slot.read()
        yield slot
