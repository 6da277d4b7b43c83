from __future__ import annotations

import json
from pathlib import Path

import pytest

from tbdiag.summaries import events, is_own, stored
from tbdiag.summaries.own import REPORT, RUN

AT = events.Moment(7, 1_700_000_000.0)


def put(folder: Path, *documents: events.Entry, time: int = 1_700_000_000) -> Path:
    path = folder / f"events.out.tfevents.{time}.tbdiag.{time:016x}.tbdiag"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(events.packed(documents))
    return path


def a_report(**more: object) -> events.Entry:
    return events.document(AT, REPORT, json.dumps({"schema": 1, **more}))


def test_nothing_is_stored_where_nothing_was_written(tmp_path):
    assert stored(tmp_path) is None
    assert stored(tmp_path / "missing") is None
    put(tmp_path / "tbdiag", events.document(AT, RUN, "{}"))
    assert stored(tmp_path) is None, "the report of one run is not that of the scan"


def test_the_newest_report_counts(tmp_path):
    put(tmp_path / "tbdiag", a_report(turn=2), time=1_700_000_002)
    put(tmp_path / "tbdiag", a_report(turn=1), time=1_700_000_001)
    assert stored(str(tmp_path)) == {"schema": 1, "turn": 2}


def test_a_stub_hides_no_report(tmp_path):
    put(tmp_path / "tbdiag", a_report(turn=1), time=1_700_000_001)
    put(tmp_path / "tbdiag", time=1_700_000_002)
    assert stored(tmp_path) == {"schema": 1, "turn": 1}


@pytest.mark.parametrize("cut", [1, 30, 500])
def test_a_torn_file_is_passed_over(tmp_path, cut):
    put(tmp_path / "tbdiag", a_report(turn=1), time=1_700_000_001)
    torn = put(tmp_path / "tbdiag", a_report(turn=2, long="x" * 600), time=1_700_000_002)
    torn.write_bytes(torn.read_bytes()[:-cut])
    assert stored(tmp_path) == {"schema": 1, "turn": 1}


def test_what_is_no_json_is_passed_over(tmp_path):
    put(tmp_path / "tbdiag", events.document(AT, REPORT, "{nonsense"))
    assert stored(tmp_path) is None


def test_own_files_are_known_by_name_and_first_record(tmp_path):
    mine = put(tmp_path, a_report())
    assert is_own(mine)
    assert is_own(str(mine))
    assert not is_own(tmp_path / "events.out.tfevents.1700000000.host.1.0")
    disguised = mine.with_name(mine.name.replace("17", "18"))
    disguised.write_bytes(b"somebody else's")
    assert not is_own(disguised)
    assert not is_own(tmp_path)
