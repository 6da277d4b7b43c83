"""What a sparkline promises: nothing that matters is lost in few columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.views.sparkline import BLOCKS, spans_decades, sparkline
from tests.views.builders import a_series


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, n)


@pytest.mark.parametrize("height", [8.0, -8.0])
def test_a_lone_spike_among_many_points_is_seen(height: float) -> None:
    values = 3 + noise(100_000)
    values[61_234] += height
    drawn = sparkline(a_series("loss", values), 50)
    column = 61_235 * 50 // 100_000
    assert drawn.levels[column] == (7 if height > 0 else 0)
    others = {level for at, level in enumerate(drawn.levels) if at != column}
    assert drawn.levels[column] not in others


def test_a_second_smaller_spike_is_seen_too() -> None:
    values = 3 + noise(10_000)
    values[[2_050, 7_050]] += 8, 4
    levels = sparkline(a_series("loss", values), 100).levels
    assert levels[20] == 7
    assert levels[70] in (3, 4)
    assert set(levels[30:60]) == {0}


def test_the_extremes_of_the_curve_are_shown_even_within_its_noise() -> None:
    values = 3 + noise(10_000)
    levels = sparkline(a_series("loss", values), 20).levels
    assert levels[int(values.argmax()) * 20 // 10_000] == 7
    assert levels[int(values.argmin()) * 20 // 10_000] == 0
    assert (levels.count(7), levels.count(0)) == (1, 1)


def test_nan_and_inf_are_crosses_in_their_columns() -> None:
    values = np.linspace(3, 1, 100)
    values[[42, 77]] = np.nan, np.inf
    text = sparkline(a_series("loss", values), 10).text()
    assert [at for at, char in enumerate(text) if char == "×"] == [4, 7]
    assert sparkline(a_series("loss", [np.nan, np.nan]), 10).text(only_ascii=True) == "xx"


def test_decades_are_drawn_logarithmically() -> None:
    drawn = sparkline(a_series("loss", np.geomspace(100, 0.01, 8)), 20)
    assert drawn.log
    assert drawn.text() == BLOCKS[::-1]


def test_decades_are_more_than_two_and_positive() -> None:
    assert spans_decades(np.array([0.009, 1]))
    assert not spans_decades(np.array([0.011, 1]))
    assert not spans_decades(np.array([0, 1e9]))
    assert not spans_decades(np.array([]))


def test_a_flat_curve_stays_flat_however_small_its_noise() -> None:
    drawn = sparkline(a_series("loss", 2.3026 + 1e-4 * noise(200)), 40)
    assert len(set(drawn.levels)) <= 2
    assert len(set(sparkline(a_series("loss", np.zeros(9)), 40).levels)) == 1


def test_a_span_covers_the_columns_that_show_its_steps() -> None:
    drawn = sparkline(a_series("loss", np.arange(100.0), every=10), 10)  # ten points a column
    assert drawn.columns((310, 510)) == (3, 5)
    assert drawn.columns((1000, 1000)) == (9, 9)
    assert drawn.columns((-50, -20)) == (0, 0)
    assert drawn.columns((5000, 6000)) == (9, 9)


@given(
    st.lists(st.floats(), min_size=1, max_size=200),
    st.integers(1, 60),
    st.tuples(st.integers(), st.integers()),
)
def test_any_curve_can_be_drawn(values: list[float], columns: int, span: tuple[int, int]) -> None:
    drawn = sparkline(a_series("loss", values), columns)
    assert len(drawn.text()) == min(columns, len(values))
    first, last = drawn.columns(span)
    assert 0 <= first <= last < len(drawn.levels)
