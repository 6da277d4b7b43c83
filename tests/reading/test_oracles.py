from __future__ import annotations

import gc
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto import summary_pb2

from tbdiag.errors import ReadError
from tbdiag.reading import cycles, eventfile, pace, records, rounds
from tbdiag.reading.columns import Columns
from tbdiag.reading.gathered import Gathered
from tests.reading import plain
from tests.reading.eventfiles import (
    NAME,
    data,
    event,
    histo,
    hparams,
    proto,
    scalar,
    start,
    tensor,
    text,
    value,
    write,
)

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


def assert_same(ours: Columns, theirs: Columns) -> None:
    """Equal bit by bit in all that is told of a file."""
    assert ours.scalars.keys() == theirs.scalars.keys()
    if not theirs.purges:  # of which a tag's first point may be
        assert list(ours.scalars) == list(theirs.scalars)
    for tag, points in theirs.scalars.items():
        for name in ("steps", "values", "wall_times"):
            assert getattr(ours.scalars[tag], name).tobytes() == getattr(points, name).tobytes()
    assert ours.histograms.keys() == theirs.histograms.keys()
    for tag, raw in theirs.histograms.items():
        found = ours.histograms[tag]
        assert found.steps.tobytes() == raw.steps.tobytes()
        assert found.wall_times.tobytes() == raw.wall_times.tobytes()
        of = summary_pb2.Summary.Value.FromString
        assert [of(one) for one in found.records] == [of(one) for one in raw.records]
    assert (ours.texts, ours.hparams) == (theirs.texts, theirs.hparams)
    assert repr((ours.started, ours.voids, ours.purges, ours.damage)) == repr(
        (theirs.started, theirs.voids, theirs.purges, theirs.damage)
    )


numbers = st.one_of(
    st.floats(width=32), st.sampled_from([float("nan"), float("inf"), -0.0, 0.0, 1e-45])
)
steps = st.one_of(st.integers(0, 300), st.integers(-5, 5), st.integers(-(2**63), 2**63 - 1))
tags = st.sampled_from(["a", "b", "loss/train", "x" * 130, "é"])


@st.composite
def tensors(draw: Any) -> Any:
    kind = draw(st.sampled_from(["f4", "f8", "f2", "i4", "i8", "?", "u1"]))
    shape = draw(st.sampled_from([(), (1,), (1, 1), (2,), (0,)]))
    array = np.full(shape, draw(st.integers(0, 100)), dtype=kind)
    plugin = draw(st.sampled_from(["scalars", None, "scalars", "text", "mode", "histograms"]))
    return tensor(draw(tags), proto(array, packed=draw(st.booleans())), plugin)


values = st.one_of(
    st.builds(value, tags, numbers),
    tensors(),
    st.builds(lambda tag: histo(tag, [1.0, 2.0], [1, 2]), tags),
    st.builds(
        lambda tag, size: summary_pb2.Summary.Value(
            tag=tag, image=summary_pb2.Summary.Image(encoded_image_string=b"\0" * size)
        ),
        tags,
        st.sampled_from([0, 10, 3000]),
    ),
)
events = st.one_of(
    st.builds(
        lambda step, found, at: event(step, *found, at=at),
        steps,
        st.lists(values, min_size=1, max_size=3),
        st.sampled_from([0.0, 1.5, 1.7e9]),
    ),
    st.builds(scalar, tags, steps, numbers),
    st.builds(start, st.integers(0, 200)),
    st.builds(text, tags, st.text(max_size=300)),
    st.just(hparams({"lr": 0.1})),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    found=st.lists(events, max_size=30),
    repeat=st.integers(1, 4),
    cut=st.integers(0, 400),
    chunk=st.sampled_from([16, 100, 700, 1 << 19]),
)
def test_any_stream_reads_as_one_record_after_another(
    tmp_path: Path, monkeypatch: Any, found: list[Any], repeat: int, cut: int, chunk: int
) -> None:
    path = write(tmp_path / NAME, *(found * repeat))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut] if cut < len(whole) else whole)
    with monkeypatch.context() as patch:
        patch.setattr(eventfile, "_CHUNK", chunk)
        assert_same(records.read(path), plain.read(path))


@st.composite
def training(draw: Any) -> list[Any]:
    """A log as loops write it: rounds of the same tags, with something else now and then."""
    names = draw(
        st.lists(st.sampled_from(["a", "loss/train", "é" * 9, "lr"]), min_size=1, max_size=5)
    )
    kinds = draw(st.lists(st.sampled_from(["plain", "tensor"]), min_size=5, max_size=5))
    rounds = draw(st.integers(5, 60))
    first = draw(st.sampled_from([0, 1, 100, 127, 16000, 2**31, -2]))
    counted = draw(st.booleans())
    often = draw(st.integers(1, 40))
    made: list[Any] = []
    for index in range(rounds):
        for place, (name, kind) in enumerate(zip(names, kinds, strict=False)):
            step = first + (len(names) * index + place if counted else index)
            number = draw(numbers)
            if kind == "plain":
                made.append(scalar(name, step, number))
            else:
                made.append(event(step, tensor("t" + name, proto(np.float32(number)))))
        if index % often == often - 1:
            made.append(draw(events))
    return made


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    found=training(),
    flip=st.one_of(st.none(), st.floats(0, 1, exclude_max=True)),
    cut=st.integers(0, 300),
    chunk=st.sampled_from([500, 3000, 1 << 19]),
)
def test_rounds_read_as_one_record_after_another(
    tmp_path: Path, monkeypatch: Any, found: list[Any], flip: float | None, cut: int, chunk: int
) -> None:
    path = write(tmp_path / NAME, *found)
    whole = bytearray(path.read_bytes())
    if flip is not None:
        place = int(flip * 8 * len(whole))
        whole[place // 8] ^= 1 << place % 8
    path.write_bytes(whole[: len(whole) - cut] if cut < len(whole) else whole)
    with monkeypatch.context() as patch:
        patch.setattr(eventfile, "_CHUNK", chunk)
        patch.setattr(cycles, "_SHORTEST_RUN", 4)
        patch.setattr(pace, "_PRICE", 0)
        assert_same(records.read(path), plain.read(path))


def test_rounds_are_taken_as_such(tmp_path: Path, monkeypatch: Any) -> None:
    names = [f"loss/{name}" for name in "abcde"]
    made = [scalar(name, step, step / 7) for step in range(2000) for name in names]
    path = write(tmp_path / NAME, *made)
    taken = []
    points = rounds.Round.points

    def noted(self: Any, block: Any, counts: list[int], arena: Any) -> Any:
        taken.append(sum(counts))
        return points(self, block, counts, arena)

    monkeypatch.setattr(rounds.Round, "points", noted)
    for _ in range(2):  # the second time, the rounds are known from the start
        assert_same(records.read(path), plain.read(path))
    assert max(taken) > 8000


def test_each_cycle_is_known_the_next_time_however_many_there_were(
    tmp_path: Path, monkeypatch: Any
) -> None:
    taken = []
    points = rounds.Round.points

    def noted(self: Any, block: Any, counts: list[int], arena: Any) -> Any:
        taken.append(sum(counts))
        return points(self, block, counts, arena)

    monkeypatch.setattr(rounds.Round, "points", noted)
    monkeypatch.setattr(eventfile._workspace, "cycles", cycles.Cycles())
    for length in range(1, 30):
        names = [name * length for name in "ab"]
        made = [scalar(name, step, step / 7) for step in range(300) for name in names]
        path = write(tmp_path / f"{length}.{NAME}", *made)
        records.read(path)
        taken.clear()
        records.read(path)
        assert sum(taken) > 500, length


def test_the_beginning_of_a_known_round_is_no_damage(tmp_path: Path) -> None:
    """Records that agree with the first ones of a longer round are sound, whatever follows them."""
    long = [scalar(name, step, step / 7) for step in range(600) for name in "abcdefgh"]
    short = [scalar(name, step, step / 5) for step in range(600) for name in "abc"]
    records.read(write(tmp_path / "long.tfevents", *long))
    path = write(tmp_path / "short.tfevents", *short)
    assert not eventfile.Reading(path).disordered
    assert_same(records.read(path), plain.read(path))


def test_long_records_among_short_ones_of_the_same_length_but_for_4096(tmp_path: Path) -> None:
    many = [value(f"tag/{index}", index) for index in range(200)]
    made = [event(7, *many), *(scalar("loss", step, 0.5) for step in range(7, 60))]
    long, short = len(data(made[0])), len(data(made[1]))
    pad = (short - long) % 4096
    made[0] = event(7, *many, value("x" * (pad - 11), 1.0))
    path = write(tmp_path / NAME, *made)
    assert_same(records.read(path), plain.read(path))


def test_files_begun_together_read_as_one_by_one(tmp_path: Path) -> None:
    paths = []
    for index in range(9):
        names = ["a", "b", "a", "lr"] if index % 2 else ["loss", "a"]  # in one a tag comes twice
        steps = range(300 + 7 * index)
        made = [scalar(name, step, step / (1 + index)) for step in steps for name in names]
        paths.append(write(tmp_path / f"{index}.tfevents", *made[: -index % 3 or None]))
    broken = bytearray(paths[4].read_bytes())
    broken[len(broken) // 2] ^= 1
    paths[4].write_bytes(broken)
    paths[6].unlink()
    for path, reading in zip(paths, [eventfile.begun(path) for path in paths], strict=True):
        if isinstance(reading, ReadError):
            assert not path.exists()
        else:
            assert_same(eventfile.settled(path, reading).columns, plain.read(path))


def test_every_flipped_bit_in_a_round_is_noticed_where_it_stands(tmp_path: Path) -> None:
    made = [scalar(name, 300 + step, step / 7) for step in range(100) for name in "abcdefgh"]
    path = write(tmp_path / NAME, *made)
    whole = path.read_bytes()
    size = len(data(made[0]))
    records.read(path)  # from now on its rounds are known
    for place in range(len(whole) - 40 * size, len(whole) - 39 * size):
        for bit in range(8):
            broken = bytearray(whole)
            broken[place] ^= 1 << bit
            path.write_bytes(broken)
            assert_same(records.read(path), plain.read(path))


@settings(
    max_examples=80,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    sizes=st.lists(
        st.sampled_from([10, 300, 3000, 5000, 70_000, 600_000]), min_size=3, max_size=12
    ),
    kinds=st.lists(st.sampled_from(["image", "histo", "tensor", "text"]), min_size=12, max_size=12),
    cut=st.sampled_from([0, 0, 1, 30, 4000, 90_000]),
    flip=st.one_of(st.none(), st.integers(0, 400)),
    verify=st.booleans(),
)
def test_blobs_between_scalars_read_as_one_record_after_another(
    tmp_path: Path, sizes: list[int], kinds: list[str], cut: int, flip: int | None, verify: bool
) -> None:
    made: list[Any] = []
    for step, (size, kind) in enumerate(zip(sizes, kinds, strict=False)):
        made += [scalar(name, step, step / 7) for name in ("a", "b", "c")]
        made += [blob(kind, size, step)] * 2
        made += [scalar("rare", step, 1.0)] if step % 3 == 0 else []
    path = write(tmp_path / NAME, *made, *made)
    whole = bytearray(path.read_bytes())
    if flip is not None:  # near the end, in a scalar: what came before it must stand
        whole[-1 - flip // 8] ^= 1 << flip % 8
    path.write_bytes(whole[: len(whole) - cut])
    found, told = records.read(path, verify=verify), plain.read(path)
    if verify or found.damage is not None or told.damage is None:
        assert_same(found, told)


@pytest.mark.parametrize("size", [300, 5000, 40_000])
@pytest.mark.parametrize("place", [5, 300])
def test_what_is_new_after_many_known_blobs_is_read_where_it_stands(
    tmp_path: Path, place: int, size: int
) -> None:
    made: list[Any] = []
    for step in range(400):
        made += [scalar("a", step, step / 7), blob("image" if step % 2 else "histo", size, step)]
        if step == place:
            made += [text("note", "x" * size, step), scalar("new", step, 2.0)]
            made += [event(step, value("c", 1.0), value("d", 2.0), histo("w", [1.0], [size]))]
        made += [scalar("b", step, step / 9)] * (step % 3)
    path = write(tmp_path / NAME, *made)
    assert_same(records.read(path), plain.read(path))
    whole = bytearray(path.read_bytes())
    for flip in (len(whole) // 2, len(whole) - 40):
        broken = whole.copy()
        broken[flip] ^= 4
        path.write_bytes(broken)
        found, told = records.read(path, verify=True), plain.read(path)
        assert_same(found, told)


@pytest.mark.parametrize("damaged", [range(0), range(12), range(12, 45)])
def test_rounds_between_blobs_are_read_as_one_record_after_another(
    tmp_path: Path, damaged: range
) -> None:
    made: list[Any] = []
    for step in range(60):
        made += [scalar(name, 100 + step, step / 7) for name in ("a", "b", "c" * (1 + step // 40))]
        made += [blob("histo", 4000, step)] * 3
    path = write(tmp_path / NAME, *made)
    whole = bytearray(path.read_bytes())
    first = whole.index(struct.pack("<d", 1130.0))
    place = whole.index(struct.pack("<d", 1130.0), first + 1) - 13  # of the one in the middle
    for byte in damaged:
        broken = whole.copy()
        broken[place + byte] ^= 4
        path.write_bytes(broken)
        assert_same(records.read(path), plain.read(path))
    path.write_bytes(whole)
    assert_same(records.read(path), plain.read(path))


@pytest.mark.parametrize("plugin", ["histograms", "text"])
def test_an_image_is_no_histogram_or_text_whatever_its_tag_was(tmp_path: Path, plugin: str) -> None:
    image = summary_pb2.Summary.Image(encoded_image_string=bytes(600))
    first = event(1, tensor("t", proto(np.ones((9, 3)) if plugin != "text" else b"x"), plugin))
    images = [event(step, summary_pb2.Summary.Value(tag="t", image=image)) for step in range(20)]
    path = write(tmp_path / NAME, first, *images)
    assert_same(records.read(path), plain.read(path))


def test_what_was_read_is_let_go_without_a_search_for_garbage(tmp_path: Path) -> None:
    made = [scalar("a", 1), blob("histo", 3000, 1), blob("image", 3000, 2), text("note", "x", 3)]
    path = write(tmp_path / NAME, *made)
    gc.collect()
    gc.disable()
    try:
        records.read(path)
        held = [each for each in gc.get_objects() if isinstance(each, Gathered)]
    finally:
        gc.enable()
    assert not held


def blob(kind: str, size: int, step: int) -> Any:
    if kind == "image":
        image = summary_pb2.Summary.Image(encoded_image_string=bytes(size))
        return event(step, summary_pb2.Summary.Value(tag="i", image=image))
    if kind == "histo":
        return event(step, histo("h", list(range(size // 16)), [1] * (size // 16)))
    if kind == "text":
        return text("note", "x" * size, step)
    return event(step, tensor("w", proto(np.ones((size // 24, 3))), "histograms"))


@pytest.mark.parametrize(
    "made",
    [
        lambda i: scalar("loss", 100 + i, 0.1),
        lambda i: event(i, tensor("x", proto(np.float32(0.1), packed=True))),
        lambda i: event(i, tensor("x", proto(np.float64(0.1)))),
        lambda i: event(i, tensor("x", proto(np.bool_(True)))),
        lambda i: event(i, value("a", 1.0), value("b", 2.0)),
        lambda i: text("note", "some words", i),
        lambda i: event(i, histo("w", [1.0, 2.0], [1, 2])),
    ],
)
def test_every_flipped_bit_is_noticed_where_it_stands(tmp_path: Path, made: Any) -> None:
    whole = bytearray(data(*(made(i) for i in range(1, 4))))
    length = struct.unpack_from("<Q", whole)[0] + 16
    path = tmp_path / NAME
    for place in range(length, 2 * length):
        for bit in range(8):
            broken = whole.copy()
            broken[place] ^= 1 << bit
            path.write_bytes(broken)
            found = records.read(path)
            assert found.damage is not None
            assert found.damage.offset == length
            held = [*found.scalars.values(), *found.histograms.values()]
            assert all(len(each) == 1 for each in held)


def test_what_stands_beyond_the_limit_is_not_begun(tmp_path: Path) -> None:
    path = write(tmp_path / NAME, *(scalar("loss", i) for i in range(50)))
    for limit in range(0, 900, 37):
        assert_same(records.read(path, limit), plain.read(path, limit))


def test_thousands_of_tags_in_an_order_of_their_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    made = [scalar(f"tag{n}", i) for i, n in enumerate(rng.integers(0, 3000, 8000).tolist())]
    path = write(tmp_path / NAME, *made)
    assert_same(records.read(path), plain.read(path))


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real event files is not here")
def test_all_real_files_read_as_one_record_after_another() -> None:
    files = [path for path in sorted(CORPUS.rglob("*tfevents*")) if path.is_file()]
    assert files
    for path in files:
        assert_same(records.read(path), plain.read(path))


@pytest.mark.parametrize("plugin", ["mode", "text", "histograms"])
def test_what_the_first_event_tells_of_a_tag_holds_for_the_ones_like_scalars(
    tmp_path: Path, plugin: str
) -> None:
    first = event(0, tensor("x", proto(np.float32(1)), plugin))
    path = write(tmp_path / NAME, first, event(1, tensor("x", proto(np.float32(2)), None)))
    assert records.read(path).scalars == {}
    assert_same(records.read(path), plain.read(path))
