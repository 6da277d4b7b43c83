"""Small runs, findings and reports for the tests of the views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import ArrayLike

from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.report import Fired, Outcome, Passed, Report, RunReport
from tbdiag.model.role import Better, Binding, Role, RoleMap
from tbdiag.model.run import HParam, Provenance, Run, Scalar
from tbdiag.model.series import Series

ROLES = {
    "loss/train": (Role.TRAIN_LOSS, "loss", Better.LOWER),
    "loss/batch": (Role.BATCH_LOSS, "loss", Better.LOWER),
    "loss/val": (Role.VAL_LOSS, "loss", Better.LOWER),
    "acc/train": (Role.TRAIN_METRIC, "accuracy", Better.HIGHER),
    "acc/val": (Role.VAL_METRIC, "accuracy", Better.HIGHER),
    "lr": (Role.LEARNING_RATE, "lr", Better.LOWER),
}


def a_series(tag: str, values: ArrayLike, every: int = 1) -> Series:
    """A curve with a point every ``every`` steps, the first at ``every``."""
    array = np.asarray(values, dtype=np.float64)
    return Series.of(tag, every * np.arange(1, len(array) + 1), array)


def a_run(
    name: str = "lr1e-2",
    curves: Mapping[str, ArrayLike] | None = None,
    *,
    every: int = 1,
    hparams: Mapping[str, Scalar] | None = None,
    provenance: Provenance | None = None,
    path: str | None = None,
) -> Run:
    """A run whose known tags play their roles."""
    series = {tag: a_series(tag, values, every) for tag, values in (curves or {}).items()}
    return Run(
        id=name,
        path=PurePosixPath(path or f"logs/{name}"),
        series=series,
        hparams={name: HParam(value, "events") for name, value in (hparams or {}).items()},
        roles=RoleMap(
            bound={
                ROLES[tag][0]: Binding(tag, "pattern", *ROLES[tag][1:])
                for tag in series
                if tag in ROLES
            }
        ),
        provenance=provenance
        or Provenance(files=("events",), points=sum(each.logged for each in series.values())),
    )


def a_finding(
    code: str = "GEN001",
    name: str = "overfitting",
    message: str = "validation loss is 148 % above its best, reached at step 115",
    *,
    severity: Severity = Severity.WARNING,
    confidence: Confidence = Confidence.HIGH,
    tag: str = "loss/val",
    span: tuple[int, int] = (115, 295),
    note: str = "",
    measures: Sequence[Measure] = (),
    remedies: Sequence[Remedy] = (),
    also: Sequence[Evidence] = (),
    suppressed_by: str | None = None,
) -> Finding:
    """A finding with one evidence, and more in ``also``."""
    primary = Evidence(tag=tag, span=span, note=note, measures=tuple(measures))
    return Finding(
        code=code,
        name=name,
        message=message,
        severity=severity,
        confidence=confidence,
        evidence=(primary, *also),
        remedies=tuple(remedies),
        suppressed_by=suppressed_by,
    )


def a_run_report(
    run: Run | None = None,
    findings: Sequence[Finding] = (),
    outcomes: Mapping[str, Outcome] | None = None,
) -> RunReport:
    """A run with its findings; their rules fired, three others passed unless told otherwise."""
    fired: dict[str, Outcome] = {}
    for finding in findings:
        same = tuple(each for each in findings if each.code == finding.code)
        fired[finding.code] = Fired(same)
    rest: dict[str, Outcome] = {code: Passed() for code in ("NUM001", "OPT001", "OPT004")}
    return RunReport(
        run=run or a_run(),
        outcomes={**rest, **fired, **(outcomes or {})},
        findings=tuple(findings),
    )


def a_report(
    *runs: RunReport,
    search: Sequence[Finding] = (),
    unread: Sequence[tuple[str, str]] = (),
) -> Report:
    """A scan of these runs."""
    return Report(
        version="0.1.0", digest="0" * 16, runs=runs, search=tuple(search), unread=tuple(unread)
    )
