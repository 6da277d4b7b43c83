"""INI003 beyond its samples."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.detectors.initialization.badly_scaled_weights import BadlyScaledWeights
from tbdiag.model.finding import Severity
from tbdiag.model.role import Role
from tbdiag.synth import a_stack, decay, jitter, noisy
from tests.detectors.gradients.cases import LEARNS, POOR, STUCK, blocked, found

RULE = BadlyScaledWeights()
AT = [0, 20, 40]


def network(
    scale: float, *, change: float = 1.0, layers: int = 4, inputs: int = 64, biases: bool = True
) -> dict[str, dict[int, np.ndarray]]:
    """Layers of 16 units whose activations change by ``change`` a layer."""
    table = np.full((layers, len(AT)), scale)
    sizes = np.outer(change ** np.arange(layers - 1), np.ones(len(AT)))
    return {
        **a_stack("weights/layer{}", table, AT, numbers=16 * inputs),
        **(a_stack("biases/layer{}", 0 * table, AT, numbers=16) if biases else {}),
        **a_stack("activations/layer{}", sizes, AT),
    }


@pytest.mark.parametrize("inputs", [16, 64, 1024])
def test_the_number_of_inputs_is_told_by_the_biases(inputs: int) -> None:
    he = float(np.sqrt(2 / inputs))
    assert not found(RULE, POOR, network(he, change=30, inputs=inputs))
    (finding,) = found(RULE, POOR, network(4 * he, change=30, inputs=inputs))
    assert finding.evidence[0].measures[0].value == pytest.approx(5.66, rel=0.1)


def test_without_biases_only_what_no_number_of_inputs_explains_is_told() -> None:
    assert not found(RULE, POOR, network(0.8, change=6, biases=False))
    (finding,) = found(RULE, POOR, network(2.0, change=6, biases=False))
    assert "any number of inputs" in finding.message
    assert not found(RULE, POOR, network(2.0, change=1, biases=False))


def test_normalised_networks_are_left_alone() -> None:
    named = {**network(0.8, change=6), "bn1.weight": {step: jitter(16, 1) for step in AT}}
    unnamed = {**network(0.8, change=6), "net.1.weight": {step: np.ones(16) for step in AT}}
    assert "normalisation" in (blocked(RULE, POOR, named) or "")
    assert "normalisation" in (blocked(RULE, POOR, unnamed) or "")


def test_small_weights_that_learned_all_the_same_did_no_harm() -> None:
    assert found(RULE, POOR, network(0.01, change=0.05))
    assert not found(RULE, LEARNS, network(0.01, change=0.05))


def test_a_lost_run_makes_it_an_error_and_weaker_signs_enough() -> None:
    (finding,) = found(RULE, STUCK, network(0.05, change=0.1))
    assert finding.severity is Severity.ERROR
    assert not found(RULE, POOR, network(0.05, change=0.1))


def test_saturated_units_are_told_by_their_own_rule() -> None:
    stack = network(2.0, layers=2)
    stack["activations/layer1"] = {step: np.tanh(jitter(600, 20.0, step)) for step in AT}
    assert not found(RULE, POOR, stack)
    assert found(RULE, POOR, network(2.0, layers=2))


def uneven(*scales: float) -> dict[str, dict[int, np.ndarray]]:
    """Layers of 16 units with 64 inputs each, and of such sizes; no activations."""
    table = np.outer(scales, np.ones(len(AT)))
    return {
        **a_stack("weights/layer{}", table, AT, numbers=1024),
        **a_stack("biases/layer{}", 0 * table, AT, numbers=16),
    }


def test_layers_that_differ_as_no_rule_draws_them_need_no_further_proof() -> None:
    fair = {Role.TRAIN_LOSS: noisy(decay(40, 1.0, 0.2), 0.01)}
    (finding,) = found(RULE, fair, uneven(0.9, 0.2, 0.05, 0.1))
    assert finding.severity is Severity.NOTE
    assert not found(RULE, fair, uneven(0.4, 0.2, 0.05, 0.1))  # eightfold, not more than tenfold
    assert not found(RULE, LEARNS, uneven(0.9, 0.2, 0.05, 0.1))


def test_the_last_layer_is_left_out_though_a_first_step_may_have_made_it() -> None:
    rate = {
        Role.LEARNING_RATE: np.full(40, 0.01),
        Role.TRAIN_LOSS: noisy(decay(40, 1.0, 0.2), 0.01),
    }
    assert found(RULE, rate, uneven(0.9, 0.2, 0.05, 0.01))
    assert not found(RULE, rate, uneven(0.9, 0.2, 0.02, 0.01))  # nor what that step may have made


@pytest.mark.parametrize(("scale", "fires"), [(0.5, 1), (0.2, 0)])
def test_bounded_units_cannot_show_that_all_weights_are_huge(scale: float, fires: int) -> None:
    bounded = {
        f"activations/layer{n}": {step: np.tanh(jitter(300, 2.0, n)) for step in AT}
        for n in (1, 2, 3)
    }
    assert len(found(RULE, POOR, {**uneven(*4 * [scale]), **bounded})) == fires


def test_norms_take_out_a_scale_but_not_what_it_slows() -> None:
    norms = {"bn1.weight": {step: np.ones(16) for step in AT}}
    (finding,) = found(RULE, POOR, {**uneven(2.0, 0.15, 0.1, 0.1), **norms})
    assert finding.severity is Severity.NOTE
    assert "learn" in finding.message
    # large in all layers alike, which norms make good, and in a run that lost nothing
    assert blocked(RULE, POOR, {**uneven(2.0, 1.9, 2.1, 2.0), **norms})
    assert blocked(RULE, LEARNS, {**uneven(2.0, 0.15, 0.1, 0.1), **norms})
