"""The signals say of plain curves what one sees in them, and agree with SciPy where it has the same."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.model.series import Series
from tbdiag.signals.forecast import forecast
from tbdiag.signals.noise import detrended, noise, roughness, spread
from tbdiag.signals.period import strongest_swing
from tbdiag.signals.progress import Progress
from tbdiag.signals.schedule import Shape, schedule
from tbdiag.signals.smoothing import head, running_median, tail, thinned
from tbdiag.signals.trend import mann_kendall, theil_sen
from tbdiag.synth import cosine, decay, flat, jitter, noisy

curves = st.lists(st.integers(-50, 50), min_size=4, max_size=40).map(
    lambda values: np.array(values, dtype=np.float64)
)


@given(curves)
def test_mann_kendall_is_kendalls_tau_against_time_but_for_ties(values: np.ndarray) -> None:
    ours = mann_kendall(values)
    if len(np.unique(values)) == len(values):
        theirs = scipy.stats.kendalltau(np.arange(len(values)), values)
        assert ours.tau == pytest.approx(theirs.statistic)
    assert 0 <= ours.p <= 1


def test_a_clear_trend_is_significant_and_noise_is_not() -> None:
    assert mann_kendall(decay(40, 2, 1)).tau == -1
    assert mann_kendall(decay(40, 2, 1)).p < 1e-6
    assert mann_kendall(jitter(60, 1.0, 3)).p > 0.05
    assert mann_kendall(flat(20, 1.0)).p == 1


@given(curves)
def test_theil_sen_agrees_with_scipy(values: np.ndarray) -> None:
    at = np.arange(len(values), dtype=np.float64)
    ours = theil_sen(at, values)
    theirs = scipy.stats.theilslopes(values, at, alpha=0.9)
    assert ours.median == pytest.approx(theirs.slope)
    assert ours.low <= ours.median <= ours.high


def test_noise_is_the_deviation_around_a_trend() -> None:
    values = decay(4000, 5, 0) + jitter(4000, 0.2)
    assert noise(values) == pytest.approx(0.2, rel=0.1)
    assert spread(jitter(4000, 0.2)) == pytest.approx(0.2, rel=0.1)
    assert noise(flat(10, 1)) == noise(flat(2, 1)) == 0


def test_roughness_tells_a_smoothed_curve() -> None:
    raw = jitter(2000, 1.0)
    smooth = np.convolve(raw, np.full(20, 0.05), "valid")
    assert roughness(raw) == pytest.approx(-0.5, abs=0.06)
    assert roughness(np.convolve(smooth, np.full(20, 0.05), "valid")) > 0.8


def test_a_running_median_ignores_a_spike() -> None:
    values = flat(21, 1.0)
    values[10] = 99
    assert running_median(values, 5).max() == 1
    assert detrended(values, 5)[10] == 98


@pytest.mark.parametrize("n", [241, 359, 1000, 12_345])
def test_thinning_keeps_the_end_the_order_and_the_level(n: int) -> None:
    series = Series.of("loss", np.arange(n), decay(n, 2, 1))
    thin = thinned(series)
    assert 60 <= len(thin) <= 121
    assert thin.steps[-1] == n - 1
    assert np.all(np.diff(thin.steps) > 0)
    assert np.interp(thin.steps, series.steps, series.values) == pytest.approx(thin.values, rel=0.1)
    assert len(thinned(series.between(0, 99))) == 100


def test_heads_and_tails_have_a_least_length() -> None:
    values = np.arange(100.0)
    assert list(tail(values, 0.05, least=3)) == [95, 96, 97, 98, 99]
    assert list(tail(values[:4], 0.1)) == [1, 2, 3]
    assert list(head(values, 0.02)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("rate", "shape"),
    [
        (flat(50, 0.1), Shape.CONSTANT),
        (np.concatenate([np.linspace(0.01, 0.1, 10), flat(40, 0.1)]), Shape.CONSTANT),
        (cosine(50, 0.1), Shape.DECAYING),
        (np.repeat([0.1, 0.01], 25), Shape.DECAYING),
        (np.tile(cosine(10, 0.1), 5), Shape.CYCLIC),
    ],
)
def test_the_shape_of_a_schedule(rate: np.ndarray, shape: Shape) -> None:
    found = schedule(Series.of("lr", np.arange(len(rate)), rate))
    assert found is not None
    assert found.shape is shape
    assert found.peak == pytest.approx(0.1)


def test_a_step_of_the_rate_is_a_change_and_a_warm_up_ends() -> None:
    rate = np.concatenate([np.linspace(0.01, 0.1, 10), flat(20, 0.1), flat(20, 0.01)])
    found = schedule(Series.of("lr", np.arange(50), rate))
    assert found is not None
    assert (found.warm_up_end, found.changes) == (9, (30,))
    assert schedule(Series.of("lr", [0, 1], [0, 0])) is None


def test_a_forecast_of_a_flattening_curve_is_less_than_its_slope_but_near_the_truth() -> None:
    whole = decay(150, 2, 0.5, 3)
    at = np.arange(100, dtype=np.float64)
    ahead = forecast(at, whole[:100], 50)
    truth = whole[-1] - whole[99]
    straight = 50 * theil_sen(at[-30:], whole[70:100]).median
    assert straight < ahead.expected < 0
    assert ahead.expected == pytest.approx(truth, rel=0.25)
    assert forecast(at, flat(100, 1), 50).expected == 0


def test_a_swing_has_its_period_and_noise_has_none() -> None:
    at = np.arange(120)
    found = strongest_swing(np.sin(2 * np.pi * at / 12) + jitter(120, 0.1))
    assert found.period == pytest.approx(12, rel=0.1)
    assert found.share > 0.8
    assert strongest_swing(jitter(120, 1.0)).share < 0.35
    assert strongest_swing(flat(5, 1)).share == 0


def test_progress_does_not_depend_on_the_scale() -> None:
    loss = noisy(decay(80, 2.3, 0.4, 5), 0.02)
    one, other = Progress(loss), Progress(1000 * loss)
    assert one.left == pytest.approx(other.left)
    assert one.noise == pytest.approx(other.noise)
    assert (one.ready, one.trend, one.best_at) == (other.ready, other.trend, other.best_at)
    assert one.left == pytest.approx(0.4 / 2.3, rel=0.1)


def test_progress_tells_what_was_lost_again() -> None:
    loss = np.concatenate([decay(40, 2, 0.5), np.linspace(0.5, 1.25, 40)])
    assert Progress(loss).regained == pytest.approx(0.5, abs=0.06)
    assert np.isnan(Progress(loss - 1).left)
