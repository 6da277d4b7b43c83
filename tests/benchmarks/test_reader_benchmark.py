from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tensorboard.backend.event_processing.event_accumulator import (
    DEFAULT_SIZE_GUIDANCE,
    EventAccumulator,
)
from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.util import tensor_util

import tbdiag
from benchmarks.reader import page
from benchmarks.reader.measure import Cost, Reader, Result, compare, spent
from benchmarks.reader.peers import BARE, LIBRARY, ours
from benchmarks.reader.workloads import Workload, many_files, mixture, one_file

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are bound to cores")
Curves = dict[str, NDArray[np.float64]]  # step, value and wall time of each point, by run and tag


@pytest.fixture(params=["plain", "tensors", "many", "mixed"])
def workload(request: pytest.FixtureRequest, tmp_path: Path) -> Workload:
    """Small, but with steps of one, two and three bytes where there are many."""
    match request.param:
        case "plain":
            return one_file(tmp_path, 20 * 300)
        case "tensors":
            return one_file(tmp_path, 20 * 150, tensors=True)
        case "many":
            return many_files(tmp_path, 3, 50)
        case _:
            return mixture(tmp_path, 1)


def files(workload: Workload) -> list[Path]:
    return sorted(workload.folder.rglob("*tfevents*"))


def accumulated(workload: Workload) -> Curves:
    """What TensorBoard keeps with nothing dropped."""
    curves = {}
    for path in files(workload):
        read = EventAccumulator(str(path), dict.fromkeys(DEFAULT_SIZE_GUIDANCE, 0))
        read.Reload()
        for tag in read.Tags()["scalars"]:
            points = [(each.step, each.value, each.wall_time) for each in read.Scalars(tag)]
            curves[f"{path.parent.name}:{tag}"] = np.array(points)
        for tag in read.Tags()["tensors"]:
            if read.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
                points = [
                    (each.step, float(tensor_util.make_ndarray(each.tensor_proto)), each.wall_time)
                    for each in read.Tensors(tag)
                ]
                curves[f"{path.parent.name}:{tag}"] = np.array(points)
    return curves


def loaded(workload: Workload) -> Curves:
    return {
        f"{Path(run.path).name}:{curve.tag}": np.stack(
            [curve.steps, curve.values, curve.wall_times], axis=1
        )
        for run in tbdiag.load(workload.folder, cache=False)
        for curve in run.series.values()
    }


def records(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Header with payload and checksum of each record, by their lengths alone."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        yield data[at : at + 12 + length], data[at + 12 + length : at + 16 + length]
        at += length + 16


def test_both_read_every_point_that_was_written(workload: Workload) -> None:
    theirs, own = accumulated(workload), loaded(workload)
    assert own.keys() == theirs.keys()
    for name, points in theirs.items():
        np.testing.assert_array_equal(own[name], points, err_msg=name)
    assert sum(map(len, theirs.values())) == workload.points
    assert sum(path.stat().st_size for path in files(workload)) == workload.bytes


def test_records_are_messages_with_sound_checksums(workload: Workload) -> None:
    for path in files(workload):
        for start, checksum in records(path):
            head, payload = start[:12], start[12:]
            assert head[8:] == struct.pack("<I", masked_crc32c(head[:8]))
            assert checksum == struct.pack("<I", masked_crc32c(payload))
            event = event_pb2.Event.FromString(payload)
            assert event.wall_time >= 1.7e9
            # as a writer would write it, no field unknown and none twice
            assert event.SerializeToString(deterministic=True) == payload


def test_curves_have_their_place_and_form(tmp_path: Path) -> None:
    curves = loaded(one_file(tmp_path, 20 * 16_500))
    assert len(curves) == 20
    for points in curves.values():
        assert points[:, 0].tolist() == list(range(16_500))  # of three bytes in the end
        assert np.all(np.diff(points[:, 2]) > 0)
    assert np.ptp(curves["run:loss/train"][:, 1]) > 0.5
    assert np.unique(curves["run:lr"][:, 1]).tolist() == [np.float32(1e-3)]


def test_a_workload_is_made_once(tmp_path: Path) -> None:
    first = one_file(tmp_path, 100)
    (path,) = files(first)
    written = path.stat().st_mtime_ns
    assert one_file(tmp_path, 100) == first
    assert path.stat().st_mtime_ns == written


@needs_linux
def test_our_programs_tell_what_they_read_and_cost(tmp_path: Path) -> None:
    workload = many_files(tmp_path, 2, 50)
    found = compare([ours("library.py", LIBRARY), ours("bare.py", BARE)], workload, 1, 60)
    assert {name: result.points for name, result in found.items()} == {LIBRARY: 100, BARE: 100}
    assert all(result.cpu > 0 and result.peak > 1 << 20 for result in found.values())


@needs_linux
def test_peaks_are_the_child_s_own() -> None:
    big = bytes(300 << 20)  # the measuring process itself is larger than the measured one
    cost = spent([sys.executable, "-S", "-c", "print()"], {}, 60)
    assert cost.peak < len(big) / 3


@needs_linux
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("raise SystemExit('no such reader')", "failed: no such reader"),
        ("while True: pass", "more than 1 s"),
    ],
)
def test_a_failure_is_told_with_its_reason(tmp_path: Path, script: str, reason: str) -> None:
    workload = many_files(tmp_path, 1, 50)
    bad = Reader(name="bad", command=(sys.executable, "-c", script))
    found = compare([bad], workload, 2, 1)["bad"]
    assert (found.reason, len(found.costs)) == (reason, 1)


def test_the_page_marks_missing_and_differing_answers(tmp_path: Path) -> None:
    workload = many_files(tmp_path, 1, 50)

    def result(cpu: float, points: int, reason: str = "") -> Result:
        return Result([Cost(cpu, cpu, 1_000_000, {"points": points}, reason)])

    results = {
        LIBRARY: result(0.5, 50),
        BARE: result(0.25, 50),
        "few": result(2.0, 49),
        "gone": result(0.0, 0, "failed: gone"),
    }
    assert "| 4.0× (8.0×) | – |" in page.ratios([(workload, results)])
    told = page.seconds([(workload, results)])
    assert "| 0.50 s, 1 MB | 0.25 s, 1 MB | 2.00 s, 1 MB <sup>1</sup> | – <sup>2</sup> |" in told
    assert told.splitlines()[-2:] == ["1. read 49 of 50 points", "2. gone: failed: gone"]
