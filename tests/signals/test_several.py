"""Signals about several runs: ranks, levels, searched ranges, repeats, agreement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from tbdiag.model.series import Series
from tbdiag.signals.agreement import agreement
from tbdiag.signals.level import level
from tbdiag.signals.ranks import ranks, spearman
from tbdiag.signals.repeats import Noise, pooled, standard_error
from tbdiag.signals.searched import searched


def a_series(values: list[float] | np.ndarray, tag: str = "loss/val", start: float = 0.0) -> Series:
    steps = np.arange(1, len(values) + 1)
    return Series.of(tag, steps, values, start + steps)


@given(st.lists(st.integers(-5, 5), min_size=4, max_size=30), st.randoms())
def test_rank_correlation_is_scipys(values: list[int], random: object) -> None:
    other = list(values)
    random.shuffle(other)  # type: ignore[attr-defined]
    if len(set(values)) < 2:
        return
    x, y = np.array(values, float), np.array(other, float)
    mine, theirs = spearman(x, y), spearmanr(x, y)
    assert mine.rho == pytest.approx(theirs.statistic, abs=1e-9)
    assert mine.p == pytest.approx(theirs.pvalue, abs=0.03)
    assert mine.low <= mine.rho <= mine.high


def test_the_interval_covers_what_it_says() -> None:
    rng, hits = np.random.default_rng(0), 0
    true = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's rho of a normal pair with Pearson's 0.6
    for _ in range(400):
        x = rng.normal(size=15)
        found = spearman(x, 0.6 * x + 0.8 * rng.normal(size=15), level=0.9)
        hits += found.low <= true <= found.high
    assert 0.85 <= hits / 400 <= 0.96


def test_too_few_and_constant_pairs_tell_nothing() -> None:
    assert spearman(np.arange(3.0), np.arange(3.0)).p == 1
    assert spearman(np.arange(9.0), np.ones(9)).rho == 0


def test_failed_runs_rank_last_together() -> None:
    assert list(ranks(np.array([np.inf, 2.0, np.inf, 1.0]))) == [3.5, 2, 3.5, 1]


def test_a_lucky_evaluation_is_not_the_best() -> None:
    values = np.linspace(2, 1, 40)
    values[10] = 0.1
    found = level(a_series(values), higher=False)
    assert found is not None
    assert found.best == pytest.approx(1.0, abs=0.06)
    assert found.step >= 37


def test_the_last_value_is_a_tail_and_few_points_are_taken_as_they_are() -> None:
    values = np.full(40, 1.0)
    values[-1] = 9.0
    assert level(a_series(values), higher=False).last == 1.0
    assert level(a_series([0.3, 0.9, 0.5]), higher=True).best == 0.9
    assert level(a_series([np.nan, np.nan]), higher=True) is None


def test_rates_are_searched_by_ratio_and_shares_are_not() -> None:
    rates = searched(np.array([1e-4, 1e-3, 1e-2]), by_ratio=True)
    assert (rates.log, list(np.round(rates.places, 6))) == (True, [0, 0.5, 1])
    assert rates.beyond(upper=True) == 0.1
    assert rates.beyond(upper=False) == 1e-5
    shares = searched(np.linspace(0, 0.4, 5), by_ratio=False)
    assert (shares.log, shares.beyond(upper=True)) == (False, pytest.approx(0.6))


def test_an_unknown_setting_is_on_the_scale_on_which_it_lies_evenly() -> None:
    assert searched(np.geomspace(1e-3, 10, 12), by_ratio=False).log
    assert not searched(np.linspace(0.5, 10, 12), by_ratio=False).log
    assert not searched(np.array([-1.0, 1.0, 100.0]), by_ratio=True).log


def test_a_zero_lies_a_decade_below_the_lowest_rate() -> None:
    found = searched(np.array([0.0, 1e-4, 1e-2]), by_ratio=True)
    assert found.log
    assert list(found.places) == pytest.approx([0, 1 / 3, 1])


def test_repeats_measure_what_is_assumed_without_them() -> None:
    assert pooled([np.array([0.4]), np.array([0.5])], 0.01, 2.0) == (0.01, 0)
    rng = np.random.default_rng(0)
    sd, repeats = pooled([rng.normal(0, 0.05, 20) for _ in range(5)], 0.01, 2.0)
    assert (sd, repeats) == (pytest.approx(0.05, rel=0.15), 100)
    few, _ = pooled([np.array([0.4, 0.4])], 0.01, 2.0)
    assert 0.005 < few < 0.01


def test_more_repeats_calm_the_seed_but_not_the_validation_set() -> None:
    seeds = Noise(seed_sd=0.01, error=0.0, repeats=8, samples=None)
    assert seeds.limit(2.83) == pytest.approx(0.0283)
    assert seeds.limit(2.83, 4, 4) == pytest.approx(0.0283 / 2)
    small = Noise(seed_sd=0.01, error=0.02, repeats=8, samples=400)
    assert small.limit(2.83, 4, 4) == small.limit(2.83) == pytest.approx(0.0566)


def test_a_perfect_share_is_still_uncertain() -> None:
    assert standard_error(1.0, 40) > 0.02


def test_curves_agree_at_the_steps_that_they_share() -> None:
    values = np.linspace(2, 1, 40)
    one, longer = a_series(values), a_series(np.linspace(2, 1, 40).tolist() + [0.5] * 10)
    found = agreement({"loss/val": one}, {"loss/val": longer})
    assert found is not None
    assert (found.shared, found.overlap, found.apart) == (40, 0.8, 0.0)
    assert found.same_times
    assert not agreement({"loss/val": one}, {"loss/val": a_series(values, start=9)}).same_times
    assert agreement({"loss/val": one}, {"other": one}) is None


def test_where_curves_part() -> None:
    values = np.linspace(2, 1, 40)
    other = values.copy()
    other[20:] *= 1.1
    found = agreement({"a": a_series(values)}, {"a": a_series(other)})
    assert (found.first_step, found.from_the_start) == (21, False)
    assert found.end_apart == pytest.approx(0.1 / 1.1)
