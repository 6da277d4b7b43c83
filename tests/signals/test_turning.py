"""Where a curve turned, what came round, and what a mean over an epoch stands for."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.model.role import Better
from tbdiag.model.series import Series
from tbdiag.signals.epochs import (
    come_round,
    evenly_spaced,
    half_an_interval_earlier,
    steps_per_epoch,
)
from tbdiag.signals.noise import roughness
from tbdiag.signals.turning import gained_since, turn
from tbdiag.synth import decay, jitter, noisy, u_turn


def test_a_turn_is_where_it_was_drawn_in_either_direction() -> None:
    loss = Series.of("loss", 10 * np.arange(60), noisy(u_turn(60, 2.3, 0.7, 1.3), 0.01))
    down = turn(loss)
    up = turn(loss.with_values(-loss.values), Better.HIGHER)
    assert 150 <= down.step <= 260
    assert (down.step, down.worse, down.since) == (up.step, pytest.approx(up.worse), up.since)
    assert down.value == pytest.approx(-up.value)
    assert down.since.tau > 0.8
    assert down.worse == pytest.approx(0.6, abs=0.1)


def test_what_was_gained_since_a_step() -> None:
    accuracy = Series.of("acc", np.arange(60), 0.9 - decay(60, 0.6, 0, 3))
    gain, trend = gained_since(accuracy, 20, Better.HIGHER)
    assert gain == pytest.approx(accuracy.values[-3] - accuracy.values[21], abs=0.01)
    assert trend.tau == pytest.approx(1)
    assert gained_since(accuracy, 20, Better.LOWER)[0] == pytest.approx(-gain)


def test_epochs_are_counted_in_steps() -> None:
    assert steps_per_epoch(Series.of("epoch", [16, 32, 48], [1, 2, 3])) == 16
    assert steps_per_epoch(Series.of("epoch", [10, 20, 30], [0.5, 1.0, 1.5])) == 20
    assert steps_per_epoch(Series.of("epoch", [1, 2], [3, 3])) is None


def test_what_comes_round_stands_at_one_place() -> None:
    assert come_round(np.array([59, 120, 181, 240]), 60)
    assert not come_round(np.array([59, 90, 201, 222]), 60)
    assert not come_round(np.array([59, 119]), 60)
    assert evenly_spaced(np.array([50, 110, 170, 290]))
    assert not evenly_spaced(np.array([50, 110, 190, 290]))
    assert not evenly_spaced(np.array([50, 110, 170]))


def test_means_are_moved_to_the_ends_of_their_intervals() -> None:
    line = np.arange(100, 0, -1.0)
    means = line.reshape(10, 10).mean(axis=1)
    assert half_an_interval_earlier(means) == pytest.approx(line[9::10], abs=0.6)
    assert half_an_interval_earlier(means[:1]) == pytest.approx(means[:1])


def test_one_leap_does_not_make_a_curve_smooth() -> None:
    values = jitter(300, 0.1)
    values[150:154] += (20, 12, 6, 2)
    assert roughness(values) > -0.15
    assert roughness(values, clip=4) < -0.25
