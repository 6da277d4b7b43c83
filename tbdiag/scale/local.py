"""Work in this process, or in children of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from tbdiag.errors import RequestError
from tbdiag.model.place import UrlPath, place
from tbdiag.scale.base import AHEAD, TRIES, B, R


@dataclass(slots=True)
class LocalPool:
    """What `Pool` promises: with one worker in this process, with more in as many children.

    Children are started afresh, for a fork of a process with threads may hang; they cost the time that
    their imports take.
    """

    workers: int = 1
    _pool: ProcessPoolExecutor | None = field(default=None, repr=False)

    def map(self, work: Callable[[B], R], batches: Iterable[B]) -> Iterator[R]:
        """``work(batch)`` for each batch, in the order of the batches."""
        if self.workers < 2:
            yield from map(work, batches)
            return
        under_way: deque[tuple[B, Future[R], int]] = deque()
        try:
            for batch in batches:
                under_way.append((batch, self._submitted(work, batch), 1))
                if len(under_way) >= AHEAD * self.workers:
                    yield self._first(work, under_way)
            while under_way:
                yield self._first(work, under_way)
        finally:
            for _, future, _ in under_way:
                future.cancel()

    def _first(self, work: Callable[[B], R], under_way: deque[tuple[B, Future[R], int]]) -> R:
        """The result of the oldest batch; where a child was lost, all that it took with it is redone."""
        while True:
            _, future, tries = under_way[0]
            try:
                found = future.result()
            except BrokenProcessPool:
                if tries >= TRIES:
                    raise RequestError(
                        f"the worker processes were lost {tries} times: maybe memory runs out; "
                        "try fewer at a time"
                    ) from None
                self._end()
                for at, (each, old, times) in enumerate(under_way):
                    if not (old.done() and not old.cancelled() and old.exception() is None):
                        under_way[at] = (each, self._submitted(work, each), times + 1)
                continue
            under_way.popleft()
            return found

    def _submitted(self, work: Callable[[B], R], batch: B) -> Future[R]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.workers, mp_context=get_context("spawn"), initializer=_leave_interrupts
            )
        try:
            return self._pool.submit(work, batch)
        except BrokenProcessPool as error:  # found out when its result is asked for
            broken: Future[R] = Future()
            broken.set_exception(error)
            return broken

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()


def side_by_side(
    paths: Sequence[Path] | None, jobs: int | None
) -> AbstractContextManager[LocalPool | None]:
    """``jobs`` processes, where logs on disk are diagnosed; None where one is enough.

    The network is waited for in threads, which is what the reader does by itself.
    """
    far = any(isinstance(place(path), UrlPath) for path in paths or ())
    return LocalPool(jobs) if jobs is not None and jobs > 1 and not far else nullcontext()


def _leave_interrupts() -> None:
    """^C ends the process that is asked, which ends the others."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
