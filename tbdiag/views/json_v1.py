"""The report as JSON, schema 1: a published copy of the inside, not the inside."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from typing_extensions import TypedDict

from tbdiag.model.finding import Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Advice, Change, Remedy, Scale, SetTo, Shift, Within
from tbdiag.model.report import (
    Crashed,
    Fired,
    Ignored,
    NotApplicable,
    Outcome,
    Passed,
    Report,
    RunReport,
    Skipped,
)
from tbdiag.model.run import Scalar
from tbdiag.views.jsontext import indented
from tbdiag.views.schema_v1 import (
    ChangeV1,
    EvidenceV1,
    FindingV1,
    Kind,
    MeasureV1,
    Number,
    RemedyV1,
    ReportV1,
    RunV1,
    SearchV1,
    SummaryV1,
    UnreadV1,
)

_SPREAD = 1000  # runs up to which each is spread over many lines

_KINDS: dict[type[Outcome], Kind] = {
    Fired: "fired",
    Passed: "passed",
    NotApplicable: "not-applicable",
    Ignored: "ignored",
    Skipped: "skipped",
    Crashed: "crashed",
}


class _BesideV1(TypedDict):
    search: SearchV1
    summary: SummaryV1
    unread: list[UnreadV1]


_MARGIN = "\n    "  # before each line of a run


def render(report: Report) -> str:
    r"""The report as JSON text, pure ASCII, ended by a newline; equal reports give equal bytes.

    NaN and infinities become the strings ``NaN``, ``Infinity`` and ``-Infinity``; null stays for
    what does not exist. Characters that are no Unicode text (lone surrogates, as in file names that
    are not UTF-8) become ``\udc80`` and the like. Of more than a thousand runs each stands on a line of
    its own.
    """
    return "".join(chunks(report))


def chunks(report: Report) -> Iterator[str]:
    """The text that `render` gives, piece by piece: no more than one run is held at a time."""
    indent = 2 if len(report.runs) <= _SPREAD else None
    head: dict[str, Any] = {"schema": 1, "tbdiag": report.version, "runs": []}
    before, _ = _text(head, 2).split('"runs": []', 1)
    yield f'{before}"runs": ['
    comma = ""
    for each in report:
        yield f"{comma}{_MARGIN}{_text(_run(each), indent, _MARGIN)}"
        comma = ","
    _, after = _text({**head, **_beside(report)}, 2).split('"runs": []', 1)
    yield f"\n  ]{after}\n" if comma else f"]{after}\n"


def _text(value: Any, indent: int | None, margin: str = "\n") -> str:
    write = partial(indented, margin=margin) if indent else _on_one_line
    text = write(value)
    return write(_well_formed(value)) if "\\ud" in text else text  # a surrogate, lone or of a pair


def _on_one_line(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def document(report: Report) -> ReportV1:
    """The report as the plain dictionary that `render` writes."""
    beside = _beside(report)
    return {
        "schema": 1,
        "tbdiag": report.version,
        "runs": [_run(each) for each in report],
        "search": beside["search"],
        "summary": beside["summary"],
        "unread": beside["unread"],
    }


def _beside(report: Report) -> _BesideV1:
    """What stands beside the runs."""
    counts = {severity: report.count(severity) for severity in Severity}
    return {
        "search": {
            "findings": [_finding(each) for each in report.search],
            "outcomes": _kinds(report.search_outcomes),
            "reasons": _reasons(report.search_outcomes),
        },
        "summary": {
            "runs": len(report.runs),
            "errors": counts[Severity.ERROR],
            "warnings": counts[Severity.WARNING],
            "notes": counts[Severity.NOTE],
        },
        "unread": [{"path": path, "reason": reason} for path, reason in report.unread],
    }


def _run(report: RunReport) -> RunV1:
    run = report.run
    return {
        "run": run.id,
        "path": run.path.as_posix(),
        "roles": {
            role.value: {"tag": each.tag, "how": each.how}
            for role, each in sorted(run.roles.bound.items())
        },
        "ambiguous": {role.value: [*tags] for role, tags in sorted(run.roles.ambiguous.items())},
        "hparams": {name: _scalar(each.value) for name, each in sorted(run.hparams.items())},
        "provenance": {
            "files": len(run.provenance.files),
            "points": run.provenance.points,
            "restarts": len(run.provenance.restarts),
            "corrupt_bytes": run.provenance.corrupt_bytes,
            "truncated": run.provenance.truncated,
        },
        "outcomes": _kinds(report.outcomes),
        "reasons": _reasons(report.outcomes),
        "findings": [_finding(each) for each in report.findings],
    }


def _kinds(outcomes: Mapping[str, Outcome]) -> dict[str, Kind]:
    return {code: _KINDS[type(outcome)] for code, outcome in sorted(outcomes.items())}


def _reasons(outcomes: Mapping[str, Outcome]) -> dict[str, str]:
    return {
        code: outcome.error if isinstance(outcome, Crashed) else outcome.reason
        for code, outcome in sorted(outcomes.items())
        if not isinstance(outcome, Fired | Passed)
    }


def _finding(finding: Finding) -> FindingV1:
    told: FindingV1 = {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "message": finding.message,
        "evidence": [_evidence(each) for each in finding.evidence],
        "remedies": [_remedy(each) for each in finding.remedies],
        "fingerprint": finding.fingerprint,
        "suppressed_by": finding.suppressed_by,
    }
    if finding.subject:
        told["subject"] = finding.subject
    return told


def _evidence(evidence: Evidence) -> EvidenceV1:
    first, last = evidence.span
    told: EvidenceV1 = {
        "tag": evidence.tag,
        "span": (int(first), int(last)),
        "note": evidence.note,
        "measures": [_measure(each) for each in evidence.measures],
    }
    if evidence.run:
        told["run"] = evidence.run
    return told


def _measure(measure: Measure) -> MeasureV1:
    return {
        "name": measure.name,
        "value": _number(measure.value),
        "relation": measure.relation,
        "limit": None if measure.limit is None else _number(measure.limit),
    }


def _remedy(remedy: Remedy) -> RemedyV1:
    return {
        "title": remedy.title,
        "knob": None if remedy.knob is None else remedy.knob.value,
        "change": _change(remedy.change),
        "safety": remedy.safety.value,
        "because": remedy.because,
    }


def _change(change: Change) -> ChangeV1:
    match change:
        case Scale(by):
            return {"kind": "scale", "by": _number(by)}
        case SetTo(value):
            return {"kind": "set-to", "value": value if isinstance(value, str) else _number(value)}
        case Shift(by, low, high):
            return {"kind": "shift", "by": _number(by), "low": _number(low), "high": _number(high)}
        case Within(low, high):
            return {"kind": "within", "low": _number(low), "high": _number(high)}
        case Advice():
            return {"kind": "advice"}


def _number(value: float) -> Number:
    """A plain number; whole ones without a fraction, so that 3 and 3.0 are written alike."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    plain = float(value)
    return int(plain) if plain.is_integer() and abs(plain) < 2**53 else plain


def _scalar(value: Scalar) -> bool | Number | str | None:
    if value is None or isinstance(value, bool | str):
        return value
    return int(value) if isinstance(value, int) else _number(value)


def _well_formed(value: Any) -> Any:
    """``value`` with every lone surrogate in its texts written out: strict parsers refuse them."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_well_formed(key): _well_formed(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_well_formed(each) for each in value]
    return value
