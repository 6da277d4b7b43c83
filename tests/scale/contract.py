"""What every place of work promises: clauses that `test_contract` asks of each of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tbdiag.errors import ReadError, RequestError
from tbdiag.scale.base import AHEAD, Pool

Make = Callable[[int], Pool]


def doubled(number: int) -> int:
    return 2 * number


def slow_first(number: int) -> int:
    time.sleep(0.3 if number == 0 else 0)
    return number


def failing(number: int) -> int:
    if number == 3:
        raise ReadError("events.out.tfevents.3 cannot be read")
    return number


def once_lost(folder: Path, number: int) -> tuple[int, int]:
    """The number, and who works on it; the third is lost in its worker the first time."""
    if number == 3 and not (folder / "lost").exists():
        (folder / "lost").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number, os.getpid()


def always_lost(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def keeps_the_order(make: Make, folder: Path) -> None:
    del folder
    with make(2) as pool:
        assert list(pool.map(slow_first, range(9))) == list(range(9))


def works_on_nothing(make: Make, folder: Path) -> None:
    del folder
    with make(2) as pool:
        assert list(pool.map(doubled, [])) == []


def takes_no_more_than_a_few_ahead(make: Make, folder: Path) -> None:
    del folder
    taken = 0

    def batches() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    with make(2) as pool:
        results = pool.map(doubled, batches())
        for back in range(1, 20):
            next(results)
            assert taken - back <= AHEAD * pool.workers


def raises_what_the_work_raises(make: Make, folder: Path) -> None:
    del folder
    with make(2) as pool:
        results = pool.map(failing, range(9))
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ReadError, match=r"^events.out.tfevents.3 cannot be read$"):
            next(results)


def does_again_what_a_lost_worker_did(make: Make, folder: Path) -> None:
    with make(2) as pool:
        found = list(pool.map(partial(once_lost, folder), range(9)))
    assert [number for number, _ in found] == list(range(9))
    assert (folder / "lost").exists()
    assert os.getpid() not in {pid for _, pid in found}


def gives_up_where_workers_are_lost_again_and_again(make: Make, folder: Path) -> None:
    del folder
    with make(2) as pool, pytest.raises(RequestError, match=r"lost \d times"):
        list(pool.map(always_lost, range(3)))


CLAUSES = {
    clause.__name__: clause
    for clause in (
        keeps_the_order,
        works_on_nothing,
        takes_no_more_than_a_few_ahead,
        raises_what_the_work_raises,
        does_again_what_a_lost_worker_did,
        gives_up_where_workers_are_lost_again_and_again,
    )
}
