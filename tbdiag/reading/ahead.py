"""The folders of runs of a request one after the other, read ahead in threads where that pays."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tbdiag.model.place import UrlPath
from tbdiag.reading.beside import upward
from tbdiag.reading.slots import SMALL, Slot

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_AHEAD = 2  # groups of folders that are read ahead of the rules, for each thread
_MOST_TOGETHER = 16
_WINDOW = 64 << 20  # bytes of event files that are read ahead
_FAR = 8  # groups of folders that are read at a time where they are far away


def read_ahead(slots: Iterable[Slot], jobs: int | None = None) -> Iterator[Slot]:
    """The slots in their order, each read, ``jobs`` groups of them at a time, one by default.

    Threads gain nothing where files are in memory already: the parts that let go of the interpreter
    are too short. They help where the disk is waited for, and the network, for which there are eight.
    """
    under_way: deque[tuple[list[Slot], Future[None] | None]] = deque()
    pool: ThreadPoolExecutor | None = None
    try:
        for batch in _together(slots):
            waiting = any(slot.waiting for slot in batch)
            if waiting and pool is None:
                jobs = jobs or (_FAR if any(slot.far for slot in batch) else None)
                pool = _threads(jobs) if jobs and jobs > 1 else None
            if pool is None:
                _read(batch)
                yield from batch
                continue
            under_way.append((batch, pool.submit(_read, batch) if waiting else None))
            while len(under_way) > _AHEAD * (jobs or 1) or _bytes(under_way) > _WINDOW:
                yield from _finished(*under_way.popleft())
        while under_way:
            yield from _finished(*under_way.popleft())
    finally:
        for _, future in under_way:
            if future:
                future.cancel()
        if pool is not None:
            pool.shutdown()


def _threads(count: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(count, thread_name_prefix="tbdiag")


def _together(slots: Iterable[Slot]) -> Iterator[list[Slot]]:
    """The slots in their order: small folders that are to be read in groups, the others alone."""
    batch: list[Slot] = []
    size = 0
    for slot in slots:
        if not slot.waiting or slot.bytes > SMALL:
            if batch:
                yield batch
            yield [slot]
            batch, size = [], 0
            continue
        batch.append(slot)
        size += slot.bytes
        if size > SMALL or len(batch) >= _MOST_TOGETHER:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _read(batch: Sequence[Slot]) -> None:
    """Read all: what their files have in common is then unpacked at once."""
    _warm(batch)
    if len(batch) > 1:
        for slot in batch:
            slot.begin()
    for slot in batch:
        slot.read()


def _warm(batch: Sequence[Slot]) -> None:
    """Fetch what is far away and small side by side."""
    far = [slot for slot in batch if slot.unknown and slot.far]
    if not far:
        return
    from tbdiag.reading import remote

    files = [file.path for slot in far for file in slot.files.files]
    folders = [each for slot in far for each in upward(slot.files.folder, slot.files.top)]
    remote.warm((path for path in files if isinstance(path, UrlPath)), folders)


def _finished(batch: list[Slot], future: Future[None] | None) -> list[Slot]:
    if future:
        future.result()
    return batch


def _bytes(under_way: Iterable[tuple[Sequence[Slot], Future[None] | None]]) -> int:
    return sum(slot.held for batch, future in under_way if future for slot in batch)
