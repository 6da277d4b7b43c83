"""The folders of a scan in their order, each with what was found out about it in a pool of workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tbdiag.reading.slots import Slot
from tbdiag.scale.base import Pool
from tbdiag.scale.batches import MOST_BYTES, MOST_RUNS, Item, Job, batches, diagnosed

_EACH = 8  # batches that each worker gets at least, so that the last one is not waited for


def stream(slots: Sequence[Slot], pool: Pool, job: Job) -> Iterator[Slot]:
    """The slots in their order: folders of which nothing is known go to the ``pool`` in batches.

    All others, those that only grew among them, are read here. Only a few batches are under way.
    """
    new = [slot for slot in slots if slot.unknown]
    share = _EACH * pool.workers
    parts = batches(
        map(_item, new),
        most_bytes=max(min(MOST_BYTES, sum(slot.bytes for slot in new) // share), 1),
        most_runs=max(min(MOST_RUNS, len(new) // share), 1),
    )
    found = (told for part in pool.map(partial(diagnosed, job=job), parts) for told in part)
    fresh = iter(new)
    awaited = next(fresh, None)
    for slot in slots:
        if slot is awaited:
            told = next(found)
            if told is not None:
                slot.take(told)
            awaited = next(fresh, None)
        slot.read()
        yield slot


def _item(slot: Slot) -> Item:
    return slot.files, slot.looks
