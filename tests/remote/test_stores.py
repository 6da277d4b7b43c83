"""Logs on storages of every kind that is documented, each a server on this machine: one battery for all."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

import tbdiag
from tbdiag.api.folders import scan
from tbdiag.config import Config
from tbdiag.errors import NoRunsError, RequestError
from tbdiag.reading import remote, storage
from tests.cli.builders import ROOT
from tests.reading.eventfiles import NAME, data, scalar, write
from tests.remote.stores import STORES, Store
from tests.remote.test_s3 import picture, plain, sweep

pytest.importorskip("fsspec", reason="no extra of a storage is installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module", params=list(STORES))
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    with STORES[request.param](tmp_path_factory.mktemp(request.param)) as found:
        yield found


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_FIRST_PAUSE", 0.01)
    remote._mounts.clear()


def asked(store: Store) -> Config:
    return Config(storage={store.scheme: store.options})


def put(store: Store, folder: Path) -> tuple[str, str]:
    """The URL of what was put there, and how it is shown."""
    name = f"logs{os.urandom(4).hex()}"
    store.put(folder, name)
    url = f"{store.url}/{name}"
    parts = urlsplit(url)
    password = f":{parts.password}@" if parts.password else "@"
    return url, url.replace(password, "@")


@pytest.mark.parametrize("cache", [False, True])
def test_the_report_is_that_of_the_same_files_on_disk(
    store: Store, tmp_path: Path, cache: bool
) -> None:
    url, shown = put(store, sweep(tmp_path / "logs"))
    here = tbdiag.scan(tmp_path / "logs", config=Config(), cache=False, now=2e9)
    before = store.fetched()
    for times in range(2 if cache else 1):
        there = scan(url, config=asked(store), cache=cache, now=2e9)
        assert plain(there, shown) == plain(here, str(tmp_path / "logs"))
        assert there.runs[3].run.hparams["lr"].source == "run3/hparams.yaml"
        if not times:
            size = sum(p.stat().st_size for p in (tmp_path / "logs").rglob("*") if p.is_file())
            assert store.fetched() - before <= size
            before = store.fetched()
    if cache:
        assert store.fetched() == before  # nothing was new


def test_blobs_are_not_downloaded(store: Store, tmp_path: Path) -> None:
    dice, points, events = np.random.default_rng(0), [], []
    for step in range(3000):
        points += [scalar(f"loss/{kind}", step, 1 / (step + 1)) for kind in ("train", "val")]
        events += points[-2:]
        if step % 200 == 199:
            events.append(picture(step, "image", 150_000 + step, dice))
    path = write(tmp_path / "logs" / "run" / NAME, *events)
    url, shown = put(store, tmp_path / "logs")
    before = store.fetched()
    there = tbdiag.scan(url, config=asked(store), cache=False, now=2e9)
    here = tbdiag.scan(tmp_path / "logs", config=Config(), cache=False, now=2e9)
    assert plain(there, shown) == plain(here, str(tmp_path / "logs"))
    scalars = len(data(*points))
    assert path.stat().st_size > 5 * scalars
    assert store.fetched() - before < 1.2 * scalars


def test_of_a_file_that_grew_what_was_appended_is_read(store: Store, tmp_path: Path) -> None:
    whole = [scalar("a", step, 1 / (step + 1)) for step in range(12_000)]
    path = write(tmp_path / "logs" / "run" / NAME, *whole[:-500])
    name = f"grows{os.urandom(4).hex()}"
    store.put(tmp_path / "logs", name)
    tbdiag.scan(f"{store.url}/{name}", config=asked(store), now=2e9)
    before = store.fetched()
    more = data(*whole[-500:])
    with path.open("ab") as file:
        file.write(more)
    store.put(tmp_path / "logs", name)
    there = tbdiag.scan(f"{store.url}/{name}", config=asked(store), now=2e9)
    here = tbdiag.scan(tmp_path / "logs", config=Config(), cache=False, now=2e9)
    assert there.runs[0].findings == here.runs[0].findings
    assert len(there.runs[0].run.series["a"]) == 12_000
    assert store.fetched() - before <= len(more) + 2 * 4096 + 100  # both ends


def test_what_is_not_there_is_told(store: Store, tmp_path: Path) -> None:
    url, shown = put(store, sweep(tmp_path / "logs", 1))
    with pytest.raises(NoRunsError) as told:
        tbdiag.scan(f"{url}/nowhere", config=asked(store))
    assert str(told.value) == f"{shown}/nowhere does not exist"


def test_what_leads_nowhere_is_one_sentence_without_secrets(store: Store) -> None:
    for url, options, sentence in store.wrong:
        remote._mounts.clear()
        with pytest.raises((NoRunsError, RequestError), match=sentence) as told:
            tbdiag.scan(url, config=Config(storage={store.scheme: options}), cache=False)
        text = str(told.value)
        assert "\n" not in text
        assert len(text) < 300
        for secret in ("sesame", "Eby8vdM0", "AccountKey"):
            assert secret not in text


@pytest.mark.parametrize(
    ("scheme", "package", "extra"),
    [
        ("s3", "s3fs", "s3"),
        ("gs", "gcsfs", "gcs"),
        ("az", "adlfs", "azure"),
        ("abfs", "adlfs", "azure"),
        ("hf", "huggingface_hub", "hf"),
        ("ssh", "sshfs", "ssh"),
        ("sftp", "sshfs", "ssh"),
        ("https", "aiohttp", "http"),
    ],
)
def test_what_is_not_installed_is_named(
    scheme: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = import_module("fsspec.registry")._registry  # the package has a mapping of that name
    monkeypatch.delitem(classes, scheme, raising=False)
    for name in [each for each in sys.modules if each.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.http", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RequestError) as told:
        tbdiag.scan(f"{scheme}://somewhere/logs", config=Config())
    sentence = f"reading {scheme}:// needs {package}: pip install 'tbdiag[{extra}]'"
    assert str(told.value) == sentence
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = declared["project"]["optional-dependencies"]
    assert any(each.startswith(package) for each in extras[extra])
