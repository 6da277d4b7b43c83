"""The types of a report as JSON, schema 1: what `json_v1` writes, and what is read back."""

from __future__ import annotations

from typing import (
    Any,
    Literal,
    NotRequired,  # pydantic reads no other before Python 3.12
)

from typing_extensions import TypedDict

Number = int | float | Literal["NaN", "Infinity", "-Infinity"]
Kind = Literal["fired", "passed", "not-applicable", "ignored", "skipped", "crashed"]


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


class ReportV1(TypedDict):
    """A scan. NaN and infinities, which JSON lacks, are the strings NaN, Infinity, -Infinity."""

    schema: Literal[1]
    tbdiag: str
    runs: list[RunV1]
    search: SearchV1
    summary: SummaryV1
    unread: list[UnreadV1]


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a report, made from the types of this module."""
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
