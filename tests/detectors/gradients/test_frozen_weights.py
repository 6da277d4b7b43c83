"""GRD006 beyond its samples."""

from __future__ import annotations

import numpy as np

from tbdiag.detectors.gradients.frozen_weights import FrozenWeights
from tbdiag.model.finding import Confidence, Severity
from tbdiag.model.role import Role
from tbdiag.synth import flat, jitter
from tests.detectors.gradients.cases import LEARNS, POOR, STEPS, STUCK, blocked, found

RULE = FrozenWeights()
FIXED = {step: jitter(600, 0.1) for step in STEPS}
MOVING = {step: jitter(600, 0.1) * (1 + step / 100) for step in STEPS}
ZERO = {step: np.zeros(16) for step in STEPS}


def test_one_or_two_records_are_not_enough() -> None:
    short = {step: FIXED[step] for step in STEPS[:2]}
    assert "3 steps" in (blocked(RULE, STUCK, {"fc1.weight": short}) or "")


def test_the_least_movement_counts() -> None:
    hardly = {step: values + 1e-12 * step for step, values in FIXED.items()}
    assert not found(RULE, STUCK, {"fc1.weight": hardly})


def test_weights_that_stand_still_while_the_loss_falls_are_not_the_ones_trained() -> None:
    assert not found(RULE, LEARNS, {"fc1.weight": FIXED})
    (finding,) = found(RULE, POOR, {"fc1.weight": FIXED})
    assert finding.severity is Severity.WARNING


def test_random_frozen_layers_are_told_where_biases_prove_it() -> None:
    (finding,) = found(
        RULE,
        POOR,
        {"fc1.weight": FIXED, "fc1.bias": ZERO, "fc2.weight": FIXED, "head.weight": MOVING},
    )
    assert [each.tag for each in finding.evidence] == ["fc1.weight"]
    assert finding.confidence is Confidence.MEDIUM
    (finding,) = found(RULE, POOR, {"fc1.weight": FIXED, "head.weight": MOVING})
    assert finding.severity is Severity.NOTE
    assert "no settings" in finding.message
    (finding,) = found(RULE, LEARNS, {"fc1.weight": FIXED, "fc1.bias": ZERO, "head.weight": MOVING})
    assert finding.severity is Severity.NOTE


def test_layers_of_the_size_that_pytorch_draws_were_never_trained() -> None:
    drawn = np.random.default_rng(1).uniform(-1 / 3, 1 / 3, 60)
    fixed = {"conv.weight": dict.fromkeys(STEPS, drawn[:54]), "head.weight": MOVING}
    (finding,) = found(RULE, POOR, {**fixed, "conv.bias": dict.fromkeys(STEPS, drawn[54:])})
    assert finding.severity is Severity.WARNING
    trained = {"conv.weight": dict.fromkeys(STEPS, 1.6 * drawn[:54]), "head.weight": MOVING}
    assert not found(RULE, POOR, {**trained, "conv.bias": dict.fromkeys(STEPS, drawn[54:])})


def test_adapters_freeze_the_rest_on_purpose() -> None:
    lora = {"q.weight": FIXED, "q.bias": ZERO, "q.lora_A.weight": MOVING, "v.weight": MOVING}
    assert not found(RULE, STUCK, lora)


def test_a_rate_of_zero_explains_it() -> None:
    assert not found(RULE, {**STUCK, Role.LEARNING_RATE: flat(40, 0.0)}, {"fc1.weight": FIXED})
    assert found(RULE, {**STUCK, Role.LEARNING_RATE: flat(40, 1e-3)}, {"fc1.weight": FIXED})
