from __future__ import annotations

import json
import shutil
import time

import pytest

from tbdiag.errors import ReadError
from tests.cli.builders import DIVERGED, HEALTHY, OVERFITTING, ROOT, event_dir
from tests.tensorboard_tab.builders import a_tab, answer, refused, told


@pytest.fixture
def logs(tmp_path):
    event_dir(tmp_path / "logs" / "over", OVERFITTING)
    event_dir(tmp_path / "logs" / "nan", DIVERGED)
    event_dir(tmp_path / "logs" / "fine", HEALTHY)
    return tmp_path / "logs"


def test_nothing_is_scanned_until_somebody_asks(logs):
    tab = a_tab(logs, scanned=False)
    state = told(tab, "/state")
    assert (state["diagnosis"], state["scanning"], state["logdir"]) == (None, False, str(logs))
    assert not tab.is_active()
    assert refused(tab, "/runs") == "the runs were not diagnosed yet"


def test_a_scan_is_asked_for_with_the_token_of_the_page(logs):
    tab = a_tab(logs, scanned=False)
    assert answer(tab, "/rescan").status_code == 405
    assert "out of date" in refused(tab, "/rescan", method="POST")
    assert "out of date" in refused(tab, "/rescan", method="POST", headers={"X-Tbdiag-Token": "é"})
    token = told(tab, "/state")["token"]
    asked = answer(tab, "/rescan", method="POST", headers={"X-Tbdiag-Token": token})
    assert asked.get_json() == {"started": True}
    tab._diagnosis.wait(60)
    state = told(tab, "/state")
    assert state["diagnosis"]["summary"]["runs"] == 3
    assert state["progress"]["files"] == state["progress"]["all"] == 3
    assert tab.is_active()


def test_a_new_scan_sees_new_runs(logs):
    tab = a_tab(logs)
    before = told(tab, "/state")["diagnosis"]["id"]
    event_dir(logs / "another", DIVERGED)
    assert tab._diagnosis.begin()
    tab._diagnosis.wait(60)
    assert told(tab, "/state")["diagnosis"]["id"] != before
    assert told(tab, "/runs")["total"] == 4


def test_what_cannot_be_scanned_is_one_sentence(tmp_path):
    state = told(a_tab(tmp_path), "/state")
    assert state["error"] == (
        f'no event files below {tmp_path}: no file there has "tfevents" in its name'
    )
    assert "does not exist" in told(a_tab(tmp_path / "missing"), "/state")["error"]
    assert "without a log folder" in told(a_tab(""), "/state")["error"]


def test_an_earlier_diagnosis_stays_when_a_scan_fails(logs):
    tab = a_tab(logs)
    shutil.rmtree(logs)
    assert tab._diagnosis.begin()
    tab._diagnosis.wait(60)
    state = told(tab, "/state")
    assert "does not exist" in state["error"]
    assert state["diagnosis"]["summary"]["runs"] == 3


def test_a_run_is_told_with_its_charts(logs):
    tab = a_tab(logs)
    run = told(tab, "/run", run="over")
    assert run["entry"]["findings"][0]["code"] == "GEN001"
    assert run["problem"] == ""
    assert run["charts"][0]["findings"][0] == 0
    curves = told(tab, "/curves", run="over", tag=["loss/train", "loss/val"])
    assert [each["tag"] for each in curves["curves"]] == ["loss/train", "loss/val"]
    assert {each["code"] for each in curves["spans"]} >= {"GEN001"}


@pytest.mark.parametrize(
    "name", ["../over", "/etc", "over/../nan", "", "over\0", "..", "no such run"]
)
def test_no_name_leads_out_of_the_diagnosis(logs, name):
    event_dir(logs.parent / "over", OVERFITTING)
    tab = a_tab(logs)
    for path in ("/run", "/curves"):
        assert "no run of the diagnosis is called" in refused(tab, path, run=name, tag="loss/val")
    assert "no run of" in refused(tab, "/compare", run=["over", name or "x"])


def test_only_its_own_files_are_served(logs):
    apps = a_tab(logs, scanned=False).get_plugin_apps()
    assert all("*" not in path and ".." not in path for path in apps)
    served = {path for path in apps if path.startswith("/static/")}
    assert {"/static/index.js", "/static/style.css", "/static/vendor/uPlot.esm.js"} <= served
    assert not [path for path in served if not path.endswith((".js", ".css"))]


def test_answers_carry_the_headers_of_tensorboard(logs):
    tab = a_tab(logs, scanned=False)
    response = answer(tab, "/static/index.js")
    assert response.content_type == "text/javascript; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-cache" in answer(tab, "/state").headers["Cache-Control"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"axis": "up"}, "there is no x axis 'up'"),
        ({"first": "nan"}, "first is not a number"),
        ({"columns": "many"}, "columns is not a number"),
        ({"smoothing": "1e99"}, "smoothing is not a number"),
    ],
)
def test_odd_requests_are_refused_in_one_sentence(logs, query, sentence):
    assert refused(a_tab(logs), "/curves", run="over", tag="loss/val", **query) == sentence


def test_two_to_five_runs_are_compared(logs):
    tab = a_tab(logs)
    both = told(tab, "/compare", run=["over", "fine"])
    assert [each["run"] for each in both["runs"]] == ["over", "fine"]
    assert both["charts"][0]["tags"] == {"over": "loss/val", "fine": "loss/val"}
    assert "two to 5" in refused(tab, "/compare", run=["over", "over"])


def test_curves_that_are_gone_since_the_scan_are_told(logs):
    tab = a_tab(logs)
    run = tab._diagnosis.snapshot.runs["over"]

    class Gone(dict):
        def __contains__(self, tag):
            raise ReadError(f"{run.path}: its event files lost points since they were read")

        __iter__ = __contains__  # type: ignore[assignment]

    object.__setattr__(run, "series", Gone())
    assert "lost points" in refused(tab, "/curves", run="over", tag="loss/val")
    told_anyway = told(tab, "/run", run="over")
    assert "lost points" in told_anyway["problem"]
    assert told_anyway["entry"]["findings"]


def test_answers_hold_no_nan(tmp_path):
    nan, inf = float("nan"), float("inf")
    event_dir(tmp_path / "x", {"loss/train": [1.0, nan, inf, -inf] * 20, "lr": [nan] * 80})
    tab = a_tab(tmp_path)
    for tag in ("loss/train", "lr"):
        for axis in ("step", "relative", "wall"):
            told(tab, "/curves", run="x", tag=tag, axis=axis, smoothing=0.5)
    told(tab, "/run", run="x")


def test_the_best_comparable_run_is_the_ghost():
    tab = a_tab(ROOT / "sample_logs")
    ghost = told(tab, "/run", run="rate-too-low")["ghost"]
    assert ghost["run"] == "healthy-dropout"
    assert told(tab, "/run", run=ghost["run"])["ghost"]["run"] != ghost["run"]


def test_next_trials_are_worked_out_beside_and_kept():
    tab = a_tab(ROOT / "sample_logs")
    assert told(tab, "/trials")["working"]
    for _ in range(600):
        trials = told(tab, "/trials")
        if not trials["working"]:
            break
        time.sleep(0.1)
    assert len(trials["proposals"]["proposals"]) == 3
    assert "--lr" in trials["proposals"]["proposals"][0]["command"]
    assert trials["proposals"]["shell"].startswith("#!/bin/sh")
    assert trials["journal"] is None


def test_a_defect_is_told_and_tensorboard_goes_on(logs, monkeypatch, caplog):
    tab = a_tab(logs)
    monkeypatch.setattr("tbdiag.tensorboard_tab.pages.charts", lambda *_: 1 / 0)
    response = answer(tab, "/run", run="over")
    assert response.status_code == 500
    assert json.loads(response.text) == {
        "error": "tbdiag failed: ZeroDivisionError: division by zero"
    }
    assert "tbdiag failed to answer" in caplog.text
