"""What the JSON promises: schema 1 as published, whatever the report holds."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import PureWindowsPath
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.model.finding import Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Advice, Change, Remedy, Scale, SetTo, Shift, Within
from tbdiag.model.report import Crashed, Ignored, NotApplicable, Report, Skipped
from tbdiag.model.role import Role, RoleMap
from tbdiag.model.run import Damage, Provenance
from tbdiag.views import json_v1, schema_v1
from tbdiag.views.jsontext import indented
from tests.views.builders import a_dozen_runs, a_finding, a_report, a_run, a_run_report

SCHEMA = schema_v1.schema()


def read(report: Report) -> Any:
    document = json.loads(json_v1.render(report), parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def only_finding(**parts: Any) -> Any:
    return read(a_report(a_run_report(a_run(), [a_finding(**parts)])))["runs"][0]["findings"][0]


def test_a_dozen_runs(golden: Callable[[str, str], None]) -> None:
    golden("report.json", json_v1.render(a_dozen_runs()))


def test_the_schema_is_a_schema_and_refuses_another_version() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**read(a_report()), "schema": 2}, SCHEMA)


def test_fields_stand_in_the_published_order() -> None:
    remedy = Remedy.turn(Knob.WEIGHT_DECAY, Scale(3), "Raise weight decay threefold", "…")
    finding = a_finding(measures=[Measure("rise", 1.48, ">", 0.05)], remedies=[remedy])
    document = read(a_report(a_run_report(a_run("a", {"loss/val": [1, 2]}), [finding])))
    run = document["runs"][0]
    found = run["findings"][0]
    assert [*document] == ["schema", "tbdiag", "runs", "search", "summary", "unread"]
    assert " ".join(run) == (
        "run path roles ambiguous hparams provenance outcomes reasons findings"
    )
    assert [*run["roles"]["val_loss"]] == ["tag", "how"]
    assert " ".join(run["provenance"]) == "files points restarts corrupt_bytes truncated"
    assert " ".join(found) == (
        "code name severity confidence message evidence remedies fingerprint suppressed_by"
    )
    assert [*found["evidence"][0]] == ["tag", "span", "note", "measures"]
    assert [*found["evidence"][0]["measures"][0]] == ["name", "value", "relation", "limit"]
    assert [*found["remedies"][0]] == ["title", "knob", "change", "safety", "because"]
    assert [*document["summary"]] == ["runs", "errors", "warnings", "notes"]


def test_the_same_report_gives_the_same_bytes_in_whatever_order_its_mappings_are() -> None:
    report = a_dozen_runs()
    turned = [
        replace(
            each,
            outcomes=dict(reversed(each.outcomes.items())),
            run=replace(
                each.run,
                hparams=dict(reversed(each.run.hparams.items())),
                roles=RoleMap(bound=dict(reversed(each.run.roles.bound.items()))),
            ),
        )
        for each in report
    ]
    assert json_v1.render(replace(report, runs=tuple(turned))) == json_v1.render(report)
    assert json_v1.render(a_dozen_runs()) == json_v1.render(report)


@pytest.mark.parametrize(
    ("change", "written"),
    [
        (Scale(3), {"kind": "scale", "by": 3}),
        (Scale(0.1), {"kind": "scale", "by": 0.1}),
        (SetTo(1.0), {"kind": "set-to", "value": 1}),
        (SetTo("cosine"), {"kind": "set-to", "value": "cosine"}),
        (Shift(0.1, 0, 0.5), {"kind": "shift", "by": 0.1, "low": 0, "high": 0.5}),
        (Within(1e-5, 1), {"kind": "within", "low": 1e-5, "high": 1}),
        (Advice(), {"kind": "advice"}),
    ],
)
def test_every_change_has_its_kind(change: Change, written: dict[str, object]) -> None:
    remedy = Remedy.turn(Knob.LR, change, "Turn it", "…")
    assert only_finding(remedies=[remedy])["remedies"][0]["change"] == written


def test_advice_has_no_knob() -> None:
    remedy = only_finding(remedies=[Remedy.advice("Look", "…")])["remedies"][0]
    assert (remedy["knob"], remedy["safety"]) == (None, "manual")


def test_numbers_that_json_lacks_are_strings() -> None:
    measures = [Measure("a", math.nan, "<", math.inf), Measure("b", -math.inf)]
    written = only_finding(measures=measures)["evidence"][0]["measures"]
    assert [each["value"] for each in written] == ["NaN", "-Infinity"]
    assert [each["limit"] for each in written] == ["Infinity", None]


def test_every_outcome_stands_with_its_reason() -> None:
    outcomes = {
        "A": NotApplicable("not there"),
        "B": Ignored("ablation"),
        "C": Skipped("not selected"),
        "D": Crashed("KeyError: 'x'"),
    }
    run = read(a_report(a_run_report(a_run(), [a_finding()], outcomes)))["runs"][0]
    assert run["outcomes"] == {
        "A": "not-applicable",
        "B": "ignored",
        "C": "skipped",
        "D": "crashed",
        "GEN001": "fired",
        "NUM001": "passed",
        "OPT001": "passed",
        "OPT004": "passed",
    }
    assert [*run["outcomes"]] == sorted(run["outcomes"])
    assert run["reasons"] == {
        "A": "not there",
        "B": "ablation",
        "C": "not selected",
        "D": "KeyError: 'x'",
    }


def test_the_summary_counts_roots_only() -> None:
    findings = [a_finding(), a_finding("OPT005", severity=Severity.ERROR, suppressed_by="GEN001")]
    document = read(a_report(a_run_report(a_run(), findings), search=[a_finding("SET001")]))
    assert document["summary"] == {"runs": 1, "errors": 0, "warnings": 2, "notes": 0}
    assert [f["suppressed_by"] for f in document["runs"][0]["findings"]] == [None, "GEN001"]
    assert document["search"]["findings"][0]["code"] == "SET001"


def test_provenance_and_what_could_not_be_read() -> None:
    torn = Damage(file="a", offset=1, lost=7, reason="cut", torn=True)
    lost = Damage(file="b", offset=1, lost=812, reason="checksum")
    run = a_run(provenance=Provenance(files=("a", "b"), points=9, damages=(torn, lost)))
    document = read(a_report(a_run_report(run), unread=[("c", "permission denied")]))
    assert document["runs"][0]["provenance"] == {
        "files": 2,
        "points": 9,
        "restarts": 0,
        "corrupt_bytes": 812,
        "truncated": True,
    }
    assert document["unread"] == [{"path": "c", "reason": "permission denied"}]


def test_paths_are_posix_and_ambiguity_is_told() -> None:
    roles = RoleMap(ambiguous={Role.VAL_METRIC: ("top1", "top5")})
    run = replace(a_run(), path=PureWindowsPath(r"logs\lr1"), roles=roles)
    written = read(a_report(a_run_report(run)))["runs"][0]
    assert written["path"] == "logs/lr1"
    assert written["ambiguous"] == {"val_metric": ["top1", "top5"]}


def test_hyperparameters_keep_their_types() -> None:
    hparams = {"a": 0.01, "b": True, "c": 64, "d": "adam", "e": None, "f": math.inf, "g": 2**70}
    written = read(a_report(a_run_report(a_run(hparams=hparams))))["runs"][0]["hparams"]
    assert written == {**hparams, "f": "Infinity"}
    assert written["b"] is True


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_serialises_as_ascii_that_strict_parsers_read(text: str) -> None:
    run = a_run(text, {text: [1.0]}, hparams={text: text})
    report = a_report(a_run_report(run, [a_finding(tag=text, message=text)]), unread=[(text, text)])
    written = json_v1.render(report)
    assert written.isascii()
    json.dumps(read(report), ensure_ascii=False).encode("utf-8")  # no lone surrogate is left


def test_a_lone_surrogate_is_written_out() -> None:
    assert read(a_report(a_run_report(a_run("a\udc80"))))["runs"][0]["run"] == "a\\udc80"


def test_a_large_report_is_written_run_by_run(monkeypatch: pytest.MonkeyPatch) -> None:
    report = a_dozen_runs()
    spread = json_v1.render(report)
    assert spread == json.dumps(json_v1.document(report), indent=2) + "\n"
    monkeypatch.setattr(json_v1, "_SPREAD", 1)
    pieces = list(json_v1.chunks(report))
    assert len(pieces) == len(report.runs) + 2
    assert max(map(len, pieces)) < len(spread) / 4
    lines = "".join(pieces).splitlines()
    assert sum(line.startswith('    {"run": ') for line in lines) == len(report.runs)
    assert json.loads("".join(pieces)) == json.loads(spread)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"a": [], "b": {}, "c": [1, 2.5, -0.0, 1e300, True, None, 'ä\n"\\\u2028']},
        [{"x": [[1], [{"y": "z"}]]}, "text", 3],
        "alone",
    ],
)
def test_indented_is_what_the_library_writes(value: object) -> None:
    assert indented(value) == json.dumps(value, indent=2)


def test_indented_refuses_what_json_lacks() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        indented({"a": [float("nan")]})
