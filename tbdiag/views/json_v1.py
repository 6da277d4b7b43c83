"""The report as JSON, schema 1: a published copy of the inside, not the inside."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import (
    Any,
    Literal,
    NotRequired,  # pydantic reads no other before Python 3.12
)

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

Number = int | float | Literal["NaN", "Infinity", "-Infinity"]
Kind = Literal["fired", "passed", "not-applicable", "ignored", "skipped", "crashed"]

_SPREAD = 1000  # runs up to which each is spread over many lines

_KINDS: dict[type[Outcome], Kind] = {
    Fired: "fired",
    Passed: "passed",
    NotApplicable: "not-applicable",
    Ignored: "ignored",
    Skipped: "skipped",
    Crashed: "crashed",
}


class MeasureV1(TypedDict):
    """A number that a rule looked at; ``value relation limit`` holds where there is a limit."""

    name: str
    value: Number
    relation: str
    limit: Number | None


class EvidenceV1(TypedDict):
    """Where on a curve it shows: first and last step, both included.

    ``run`` is there where the finding is about several runs: the one whose curve it is.
    """

    tag: str
    span: tuple[int, int]
    note: str
    measures: list[MeasureV1]
    run: NotRequired[str]


class ScaleV1(TypedDict):
    """Multiply the knob."""

    kind: Literal["scale"]
    by: Number


class SetToV1(TypedDict):
    """Set the knob."""

    kind: Literal["set-to"]
    value: Number | str


class ShiftV1(TypedDict):
    """Add to the knob, and stay within low and high."""

    kind: Literal["shift"]
    by: Number
    low: Number
    high: Number


class WithinV1(TypedDict):
    """Choose the knob between low and high."""

    kind: Literal["within"]
    low: Number
    high: Number


class AdviceV1(TypedDict):
    """No knob: something for a person to do."""

    kind: Literal["advice"]


ChangeV1 = ScaleV1 | SetToV1 | ShiftV1 | WithinV1 | AdviceV1


class RemedyV1(TypedDict):
    """One change with its reason; the knob is null for advice."""

    title: str
    knob: str | None
    change: ChangeV1
    safety: Literal["safe", "unsafe", "manual"]
    because: str


class FindingV1(TypedDict):
    """One thing that is wrong; the first evidence is the primary one.

    ``subject`` is there where the finding is about several runs: their project, and the setting.
    """

    code: str
    name: str
    severity: Literal["note", "warning", "error"]
    confidence: Literal["low", "medium", "high"]
    message: str
    evidence: list[EvidenceV1]
    remedies: list[RemedyV1]
    fingerprint: str
    suppressed_by: str | None
    subject: NotRequired[str]


class RoleV1(TypedDict):
    """The tag in a role, and how it was found."""

    tag: str
    how: str


class ProvenanceV1(TypedDict):
    """What was read."""

    files: int
    points: int
    restarts: int
    corrupt_bytes: int
    truncated: bool


class RunV1(TypedDict):
    """One run with exactly one outcome for each rule; reasons stand for those that have one."""

    run: str
    path: str
    roles: dict[str, RoleV1]
    ambiguous: dict[str, list[str]]
    hparams: dict[str, bool | Number | str | None]
    provenance: ProvenanceV1
    outcomes: dict[str, Kind]
    reasons: dict[str, str]
    findings: list[FindingV1]


class SearchV1(TypedDict):
    """What was found about several runs together; one outcome for each rule that looks for it."""

    findings: list[FindingV1]
    outcomes: dict[str, Kind]
    reasons: dict[str, str]


class SummaryV1(TypedDict):
    """How many runs, and how many findings that are not consequences of others."""

    runs: int
    errors: int
    warnings: int
    notes: int


class UnreadV1(TypedDict):
    """A path that could not be examined."""

    path: str
    reason: str


class _BesideV1(TypedDict):
    search: SearchV1
    summary: SummaryV1
    unread: list[UnreadV1]


class ReportV1(TypedDict):
    """A scan. NaN and infinities, which JSON lacks, are the strings NaN, Infinity, -Infinity."""

    schema: Literal[1]
    tbdiag: str
    runs: list[RunV1]
    search: SearchV1
    summary: SummaryV1
    unread: list[UnreadV1]


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
        yield f"{comma}\n    " + _text(_run(each), indent).replace("\n", "\n    ")
        comma = ","
    _, after = _text({**head, **_beside(report)}, 2).split('"runs": []', 1)
    yield f"\n  ]{after}\n" if comma else f"]{after}\n"


def _text(value: Any, indent: int | None) -> str:
    write = indented if indent else _on_one_line
    text = write(value)
    return write(_well_formed(value)) if "\\ud" in text else text  # a surrogate, lone or of a pair


def _on_one_line(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `render`'s output, made from the types of this module."""
    from pydantic import TypeAdapter

    body = TypeAdapter(ReportV1).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **body,
        "title": "tbdiag report, schema 1",
    }


def parsed(value: Any) -> ReportV1:
    """A document that was stored, once it is known to be one; raises ValueError where it is not.

    Fields that this version does not know are left out.
    """
    from pydantic import TypeAdapter

    return TypeAdapter(ReportV1).validate_python(value)


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
