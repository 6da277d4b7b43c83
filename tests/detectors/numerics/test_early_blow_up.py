"""NUM002 beyond its samples."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.numerics.early_blow_up import EarlyBlowUp
from tbdiag.model.finding import Finding
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.synth import a_run, decay, flat, jitter, noisy


def found(run: Run, **thresholds: float) -> list[Finding]:
    return list(EarlyBlowUp(**thresholds).check(Case(run)))


def blocked(run: Run) -> str | None:
    return EarlyBlowUp().blocked(Case(run))


def blown(at: int, level: float, n: int = 300) -> np.ndarray:
    return np.concatenate([noisy(flat(at, 2.4), 0.03), noisy(flat(n - at, level), 0.1, 1)])


def test_onset_is_the_first_batch_beyond_the_limit() -> None:
    values = blown(30, 2.4)
    values[30:] = [5, 9, 20, *noisy(flat(267, 100), 0.05)]
    (finding,) = found(a_run({Role.BATCH_LOSS: values}, every=10))
    measures = {each.name: each.value for each in finding.evidence[0].measures}
    assert measures["onset_step"] == 320
    assert finding.evidence[0].span == (320, 3000)


@pytest.mark.parametrize(("level", "fires"), [(5, False), (9, True)])
def test_three_times_the_opening_is_the_limit(level: float, fires: bool) -> None:
    assert bool(found(a_run({Role.BATCH_LOSS: blown(30, level)}))) is fires


@pytest.mark.parametrize(("first", "fires"), [(0.5, False), (0.05, True)])
def test_against_a_single_first_batch_only_a_tenfold_leap_counts(first: float, fires: bool) -> None:
    values = np.concatenate([[first], noisy(flat(299, 2.4), 0.05)])
    assert bool(found(a_run({Role.BATCH_LOSS: values}))) is fires


def test_a_blow_up_after_the_start_is_not_early() -> None:
    assert not found(a_run({Role.BATCH_LOSS: blown(250, 60, 400)}))
    assert found(a_run({Role.BATCH_LOSS: blown(250, 60, 400)}), window=300)


def test_whether_it_came_back_is_judged_at_the_end() -> None:
    values = np.concatenate([blown(30, 60, 600), noisy(decay(400, 60, 0.5), 0.1, 2)])
    assert not found(a_run({Role.BATCH_LOSS: values}))
    assert found(a_run({Role.BATCH_LOSS: values[:600]}))


def test_a_blow_up_that_only_comes_back_to_its_start_has_not_recovered() -> None:
    values = noisy(flat(300, 2.3), 0.02)
    values[5:60] *= 300
    assert found(a_run({Role.BATCH_LOSS: values}))


def test_a_spike_that_is_still_fresh_is_no_blow_up_yet() -> None:
    values = noisy(flat(60, 2.3), 0.02)
    values[55] = 30
    assert not found(a_run({Role.BATCH_LOSS: values}))


def test_the_limit_can_be_set() -> None:
    run = a_run({Role.BATCH_LOSS: blown(30, 60)})
    assert found(run)
    assert not found(run, times=40, leap=40)


@pytest.mark.parametrize("size", [0.1, 0.3, 0.6, 1.0, 1.5])
def test_noise_of_any_size_is_no_blow_up(size: float) -> None:
    for seed in range(40):
        length = (25, 80, 300, 1500)[seed % 4]
        run = a_run({Role.BATCH_LOSS: noisy(decay(length, 1, 0.8), size, seed)})
        assert not found(run), f"seed {seed}"


def test_a_loss_per_epoch_is_not_enough() -> None:
    loss = flat(60, 2.3)
    reason = blocked(a_run({Role.TRAIN_LOSS: loss, Role.VAL_LOSS: loss}))
    assert reason is not None
    assert "per epoch" in reason


def test_a_handful_of_batches_is_not_enough() -> None:
    assert blocked(a_run({Role.BATCH_LOSS: flat(19, 2.3)})) is not None


def test_a_training_loss_stands_in_for_a_short_loss_per_batch() -> None:
    curves = {Role.BATCH_LOSS: flat(5, 2.3), Role.TRAIN_LOSS: blown(30, 60)}
    assert blocked(a_run(curves)) is None
    (finding,) = found(a_run(curves))
    assert finding.evidence[0].tag == "loss/train"


@pytest.mark.parametrize("values", [flat(60, 0), decay(60, 3, -2), jitter(60, 1)])
def test_a_multiple_of_nothing_means_nothing(values: np.ndarray) -> None:
    reason = blocked(a_run({Role.BATCH_LOSS: values}))
    assert reason is not None
    assert "zero" in reason


def test_a_counter_in_place_of_the_loss_is_not_judged() -> None:
    counter = np.tile(np.arange(1.0, 149.0), 10)
    reason = blocked(a_run({Role.BATCH_LOSS: counter}))
    assert reason is not None
    assert "evenly" in reason


def test_smooth_exponential_growth_is_no_running_sum() -> None:
    run = a_run({Role.BATCH_LOSS: 2.3 * 1.3 ** np.arange(60)})
    assert blocked(run) is None
    assert found(run)
