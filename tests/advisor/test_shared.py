"""Studies that several controllers share, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.advisor.shared_contract import CLAUSES


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with servers.postgresql() as url:
        yield url


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="module")
def grpc(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.proxy(tmp_path_factory.mktemp("proxy"), postgresql) as url:
        yield url


@pytest.mark.parametrize("clause", CLAUSES)
@pytest.mark.parametrize("kind", ["postgresql", "grpc", "redis"])
def test_contract(kind: str, clause: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = request.getfixturevalue(kind)
    CLAUSES[clause](url, f"{kind}-{clause}", tmp_path)
