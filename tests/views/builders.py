"""Small runs, findings and reports for the tests of the views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import ArrayLike

from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Scale
from tbdiag.model.report import Crashed, Fired, NotApplicable, Outcome, Passed, Report, RunReport
from tbdiag.model.role import Better, Binding, Role, RoleMap
from tbdiag.model.run import Damage, HParam, Provenance, Run, Scalar
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


def a_dozen_runs() -> Report:
    """A scan with something of everything: faults of all severities, healthy, blind and damaged."""
    at = np.linspace(0, 1, 300)
    wave = 1 + 0.03 * np.sin(97 * at)
    unsure = {
        "GRD001": NotApplicable("no gradient norm was logged"),
        "GRD002": NotApplicable("no gradient norm was logged"),
        "VAL001": NotApplicable("no validation metric was logged"),
    }
    overfit = a_run_report(
        a_run(
            "lr1e-2",
            {
                "loss/train": 0.02 + 2.3 * np.exp(-6 * at) * wave,
                "loss/val": 0.5
                + 1.8 * np.exp(-17 * at)
                + 0.74 * np.clip(at - 0.35, 0, None) * wave,
            },
            hparams={"lr": 0.01, "weight_decay": 1e-4},
        ),
        [
            a_finding(
                note="climbing since",
                measures=[Measure("rise", 1.48, ">", 0.05), Measure("best_step", 115)],
                remedies=[
                    Remedy.turn(Knob.WEIGHT_DECAY, Scale(3), "Raise weight decay threefold", "…")
                ],
                also=[Evidence(tag="loss/train", span=(115, 300), note="still falling")],
            ),
            a_finding(
                "OPT005",
                "plateau",
                severity=Severity.NOTE,
                tag="loss/train",
                suppressed_by="GEN001",
            ),
        ],
        unsure,
    )
    values = 0.3 + 2 * np.exp(-5 * np.linspace(0, 1, 640))
    values[412:] = np.nan
    broken = a_run_report(
        a_run("lr3e-1", {"loss/train": values}, every=10, hparams={"lr": 0.3}),
        [
            a_finding(
                "NUM001",
                "non-finite-values",
                "the training loss became NaN at step 4130 and stayed so",
                severity=Severity.ERROR,
                tag="loss/train",
                span=(4130, 6400),
                note="NaN from here on",
                measures=[Measure("share", 0.356, ">", 0)],
                remedies=[Remedy.turn(Knob.LR, Scale(0.1), "Divide the learning rate by ten", "…")],
            )
        ],
        {**unsure, "OPT003": Crashed("ZeroDivisionError: division by zero")},
    )
    spiky = 0.3 + 2 * np.exp(-5 * np.linspace(0, 1, 20_000))
    spiky[13_000] = 40
    spike = a_run_report(
        a_run("sweep/" + "a-rather-long-name/" * 5 + "version_17", {"loss/batch": spiky}),
        [
            a_finding(
                "NUM004",
                "loss-spikes",
                "the loss per batch jumped to 40 at step 13001 and recovered within one step",
                severity=Severity.NOTE,
                confidence=Confidence.MEDIUM,
                tag="loss/batch",
                span=(13_001, 13_001),
                note="recovered",
                remedies=[Remedy.advice("Nothing: one spike that recovers does no harm", "…")],
            )
        ],
    )
    foreign = a_run_report(
        a_run("実験/[bold red]中文", {"損失\x1b[31m\u202e\n": np.linspace(3, 1, 9)}),
        [
            a_finding(
                "OPT002",
                "learning-rate-too-low",
                "損失はまだ落ちています[/bold] " * 6,
                tag="損失\x1b[31m\u202e\n",
                span=(3, 9),
            )
        ],
    )
    damage = Damage(file="events.1", offset=4096, lost=812, reason="the checksum is wrong")
    return a_report(
        overfit,
        spike,
        *(a_run_report(a_run(f"healthy-{n}"), (), unsure) for n in range(5)),
        foreign,
        broken,
        a_run_report(a_run("damaged", provenance=Provenance(files=("f",), damages=(damage,)))),
        RunReport(
            run=a_run("blind"), outcomes={"GEN001": NotApplicable("no training loss was logged")}
        ),
        search=[
            a_finding(
                "SET001",
                "best-at-the-edge",
                "the best of 9 learning rates is the highest that was tried",
                severity=Severity.NOTE,
                tag="lr",
                span=(0, 8),
            )
        ],
        unread=[("logs/locked", "permission denied")],
    )
