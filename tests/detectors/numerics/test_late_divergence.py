"""NUM003 beyond its samples."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.numerics.late_divergence import LateDivergence
from tbdiag.model.finding import Finding
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.synth import a_run, cosine, decay, flat, noisy, u_turn


def found(run: Run, **thresholds: float) -> list[Finding]:
    return list(LateDivergence(**thresholds).check(Case(run)))


def stepped(n: int, at: int, low: float, high: float) -> np.ndarray:
    return noisy(np.concatenate([decay(at, 2.3, low), flat(n - at, high)]), 0.02)


def measures(finding: Finding) -> dict[str, float]:
    return {each.name: each.value for each in finding.evidence[0].measures}


def test_best_and_onset_are_steps_of_the_curve() -> None:
    (finding,) = found(a_run({Role.TRAIN_LOSS: stepped(100, 60, 0.2, 1.5)}, every=10))
    told = measures(finding)
    assert 400 <= told["best_step"] <= 600
    assert told["onset_step"] == 610
    assert told["best_value"] == pytest.approx(0.2, rel=0.1)
    assert finding.evidence[0].span == (told["best_step"], 1000)


@pytest.mark.parametrize("n", [20, 21, 39, 40, 119, 241, 5000])
def test_any_length_is_cut_into_windows(n: int) -> None:
    loss = stepped(n, n // 2, 0.2, 1.5)
    assert found(a_run({Role.TRAIN_LOSS: loss}))
    assert not found(a_run({Role.TRAIN_LOSS: loss[: n // 2]}))


@pytest.mark.parametrize(("level", "fires"), [(0.55, False), (0.9, True)])
def test_a_climb_below_a_fifth_is_no_divergence(level: float, fires: bool) -> None:
    assert bool(found(a_run({Role.TRAIN_LOSS: stepped(100, 60, 0.5, level)}))) is fires


def test_the_last_windows_all_count() -> None:
    late = stepped(100, 94, 0.2, 2)
    assert not found(a_run({Role.TRAIN_LOSS: late}))
    assert found(a_run({Role.TRAIN_LOSS: late}), last=1)


def test_a_climb_that_is_half_way_down_again_is_recovering() -> None:
    loss = np.concatenate([decay(50, 2.3, 0.2), decay(50, 2, 0.7, 3.0)])
    assert not found(a_run({Role.TRAIN_LOSS: loss}))
    assert found(a_run({Role.TRAIN_LOSS: loss}), kept=0.2)


def test_a_tiny_part_of_the_fall_is_no_divergence() -> None:
    loss = np.concatenate([decay(60, 2.3, 1e-5, 14), flat(40, 1e-3)])
    assert not found(a_run({Role.TRAIN_LOSS: loss}))
    assert found(a_run({Role.TRAIN_LOSS: loss}), regained=0)


def test_a_loss_that_never_fell_has_nothing_to_lose() -> None:
    assert not found(a_run({Role.TRAIN_LOSS: noisy(np.linspace(0.2, 0.9, 60), 0.05)}))


def test_a_constant_loss_is_silent() -> None:
    assert not found(a_run({Role.TRAIN_LOSS: flat(60, 0)}))


def test_a_loss_through_zero_is_judged_by_its_fall() -> None:
    loss = u_turn(100, 3, -1, 1.5, 0.4)
    assert found(a_run({Role.TRAIN_LOSS: loss}))
    assert found(a_run({Role.TRAIN_LOSS: loss - loss.min()}))


def test_a_restarted_rate_excuses_a_climb_up_to_the_first_loss_only() -> None:
    rate = np.concatenate([cosine(60, 0.1, 1e-4), cosine(80, 0.1, 1e-4)[:40]])
    mild, wild = stepped(100, 60, 0.2, 0.8), stepped(100, 60, 0.2, 40)
    assert not found(a_run({Role.TRAIN_LOSS: mild, Role.LEARNING_RATE: rate}))
    assert found(a_run({Role.TRAIN_LOSS: wild, Role.LEARNING_RATE: rate}))


def test_a_warm_up_that_goes_too_far_is_no_restart() -> None:
    rate = np.minimum(np.arange(1, 101) / 70, 1)
    assert found(a_run({Role.TRAIN_LOSS: stepped(100, 60, 0.2, 1.5), Role.LEARNING_RATE: rate}))


def test_a_rate_logged_once_excuses_nothing() -> None:
    curves = {Role.TRAIN_LOSS: stepped(100, 60, 0.2, 1.5), Role.LEARNING_RATE: flat(1, 0.1)}
    assert found(a_run(curves))


def test_a_validation_loss_at_its_best_says_that_the_data_changed() -> None:
    loss = stepped(100, 60, 0.2, 1.5)
    held, lost = decay(100, 2.3, 0.4), stepped(100, 60, 0.4, 1.6)
    assert not found(a_run({Role.TRAIN_LOSS: loss, Role.VAL_LOSS: held}))
    assert found(a_run({Role.TRAIN_LOSS: loss, Role.VAL_LOSS: lost}))


def test_two_evaluations_say_nothing() -> None:
    loss = stepped(100, 60, 0.2, 1.5)
    assert found(a_run({Role.TRAIN_LOSS: loss, Role.VAL_LOSS: flat(2, 0.5)}))


@pytest.mark.parametrize("size", [0.02, 0.1, 0.3, 0.6])
def test_noise_alone_is_no_divergence(size: float) -> None:
    for seed in range(40):
        length, floor = (20, 45, 100, 600)[seed % 4], (2.0, 0.5, 1e-3)[seed % 3]
        assert not found(a_run({Role.TRAIN_LOSS: noisy(decay(length, 2.3, floor), size, seed)}))
