"""Event files from public repositories that a person labelled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tbdiag
from benchmarks.diagnosis.page import Section, Table
from tbdiag.config import Config
from tbdiag.detectors.registry import rules
from tbdiag.model.finding import Severity
from tbdiag.model.report import Report, RunReport

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
NAMES = {
    "overfitting": {"GEN001"},
    "diverged_nan": {"NUM001", "NUM002", "NUM003"},
    "not_learning": {"OPT004"},
    "still_improving": {"OPT006", "OPT002"},
    "plateau": {"OPT005", "OPT004"},
    "lr_too_low": {"OPT002"},
    "lr_too_high": {"OPT001"},
    "noisy_validation": {"VAL002"},
    "val_below_train": {"VAL003"},
}
CERTAINTIES = ("sure", "likely", "unsure")


def labels() -> dict[str, Any]:
    """Event file → what a person said of it."""
    found: dict[str, Any] = json.loads((CORPUS / "labels.json").read_text("utf-8"))
    return found


def scan() -> Report:
    """Every rule's answer for every run of the corpus."""
    return tbdiag.scan(CORPUS, config=Config(), cache=False)


def section(report: Report, labelled: Mapping[str, Any]) -> Section:
    """The part of the page about the corpus."""
    answers = [outcome.kind for run in report for outcome in run.outcomes.values()]
    found = {key: run for key in labelled if (run := report_of(report.runs, key)) is not None}
    counts: dict[tuple[int, str], list[bool]] = {}
    for key, entry in labelled.items():
        for each in entry["labels"]:
            if each["label"] in NAMES:
                named = key in found and bool(NAMES[each["label"]] & codes_of(found[key]))
                place = CERTAINTIES.index(each["certainty"]), each["label"]
                counts.setdefault(place, []).append(named)
    healthy = [found[key] for key in labelled if key in found and _healthy(labelled[key])]
    errors = sum(run.count(Severity.ERROR) > 0 for run in healthy)
    warned = sum(run.count(Severity.WARNING) > 0 for run in healthy)
    return Section(
        "Event files from public repositories",
        (
            f"{len(report.runs)} runs were examined, {len(report.unread)} files or folders held"
            f" nothing to examine. Every one of the {len(rules())} rules answered once for each"
            f" run; {answers.count('crashed')} crashed. Of the {len(healthy)} runs that are surely"
            f" healthy, {errors} got an error and {warned} a warning.",
            Table.of(
                ("a person's label", "certainty", "runs", "named"),
                (
                    (label, CERTAINTIES[place], len(hits), sum(hits))
                    for (place, label), hits in sorted(counts.items())
                ),
            ),
        ),
    )


def _healthy(entry: Mapping[str, Any]) -> bool:
    return any(
        each["label"] == "healthy" and each["certainty"] == "sure" for each in entry["labels"]
    )


def report_of(runs: Sequence[RunReport], key: str) -> RunReport | None:
    """The run that holds the labelled file ``key``, None where it was not examined."""
    folder = (CORPUS / key).parent
    for run in runs:
        path = Path.cwd() / run.run.path
        if path in (folder, folder.parent) and any(
            Path(name).name == Path(key).name for name in run.run.provenance.files
        ):
            return run
    return None


def codes_of(run: RunReport) -> set[str]:
    """The codes of all findings: a consequence of a root is named, too."""
    return {finding.code for finding in run.findings}
