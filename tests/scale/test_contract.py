"""Every place of work keeps the contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tbdiag.scale.base import Pool
from tbdiag.scale.local import LocalPool
from tests.scale.contract import CLAUSES

POOLS: dict[str, Callable[[int], Pool]] = {"local": LocalPool}


@pytest.mark.parametrize("clause", CLAUSES)
@pytest.mark.parametrize("kind", POOLS)
def test_contract(kind: str, clause: str, tmp_path: Path) -> None:
    CLAUSES[clause](POOLS[kind], tmp_path)


def test_one_worker_is_this_process() -> None:
    here: list[int] = []
    with LocalPool() as pool:
        assert list(pool.map(here.append, range(3))) == [None] * 3
    assert here == [0, 1, 2]
