"""GRD004 beyond its samples."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.detectors.gradients.saturated_activations import SaturatedActivations
from tbdiag.model.finding import Confidence
from tbdiag.synth import jitter
from tests.detectors.gradients.cases import POOR, STEPS, blocked, found

RULE = SaturatedActivations()
WIDE = {step: np.tanh(jitter(2000, 20.0, step)) for step in STEPS}


def test_what_the_hyperparameters_say_counts() -> None:
    (finding,) = found(RULE, POOR, {"activations/layer1": WIDE}, {"activation": "tanh"})
    assert finding.confidence is Confidence.HIGH
    (finding,) = found(RULE, POOR, {"activations/layer1": WIDE})
    assert finding.confidence is Confidence.MEDIUM
    assert blocked(RULE, POOR, {"activations/layer1": WIDE}, {"activation": "relu"})


@pytest.mark.parametrize("bins", [30, 40, 100])
def test_wide_buckets_do_not_hide_it(bins: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from tbdiag import synth

    plain = synth.a_histogram
    monkeypatch.setattr(synth, "a_histogram", lambda values: plain(values, bins))
    assert found(RULE, POOR, {"activations/layer1": WIDE})
    calm = {step: np.tanh(jitter(2000, 1.0, step)) for step in STEPS}
    assert not found(RULE, POOR, {"activations/layer1": calm})


def test_values_beyond_one_are_of_other_units() -> None:
    other = {step: values * 1.5 for step, values in WIDE.items()}
    assert blocked(RULE, POOR, {"activations/layer1": other})
