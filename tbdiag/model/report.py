"""What a scan found: every rule's answer for every run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tbdiag.model.finding import Finding, Severity
from tbdiag.model.run import Run


@dataclass(frozen=True, slots=True)
class Fired:
    """The rule found something."""

    findings: tuple[Finding, ...]
    kind = "fired"


@dataclass(frozen=True, slots=True)
class Passed:
    """The rule looked and found nothing."""

    kind = "passed"


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The rule cannot tell; the reason says what is missing.

    Where it ``looked``, it found nothing, which clears no run by itself.
    """

    reason: str
    looked: bool = False
    kind = "not-applicable"


@dataclass(frozen=True, slots=True)
class Ignored:
    """The rule found something that the configuration says to ignore."""

    reason: str
    kind = "ignored"


@dataclass(frozen=True, slots=True)
class Skipped:
    """The rule was not selected, or does not concern this kind of run."""

    reason: str
    kind = "skipped"


@dataclass(frozen=True, slots=True)
class Crashed:
    """The rule failed with an error of its own: a defect of tbdiag, not of the run."""

    error: str
    kind = "crashed"


Outcome = Fired | Passed | NotApplicable | Ignored | Skipped | Crashed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunReport:
    """One run with exactly one outcome for each rule code."""

    run: Run
    outcomes: Mapping[str, Outcome]
    findings: tuple[Finding, ...] = ()  # roots first, most severe first, consequences last

    @property
    def roots(self) -> tuple[Finding, ...]:
        """The findings that are not consequences of others."""
        return tuple(finding for finding in self.findings if finding.suppressed_by is None)

    @property
    def worst(self) -> Severity | None:
        """The severity of the worst root finding, None where there is none."""
        return min((f.severity for f in self.roots), key=lambda s: s.rank, default=None)

    def count(self, severity: Severity) -> int:
        """How many root findings have this severity."""
        return sum(finding.severity is severity for finding in self.roots)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """A whole scan; ``unread`` lists (path, reason) of runs and files that could not be examined.

    ``search`` are the findings about several runs together, ``search_outcomes`` the one outcome of each
    rule that looks for them. Of more than a thousand ``runs`` each of the others is made anew whenever it
    is asked for.
    """

    version: str
    digest: str
    runs: Sequence[RunReport]
    search: tuple[Finding, ...] = ()
    search_outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    unread: tuple[tuple[str, str], ...] = field(default=())

    def __iter__(self) -> Iterator[RunReport]:
        return iter(self.runs)

    def count(self, severity: Severity) -> int:
        """How many root findings of this severity the scan holds, the search's own included."""
        return sum(run.count(severity) for run in self.runs) + sum(
            finding.severity is severity for finding in self.search
        )
