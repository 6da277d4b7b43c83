from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tbdiag.errors import ReadError
from tbdiag.reading import records, source
from tbdiag.reading.follow import resume
from tests.reading.eventfiles import (
    NAME,
    event,
    histo,
    proto,
    scalar,
    start,
    tensor,
    text,
    value,
    write,
)
from tests.reading.test_oracles import assert_same

EVENTS = [
    *(scalar("loss", i, i / 7) for i in range(5)),
    event(5, tensor("x", proto(np.float32(1)))),
    event(6, tensor("x", proto(np.float32(2)), None)),
    event(7, histo("w", [1.0, 2.0], [1, 2])),
    text("note", "words"),
    scalar("loss", 8),
]


def test_a_file_that_grows_byte_by_byte_reads_as_if_it_were_whole(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole", *EVENTS).read_bytes()
    path = tmp_path / NAME
    path.write_bytes(b"")
    columns, state = resume(path)
    for end in range(0, len(whole) + 1, 3):
        with path.open("ab") as file:
            file.write(whole[path.stat().st_size : end])
        columns, state = resume(path, columns, state)
        assert_same(columns, records.read(path))
    assert state.offset <= len(whole)


def test_only_what_was_appended_is_read(tmp_path: Path, monkeypatch: Any) -> None:
    path = write(tmp_path / NAME, *EVENTS)
    columns, state = resume(path)
    offsets = []
    filled = source.Source.fill

    def noted(self: Any, offset: int, count: int) -> int:
        offsets.append(offset)
        return filled(self, offset, count)

    monkeypatch.setattr(source.Source, "fill", noted)
    with path.open("ab") as file:
        file.write(write(tmp_path / "more", scalar("loss", 9), version=False).read_bytes())
    resume(path, columns, state)
    assert offsets == [state.offset]


@pytest.mark.parametrize(
    "more", [[start(3), scalar("loss", 3)], [event(9, tensor("loss", proto(np.ones(1)), "text"))]]
)
def test_records_that_bear_on_older_ones_are_heeded(tmp_path: Path, more: list[Any]) -> None:
    path = write(tmp_path / NAME, *EVENTS)
    columns, state = resume(path)
    write(path, *EVENTS, *more)
    assert_same(resume(path, columns, state)[0], records.read(path))


def test_a_rewritten_replaced_or_cut_file_is_read_anew(tmp_path: Path) -> None:
    path = write(tmp_path / NAME, *EVENTS)
    columns, state = resume(path)
    other = [event(i, value("other", 1.0)) for i in range(40)]
    write(path, *other)
    assert list(resume(path, columns, state)[0].scalars) == ["other"]
    write(path, *EVENTS[:2])
    assert len(resume(path, columns, state)[0].scalars["loss"]) == 2
    write(tmp_path / "new", *EVENTS, *other).replace(path)
    assert set(resume(path, columns, state)[0].scalars) == {"loss", "x", "other"}
    path.unlink()
    with pytest.raises(ReadError, match="No such file"):
        resume(path, columns, state)
