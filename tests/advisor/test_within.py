"""Values stay within what is allowed, and move the way that was asked for or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.advisor.within import allowed, chosen, fitted, scaled, shifted
from tbdiag.config.training import Choices, Range

RATE = Range(low=1e-6, high=1.0, log=True)
SHARE = Range(low=0.0, high=0.8)
EPOCHS = Range(low=5, high=100, step=5)
SIZES = Choices((16, 32, 64, 128))
LAYERS = Choices(("1", "16", "64,64", "128,128", "256,256,256"))


@given(st.floats(1e-9, 1e9), st.floats(1e-3, 1e3))
def test_a_scaled_value_is_allowed_and_on_the_right_side(now: float, by: float) -> None:
    for dimension in (RATE, EPOCHS, SIZES):
        then = scaled(dimension, now, by)
        if then is not None:
            assert allowed(dimension, then)
            assert (float(then) > now) is (by > 1)


def test_numbers_are_ones_that_people_would_write() -> None:
    assert fitted(RATE, 0.0031622776) == 0.00316
    assert fitted(EPOCHS, 61.9) == 60
    assert isinstance(fitted(EPOCHS, 61.9), int)
    assert scaled(RATE, 0.9, 10) == 1.0
    assert scaled(RATE, 1.0, 10) is None


def test_choices_move_to_the_nearest_one_ahead() -> None:
    assert scaled(SIZES, 64, 2) == 128
    assert scaled(SIZES, 128, 2) is None
    assert scaled(SIZES, 64.0, 0.5) == 32
    assert scaled(LAYERS, "64,64", 2) == "128,128"
    assert scaled(LAYERS, "1", 2) == "16"
    assert scaled(LAYERS, "256,256,256", 2) is None
    assert scaled(Choices(("a", "b")), "a", 2) is None


def test_shifts_stop_at_their_bounds() -> None:
    assert shifted(SHARE, 0.4, 0.2, 0.0, 0.5) == 0.5
    assert shifted(SHARE, 0.5, 0.2, 0.0, 0.5) is None
    assert shifted(SHARE, 0.7, -0.4) == pytest.approx(0.3)
    assert shifted(SHARE, None, 0.1) is None


def test_words_are_looked_for_in_choices() -> None:
    schedulers = Choices(("constant", "CosineAnnealingLR", "linear"))
    assert chosen(schedulers, ("cosine", "linear")) == "CosineAnnealingLR"
    assert chosen(schedulers, ("onecycle",)) is None
    assert chosen(RATE, ("cosine",)) is None
