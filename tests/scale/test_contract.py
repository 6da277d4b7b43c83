"""Every place of work keeps the contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tbdiag.scale.base import Pool
from tbdiag.scale.local import LocalPool
from tests.scale.contract import CLAUSES


def on_ray(workers: int) -> Pool:
    from tbdiag.scale.ray import RayPool

    return RayPool(workers=workers)


POOLS: dict[str, Callable[[int], Pool]] = {"local": LocalPool, "ray": on_ray}


@pytest.mark.parametrize("clause", CLAUSES)
@pytest.mark.parametrize("kind", ["local", pytest.param("ray", marks=pytest.mark.ray)])
def test_contract(kind: str, clause: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if kind == "ray":
        request.getfixturevalue("cluster")
    CLAUSES[clause](POOLS[kind], tmp_path)


def test_one_worker_is_this_process() -> None:
    here: list[int] = []
    with LocalPool() as pool:
        assert list(pool.map(here.append, range(3))) == [None] * 3
    assert here == [0, 1, 2]
