"""What is told about runs under way: what lasts, once; nothing of what comes and goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tbdiag.diagnosis.vigil import PREMATURE, SETTLED, WAITING, Alert, Vigil
from tbdiag.model.finding import Confidence, Finding, Measure, Severity
from tbdiag.model.report import RunReport
from tests.views.builders import a_finding, a_run, a_run_report

NOW = 1_000_000.0
DOUBT = a_finding(confidence=Confidence.MEDIUM)
SURE = a_finding("NUM001", severity=Severity.ERROR, confidence=Confidence.HIGH)
END = a_finding(min(PREMATURE), severity=Severity.NOTE)


def at(points: int, *findings: Finding, name: str = "a") -> RunReport:
    return a_run_report(a_run(name, {"loss/val": np.linspace(2, 1, points)}), findings)


def looks(*reports: RunReport, every: float = 1.0, since: float = 0.0) -> list[list[str]]:
    """What each look tells, as code, or -code where it is gone; wall times of points count from 0."""
    vigil = Vigil()
    return [
        _told(vigil.look([each], since + number * every)) for number, each in enumerate(reports)
    ]


def _told(alerts: Sequence[Alert]) -> list[str]:
    return [("-" if each.gone else "") + each.finding.code for each in alerts]


def test_a_finding_is_told_once_when_it_lasts() -> None:
    seen = [at(n, DOUBT) for n in (50, 75, 99, 100, 120)]
    assert looks(at(20), *seen) == [[], [], [], [], ["GEN001"], []]


def test_what_comes_and_goes_is_never_told() -> None:
    assert looks(at(50, DOUBT), at(75), at(110, DOUBT), at(120), at(230)) == [[]] * 5


def test_a_sure_rule_waits_less_and_one_that_waits_for_learning_never_less() -> None:
    sure = replace(DOUBT, confidence=Confidence.HIGH)
    assert looks(at(100, sure), at(120, sure), at(125, sure)) == [[], [], ["GEN001"]]
    still = a_finding(WAITING, severity=Severity.ERROR)
    assert looks(at(100, still), at(125, still)) == [[], [WAITING]]


def test_what_a_run_looks_like_is_told_when_it_is_over() -> None:
    likeness = Measure("likeness", 0.8, ">", 0.5)
    alike = a_finding("OPT002", severity=Severity.NOTE, measures=[likeness])
    assert looks(at(100, alike), at(500, alike)) == [[], []]
    over = looks(at(100, alike), at(100, alike), at(100, alike), every=SETTLED / 2)
    assert over == [[], [], ["OPT002"]]


def test_a_sure_error_is_told_at_once() -> None:
    assert looks(at(100, SURE)) == [["NUM001"]]


def test_it_is_gone_when_it_is_missing_as_long() -> None:
    seen = (at(50, DOUBT), at(100, DOUBT))
    assert looks(*seen, at(110), at(150, DOUBT), at(220))[2:] == [[], [], []]
    assert looks(*seen, at(110), at(219), at(220), at(230))[2:] == [[], [], ["-GEN001"], []]


def test_what_only_the_end_tells_is_told_at_the_end() -> None:
    under_way = [at(100, END), at(200, END), at(500, END)]
    assert looks(*under_way) == [[], [], []]
    over = looks(*under_way, at(500, END), at(500, END), every=SETTLED / 2)
    assert over[3:] == [[], [END.code]]


def test_of_a_run_that_was_over_before_all_is_told_at_once() -> None:
    assert looks(at(100, DOUBT, END), since=NOW) == [["GEN001", END.code]]


def test_consequences_are_not_told() -> None:
    consequence = a_finding("OPT003", suppressed_by="GEN001")
    assert looks(*(at(n, DOUBT, consequence) for n in (50, 100, 120)))[1] == ["GEN001"]


def test_a_run_that_began_anew_is_looked_at_anew() -> None:
    assert looks(at(100, DOUBT), at(20, DOUBT), at(40, DOUBT)) == [[], [], ["GEN001"]]


def test_runs_are_told_apart() -> None:
    vigil = Vigil()
    vigil.look([at(100, DOUBT), at(100, name="b")], 0.0)
    alerts = vigil.look([at(200, DOUBT), at(200, DOUBT, name="b")], 1.0)
    assert [each.run for each in alerts] == ["a"]
    assert str(alerts[0]).startswith("a: warning[GEN001] overfitting: validation loss is")
    assert vigil.under_way(at(200).run, 2.0)
    assert not vigil.under_way(at(200).run, 2.0 + SETTLED)
