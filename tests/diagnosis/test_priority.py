"""Roots come before consequences, and nothing grave is hidden by something light."""

from __future__ import annotations

from dataclasses import replace

from tbdiag.detectors.registry import rules
from tbdiag.diagnosis.priority import ordered
from tbdiag.model.finding import Confidence, Evidence, Finding, Severity

DETECTORS = tuple(rule() for rule in rules())
BY_CODE = {rule.code: rule for rule in DETECTORS}


def a_finding(code: str, severity: Severity | None = None, tag: str = "loss") -> Finding:
    return Finding(
        code=code,
        name=code.lower(),
        message="it is so",
        severity=severity or BY_CODE[code].severity,
        confidence=Confidence.HIGH,
        evidence=(Evidence(tag=tag, span=(0, 1)),),
    )


def told(*findings: Finding) -> list[tuple[str, str | None]]:
    return [(each.code, each.suppressed_by) for each in ordered(findings, DETECTORS)]


def test_a_run_that_became_nan_is_not_also_bouncing() -> None:
    found = told(a_finding("OPT001"), a_finding("OPT005"), a_finding("NUM001"))
    assert found[0] == ("NUM001", None)
    assert {by for _, by in found[1:]} == {"NUM001"}


def test_within_a_family_the_graver_one_is_the_cause() -> None:
    assert told(a_finding("OPT001"), a_finding("OPT004")) == [
        ("OPT004", None),
        ("OPT001", "OPT004"),
    ]


def test_a_warning_never_hides_an_error() -> None:
    light = a_finding("NUM001", Severity.WARNING)
    assert told(light, a_finding("OPT004")) == [("OPT004", None), ("NUM001", None)]


def test_independent_findings_stand_by_severity_then_family() -> None:
    found = told(a_finding("LOG001"), a_finding("OPT006"), a_finding("VAL001"))
    assert [code for code, _ in found] == ["VAL001", "LOG001", "OPT006"]


def test_a_consequence_is_no_cause() -> None:
    chain = told(a_finding("NUM001"), a_finding("OPT001"), a_finding("VAL002"))
    assert dict(chain)["VAL002"] == "NUM001"


def test_a_cause_of_a_later_family_is_settled_before_what_it_explains() -> None:
    assert "OPT006" in BY_CODE["GEN001"].explains
    assert told(a_finding("OPT006"), a_finding("GEN001")) == [
        ("GEN001", None),
        ("OPT006", "GEN001"),
    ]


def test_a_cause_within_its_family_is_settled_first_though_its_code_is_higher() -> None:
    dead, vanishing = a_finding("GRD003", Severity.ERROR), a_finding("GRD001")
    assert told(vanishing, dead) == [("GRD003", None), ("GRD001", "GRD003")]


def test_a_chain_of_causes_ends_at_the_first() -> None:
    chain = told(
        a_finding("OPT004"), a_finding("GRD001"), a_finding("GRD003", Severity.ERROR),
        a_finding("NUM002"),
    )  # fmt: skip
    assert dict(chain) == {
        "NUM002": None,
        "GRD003": "NUM002",
        "GRD001": "NUM002",
        "OPT004": "NUM002",
    }


def test_causes_in_a_circle_leave_one_root() -> None:
    class Rule:
        def __init__(self, code: str, *explains: str) -> None:
            self.code, self.explains, self.leads = code, explains, ()

    circle = (Rule("GRD001", "GRD002"), Rule("GRD002", "GRD003"), Rule("GRD003", "GRD001"))
    found = ordered([a_finding(each.code, Severity.ERROR) for each in circle], circle)
    assert [each.suppressed_by is None for each in found].count(True) >= 1
    assert len(found) == 3


def test_what_leads_stands_before_what_is_graver_and_hides_nothing() -> None:
    assert "NUM002" in BY_CODE["LOG004"].leads
    found = told(a_finding("OPT003"), a_finding("LOG004"), a_finding("NUM002"))
    assert found[:2] == [("LOG004", None), ("NUM002", None)]


def test_a_rate_that_kills_units_stands_before_them() -> None:
    dead = a_finding("GRD003", Severity.ERROR)
    assert told(dead, a_finding("OPT001")) == [("OPT001", None), ("GRD003", None)]
    assert told(dead, a_finding("OPT006"))[0] == ("GRD003", None)


def test_a_consequence_leads_nothing() -> None:
    assert "VAL002" in BY_CODE["OPT008"].leads
    found = told(a_finding("OPT008"), a_finding("VAL002"), a_finding("OPT012"))
    assert found[0] == ("OPT012", None)
    assert ("OPT008", "OPT012") in found[1:]


def test_within_a_family_the_surer_of_two_is_the_cause() -> None:
    sure, unsure = a_finding("RLX002"), replace(a_finding("RLX001"), confidence=Confidence.MEDIUM)
    assert [code for code, _ in told(unsure, sure)] == ["RLX002", "RLX001"]
    assert [code for code, _ in told(unsure, a_finding("RLX004"))] == ["RLX001", "RLX004"]


def test_remarks_stand_last_and_in_their_order() -> None:
    small = a_finding("VAL001", Severity.NOTE)
    found = told(small, a_finding("OPT006"), a_finding("LOG004"))
    assert [code for code, _ in found] == ["LOG004", "OPT006", "VAL001"]
    assert told(a_finding("OPT006"), a_finding("VAL001"))[0] == ("VAL001", None)
