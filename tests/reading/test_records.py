from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing import (
    event_accumulator,
    plugin_event_accumulator,
)
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
from tensorboard.util import tensor_util

from tbdiag.errors import ReadError
from tbdiag.reading.columns import Columns
from tbdiag.reading.histograms import DecodedHistograms, decode
from tbdiag.reading.records import read
from tbdiag.reading.restarts import superseded
from tests.reading.eventfiles import (
    NAME,
    data,
    event,
    histo,
    hparams,
    metadata,
    proto,
    record,
    scalar,
    scalars,
    start,
    tensor,
    text,
    value,
    write,
)

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


def points(columns: Columns, tag: str) -> list[tuple[int, float, float]]:
    column = columns.scalars[tag]
    return list(
        zip(
            column.steps.tolist(),
            column.values.tolist(),
            column.wall_times.tolist(),
            strict=True,
        )
    )


def same(ours: list[tuple[int, float, float]], theirs: list[tuple[int, float, float]]) -> bool:
    """Equal bit by bit, NaN and -0.0 included."""
    pack = struct.Struct("<qdd")
    return [pack.pack(*point) for point in ours] == [pack.pack(*point) for point in theirs]


def oracle(path: Path, purge: bool = True) -> dict[str, list[tuple[int, float, float]]]:
    """EventAccumulator's scalars of the old dialect, nothing sampled."""
    accumulator = event_accumulator.EventAccumulator(
        str(path),
        size_guidance=event_accumulator.STORE_EVERYTHING_SIZE_GUIDANCE,
        purge_orphaned_data=purge,
    ).Reload()
    return {
        tag: [(e.step, e.value, e.wall_time) for e in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }


def tensor_oracle(path: Path) -> dict[str, list[tuple[int, float, float]]]:
    """The accumulator behind TensorBoard's own pages, for which every scalar is a tensor."""
    accumulator = plugin_event_accumulator.EventAccumulator(
        str(path), size_guidance={plugin_event_accumulator.TENSORS: 0}
    ).Reload()
    return {
        tag: [
            (e.step, float(tensor_util.make_ndarray(e.tensor_proto).item()), e.wall_time)
            for e in accumulator.Tensors(tag)
        ]
        for tag in accumulator.Tags()["tensors"]
        if accumulator.SummaryMetadata(tag).plugin_data.plugin_name == "scalars"
    }


def assert_equal(columns: Columns, expected: dict[str, list[tuple[int, float, float]]]) -> None:
    assert set(columns.scalars) == {tag for tag, found in expected.items() if found}
    for tag in columns.scalars:
        assert same(points(columns, tag), expected[tag]), tag


def test_simple_values_equal_event_accumulator(tmp_path: Path) -> None:
    odd = [math.nan, math.inf, -math.inf, -0.0, 1e-45, 3.4e38, 0.1, 0.0]
    path = write(
        tmp_path / NAME,
        *(scalar("loss", step, number) for step, number in enumerate(odd)),
        event(3, value("a", 1.0), value("b", 2.0), value("a", 3.0), at=0.0),
        scalar("negative step", -5),
        scalar("late", 4_800_000, 2.0, at=1.7e9),
    )
    assert_equal(read(path), oracle(path))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
@pytest.mark.parametrize(
    "dtype",
    ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "bool"],
)
def test_tensor_scalars_equal_tensorboard(
    tmp_path: Path, dtype: str, shape: tuple[int, ...], packed: bool
) -> None:
    array = np.full(shape, 7 / 3 if "float" in dtype else 1, dtype=dtype)
    path = write(
        tmp_path / NAME, *(event(i, tensor("x", proto(array, packed=packed))) for i in (1, 2))
    )
    found = read(path)
    assert_equal(found, tensor_oracle(path))
    assert found.scalars["x"].values[0] == float(array.reshape(-1)[0])


def test_metadata_in_the_first_event_only_is_enough(tmp_path: Path) -> None:
    path = write(
        tmp_path / NAME,
        event(1, tensor("x", proto(np.float32(1)))),
        event(2, tensor("x", proto(np.float32(2)), None)),
        event(3, value("y", 3.0)),
    )
    assert_equal(read(path), tensor_oracle(path))


def test_tensors_that_are_no_scalars_are_none(tmp_path: Path) -> None:
    huge = tensor_pb2.TensorProto(dtype=1, float_val=[1.0])
    huge.tensor_shape.dim.add(size=1 << 40)
    wrong = tensor_pb2.TensorProto(dtype=1, tensor_content=b"abc")
    negative = tensor_pb2.TensorProto(dtype=1, float_val=[1.0])
    negative.tensor_shape.dim.add(size=-1)
    path = write(
        tmp_path / NAME,
        *(
            event(i, tensor(f"t{i}", one))
            for i, one in enumerate(
                [
                    proto(np.ones(2)),
                    proto(np.zeros(0)),
                    huge,
                    wrong,
                    negative,
                    tensor_pb2.TensorProto(dtype=99, float_val=[1.0]),
                    tensor_pb2.TensorProto(dtype=7, string_val=[b"3"]),
                    tensor_pb2.TensorProto(dtype=8, scomplex_val=[1.0, 2.0]),
                ]
            )
        ),
        event(1, tensor("other plugin", proto(np.float32(1)), "mode")),
        scalar("loss", 1),
    )
    assert list(read(path).scalars) == ["loss"]


def test_a_session_start_purges_what_it_voids(tmp_path: Path) -> None:
    path = write(
        tmp_path / NAME,
        start(0, at=999),  # TensorBoard's pages do not take the first one for a restart
        *scalars("loss", range(10)),
        event(2, tensor("x", proto(np.float32(1)))),
        event(7, tensor("x", proto(np.float32(1)))),
        start(5),
        *scalars("loss", range(5, 8), at=6000),
    )
    found = read(path)
    assert_equal(found, tensor_oracle(path))
    assert same(points(found, "loss"), oracle(path)["loss"])
    assert found.voids == 0
    (purge,) = found.purges
    assert (purge.step, purge.reached, purge.dropped, purge.wall_time) == (5, 9, 6, 5000.0)


def test_texts_are_the_last_of_their_tag(tmp_path: Path) -> None:
    table = tensor_pb2.TensorProto(dtype=7, string_val=[b"lr", b"0.1", b"bs", b"32"])
    table.tensor_shape.dim.add(size=2)
    table.tensor_shape.dim.add(size=2)
    found = read(
        write(
            tmp_path / NAME,
            text("note", "first"),
            text("note", "second", 2),
            event(1, tensor("table", table, "text")),
        )
    )
    assert found.texts["note"] == "second"
    assert found.texts["table"].splitlines()[2:] == ["| lr | 0.1 |", "| bs | 32 |"]


def test_hparams_need_no_value(tmp_path: Path) -> None:
    found = read(write(tmp_path / NAME, hparams({"lr": 0.1, "bs": 32, "amp": True, "opt": "sgd"})))
    assert found.hparams == {"lr": 0.1, "bs": 32, "amp": True, "opt": "sgd"}
    assert isinstance(found.hparams["bs"], int)
    broken = summary_pb2.Summary.Value(
        tag="_hparams_/session_start_info", metadata=metadata("hparams", b"\xff\xff")
    )
    assert read(write(tmp_path / NAME, event(0, broken))).hparams == {}


def test_a_legacy_histogram_keeps_its_exact_moments(tmp_path: Path) -> None:
    made = histo(
        "w",
        [-1e300, -1.0, 0.0, 1.0, 2.0, 1.8e308],
        [0, 0, 2, 0, 4, 0],
        min=-0.5,
        max=1.5,
        num=6,
        sum=5.25,
        sum_squares=9.0,
    )
    found = read(write(tmp_path / NAME, event(3, made))).histograms["w"]
    assert found.steps.tolist() == [3]
    one = DecodedHistograms(found.records)[0]
    assert one.edges.tolist() == [-0.5, 0.0, 1.0, 1.5]
    assert one.counts.tolist() == [2, 0, 4]
    assert (one.total, one.squares, one.low, one.high) == (5.25, 9.0, -0.5, 1.5)


def test_a_tensor_histogram_takes_its_moments_from_bucket_centres(tmp_path: Path) -> None:
    rows = np.array([[0, 0, 0], [0, 1, 3], [1, 2, 1], [2, 2, 0]], dtype=np.float64)
    made = event(1, tensor("w", proto(rows, packed=True), "histograms"))
    records = read(write(tmp_path / NAME, made)).histograms["w"].records
    one = decode(records[0])
    assert one.edges.tolist() == [0, 1, 2]
    assert (one.size, one.total, one.squares) == (4, 3.0, 3.0)


@pytest.mark.parametrize(
    "made",
    [
        histo("w", [1.0, 2.0], [0, 0]),
        histo("w", [1.0], [1, 2, 3]),
        histo("w", [], []),
        tensor("w", proto(np.zeros((0, 3))), "histograms"),
        tensor("w", proto(np.zeros((3, 2))), "histograms"),
        tensor("w", tensor_pb2.TensorProto(dtype=7, string_val=[b"x"]), "histograms"),
    ],
)
def test_odd_histograms_decode_to_something_sound(made: object) -> None:
    one = decode(made.SerializeToString())  # type: ignore[attr-defined]  # a Summary.Value
    assert len(one.edges) == len(one.counts) + 1
    assert np.all(np.diff(one.edges) >= 0)


def test_a_file_cut_at_any_byte_keeps_what_came_before(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.tfevents", *scalars("loss", range(4))).read_bytes()
    ends = [0]
    while ends[-1] < len(whole):
        ends.append(ends[-1] + 16 + struct.unpack_from("<Q", whole, ends[-1])[0])
    path = tmp_path / NAME
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        found = read(path)
        complete = sum(end <= cut for end in ends) - 2  # less the start, and the version event
        assert sum(map(len, found.scalars.values())) == max(complete, 0)
        if cut in ends:
            assert found.damage is None
        else:
            damage = found.damage
            assert damage is not None
            assert damage.torn
            assert damage.offset == max(end for end in ends if end <= cut)
            assert damage.lost == cut - damage.offset


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    whole = bytearray(data(*scalars("loss", range(1, 4))))
    path = tmp_path / NAME
    record_length = len(whole) // 3
    for place in range(record_length, 2 * record_length):
        broken = whole.copy()
        broken[place] ^= 0x40
        path.write_bytes(broken)
        found = read(path)
        assert len(found.scalars["loss"]) == 1
        assert found.damage is not None
        assert (found.damage.offset, found.damage.torn) == (record_length, False)
        assert found.damage.lost == 2 * record_length


@pytest.mark.parametrize(
    ("content", "reason", "torn"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS", False),
        (b"../../elsewhere/events.out.tfevents.1700000000.host", "text stands", False),
        (b"\0" * 5000, "zero bytes", False),
        (struct.pack("<Q", 2**62) + b"abcdefgh", "checksum", False),
        (record(b"\xff\xff\xff"), "not an event", False),
        (b"\x18\0\0", "middle of a record", True),
    ],
)
def test_junk_is_told_not_raised(tmp_path: Path, content: bytes, reason: str, torn: bool) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    damage = read(path).damage
    assert damage is not None
    assert reason in damage.reason
    assert (damage.offset, damage.lost, damage.torn) == (0, len(content), torn)


def test_a_plausible_header_of_a_huge_length_claims_no_memory(tmp_path: Path) -> None:
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    for length, torn in ((2**31 - 1, True), (2**60, False)):
        head = struct.pack("<Q", length)
        path = tmp_path / NAME
        path.write_bytes(head + struct.pack("<I", masked_crc32c(head)) + b"abc")
        damage = read(path).damage
        assert damage is not None
        assert damage.torn is torn


def test_a_zero_filled_tail_is_corruption_with_its_size(tmp_path: Path) -> None:
    path = tmp_path / NAME
    whole = data(*scalars("loss", range(3)))
    path.write_bytes(whole + b"\0" * 100_000)
    found = read(path)
    assert len(found.scalars["loss"]) == 3
    assert found.damage is not None
    assert (found.damage.offset, found.damage.lost, found.damage.torn) == (
        len(whole),
        100_000,
        False,
    )


def test_empty_and_header_only_files_are_sound(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"")
    assert read(path).damage is None
    found = read(write(path))
    assert (found.damage, dict(found.scalars)) == (None, {})


def test_a_payload_may_itself_be_an_event_file(tmp_path: Path) -> None:
    inner = data(*scalars("inner", range(50)))
    path = write(tmp_path / NAME, text("dump", inner.hex()), *scalars("loss", range(3)))
    graph = event_pb2.Event(graph_def=inner * 20, wall_time=1.0)
    path.write_bytes(path.read_bytes() + data(graph, *scalars("loss", range(3, 5))))
    found = read(path)
    assert list(found.scalars) == ["loss"]
    assert found.scalars["loss"].steps.tolist() == [0, 1, 2, 3, 4]


def test_a_missing_file_is_a_read_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="No such file"):
        read(tmp_path / NAME)


def test_random_bytes_never_crash(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / NAME
    for _ in range(300):
        path.write_bytes(record(rng.bytes(int(rng.integers(1, 80)))) + rng.bytes(9))
        assert read(path).damage is not None


def corpus_files() -> list[Path]:
    """The small files of the corpus, and a few of the large ones: the oracle takes its time."""
    files = sorted(path for path in CORPUS.rglob("*tfevents*") if path.is_file())
    small = [path for path in files if path.stat().st_size < 20_000]
    return small + [path for path in files if 20_000 <= path.stat().st_size < 90_000][::12]


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real event files is not here")
def test_real_files_equal_event_accumulator() -> None:
    files = corpus_files()
    assert files
    for path in files:
        columns = read(path)
        # Without a session's start, what is superseded is decided later, and told.
        assert_equal(columns, tensor_oracle(path) | oracle(path, purge=False))
        for tag, purged in oracle(path).items():
            steps = columns.scalars[tag].steps
            kept = np.array([step for step, _, _ in purged], dtype=np.int64)
            assert steps[~superseded(steps)].tolist() == kept[~superseded(kept)].tolist()
