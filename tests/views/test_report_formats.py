"""The report for other programs: Markdown, JUnit, SARIF, workflow commands of GitHub."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.api.replacing import may_replace
from tbdiag.errors import RequestError
from tbdiag.model.finding import Measure, Severity
from tbdiag.model.report import Ignored, NotApplicable, Report
from tbdiag.views import report_github, report_junit, report_markdown, report_sarif
from tests.views.builders import a_dozen_runs, a_finding, a_report, a_run, a_run_report

VIEWS: dict[str, Callable[[Report], Iterator[str]]] = {
    "md": report_markdown.chunks,
    "xml": report_junit.chunks,
    "sarif": report_sarif.chunks,
    "github": report_github.chunks,
}
HOSTILE = "a\n::error::x\x1b[31m]]>&<b>|`*_[x](javascript:y)\u202e\udc80%0A"


def written(form: str, report: Report) -> str:
    return "".join(VIEWS[form](report))


def hostile() -> Report:
    finding = a_finding(message=HOSTILE, tag=HOSTILE, note=HOSTILE)
    run = a_run_report(a_run(HOSTILE, {HOSTILE: [3, 2, 1]}, path=f"logs/{HOSTILE}"), [finding])
    return a_report(run, unread=[(HOSTILE, HOSTILE)])


def results(report: Report) -> list[Any]:
    log = json.loads(written("sarif", report))
    (run,) = log["runs"]
    assert {each["ruleId"] for each in run["results"]} == {
        each["id"] for each in run["tool"]["driver"]["rules"]
    }
    found: list[Any] = run["results"]
    return found


@pytest.mark.parametrize("form", VIEWS)
def test_a_dozen_runs(form: str, golden: Callable[[str, str], None]) -> None:
    golden(f"report.{form}", written(form, a_dozen_runs()))


@pytest.mark.parametrize("form", VIEWS)
def test_an_earlier_report_is_replaced_and_nothing_else(form: str, tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_text(written(form, a_dozen_runs()), "utf-8")
    may_replace(file)
    file.write_text("mine " + file.read_text("utf-8"), "utf-8")
    with pytest.raises(RequestError, match="no report of tbdiag"):
        may_replace(file)


@pytest.mark.parametrize("form", VIEWS)
def test_hostile_text_stays_text(form: str) -> None:
    text = written(form, hostile())
    text.encode("utf-8")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
    if form == "github":
        assert all(
            line.startswith(("tbdiag 0.1.0: ", "::warning title=")) for line in text.splitlines()
        )
    elif form == "md":
        own = ("|", "<!-- tbdiag")
        ours = "\n".join(line for line in text.splitlines() if not line.startswith(own))
        outside = re.sub(r"(`+).*?\1", "", ours)
        assert HOSTILE[:1] in outside
        assert not re.search(r"(?<!\\)[<>\[|]", outside)
    elif form == "xml":
        ElementTree.fromstring(text.encode())
    else:
        (found,) = results(hostile())
        assert not re.search(r"(?<!\\)\[", found["message"]["text"])


def test_junit_counts_what_fails_and_says_why_something_was_skipped() -> None:
    findings = [
        a_finding("GEN001", "overfitting"),
        a_finding("OPT005", "plateau", severity=Severity.NOTE),
        a_finding("OPT003", "oscillating-loss", suppressed_by="GEN001"),
    ]
    others = {"GRD001": NotApplicable("no gradients were logged"), "VAL001": Ignored("known")}
    report = a_report(a_run_report(a_run("one"), findings, others), unread=[("two", "no access")])
    one, two = ElementTree.fromstring(written("xml", report).encode())
    assert {key: one.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8", "failures": "1", "errors": "0", "skipped": "3",
    }  # fmt: skip
    answers = {case.get("name"): [(each.tag, each.get("message")) for each in case] for case in one}
    assert answers["GEN001"][0][0] == "failure"
    assert answers["OPT005"] == [("system-out", None)]
    assert answers["OPT003"][0] == ("skipped", "only a consequence of GEN001")
    assert answers["GRD001"] == [("skipped", "no gradients were logged")]
    assert answers["VAL001"] == [("skipped", "known")]
    assert answers["NUM001"] == []
    assert two.get("errors") == "1"


def test_junit_and_sarif_of_nothing_are_whole() -> None:
    assert len(ElementTree.fromstring(written("xml", a_report()).encode())) == 0
    assert results(a_report()) == []


def test_a_consequence_is_a_suppressed_result() -> None:
    findings = [a_finding(), a_finding("OPT003", "oscillating-loss", suppressed_by="GEN001")]
    root, consequence = results(a_report(a_run_report(a_run(), findings)))
    assert "suppressions" not in root
    assert consequence["suppressions"] == [
        {"kind": "external", "justification": "a consequence of GEN001"}
    ]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("logs/a b#%", "logs/a%20b%23%25"),
        ("/data/logs/ü", "file:///data/logs/%C3%BC"),
        ("s3://bucket/a b", "s3://bucket/a%20b"),
        ("logs/\udcff", "logs/%FF"),
    ],
)
def test_a_location_is_a_uri(path: str, uri: str) -> None:
    from tbdiag.model.place import UrlPath

    run = a_run("x")
    object.__setattr__(run, "path", (UrlPath if "://" in path else PurePosixPath)(path))
    (found,) = results(a_report(a_run_report(run, [a_finding()])))
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


@given(st.floats())
def test_sarif_is_strict_json_whatever_was_measured(value: float) -> None:
    report = a_report(a_run_report(a_run(), [a_finding(measures=[Measure("rise", value)])]))
    json.loads(written("sarif", report), parse_constant=pytest.fail)


def test_annotations_are_of_roots_and_the_worst_come_first() -> None:
    mild = a_run_report(a_run("mild"), [a_finding(severity=Severity.NOTE)])
    bad = a_run_report(
        a_run("bad"),
        [a_finding(severity=Severity.ERROR), a_finding("OPT003", suppressed_by="GEN001")],
    )
    lines = written("github", a_report(mild, bad)).splitlines()
    assert lines[0] == "tbdiag 0.1.0: 1 error, 0 warnings, 1 note in 2 runs"
    assert [line.split("::")[1].split()[0] for line in lines[1:]] == ["error", "notice"]
    assert lines[1].endswith("%25 above its best, reached at step 115.") or "148 %25" in lines[1]


def test_a_page_in_markdown_stays_short() -> None:
    runs = [a_run_report(a_run(f"run-{n}"), [a_finding()]) for n in range(80)]
    page = written("md", a_report(*runs))
    assert Counter(re.findall("^###", page, re.MULTILINE))["###"] == 50
    assert "And 30 more runs with findings." in page


@pytest.mark.parametrize("form", VIEWS)
def test_a_curve_without_a_finite_point_is_no_trouble(form: str) -> None:
    run = a_run("broken", {"loss/val": [float("nan")] * 3})
    assert "GEN001" in written(form, a_report(a_run_report(run, [a_finding()])))
