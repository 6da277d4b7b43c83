"""What a tool says of a run, in one shape for tbdiag and its peers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import tbdiag
from benchmarks.diagnosis.labels import Label
from tbdiag.case import Case
from tbdiag.config import Config
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.diagnosis.select import select
from tbdiag.diagnosis.suspicion import is_suspicion
from tbdiag.errors import TbdiagError
from tbdiag.model.finding import Confidence, Severity
from tbdiag.model.report import Crashed, RunReport
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.signals.samples import SetSize, set_size
from tbdiag.signals.stated import stated_batch_sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing that a tool says: any of ``codes`` is what a kind reader takes it for."""

    codes: frozenset[str]
    severity: Severity
    text: str = ""
    confidence: Confidence | None = None
    suspected: bool = False  # only by the look of all curves together

    @property
    def loud(self) -> bool:
        """Whether it is a warning or an error."""
        return self.severity is not Severity.NOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All that a tool says of a run, foremost first; consequences of others stand in ``hidden``.

    ``outcomes`` maps the code of each rule to the kind of its answer, where a tool has such.
    ``failed`` tells why there is no answer. ``reported`` is the number of validation samples that a
    finding speaks of, ``inferred`` the size that the accuracies tell; both None where untold.
    """

    statements: tuple[Statement, ...] = ()
    hidden: tuple[Statement, ...] = ()
    outcomes: Mapping[str, str] = field(default_factory=dict)
    failed: str = ""
    reported: SetSize | None = None
    inferred: SetSize | None = None

    @property
    def codes(self) -> frozenset[str]:
        """All that is said aloud."""
        return frozenset(code for each in self.statements for code in each.codes)


Judged = tuple[Label, Answer]


def everything() -> Selection:
    """Every rule, as it is by default."""
    return select(Config(), (), ())


def load(folder: Path) -> list[Run]:
    """The runs in a folder by default settings, past the cache; none where it cannot be read."""
    try:
        return tbdiag.load(folder, config=Config(), cache=False)
    except TbdiagError:
        return []


def ours(folder: Path) -> Answer:
    """What tbdiag says of the run in this folder."""
    runs = load(folder)
    if not runs:
        return Answer(failed="nothing could be read")
    reports = [examine(run, everything()) for run in runs]
    crashes = [
        f"{code} crashed: {outcome.error}"
        for report in reports
        for code, outcome in report.outcomes.items()
        if isinstance(outcome, Crashed)
    ]
    return Answer(
        statements=tuple(_statements(reports, hidden=False)),
        hidden=tuple(_statements(reports, hidden=True)),
        outcomes=_outcomes(reports),
        failed="; ".join(crashes),
        reported=next((size for report in reports if (size := _reported(report))), None),
        inferred=_inferred(runs[0]),
    )


def _outcomes(reports: Iterable[RunReport]) -> dict[str, str]:
    """The kind of each rule's answer; of several runs in a folder the first that is any use."""
    found: dict[str, str] = {}
    for report in reports:
        for code, outcome in report.outcomes.items():
            if found.get(code) in (None, "skipped", "not-applicable"):
                found[code] = outcome.kind
    return found


def _statements(reports: Iterable[RunReport], *, hidden: bool) -> Iterable[Statement]:
    for report in reports:
        for finding in report.findings:
            if (finding.suppressed_by is not None) is hidden:
                yield Statement(
                    codes=frozenset({finding.code}),
                    severity=finding.severity,
                    text=finding.message,
                    confidence=finding.confidence,
                    suspected=is_suspicion(finding),
                )


def _reported(report: RunReport) -> SetSize | None:
    for finding in report.findings:
        for measure in (m for evidence in finding.evidence for m in evidence.measures):
            if measure.name == "validation_samples":
                return SetSize(int(measure.value), int(measure.value))
            if measure.name == "validation_samples_at_most":
                return SetSize(1, int(measure.value))
    return None


def _inferred(run: Run) -> SetSize | None:
    accuracy = Case(run).accuracy(Role.VAL_METRIC)
    if accuracy is None:
        return None
    return set_size(accuracy.values, batches=stated_batch_sizes(run.hparams))
