"""How grave a climb of the validation loss is."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.detectors.generalization.overfitting import Overfitting
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Confidence, Severity
from tbdiag.model.role import Role
from tbdiag.synth import a_run, decay, noisy


@pytest.mark.parametrize(
    ("climb", "severity", "confidence"),
    [
        (0.07, Severity.NOTE, Confidence.MEDIUM),
        (0.2, Severity.WARNING, Confidence.HIGH),
        (3.0, Severity.ERROR, Confidence.HIGH),  # worse than at first
    ],
)
def test_a_climb_of_a_few_per_cent_is_a_note(
    climb: float, severity: Severity, confidence: Confidence
) -> None:
    falls = np.concatenate([decay(20, 2.3, 1.0, 4), np.full(40, decay(20, 2.3, 1.0, 4)[-1])])
    up = np.concatenate([np.ones(20), 1.0 + climb * np.linspace(0.05, 1.0, 40)])
    run = a_run(
        {
            Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.1, 4), 0.005),
            Role.VAL_LOSS: noisy(falls * up, 0.002),
        }
    )
    (found,) = examine(run, Selection(detectors=(Overfitting(),))).findings
    assert (found.severity, found.confidence) == (severity, confidence)
