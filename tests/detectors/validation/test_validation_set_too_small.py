"""VAL001 beyond its samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import ArrayLike

from tbdiag.case import Case
from tbdiag.detectors.validation.validation_set_too_small import (
    ValidationSetTooSmall,
    standard_error,
)
from tbdiag.model.finding import Confidence, Finding, Severity
from tbdiag.model.role import Role
from tbdiag.model.run import Scalar
from tbdiag.model.series import Floats
from tbdiag.synth import a_run, counted, decay, jitter


def climb(end: float, noise: float = 0.02, seed: int = 3) -> Floats:
    return (end - decay(60, end - 0.1, 0.0) + jitter(60, noise, seed)).clip(0, 1)


def found(accuracy: ArrayLike, hparams: Mapping[str, Scalar] | None = None) -> list[Finding]:
    case, rule = Case(a_run({Role.VAL_METRIC: accuracy}, hparams=hparams)), ValidationSetTooSmall()
    assert rule.blocked(case) is None
    return list(rule.check(case))


def measures(finding: Finding) -> dict[str, float]:
    return {each.name: each.value for each in finding.evidence[0].measures}


@pytest.mark.parametrize("size", [25, 40, 60, 99])
def test_the_size_that_was_inferred_is_told(size: int) -> None:
    (finding,) = found(counted(climb(0.95), size))
    assert measures(finding)["validation_samples"] == size
    assert f"counts {size} samples" in finding.message
    assert finding.confidence is Confidence.HIGH


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("size", [500, 600, 797, 2000, 9984])
def test_a_set_of_hundreds_is_left_alone(size: int, seed: int) -> None:
    assert not found(counted(climb(0.96, 0.007, seed), size))


def test_a_bound_is_called_a_bound() -> None:
    rng = np.random.default_rng(1)
    correct = rng.random((60, 66)) < climb(0.9)[:, None]
    batches = [correct[:, start : start + 32].mean(axis=1) for start in range(0, 66, 32)]
    (finding,) = found(np.mean(batches, axis=0).astype(np.float32))
    assert "at most 96 samples" in finding.message
    assert "validation_samples" not in measures(finding)
    assert measures(finding)["validation_samples_at_most"] == 96
    assert finding.confidence is Confidence.MEDIUM


def test_what_is_stated_beats_what_is_inferred() -> None:
    accuracy = counted(climb(0.95), 40)
    assert not found(accuracy, {"val_size": 4000})
    (finding,) = found(accuracy, {"val_size": 80})
    assert measures(finding)["validation_samples"] == 80


def test_a_small_gain_on_a_fair_set_is_a_note() -> None:
    creeping = 0.85 + 0.01 * np.arange(60) / 60 + jitter(60, 0.012, 2)
    (finding,) = found(counted(creeping, 300))
    assert finding.severity is Severity.NOTE
    assert 0 < measures(finding)["last_gain"] < measures(finding)["standard_error"]


def test_a_metric_that_is_no_accuracy_counts_nothing() -> None:
    case = Case(a_run({Role.BALANCED_METRIC: climb(0.9), Role.VAL_METRIC: 200 * climb(0.9)}))
    assert "is no accuracy" in (ValidationSetTooSmall().blocked(case) or "")


def test_what_the_accuracies_do_not_tell_is_said() -> None:
    case = Case(a_run({Role.VAL_METRIC: np.round(climb(0.9), 4)}))
    assert "do not tell it" in (ValidationSetTooSmall().blocked(case) or "")


def test_a_bound_alone_clears_nobody() -> None:
    few = np.resize([0.9, 0.95, 0.9, 1.0, 0.95], 60)
    case, rule = Case(a_run({Role.VAL_METRIC: few})), ValidationSetTooSmall()
    assert rule.blocked(case) is None
    assert not list(rule.check(case))
    reason = rule.undecided(case) or ""
    assert "between 20 and" in reason
    assert "log their number" in reason


def test_the_error_of_a_perfect_score_is_not_zero() -> None:
    assert standard_error(1.0, 40) == pytest.approx(0.024, abs=0.001)
    assert standard_error(0.5, 10_000) == pytest.approx(0.005)
