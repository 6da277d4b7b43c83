"""What the messages of other tools mean in codes of rules, read as kindly as one can.

A message gets the code of every fault that a reader would look for after reading its title, its
explanation and the causes that it lists. "The loss diverged: lower the rate" names a rate that is
too high; a plateau for which it advises to raise the rate names one that is too low. Messages that
are no findings ("all checks passed", "no loss found") get none and are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.diagnosis.answers import Answer, Statement
from tbdiag.model.finding import Severity

_NAN = "NUM001 NUM002 NUM003 NUM005 OPT001"
_DIVERGED = "NUM002 NUM003 OPT001"
_SPIKES = "NUM004 OPT001 OPT003"
_GRADIENT_SPIKES = "GRD002 NUM004 OPT001"
_OVERFIT = "GEN001 GEN004 GEN005"
_SLOW = "SYS001 SYS002"

# tool → its own name of a check → codes
CODES: Mapping[str, Mapping[str, str]] = {
    "runmedic": {
        "non_finite": f"{_NAN} GRD002",
        "divergence": _DIVERGED,
        "loss_spikes": f"{_SPIKES} OPT009",
        "no_learning": "OPT002 OPT004 GRD006",
        "overfitting": _OVERFIT,
        "val_below_train": "VAL003",
        "grad_spikes": f"{_GRADIENT_SPIKES} OPT009",
        "constant_lr_plateau": "OPT005 OPT008",
        "input_bound": "SYS001",
        "slow_steps": _SLOW,
        "slowdown": _SLOW,
        "memory_growth": "",
    },
    "trainspotter": {
        "Loss spike": _SPIKES,
        "Diverged (non-finite values)": _NAN,
        "Diverged (sustained growth)": _DIVERGED,
        "Diverged (sustained growth) of eval/loss": f"{_DIVERGED} GEN001",
        "Loss spike of eval/loss": f"{_SPIKES} VAL002",
        "Plateau": "OPT002 OPT004 OPT005 OPT008 GRD006",
        "Overfitting onset": _OVERFIT,
        "No LR warmup detected": "OPT009",
        "LR increased after its peak": "OPT012 OPT007",
        "LR discontinuity": "OPT012 OPT007 LOG001",
        "Gradient-norm explosion": f"{_GRADIENT_SPIKES} OPT009",
        "Gradient clipping likely saturated": "OPT011",
        "Throughput regression": _SLOW,
        "Eval metric too noisy to rank checkpoints": "VAL001 VAL002",
        "Suspiciously low loss early (heuristic)": "VAL003",
    },
    "trainproof": {
        "TP-NAN": _NAN,
        "TP-NAN-GRAD": f"{_NAN} GRD002",
        "TP-ZERO-LOSS": "OPT004",
        "TP-ZERO-LOSS-ONSET": "OPT004 NUM001",
        "TP-FLAT": "OPT004 OPT005 GRD006",
        "TP-DIVERGE": _DIVERGED,
        "TP-DEAD-RUN": "OPT004 OPT002 GRD006",
        "TP-ZERO-GRAD": "GRD001 GRD003 GRD006 OPT004",
        "TP-GRAD-SPIKE": _GRADIENT_SPIKES,
        "TP-ZERO-LR": "OPT002 OPT004 OPT007 GRD006",
        "TP-ZERO-LR-PARTIAL": "OPT002 OPT007",
        "TP-OVERFIT": _OVERFIT,
        "TP-STEP-CLIFF": _SLOW,
        "TP-LOADER-BOUND": "SYS001",
        # What it lists as not checked, with the reason: a reader learns what was not logged.
        "no eval_loss": "VAL005 LOG005",
        "fewer than": "VAL006 LOG005",
        "no loss column": "LOG005",
    },
    "losslint": {
        "nan_inf": _NAN,
        "step_backtrack": "LOG001 LOG002",
        "loss_spike": _SPIKES,
        "divergence": _DIVERGED,
        "overfit_onset": _OVERFIT,
        "stagnation": "OPT002 OPT004 OPT005 OPT008",
        "parse": "LOG003",
    },
}

SEVERITIES: Mapping[str, Severity] = {
    "critical": Severity.ERROR,
    "error": Severity.ERROR,
    "FAIL": Severity.ERROR,
    "warning": Severity.WARNING,
    "WARN": Severity.WARNING,
    "info": Severity.NOTE,
    "INFO": Severity.NOTE,
}


@dataclass(frozen=True, slots=True)
class Message:
    """What a tool said: its own name of the check and its own severity."""

    check: str
    severity: str
    text: str


def messages(tool: str, output: str) -> list[Message]:
    """The findings in what the tool printed as JSON. Raises ValueError where that is none."""
    return list(_READERS[tool](json.loads(output)))


def answer(tool: str, found: list[Message] | None) -> Answer:
    """What a tool said, in codes, gravest first; None stands for a crash or a timeout."""
    if found is None:
        return Answer(failed="no answer")
    known = CODES[tool]
    statements = [
        Statement(
            codes=frozenset(known[each.check].split()),
            severity=SEVERITIES[each.severity],
            text=f"{each.check}: {each.text}",
        )
        for each in found
        if each.check in known
    ]
    return Answer(statements=tuple(sorted(statements, key=lambda each: each.severity.rank)))


def _runmedic(data: Any) -> Iterator[Message]:
    for run in data:
        for each in run["findings"]:
            yield Message(each["check"], each["severity"], each["title"])


def _trainspotter(data: Any) -> Iterator[Message]:
    for each in data["findings"]:
        title, metric = each["title"], each["metric"]
        special = f"{title} of {metric}"
        check = special if special in CODES["trainspotter"] else title
        yield Message(check, each["severity"], each["message"])


def _trainproof(data: Any) -> Iterator[Message]:
    for report in data["reports"]:
        for each in report["findings"]:
            yield Message(each["id"], each["level"], each["message"])
        reason = report.get("checks", {}).get("skipped", {}).get("overfit", "")
        for start in ("no eval_loss", "fewer than", "no loss column"):
            if reason.startswith(start):
                yield Message(start, "INFO", reason)


def _losslint(data: Any) -> Iterator[Message]:
    for each in data["findings"]:
        yield Message(each["check"], each["severity"], each["message"])


_READERS = {
    "runmedic": _runmedic,
    "trainspotter": _trainspotter,
    "trainproof": _trainproof,
    "losslint": _losslint,
}
