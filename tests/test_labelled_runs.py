"""What the rules say of runs that people labelled: few false alarms, and the sure faults named."""

from __future__ import annotations

import json
from functools import cache

import pytest

import tbdiag
from benchmarks.accuracy import (
    CORPUS,
    HIGH_GRID,
    LOW_GRID,
    NAMES,
    Seen,
    balanced,
    codes_of,
    confusion,
    look,
    report_of,
)
from benchmarks.sweep import FOLDER
from tbdiag.detectors.optimization.learning_rate_too_high import LearningRateTooHigh
from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow
from tbdiag.detectors.registry import rules
from tbdiag.model.finding import Severity
from tbdiag.model.report import Report

needs_sweep = pytest.mark.skipif(not FOLDER.exists(), reason=f"{FOLDER} is absent")
needs_corpus = pytest.mark.skipif(not CORPUS.exists(), reason=f"{CORPUS} is absent")


@cache
def _seen() -> tuple[Seen, ...]:
    return tuple(look())


@cache
def _report() -> Report:
    return tbdiag.scan(CORPUS)


@needs_sweep
def test_healthy_rates_get_few_alarms() -> None:
    fine = [run for run in _seen() if run.rate == "ok"]
    assert sum(run.error for run in fine) <= 0.02 * len(fine)
    assert sum(run.rate_warning for run in fine) <= 0.10 * len(fine)


@needs_sweep
def test_rates_too_high_and_too_low_are_told_apart() -> None:
    high, low = HIGH_GRID.index(LearningRateTooHigh()), LOW_GRID.index(LearningRateTooLow())
    table = confusion(_seen(), high, low)
    assert balanced(table) >= 0.8
    assert table["low", "high"] == table["high", "low"] == 0


@needs_corpus
def test_every_rule_answers_once_for_every_run_and_none_crashes() -> None:
    codes = [rule.code for rule in rules()]
    for run in _report():
        assert list(run.outcomes) == codes
        assert not [each for each in run.outcomes.values() if each.kind == "crashed"]


@needs_corpus
def test_sure_labels_are_named_and_healthy_runs_left_alone() -> None:
    named = []
    for key, entry in json.loads((CORPUS / "labels.json").read_text()).items():
        run = report_of(_report().runs, key)
        for each in entry["labels"]:
            if each["certainty"] != "sure":
                continue
            if each["label"] == "healthy":
                assert run is not None
                assert run.count(Severity.ERROR) == 0
            if each["label"] in ("overfitting", "diverged_nan", "not_learning"):
                named.append(run is not None and bool(NAMES[each["label"]] & codes_of(run)))
    assert len(named) == 5
    assert sum(named) >= 0.8 * len(named)
