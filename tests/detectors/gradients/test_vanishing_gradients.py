"""GRD001 beyond its samples."""

from __future__ import annotations

import numpy as np

from tbdiag.detectors.gradients.vanishing_gradients import VanishingGradients
from tbdiag.model.finding import Confidence, Severity
from tbdiag.model.role import Role
from tbdiag.synth import a_stack, decay, jitter, noisy
from tests.detectors.gradients.cases import LEARNS, POOR, STEPS, STUCK, blocked, found

RULE = VanishingGradients()
ROW = np.ones(len(STEPS))
FADING = np.outer([1e-8, 1e-6, 1e-4, 1e-2], ROW)


def test_norms_that_were_logged_layer_by_layer_are_enough() -> None:
    norms = {f"grad_norm/fc{n}": np.full(40, 10.0 ** (2 * n - 10)) for n in (1, 2, 3, 4)}
    (finding,) = found(RULE, STUCK, extra=norms)
    assert finding.severity is Severity.ERROR
    assert finding.evidence[0].tag == "grad_norm/fc1"


def test_biases_and_norms_do_not_count_as_layers() -> None:
    stack = a_stack("fc{}.bias.grad", FADING, STEPS)
    stack |= a_stack("bn{}.weight.grad", FADING, STEPS)
    assert "were not logged" in (blocked(RULE, STUCK, stack) or "")


def test_layers_are_ordered_by_number_not_by_name() -> None:
    sizes = np.outer(10.0 ** np.arange(-9, 2), ROW)
    stack = a_stack("fc{}.weight.grad", sizes, STEPS)
    (finding,) = found(RULE, STUCK, dict(sorted(stack.items())))
    assert finding.evidence[0].tag == "fc1.weight.grad"
    assert finding.evidence[1].tag == "fc11.weight.grad"
    assert finding.confidence is Confidence.HIGH


def test_an_unknown_order_leaves_only_the_extremes_and_low_confidence() -> None:
    stack = {
        f"{name}.weight.grad": {step: jitter(300, size, step) for step in STEPS}
        for name, size in (("body", 1e-9), ("tail", 1e-2), ("trunk", 1e-5))
    }
    (finding,) = found(RULE, STUCK, stack)
    assert finding.confidence is Confidence.LOW


def test_a_head_that_starts_at_zero_passes_nothing_at_first() -> None:
    sizes = np.full((4, len(STEPS)), 1e-2)
    sizes[:3, 0] = 0
    assert not found(RULE, POOR, a_stack("h{}.weight.grad", sizes, STEPS))


def test_gradients_that_only_vanished_at_first_still_cost_a_slow_run_its_time() -> None:
    sizes = np.full((4, len(STEPS)), 1e-2)
    sizes[:, 0] = [1e-7, 1e-5, 1e-3, 1e-2]
    stack = a_stack("h{}.weight.grad", sizes, STEPS)
    (finding,) = found(RULE, POOR, stack)
    assert finding.severity is Severity.WARNING
    assert not found(RULE, LEARNS, stack)


def test_a_gradient_that_faded_as_drawn_is_a_note_where_much_was_learned_all_the_same() -> None:
    sizes = np.full((4, len(STEPS)), 1e-2)
    sizes[:, 0] = [2e-5, 2e-4, 2e-3, 1e-2]
    fair = {Role.TRAIN_LOSS: noisy(decay(40, 1.0, 0.3), 0.01)}
    (finding,) = found(RULE, fair, a_stack("h{}.weight.grad", sizes, STEPS))
    assert finding.severity is Severity.NOTE
    sizes[2, 0] = 1e-5  # it comes back in between
    assert not found(RULE, fair, a_stack("h{}.weight.grad", sizes, STEPS))
    sizes[:, 0] = [2e-5, 3e-5, 4e-5, 1e-2]  # a head that begins small
    assert not found(RULE, fair, a_stack("h{}.weight.grad", sizes, STEPS))


def test_a_network_whose_last_layer_gets_no_gradient_is_dead_and_not_deep() -> None:
    norms = {f"grad_norm/layer{n}": np.zeros(40) for n in (1, 2, 3, 4)}
    for n, series in enumerate(norms.values()):
        series[:4] = 10.0 ** (2 * n - 7)
    norms["grad_norm/layer3"][:4] = 10.0
    assert not found(RULE, STUCK, extra=norms)


def test_accuracy_tells_what_a_loss_with_little_to_lose_does_not() -> None:
    tuned = {**STUCK, Role.TRAIN_METRIC: np.linspace(0.7, 0.99, 40)}
    assert not found(RULE, tuned, a_stack("h{}.weight.grad", FADING, STEPS))
