"""What a rule says about a run, and on which evidence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

from tbdiag.model.remedy import Remedy


class Severity(StrEnum):
    """How bad it is if the finding is true."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return (Severity.ERROR, Severity.WARNING, Severity.NOTE).index(self)


class Confidence(StrEnum):
    """How sure the rule is that the finding is true."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Measure:
    """One number that a rule compared with a limit: ``value relation limit`` holds."""

    name: str
    value: float
    relation: str = ""
    limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where on a curve the finding shows: the steps ``span`` of ``tag``, both ends included.

    ``run`` names the run whose curve it is, where the finding is about several runs.
    """

    tag: str
    span: tuple[int, int]
    note: str = ""
    measures: tuple[Measure, ...] = ()
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a run; the first evidence is the primary one.

    ``suppressed_by`` is the code of the root finding of which this is only a consequence. ``subject``
    says what a finding about several runs speaks of: their project, and a setting where it is one.
    """

    code: str
    name: str
    message: str
    severity: Severity
    confidence: Confidence
    evidence: tuple[Evidence, ...]
    remedies: tuple[Remedy, ...] = ()
    suppressed_by: str | None = None
    subject: str = ""

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that stay the same while rule and curve do, whatever the numbers."""
        tag = self.evidence[0].tag if self.evidence else ""
        about = f"{self.code}\0{tag}" + (f"\0{self.subject}" if self.subject else "")
        return hashlib.sha256(about.encode("utf-8", "backslashreplace")).hexdigest()[:16]

    def suppressed(self, by: str) -> Finding:
        """The same finding as a consequence of the rule ``by``."""
        return replace(self, suppressed_by=by)
