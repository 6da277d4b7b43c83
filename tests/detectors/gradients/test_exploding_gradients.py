"""GRD002 beyond its samples."""

from __future__ import annotations

import numpy as np

from tbdiag.detectors.gradients.exploding_gradients import ExplodingGradients
from tbdiag.model.finding import Severity
from tbdiag.model.role import Role
from tbdiag.synth import a_stack, flat, noisy
from tests.detectors.gradients.cases import LEARNS, POOR, STEPS, STUCK, blocked, found

RULE = ExplodingGradients()
RISES = noisy(np.geomspace(1, 80, 200), 0.3)


def test_without_norms_or_gradients_it_cannot_tell() -> None:
    assert "norm of the gradient" in (blocked(RULE, POOR) or "")


def test_a_lost_run_makes_it_an_error() -> None:
    (finding,) = found(RULE, {**STUCK, Role.GRAD_NORM: RISES})
    assert finding.severity is Severity.ERROR


def test_the_scale_of_the_loss_does_not_matter() -> None:
    assert found(RULE, {**POOR, Role.GRAD_NORM: 65536 * RISES})
    assert not found(RULE, {**POOR, Role.GRAD_NORM: 65536 * noisy(flat(200, 1.0), 0.3)})


def test_histograms_of_gradients_make_up_the_norm() -> None:
    growing = np.outer([1, 1, 1], np.geomspace(1e-3, 1, 5))
    (finding,) = found(RULE, POOR, a_stack("gradients/layer{}", growing, STEPS))
    assert "grew" in finding.message
    assert not found(RULE, LEARNS, a_stack("gradients/layer{}", growing, STEPS))


def test_a_vocabulary_makes_a_last_layer_small_by_mean_square_alone() -> None:
    stack = a_stack("h{}.weight.grad", np.full((3, 5), 1.0), STEPS, numbers=100)
    stack |= {"decoder.weight.grad": {s: np.append(np.ones(100), np.zeros(10**6)) for s in STEPS}}
    assert not found(RULE, POOR, stack)


def test_a_loss_that_lost_its_fall_again_counts_as_poor() -> None:
    back = {Role.TRAIN_LOSS: np.concatenate([np.linspace(2.3, 0.1, 20), np.linspace(0.1, 0.9, 20)])}
    assert found(RULE, {**back, Role.GRAD_NORM: RISES})
