"""The short ways of the signals give the very numbers of the long ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.model.series import Series
from tbdiag.signals.epochs import evaluated
from tbdiag.signals.noise import deviation, mean
from tbdiag.signals.pace import paced, travelled
from tbdiag.signals.smoothing import running_median, thinned
from tbdiag.signals.trend import mann_kendall, median_slope, theil_sen
from tbdiag.synth import cosine

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


def curves(least: int, most: int = 60) -> st.SearchStrategy[np.ndarray]:
    some = st.integers(-3, 3).map(float)  # many ties
    lists = st.lists(numbers, min_size=least, max_size=most) | st.lists(
        some, min_size=least, max_size=most
    )
    return lists.map(lambda values: np.array(values, dtype=np.float64))


@given(curves(1))
def test_mean_and_deviation_are_those_of_numpy(values: np.ndarray) -> None:
    assert mean(values) == values.mean()
    assert deviation(values) == values.std()


@given(curves(9))
def test_a_running_median_of_nine_is_the_median_of_each_window(values: np.ndarray) -> None:
    mirrored = np.pad(values, 4, mode="symmetric")
    each = [np.median(mirrored[at : at + 9]) for at in range(len(values))]
    np.testing.assert_array_equal(running_median(values, 9), each)


@given(curves(3))
def test_all_pairs_are_met_once_and_the_right_way_round(values: np.ndarray) -> None:
    first, second = np.triu_indices(len(values), 1)
    score = np.sign(values[second] - values[first]).sum()
    expected = score / len(first) if len(set(values)) > 1 else 0.0
    assert mann_kendall(values).tau == expected
    slopes = (values[second] - values[first]) / (second - first)
    at = np.arange(len(values), dtype=np.float64)
    assert theil_sen(at, values).median == np.median(slopes) == median_slope(at, values)
    assert not np.signbit(median_slope(at, np.zeros(len(values))))


@pytest.mark.parametrize("n", [241, 250, 359, 1000])
def test_a_thinned_curve_has_medians_of_blocks_at_their_last_steps(n: int) -> None:
    steps, values = np.arange(n) * 3 + 1, np.random.default_rng(n).normal(size=n)
    found = thinned(Series.of("loss", steps, values))
    size = -(-n // 120)
    ends = range(n, 0, -size)
    blocks = [slice(max(end - size, 0), end) for end in ends][::-1]
    assert found.values.tolist() == [np.median(values[block]) for block in blocks]
    assert found.steps.tolist() == [steps[block.stop - 1] for block in blocks]
    assert found.wall_times.tolist() == [float(block.stop - 1) for block in blocks]


@given(st.integers(0, 8), st.lists(st.integers(1, 9), min_size=2, max_size=9))
def test_evaluated_is_told_by_the_median_gap(start: int, gaps: list[int]) -> None:
    steps = start + np.concatenate([[0], np.cumsum(gaps)])
    gap = np.median(gaps)
    expected = gap > 1 and start < gap / 2
    assert evaluated(Series.of("loss", steps, np.zeros(len(steps)))) == expected


def test_equal_parts_of_the_way_are_those_of_linspace() -> None:
    steps = np.arange(100)
    rate, curve = Series.of("lr", steps, cosine(100, 0.1)), Series.of("loss", steps, steps**0.5)
    way = travelled(rate, steps.astype(np.float64))
    np.testing.assert_array_equal(
        paced(curve, rate), np.interp(np.linspace(way[0], way[-1], 100), way, curve.values)
    )
