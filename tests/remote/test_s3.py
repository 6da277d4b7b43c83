"""Logs on S3, read through a proxy that counts and fails: the same report, few bytes, clear sentences."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto import summary_pb2

import tbdiag
from tbdiag.api.folders import scan
from tbdiag.config import Config
from tbdiag.errors import NoRunsError
from tbdiag.reading import storage
from tbdiag.scale.local import LocalPool
from tests.cli.builders import DIVERGED, HEALTHY, ROOT, event_dir
from tests.reading.eventfiles import NAME, data, event, scalar, write
from tests.remote.s3 import KEY, SECRET, Proxy, Request, proxy, s3_server, upload

for _needed in ("s3fs", "moto"):
    pytest.importorskip(_needed, reason="the extras s3 and dev are not installed")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with s3_server() as found:
        yield found


@pytest.fixture
def front(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setattr(storage, "_FIRST_PAUSE", 0.01)
    with proxy(port) as found:
        yield found


def asked(front: Proxy, **more: Any) -> Config:
    return Config(
        storage={
            "s3": {
                "key": KEY,
                "secret": SECRET,
                "endpoint_url": front.url,
                "client_kwargs": {"region_name": "us-east-1"},
                **more,
            }
        }
    )


def sweep(folder: Path, runs: int = 8) -> Path:
    for index in range(runs):
        curves = DIVERGED if index == 4 else HEALTHY if index % 4 else None
        place = event_dir(folder / f"run{index}", *((curves,) if curves else ()))
        (place / "hparams.yaml").write_text(f"lr: {index}e-3\nepochs: 40\n")
    (folder / "config.json").write_text('{"dataset": "digits"}')
    return folder


def plain(report: Any, base: str) -> str:
    """The report without where it was read, and what depends on that."""
    text = report.to_json().replace(base, "…")
    return "\n".join(line for line in text.split("\n") if '"fingerprint"' not in line)


@pytest.fixture
def bucket(port: int, tmp_path: Path) -> str:
    name = f"b-{tmp_path.name.lower().replace('_', '-')[:40]}-{os.urandom(3).hex()}"
    sweep(tmp_path / "logs")
    upload(port, name, tmp_path / "logs", "logs/")
    return name


@pytest.mark.parametrize("cache", [False, True])
def test_a_remote_scan_gives_the_same_report(
    tmp_path: Path, front: Proxy, bucket: str, cache: bool
) -> None:
    here = tbdiag.scan(tmp_path / "logs", config=Config(), cache=False, now=2e9)
    there = tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), cache=cache, now=2e9)
    assert plain(there, f"s3://{bucket}/logs") == plain(here, str(tmp_path / "logs"))
    assert there.runs[3].run.hparams["lr"].value == 3e-3
    assert there.runs[3].run.hparams["lr"].source == "run3/hparams.yaml"
    assert there.runs[3].run.hparams["dataset"].value == "digits"
    assert front.served.lists == 1  # and no look at each file
    assert sum(front.served.requests.values()) <= 1 + 2 * 8 + 1
    size = sum(path.stat().st_size for path in (tmp_path / "logs").rglob("*") if path.is_file())
    assert front.served.bytes <= size


def test_a_scan_that_finds_nothing_new_asks_once(front: Proxy, bucket: str) -> None:
    first = tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), now=2e9)
    front.served.reset()
    again = tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), now=2e9)
    assert sum(front.served.requests.values()) == 1
    assert front.served.bytes == 0
    assert again.to_json() == first.to_json()


@pytest.mark.parametrize("points", [1_000, 20_000])
def test_of_a_file_that_grew_what_was_appended_is_read(
    tmp_path: Path, port: int, front: Proxy, bucket: str, points: int
) -> None:
    path = tmp_path / "logs" / "run0" / NAME
    write(path, *(scalar("loss", step, 1 / (step + 1)) for step in range(points)))
    upload(port, bucket, tmp_path / "logs", "logs/")
    tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), now=2e9)
    more = data(*(scalar("loss", step, 1 / (step + 1)) for step in range(points, points + 500)))
    with path.open("ab") as file:
        file.write(more)
    event_dir(tmp_path / "logs" / "run8")
    upload(port, bucket, tmp_path / "logs" / "run0", "logs/run0/")
    upload(port, bucket, tmp_path / "logs" / "run8", "logs/run8/")
    front.served.reset()
    there = tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), now=2e9)
    new = (tmp_path / "logs" / "run8" / NAME).stat().st_size
    assert front.served.bytes <= len(more) + new + 2 * 4096 + 100  # both ends, and its settings
    assert sum(front.served.requests.values()) <= 1 + 3 + 4
    here = tbdiag.scan(tmp_path / "logs", config=Config(), cache=False, now=2e9)
    assert plain(there, f"s3://{bucket}/logs") == plain(here, str(tmp_path / "logs"))


def test_a_file_that_was_rewritten_is_read_anew(
    tmp_path: Path, port: int, front: Proxy, bucket: str
) -> None:
    tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), now=2e9)
    for at, curves in enumerate((HEALTHY, DIVERGED)):
        event_dir(tmp_path / "logs" / f"run{4 + at}", curves)
    upload(port, bucket, tmp_path / "logs", "logs/")
    there = tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), now=2e9)
    here = tbdiag.scan(tmp_path / "logs", config=Config(), cache=False, now=2e9)
    assert plain(there, f"s3://{bucket}/logs") == plain(here, str(tmp_path / "logs"))


def test_an_interrupted_scan_goes_on_where_it_was(front: Proxy, bucket: str) -> None:
    def interrupt(at: Any) -> None:
        if at.files == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), now=2e9, progress=interrupt)
    front.served.reset()
    tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), now=2e9)
    again = [path for path in front.served.requests if "tfevents" in path]
    assert len(again) == 4


def picture(step: int, tag: str, size: int, dice: np.random.Generator) -> Any:
    image = summary_pb2.Summary.Image(
        height=8, width=8, colorspace=3, encoded_image_string=dice.bytes(size)
    )
    return event(step, summary_pb2.Summary.Value(tag=tag, image=image))


@pytest.mark.parametrize("pictures", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_blobs_are_not_downloaded(tmp_path: Path, port: int, front: Proxy, pictures: int) -> None:
    dice, points, events = np.random.default_rng(0), [], []
    for step in range(3000):
        points += [scalar(f"loss/{kind}", step, 1 / (step + 1)) for kind in ("train", "val")]
        events += points[-2:]
        if step % 100 == 99:
            events += [picture(step, f"i{n}", 150_000 + step, dice) for n in range(pictures)]
    path = write(tmp_path / "run" / NAME, *events)
    upload(port, f"blobs{pictures}", tmp_path)
    found = tbdiag.scan(f"s3://blobs{pictures}", config=asked(front), cache=False, now=2e9)
    here = tbdiag.scan(tmp_path, config=Config(), cache=False, now=2e9)
    assert plain(found, f"s3://blobs{pictures}") == plain(here, str(tmp_path))
    scalars = len(data(*points))
    assert path.stat().st_size > 10 * scalars
    assert front.served.bytes < 1.2 * scalars


@pytest.mark.parametrize(
    "fault",
    ["slow down", "too many", "fail", "cut", "short", pytest.param("late", marks=pytest.mark.slow)],
)
def test_what_may_pass_is_waited_for(tmp_path: Path, front: Proxy, bucket: str, fault: str) -> None:
    def first_time(request: Request) -> str:
        return fault if request.number <= (1 if fault == "late" else 2) else ""

    front.fault = first_time
    there = tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), now=2e9)
    here = tbdiag.scan(tmp_path / "logs", config=Config(), cache=False, now=2e9)
    assert plain(there, f"s3://{bucket}/logs") == plain(here, str(tmp_path / "logs"))


SENTENCES = {
    "slow down": "cannot be read: the storage asked 6 times to slow down (503)",
    "fail": "cannot be read: We encountered an internal error. (OSError)",
    "forbidden": "cannot be read: permission denied with the credentials that were found",
    "short": "bytes came from byte 0 on",
}


@pytest.mark.parametrize("fault", SENTENCES)
def test_a_file_that_cannot_be_had_is_told_and_the_others_are_read(
    front: Proxy, bucket: str, fault: str
) -> None:
    front.fault = lambda request: fault if "run3/events" in request.path else ""
    found = tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), now=2e9)
    assert len(found.runs) == 7
    ((path, reason),) = found.unread
    assert path == f"s3://{bucket}/logs/run3"
    assert SENTENCES[fault] in reason
    assert KEY not in reason
    front.fault = None  # and the next time it is there
    assert len(tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), now=2e9).runs) == 8


@pytest.mark.slow
def test_where_nothing_goes_patience_ends(front: Proxy, bucket: str) -> None:
    front.fault = lambda request: "" if request.lists else "slow down"
    with pytest.raises(NoRunsError, match="slow down"):
        tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), jobs=1)
    events = {n for path, n in front.served.requests.items() if "tfevents" in path}
    assert max(events) <= 6 + 2


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("forbidden", "permission denied"),
        ("slow down", "slow down"),
        ("fail", "internal error"),
    ],
)
def test_a_folder_that_cannot_be_listed(
    front: Proxy, bucket: str, fault: str, sentence: str
) -> None:
    front.fault = lambda request: fault
    with pytest.raises(NoRunsError, match=sentence) as told:
        tbdiag.scan(f"s3://{bucket}/logs", config=asked(front))
    assert SECRET not in str(told.value)
    assert KEY not in str(told.value)


def test_what_is_not_there(front: Proxy, bucket: str) -> None:
    with pytest.raises(NoRunsError, match="there is no bucket nowhere"):
        tbdiag.scan("s3://nowhere/logs", config=asked(front))
    with pytest.raises(NoRunsError, match="does not exist"):
        tbdiag.scan(f"s3://{bucket}/other", config=asked(front))
    with pytest.raises(NoRunsError, match="not an event file"):
        tbdiag.scan(f"s3://{bucket}/logs/config.json", config=asked(front))
    nobody = replace(asked(front), storage={"s3": {"endpoint_url": "http://127.0.0.1:9"}})
    with pytest.raises(NoRunsError, match=r"cannot be reached|without credentials"):
        tbdiag.scan("s3://nowhere/logs", config=nobody)


def test_several_files_are_on_their_way_at_once(front: Proxy, bucket: str) -> None:
    front.delay = 0.05
    tbdiag.scan(f"s3://{bucket}/logs", config=asked(front), cache=False)
    assert 4 <= front.served.most_at_once <= 64


@pytest.mark.slow
def test_workers_read_what_the_one_who_asks_has_listed(
    tmp_path: Path, front: Proxy, bucket: str
) -> None:
    with LocalPool(2) as pool:
        there = scan(f"s3://{bucket}/logs", config=asked(front), cache=False, now=2e9, pool=pool)
    here = tbdiag.scan(tmp_path / "logs", config=Config(), cache=False, now=2e9)
    assert plain(there, f"s3://{bucket}/logs") == plain(here, str(tmp_path / "logs"))
    assert front.served.lists == 1


def called(front: Proxy, *words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tbdiag", *words],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": front.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            **env,
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_commands_take_urls_with_the_usual_credentials(
    tmp_path: Path, front: Proxy, bucket: str
) -> None:
    url = f"s3://{bucket}/logs"
    done = called(front, "scan", url, cwd=tmp_path)
    assert done.returncode == 1
    assert "non-finite-values" in done.stdout
    assert f"{url}/run4" in done.stdout
    assert done.stderr == ""
    done = called(front, "export", url, "-o", "points.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "points.csv").read_text().splitlines()) > 500
    done = called(front, "plot", f"{url}/run1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run1.png").stat().st_size > 1000
    done = called(front, "compare", f"{url}/run1", f"{url}/run2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = called(front, "scan", f"s3://{bucket}/none", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"tbdiag: s3://{bucket}/none does not exist\n"
