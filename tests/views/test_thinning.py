from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.views.thinning import columns_of, outline, smoothed, sparse


def test_a_lone_spike_among_a_million_points_is_drawn():
    y = np.zeros(1_000_000)
    y[123_456], y[777_777] = 5.0, -3.0
    keep = outline(np.arange(len(y), dtype=float), y, 500)
    assert {0, 123_456, 777_777, len(y) - 1} <= set(keep.tolist())
    assert len(keep) <= 4 * 500


def test_few_points_are_all_drawn():
    x = np.array([1.0, 2.0, 9.0])
    assert outline(x, x, 10).tolist() == [0, 1, 2]


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=400),
    st.lists(st.integers(-3, 3), min_size=400, max_size=400),
    st.integers(1, 20),
)
def test_each_column_keeps_its_ends_and_extremes(gaps, heights, columns):
    x = np.cumsum(gaps).astype(float)
    y = np.array(heights[: len(x)], dtype=float)
    keep = outline(x, y, columns)
    assert np.all(np.diff(keep) > 0)
    column = columns_of(x, columns)
    for each in np.unique(column):
        inside = np.flatnonzero(column == each)
        shown = keep[column[keep] == each]
        assert {inside[0], inside[-1]} <= set(shown.tolist())
        assert y[shown].min() == y[inside].min()
        assert y[shown].max() == y[inside].max()


def test_points_at_one_place_are_one_column():
    x = np.zeros(5000)
    y = np.arange(5000.0)
    assert outline(x, y, 10).tolist() == [0, 4999]


def test_marks_of_each_kind_are_kept():
    x = np.arange(10_000.0)
    kinds = np.zeros(10_000, dtype=np.int64)
    kinds[5000] = 2
    marked = sparse(x, kinds, 100)
    assert 5000 in marked
    assert len(marked) == 101


@pytest.mark.parametrize("n", [1, 127, 128, 129, 1000])
@pytest.mark.parametrize("weight", [0.1, 0.6, 0.99])
def test_smoothing_is_tensorboards(n, weight):
    values = np.random.default_rng(n).normal(size=n)
    last, expected = 0.0, []
    for number, value in enumerate(values, 1):  # as in TensorBoard's own front end
        last = last * weight + (1 - weight) * value
        expected.append(last / (1 - weight**number))
    assert smoothed(values, weight) == pytest.approx(expected)


def test_nothing_is_smoothed_to_nothing():
    assert len(smoothed(np.zeros(0), 0.5)) == 0
