from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from tbdiag.tensorboard_tab.snapshot import from_document, stored
from tbdiag.tensorboard_tab.tab import places
from tests.cli.builders import OVERFITTING, event_dir
from tests.tensorboard_tab.builders import a_finding, a_report, a_tab, an_entry, refused, told


@pytest.fixture
def keeps(monkeypatch):
    """Makes a report the one that is stored in the logs."""

    def keep(report: object) -> None:
        module = ModuleType("tbdiag.summaries")
        module.stored = lambda logdir: report  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "tbdiag.summaries", module)

    return keep


def test_a_stored_report_is_shown_at_once_with_curves_from_the_files(tmp_path, keeps):
    event_dir(tmp_path / "over", OVERFITTING)
    own = tmp_path / "tbdiag"
    own.mkdir()
    (own / "events.out.tfevents.1700000000.tbdiag.00aa.tbdiag").touch()
    keeps(a_report(an_entry("over", a_finding("GEN001", 5, tag="loss/val"), lr=1)))
    tab = a_tab(tmp_path, scanned=False)
    diagnosis = told(tab, "/state")["diagnosis"]
    assert (diagnosis["origin"], diagnosis["at"]) == ("stored", 1_700_000_000)
    assert told(tab, "/runs")["rows"][0]["cells"] == {"GEN001": [5, "error", False]}
    run = told(tab, "/run", run="over")
    assert run["charts"][0]["findings"] == [0]
    assert run["ghost"] is None
    curves = told(tab, "/curves", run="over", tag="loss/val")
    assert len(curves["curves"][0]["x"]) == 60
    assert curves["spans"][0]["x"] == [5, 8]
    assert not told(tab, "/trials")["scanned"]


def test_a_report_that_is_stored_later_takes_the_place_of_an_older_one(
    tmp_path, keeps, monkeypatch
):
    monkeypatch.setattr("tbdiag.tensorboard_tab.diagnosis._EVERY", 0.0)
    event_dir(tmp_path / "over", OVERFITTING)
    own = tmp_path / "tbdiag"
    own.mkdir()
    tab = a_tab(tmp_path, scanned=False)
    assert told(tab, "/state")["diagnosis"] is None
    for at, code in ((1_700_000_000, "GEN001"), (1_700_000_009, "GEN002")):
        (own / f"events.out.tfevents.{at}.tbdiag.00aa.tbdiag").touch()
        keeps(a_report(an_entry("over", a_finding(code))))
        assert told(tab, "/state")["diagnosis"]["at"] == at
        assert list(told(tab, "/runs")["rows"][0]["cells"]) == [code]
    assert tab._diagnosis.begin()
    tab._diagnosis.wait(60)
    (own / "events.out.tfevents.1700000010.tbdiag.00aa.tbdiag").touch()
    assert told(tab, "/state")["diagnosis"]["origin"] == "scan", "what was scanned since is newer"


def test_a_stored_run_whose_files_are_gone_still_tells_its_findings(tmp_path, keeps):
    event_dir(tmp_path / "other", OVERFITTING)
    keeps(a_report(an_entry("gone", a_finding("GEN001"))))
    run = told(a_tab(tmp_path, scanned=False), "/run", run="gone")
    assert run["entry"]["findings"][0]["code"] == "GEN001"
    assert "scan again" in run["problem"]


@pytest.mark.parametrize("name", ["../secret", "/etc", "..", "."])
def test_a_hostile_report_reads_no_file_outside_the_logs(tmp_path, keeps, name):
    event_dir(tmp_path / "secret", OVERFITTING)
    event_dir(tmp_path / "logs" / "run", OVERFITTING)
    keeps(a_report(an_entry(name, a_finding("GEN001"))))
    tab = a_tab(tmp_path / "logs", scanned=False)
    assert "not in the log folder" in refused(tab, "/curves", run=name, tag="loss/val")


@pytest.mark.parametrize(
    "nonsense",
    [
        {},
        {"schema": 2},
        a_report({"run": "x"}),
        a_report(an_entry("x") | {"findings": [{"code": 3}]}),
        [],
        "text",
    ],
)
def test_what_is_no_report_is_not_shown(tmp_path, keeps, nonsense):
    keeps(nonsense)
    (tmp_path / "tbdiag").mkdir()
    assert stored([str(tmp_path)]) is None


def test_nothing_is_stored_where_nothing_can_write(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tbdiag.summaries", None)
    assert stored([str(tmp_path)]) is None


def test_outcomes_are_counted_over_runs():
    report = a_report(an_entry("a", a_finding("GEN001")), an_entry("b"))
    snapshot = from_document(("logs",), report, 0.0)
    assert snapshot.outcomes == {"GEN001": {"fired": 1}, "VAL003": {"passed": 2}}
    assert "a" in snapshot
    assert "c" not in snapshot


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"logdir_spec": "a:/x,b:/y"}, ["/x", "/y"]),
        ({"logdir_spec": "/x,/y"}, ["/x", "/y"]),
        ({"logdir_spec": ""}, []),
        ({}, []),
    ],
)
def test_the_folders_are_those_of_tensorboard(flags, expected):
    assert places(SimpleNamespace(logdir="", flags=SimpleNamespace(**flags))) == expected
