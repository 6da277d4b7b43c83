"""Files read in ranges hold what they hold on disk, however small the ranges are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tbdiag.errors import NoRunsError, ReadError, RequestError
from tbdiag.model.place import UrlPath, place
from tbdiag.reading import eventfile, follow, ranged, records, remote
from tbdiag.reading.columns import Columns
from tbdiag.reading.discover import discover
from tests.reading.eventfiles import NAME, data, event, histo, hparams, scalar, start, text, write

fsspec = pytest.importorskip("fsspec", reason="the extra s3 is not installed")

ROOT = Path(__file__).parents[2]
LOGS = sorted((ROOT / "sample_logs").rglob("*tfevents*"))[::6]


@pytest.fixture(params=[None, 1, 100, 3000])
def window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many bytes are fetched first, and at least."""
    if request.param is not None:
        monkeypatch.setattr(ranged, "WHOLE", 0)
        monkeypatch.setattr(ranged, "FIRST", request.param)
        monkeypatch.setattr(ranged, "_LEAST", request.param)


def stored(content: bytes, name: str = "ranged") -> UrlPath:
    fs = fsspec.filesystem("memory")
    fs.pipe_file(f"/{name}/{NAME}", content)
    (run,) = discover([place(f"memory://{name}")]).runs
    (file,) = run.files
    assert isinstance(file.path, UrlPath)
    return file.path


def assert_same(one: Columns, other: Columns) -> None:
    assert one.scalars.keys() == other.scalars.keys()
    for tag, points in one.scalars.items():
        for name in ("steps", "values", "wall_times"):
            np.testing.assert_array_equal(getattr(points, name), getattr(other.scalars[tag], name))
    assert one.histograms.keys() == other.histograms.keys()
    for tag, raw in one.histograms.items():
        assert list(raw.records) == list(other.histograms[tag].records)
    assert (one.texts, one.hparams, one.started) == (other.texts, other.hparams, other.started)
    assert (one.damage is None) == (other.damage is None)
    if one.damage is not None and other.damage is not None:
        assert one.damage.offset == other.damage.offset
        assert one.damage.reason == other.damage.reason


def mixed(dice: np.random.Generator, records: int) -> bytes:
    """Scalars, blobs of all sizes, histograms, texts and restarts in random order."""
    from tensorboard.compat.proto import summary_pb2

    parts = []
    for step in range(records):
        kind = int(dice.integers(0, 60))
        made: Any = [scalar(f"loss/{n}", step, float(step)) for n in range(4)]
        if kind < 4:
            size = int(10 ** dice.uniform(2, 5.5))
            image = summary_pb2.Summary.Image(
                height=8, width=8, colorspace=3, encoded_image_string=dice.bytes(size)
            )
            made += [event(step, summary_pb2.Summary.Value(tag=f"image{kind}", image=image))]
        elif kind < 7:
            limits = np.sort(dice.normal(size=int(dice.integers(2, 500)))).tolist()
            made += [event(step, histo("weights", limits, [1.0] * len(limits), min=-1, max=1))]
        elif kind == 7:
            made += [text("note", "word " * int(dice.integers(1, 30_000)), step)]
        elif kind == 8 and step > records // 2:
            made += [start(step - 2)]
        elif kind == 9:
            made += [hparams({"lr": 1e-3})]
        parts.append(data(*made))
    return data(event_version()) + b"".join(parts)


def event_version() -> Any:
    from tests.reading.eventfiles import Event

    return Event(wall_time=1.0, file_version="brain.Event:2")


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize("verify", [False, True])
def test_random_files_hold_the_same(tmp_path: Path, verify: bool) -> None:
    for seed in range(3):
        content = mixed(np.random.default_rng(seed), 400)
        (tmp_path / NAME).write_bytes(content)
        here = eventfile.read(tmp_path / NAME, verify=verify)
        assert_same(here, eventfile.read(stored(content), verify=verify))


@pytest.mark.usefixtures("window")
def test_damaged_and_cut_files_end_at_the_same_byte(tmp_path: Path) -> None:
    dice = np.random.default_rng(7)
    whole = mixed(dice, 60)
    for at in dice.integers(0, len(whole), 12).tolist():
        flipped = bytearray(whole)
        flipped[at] ^= 16
        for content in (whole[:at], bytes(flipped)):
            (tmp_path / NAME).write_bytes(content)
            assert_same(eventfile.read(tmp_path / NAME), eventfile.read(stored(content)))


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.parent.name)
def test_real_files_hold_the_same(path: Path) -> None:
    assert_same(records.read(path), records.read(stored(path.read_bytes())))


@pytest.mark.usefixtures("window")
def test_what_was_appended_is_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    content = mixed(np.random.default_rng(3), 300)
    cut = len(content) * 2 // 3
    before, state = follow.resume(stored(content[:cut]))
    url = stored(content)
    fetched: list[int] = []
    one = remote.Mount.one

    def counted(self: remote.Mount, url: str, start: int, end: int) -> bytes:
        fetched.append(start)
        return one(self, url, start, end)

    monkeypatch.setattr(remote.Mount, "one", counted)
    after, _ = follow.resume(url, before, state)
    assert_same(after, follow.resume(url)[0])
    other = bytearray(content)
    other[30] ^= 1
    changed = stored(bytes(other))
    assert_same(follow.resume(changed, before, state)[0], follow.resume(changed)[0])


def test_what_vanished_since_it_was_listed_is_an_error() -> None:
    url = stored(data(scalar("loss", 1)), "gone")
    fsspec.filesystem("memory").rm("/gone", recursive=True)
    remote.mounted(url).forget()
    with pytest.raises(ReadError, match="is not there any more"):
        records.read(url)


def test_urls_are_places() -> None:
    url = place("s3://bucket/logs/run 1/")
    assert isinstance(url, UrlPath)
    assert str(url) == "s3://bucket/logs/run 1"
    assert (url.scheme, url.host, url.name) == ("s3", "s3://bucket", "run 1")
    assert str(url.parent / "other") == "s3://bucket/logs/other"
    assert place(Path("s3://bucket/logs")) == place("s3://bucket/logs")  # a slash was lost
    assert place("file:///tmp/logs") == Path("/tmp/logs")
    assert place("logs/s3") == Path("logs/s3")
    assert str(place("ssh://me:secret@host:22/logs")) == "ssh://me@host:22/logs"


def test_storage_that_cannot_be_used_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(RequestError, match=r'no storage of the kind "nosuch://" is known'):
        discover([place("nosuch://bucket/logs")])
    with pytest.raises(NoRunsError, match="memory://nothing/here does not exist"):
        discover([place("memory://nothing/here")])
    import sys

    monkeypatch.setitem(sys.modules, "gcsfs", None)
    remote.use({"gs": {"a": 1}})
    with pytest.raises(RequestError, match=r"gs:// needs gcsfs: pip install 'tbdiag\[gcs\]'"):
        discover([place("gs://bucket/logs")])


def test_a_local_scan_imports_nothing_of_it(tmp_path: Path) -> None:
    import subprocess
    import sys

    write(tmp_path / NAME, *(scalar("loss", step) for step in range(9)))
    script = f"""
import sys, tbdiag
tbdiag.scan({str(tmp_path)!r})
assert not [n for n in sys.modules if n.split(".")[0] in ("fsspec", "s3fs", "aiohttp")]
assert not {{"tbdiag.reading.remote", "tbdiag.reading.storage"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
