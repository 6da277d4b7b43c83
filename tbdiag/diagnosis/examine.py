"""A case and its detectors: exactly one outcome for each rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tbdiag.case import Case, Kind
from tbdiag.detectors.base import Detector
from tbdiag.diagnosis.priority import ordered
from tbdiag.model.finding import Finding
from tbdiag.model.report import (
    Crashed,
    Fired,
    Ignored,
    NotApplicable,
    Outcome,
    Passed,
    RunReport,
    Skipped,
)
from tbdiag.model.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rules as configured: ``detectors`` run; ``skipped`` and ``ignored`` map code → reason.

    ``digest`` names the configuration: equal digests mean equal thresholds and selection.
    """

    detectors: tuple[Detector, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""


def examine(run: Run, selection: Selection) -> RunReport:
    """Every selected rule on this run; a rule that fails is recorded, and the others go on."""
    cases = _cases(run)
    outcomes: dict[str, Outcome] = {
        code: Skipped(reason) for code, reason in selection.skipped.items()
    }
    for detector in selection.detectors:
        outcome = _answer(detector, cases)
        reason = selection.ignored.get(detector.code)
        if reason is not None and isinstance(outcome, Fired):
            outcome = Ignored(reason)
        outcomes[detector.code] = outcome
    found = [
        f for outcome in outcomes.values() if isinstance(outcome, Fired) for f in outcome.findings
    ]
    findings = ordered(found, selection.detectors)
    outcomes = {
        code: Fired(tuple(f for f in findings if f.code == code))
        if isinstance(each, Fired)
        else each
        for code, each in sorted(outcomes.items())
    }
    return RunReport(run=run, outcomes=outcomes, findings=findings)


def _cases(run: Run) -> tuple[Case, ...]:
    """The run as one case, or, where only parts of the loss were logged, as one for each part."""
    if not run.roles.parts:
        return (Case(run),)
    return tuple(
        Case(run.with_roles(replace(run.roles, bound={**run.roles.bound, **part}, parts=())))
        for part in run.roles.parts
    )


def _answer(detector: Detector, cases: tuple[Case, ...]) -> Outcome:
    findings: list[Finding] = []
    reasons: list[str] = []
    for case in cases:
        if detector.supervised and case.kind is not Kind.SUPERVISED:
            return Skipped(f"the rule does not speak of {case.kind} runs")
        try:
            reason = detector.blocked(case)
            if reason is not None:
                reasons.append(reason)
                continue
            findings.extend(found for found in detector.check(case) if found not in findings)
        except Exception as error:  # a defect of one rule must not cost the report
            return Crashed(f"{type(error).__name__}: {error}")
    if findings:
        return Fired(tuple(findings))
    return NotApplicable(reasons[0]) if len(reasons) == len(cases) else Passed()
