"""Spikes are found by the points before them, and told apart by what comes after."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.model.series import Floats
from tbdiag.signals.spikes import bumps, spikes
from tbdiag.synth import decay, flat, noisy


def calm(n: int = 600, seed: int = 0) -> Floats:
    return noisy(decay(n, 2.3, 0.5), 0.05, seed)


def by_hand(values: Floats, window: int, deviations: float, rise: float) -> list[int]:
    """The filter as its definition reads, point by point, with a reference for each."""
    logs, found = np.log(values), []
    for i in range(window, len(logs)):
        before = logs[i - window : i]
        middle = np.median(before)
        scale = 1.4826 * np.median(np.abs(before - middle))
        if logs[i] - middle > max(deviations * scale, np.log(rise)):
            found.append(i)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_single_leaps_are_those_of_the_definition(seed: int) -> None:
    values = calm(seed=seed)
    values[[100, 333, 480]] *= 8
    expected = by_hand(values, 50, 10, 1.1)
    assert [each.at for each in spikes(values)] == expected == [100, 333, 480]


def test_a_spike_is_one_until_it_is_over() -> None:
    values = calm()
    values[300:310] *= np.linspace(6, 2, 10)
    (found,) = spikes(values)
    assert (found.at, found.peak) == (300, 300)
    assert found.height == pytest.approx(6, rel=0.3)
    assert found.back is not None
    assert 308 <= found.back <= 312


def test_what_never_comes_back_says_so() -> None:
    values = calm()
    values[400:] *= 3
    (found,) = spikes(values)
    assert (found.at, found.back) == (400, None)


@pytest.mark.parametrize(
    "values",
    [
        flat(300, 1.0),
        calm(),
        noisy(flat(2000, 1.0), 0.8, 3),
        calm(40),
        1 / calm(),  # rises by and by
        np.where(np.arange(600) == 300, 0.01, calm()),  # a leap downwards
    ],
)
def test_no_spike_without_a_leap(values: Floats) -> None:
    assert spikes(values) == ()


def test_a_leap_out_of_a_constant_is_one() -> None:
    values = flat(300, 2.0)
    values[200] = 3
    assert [each.at for each in spikes(values)] == [200]


def test_a_low_bump_that_lasts_shows_in_means_only() -> None:
    values = noisy(flat(1200, 1.0), 0.3, 2)
    values[800:880] *= 4
    assert not spikes(values)
    (found,) = bumps(values, 8)
    assert 792 <= found.at <= 808
    assert found.back is not None
    assert 872 <= found.back <= 896


def test_long_curves_are_searched_as_well() -> None:
    values = np.tile(calm(1000), 150)  # leaps up again at each of the seams
    assert len(spikes(values, rise=1.5)) == 149
