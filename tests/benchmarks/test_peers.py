"""Other tools are understood as they print, and read as kindly as one can."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.peers import worker
from benchmarks.peers.forms import Form, handed_over, rows
from benchmarks.peers.messages import CODES, SEVERITIES, Message, answer, messages
from benchmarks.peers.tools import TOOLS
from tbdiag.detectors.registry import rules
from tbdiag.model.finding import Severity

SAMPLES = Path(__file__).parents[2] / "sample_logs"

# What the tools printed about sample_logs/overfitting and sample_logs/nan, shortened.
PRINTED = {
    "runmedic": [
        {
            "run": "nan",
            "findings": [
                {"check": "loss_spikes", "severity": "info", "title": "Loss spikes (1)"},
                {"check": "non_finite", "severity": "critical", "title": "`loss` became NaN/inf"},
            ],
        }
    ],
    "trainspotter": {
        "findings": [
            {
                "title": "Diverged (sustained growth)",
                "severity": "error",
                "metric": "eval/loss",
                "message": "eval/loss has been climbing for the last 30 logged points",
            },
            {
                "title": "No LR warmup detected",
                "severity": "warning",
                "metric": "lr",
                "message": "lr starts at 0.001, already 100% of the run's peak",
            },
        ]
    },
    "trainproof": {
        "reports": [
            {
                "findings": [
                    {"id": "TP-PASS", "level": "PASS", "message": "No mechanical failures."},
                    {"id": "TP-OVERFIT", "level": "WARN", "message": "Overfitting detected."},
                ],
                "checks": {"skipped": {"overfit": "no eval_loss in the log - no signal at all"}},
            }
        ]
    },
    "losslint": {
        "findings": [
            {"check": "overfit_onset", "severity": "info", "message": "eval loss has worsened"}
        ]
    },
}


def understood(tool: str) -> list[tuple[Severity, frozenset[str]]]:
    found = answer(tool, messages(tool, json.dumps(PRINTED[tool])))
    return [(each.severity, each.codes) for each in found.statements]


def test_findings_are_read_with_their_severity_gravest_first() -> None:
    (first, second) = understood("runmedic")
    assert (first[0], second[0]) == (Severity.ERROR, Severity.NOTE)
    assert {"NUM001", "OPT001"} <= first[1]
    assert "NUM004" in second[1]


def test_a_climbing_validation_loss_counts_as_overfitting_too() -> None:
    (growth, warmup) = understood("trainspotter")
    assert growth == (Severity.ERROR, growth[1])
    assert {"GEN001", "NUM003"} <= growth[1]
    assert warmup == (Severity.WARNING, frozenset({"OPT009"}))


def test_what_is_no_finding_is_left_out_and_what_was_not_checked_is_a_note() -> None:
    (overfit, unchecked) = understood("trainproof")
    assert overfit[0] is Severity.WARNING
    assert "GEN001" in overfit[1]
    assert unchecked == (Severity.NOTE, frozenset({"VAL005", "LOG005"}))


def test_information_is_a_note_that_may_name_a_fault() -> None:
    assert understood("losslint") == [(Severity.NOTE, frozenset({"GEN001", "GEN004", "GEN005"}))]


def test_a_crash_is_no_answer() -> None:
    assert answer("losslint", None).failed
    assert answer("losslint", []).failed == ""
    with pytest.raises(ValueError, match="Expecting value"):
        messages("losslint", "Traceback (most recent call last)")


def test_every_meaning_is_a_code_of_a_family_that_there_is() -> None:
    families = {rule.code[:3] for rule in rules()} | {"GRD", "SYS"}
    for known in CODES.values():
        for codes in known.values():
            assert {code[:3] for code in codes.split()} <= families
    assert set(CODES) == {tool.name for tool in TOOLS} == set(PRINTED)


def test_every_severity_has_its_like() -> None:
    for tool in TOOLS:
        for each in messages(tool.name, json.dumps(PRINTED[tool.name])):
            assert each.severity in SEVERITIES or each.check not in CODES[tool.name]


def test_unknown_checks_say_nothing() -> None:
    assert answer("runmedic", [Message("new_check", "warning", "?")]).statements == ()


def test_a_table_keeps_branches_nan_and_the_order_of_writing() -> None:
    resumed = [row["step"] for row in rows(SAMPLES / "resumed", Form.EPOCHS)]
    assert any(later < earlier for earlier, later in pairwise(resumed))
    nan = list(rows(SAMPLES / "nan", Form.EPOCHS))
    assert any(row.get("loss") != row.get("loss") for row in nan)
    assert {"loss", "eval_loss", "lr", "grad_norm"} <= {name for row in nan for name in row}


def test_the_loss_of_a_table_is_per_epoch_or_per_batch(tmp_path: Path) -> None:
    counts = []
    for form in (Form.EPOCHS, Form.BATCHES):
        place = handed_over(SAMPLES / "overfitting", form, tmp_path / form.name)
        lines = [json.loads(line) for line in place.read_text().splitlines()]
        counts.append(sum("loss" in line for line in lines))
    assert counts == [120, 600]


def test_event_files_are_handed_over_without_what_lies_beside_them(tmp_path: Path) -> None:
    place = handed_over(SAMPLES / "overfitting", Form.EVENTS, tmp_path)
    assert [path.name for path in place.iterdir()] == ["events.out.tfevents.1700000000.digits"]


def test_the_worker_survives_what_a_tool_does(tmp_path: Path) -> None:
    (tmp_path / "toy.py").write_text(
        "import sys, time\n"
        "def main(words):\n"
        "    if words == ['sleep']: time.sleep(30)\n"
        "    if words == ['crash']: raise KeyError('loss')\n"
        "    print(words[0])\n"
        "    sys.exit(1)\n"
    )
    asked = "".join(json.dumps([word]) + "\n" for word in ("fine", "sleep", "crash", "fine"))
    done = subprocess.run(
        [sys.executable, worker.__file__, "toy", "0.5"],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(tmp_path)},
    )
    fine, slow, crash, again = map(json.loads, done.stdout.splitlines())
    assert fine == again == {"output": "fine\n"}
    assert slow == {"failed": "timeout"}
    assert crash == {"failed": "KeyError: 'loss'"}
