"""GRD003 beyond its samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.gradients.dead_units import DeadUnits
from tbdiag.model.finding import Severity
from tbdiag.model.histogram import Histogram, Histograms
from tbdiag.model.role import Role
from tbdiag.synth import a_run, jitter, rectified
from tests.detectors.gradients.cases import LEARNS, POOR, STEPS, STUCK, blocked, found

RULE = DeadUnits()
DYING = rectified([0.5, 0.8, 0.93, 0.95, 0.96], STEPS)


def sparse(share: float, seed: int) -> np.ndarray:
    """Gradients of which a share is exactly zero, the others far from it."""
    values = np.sign(jitter(1000, 1.0, seed)) * (1 + abs(jitter(1000, 1.0, seed)))
    values[: round(1000 * share)] = 0
    return values


def test_units_with_negative_values_are_not_rectified() -> None:
    leaky = {step: np.where(values > 0, values, -1e-3) for step, values in DYING.items()}
    assert blocked(RULE, POOR, {"activations/layer1": leaky})


def test_a_layer_that_gives_nothing_at_all_is_told_though_the_run_learns() -> None:
    (finding,) = found(RULE, LEARNS, {"relu1": rectified([0.5, 1, 1, 1, 1], STEPS)})
    assert finding.severity is Severity.WARNING


def test_a_dead_layer_as_tensorflow_writes_it() -> None:
    zero = Histogram(np.array([-0.5, 0.5]), np.array([640.0]), -0.5, 0.5, 0.0, 0.0)
    tensor = Histograms("relu1", np.array(STEPS), (zero,) * len(STEPS))
    case = Case(replace(a_run(STUCK), histograms={"relu1": tensor}))
    assert RULE.blocked(case) is None
    assert list(RULE.check(case))


def test_a_lost_run_makes_it_an_error() -> None:
    (finding,) = found(RULE, STUCK, {"relu1": DYING})
    assert finding.severity is Severity.ERROR


def test_zeros_of_gradients_count_where_buckets_tell_them_apart() -> None:
    growing = {
        step: np.append(sparse(share, step), 1e5)
        for step, share in zip(STEPS, [0.1, 0.5, 0.8, 0.9, 0.9], strict=True)
    }
    # One far value makes the bucket of zero wide: small and zero look alike.
    assert blocked(RULE, POOR, {"fc1.weight.grad": growing})


def test_pixels_that_are_always_black_do_not_grow() -> None:
    activations = {"activations/layer2": rectified([0.5] * 5, STEPS)}
    black = {"conv1/sparsity": np.full(40, 0.95)}
    assert not found(RULE, POOR, activations, extra=black)


def test_a_percentage_is_no_share() -> None:
    assert blocked(RULE, POOR, extra={"conv1/sparsity": np.linspace(50, 99, 40)})


def test_accuracy_that_never_rose_tells_of_a_run_that_is_lost() -> None:
    exploded = {
        Role.TRAIN_LOSS: np.concatenate([[500.0], np.full(39, 2.3)]),
        Role.TRAIN_METRIC: np.full(40, 0.1),
    }
    (finding,) = found(RULE, exploded, {"relu1": DYING})
    assert finding.severity is Severity.ERROR
