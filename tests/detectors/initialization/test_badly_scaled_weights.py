"""INI003 beyond its samples."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.detectors.initialization.badly_scaled_weights import BadlyScaledWeights
from tbdiag.model.finding import Severity
from tbdiag.synth import a_stack, jitter
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
