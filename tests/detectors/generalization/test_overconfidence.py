"""Overfitting, overconfidence and the epochs after the best: which of them is the cause."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.detectors.generalization.loss_metric_disagreement import LossMetricDisagreement
from tbdiag.detectors.generalization.over_regularized import OverRegularized
from tbdiag.detectors.generalization.overfitting import Overfitting
from tbdiag.detectors.generalization.trained_past_the_best import TrainedPastTheBest
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Finding
from tbdiag.model.role import Role
from tbdiag.model.series import Floats
from tbdiag.synth import a_run, counted, decay, jitter, noisy, u_turn

ALL = Selection(
    detectors=(Overfitting(), TrainedPastTheBest(), LossMetricDisagreement(), OverRegularized())
)
TURNED = {
    Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.05), 0.02),
    Role.VAL_LOSS: noisy(u_turn(60, 2.3, 0.7, 1.6), 0.02, 1),
}


def named(accuracy: Floats, **hparams: int) -> dict[str, Finding]:
    report = examine(a_run({**TURNED, Role.VAL_METRIC: accuracy}, hparams=hparams), ALL)
    return {finding.code: finding for finding in report.findings}


def test_an_accuracy_that_falls_too_is_overfitting_and_wasted_time() -> None:
    falls = 0.5 + 0.4 * np.exp(-(((np.arange(60) - 20) / 40.0) ** 2)) + jitter(60, 0.004)
    found = named(falls)
    assert found.keys() == {"GEN001", "GEN004"}
    assert found["GEN004"].suppressed_by == "GEN001"


def test_an_accuracy_that_holds_leaves_overfitting_the_cause() -> None:
    found = named(0.9 - decay(60, 0.6, 0, 25) + jitter(60, 0.003))
    assert found.keys() == {"GEN001", "GEN005"}
    assert found["GEN005"].suppressed_by == "GEN001"


def test_an_accuracy_that_mends_its_errors_is_no_overfitting() -> None:
    found = named(0.9 - decay(60, 0.6, 0, 3) + jitter(60, 0.003))
    assert found.keys() == {"GEN005"}
    assert found["GEN005"].suppressed_by is None


@pytest.mark.parametrize(("size", "clears"), [(60, False), (10_007, True)])
def test_errors_are_mended_only_beyond_the_sampling_of_the_set(size: int, clears: bool) -> None:
    gains = 0.86 + 0.05 * np.linspace(0, 1, 60) ** 0.5
    found = named(counted(gains + jitter(60, 1e-3), size), val_size=size)
    assert ("GEN001" not in found) is clears
