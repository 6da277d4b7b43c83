"""GRD005 beyond its samples."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.detectors.gradients.update_ratio_off import UpdateRatioOff
from tbdiag.model.role import Role
from tbdiag.model.series import Series
from tbdiag.synth import a_stack, cosine, flat
from tests.detectors.gradients.cases import LEARNS, POOR, STUCK, blocked, found

RULE = UpdateRatioOff()
STEPS = [1, 8, 16, 24, 32, 40]
RATE = {Role.LEARNING_RATE: flat(40, 0.01)}
WEIGHTS = a_stack("weights/layer{}", np.full((3, 6), 0.1), STEPS)


def ratio(values: np.ndarray) -> Series:
    return Series.of("update_ratio", np.arange(1, len(values) + 1), values)


def test_a_logged_ratio_comes_first() -> None:
    (finding,) = found(RULE, {**POOR, **RATE, Role.UPDATE_RATIO: ratio(np.full(40, 0.5))})
    assert finding.evidence[0].tag == "update_ratio"
    assert not found(RULE, {**POOR, **RATE, Role.UPDATE_RATIO: ratio(np.full(40, 1e-3))})
    assert found(RULE, {**POOR, **RATE, Role.UPDATE_RATIO: ratio(np.full(40, 1e-6))})


def test_a_logarithm_is_no_ratio() -> None:
    assert blocked(RULE, {**POOR, **RATE, Role.UPDATE_RATIO: ratio(np.full(40, -3.0))})


def test_the_end_of_a_decay_and_a_warm_up_do_not_count() -> None:
    rate = np.concatenate([np.linspace(0, 1, 8), cosine(32, 1.0)])
    curve = {**POOR, Role.LEARNING_RATE: 0.01 * rate, Role.UPDATE_RATIO: ratio(1e-3 * rate**4)}
    assert not found(RULE, curve)


def test_a_converged_run_may_take_short_steps() -> None:
    assert not found(RULE, {**LEARNS, **RATE, Role.UPDATE_RATIO: ratio(np.full(40, 1e-6))})


@pytest.mark.parametrize("missing", ["optimizer", "rate", "gradients"])
def test_it_takes_rate_and_optimizer_to_infer_a_ratio(missing: str) -> None:
    curves = STUCK if missing == "rate" else {**STUCK, **RATE}
    stack = a_stack("gradients/layer{}", np.full((3, 6), 1e-6), STEPS)
    histograms = WEIGHTS if missing == "gradients" else {**WEIGHTS, **stack}
    hparams = {} if missing == "optimizer" else {"optimizer": "sgd"}
    assert "were logged" in (blocked(RULE, curves, histograms, hparams) or "")


def test_the_optimizer_may_be_a_path() -> None:
    stack = a_stack("gradients/layer{}", np.full((3, 6), 1e-6), STEPS)
    assert found(RULE, {**STUCK, **RATE}, {**WEIGHTS, **stack}, {"optimizer": "torch.optim.SGD"})
