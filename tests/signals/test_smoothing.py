"""A median that is taken at some places only stays near the one at all of them."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.signals.smoothing import running_median, slow_median


@pytest.mark.parametrize(("n", "window"), [(500, 125), (97, 24), (1000, 60), (30, 31)])
def test_slow_median_follows_the_running_one(n: int, window: int) -> None:
    values = np.cumsum(np.random.default_rng(n).normal(size=n))
    exact, slow = running_median(values, window), slow_median(values, window)
    assert slow.shape == (n,)
    assert np.abs(slow - exact).mean() < 0.1 * values.std()
    assert slow[0] == exact[0]
    assert slow[-1] == exact[-1]


def test_short_windows_are_taken_whole() -> None:
    values = np.random.default_rng(1).normal(size=50)
    np.testing.assert_array_equal(slow_median(values, 9), running_median(values, 9))
