"""Runs under way, as text."""

from __future__ import annotations

from datetime import UTC

from tbdiag.diagnosis.vigil import PREMATURE, Alert
from tbdiag.model.finding import Severity
from tbdiag.views import vigil
from tbdiag.views.paper import Paper
from tests.views.builders import a_finding, a_report, a_run, a_run_report

HOSTILE = "a\x1b[31m\n" * 40


def paper() -> Paper:
    return Paper(color=False, width=80)


def test_an_alert_says_when_what_and_what_to_do() -> None:
    drawn = paper()
    vigil.alerted(drawn, Alert("lr1", a_finding()), 3_725.0, UTC)
    vigil.alerted(drawn, Alert("lr1", a_finding(), gone=True), 3_726.0, UTC)
    assert drawn.text().splitlines() == [
        "01:02:05  warning[GEN001]  lr1  overfitting",
        "          validation loss is 148 % above its best, reached at step 115",
        "01:02:06  ok  lr1  overfitting (GEN001) is gone",
    ]


def test_hostile_names_stay_on_their_line() -> None:
    drawn = paper()
    report = a_run_report(a_run(HOSTILE, {"loss/val": [3, 2, 1]}), [a_finding(message=HOSTILE)])
    vigil.alerted(drawn, Alert(HOSTILE, a_finding(message=HOSTILE)), 0.0, UTC)
    vigil.table(drawn, [report])
    assert "\x1b" not in drawn.text()
    assert all(len(line) <= 80 for line in drawn.text().splitlines())


def test_the_table_leaves_out_what_only_the_end_tells_and_counts_what_is_left() -> None:
    drawn = paper()
    end = a_finding(min(PREMATURE), severity=Severity.NOTE)
    runs = [a_run_report(a_run(f"r{n}", {"loss/val": [3, 2, 1]}), [end]) for n in range(15)]
    vigil.table(drawn, runs)
    lines = drawn.text().splitlines()
    assert lines[0].split() == ["█▄▁", "r0", "loss/val", "1", "at", "step", "3", "ok"]
    assert lines[-1] == "and 3 more runs under way"


def test_the_opening_counts() -> None:
    drawn = paper()
    vigil.opening(drawn, a_report(a_run_report(a_run(), [a_finding()])), 1)
    assert drawn.text().startswith(
        "watching 1 run, 1 of them under way: 0 errors, 1 warning, 0 notes;"
    )
