"""What the rules say of runs that people labelled: few false alarms, and the sure faults named."""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks.diagnosis import corpus, rates
from benchmarks.diagnosis.corpus import CORPUS, NAMES, codes_of, report_of
from benchmarks.sweep import FOLDER
from tbdiag.detectors.optimization.learning_rate_too_high import LearningRateTooHigh
from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow
from tbdiag.detectors.registry import rules
from tbdiag.model.finding import Severity
from tbdiag.model.report import Report

needs_sweep = pytest.mark.skipif(not FOLDER.exists(), reason=f"{FOLDER} is absent")
needs_corpus = pytest.mark.skipif(not CORPUS.exists(), reason=f"{CORPUS} is absent")


@cache
def _seen() -> rates.Runs:
    return rates.look()


@cache
def _report() -> Report:
    return corpus.scan()


@needs_sweep
def test_healthy_rates_get_few_alarms() -> None:
    fine = _seen().labels == "ok"
    assert _seen().error[fine].mean() <= 0.02
    assert _seen().rate_warning[fine].mean() <= 0.10


@needs_sweep
def test_rates_too_high_and_too_low_are_told_apart() -> None:
    called = _seen().called(LearningRateTooHigh(), LearningRateTooLow())
    table = rates.confusion(_seen().labels, called)
    assert rates.balanced(table) >= 0.8
    assert table["low", "high"] == table["high", "low"] == 0


@needs_sweep
@pytest.mark.slow
def test_thresholds_chosen_on_other_problems_do_as_well_as_a_forest() -> None:
    found = rates.held_out(_seen())
    rules_, forest = (rates.pooled(_seen(), calls) for calls in (found.rules, found.forest))
    assert rules_ >= 0.77
    assert rules_ >= forest


@needs_corpus
def test_every_rule_answers_once_for_every_run_and_none_crashes() -> None:
    codes = [rule.code for rule in rules()]
    for run in _report():
        assert list(run.outcomes) == codes
        assert not [each for each in run.outcomes.values() if each.kind == "crashed"]


@needs_corpus
def test_sure_labels_are_named_and_healthy_runs_left_alone() -> None:
    named = []
    for key, entry in corpus.labels().items():
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
