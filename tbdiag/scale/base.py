"""What every place of work promises: one map over batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

B = TypeVar("B")
R = TypeVar("R")

AHEAD = 2  # batches for each worker that are handed out before the first of them is taken back
TRIES = 3  # times that a batch is handed out whose worker is lost


class Pool(Protocol):
    """A place where work is done, ``workers`` batches at a time.

    It is a context: left, however, nothing of it goes on.
    """

    @property
    def workers(self) -> int:
        """How many batches are worked on at a time."""

    def map(self, work: Callable[[B], R], batches: Iterable[B]) -> Iterator[R]:
        """``work(batch)`` for each batch, in the order of the batches.

        ``work``, batches and results must be fit for pickle, and ``work`` a function of a module or a
        `functools.partial` of one. Batches are taken only a few ahead of what is taken back, so
        neither they nor the results pile up. A batch whose worker is lost is worked on again, so
        ``work`` should only look and tell. What ``work`` raises is raised here; RequestError where
        workers are lost again and again.
        """

    def __enter__(self) -> Pool:
        """Itself."""

    def __exit__(self, *error: object) -> None:
        """Ends all workers."""
