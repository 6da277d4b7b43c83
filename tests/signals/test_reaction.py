"""How strongly outputs react to the weights at the first step."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.model.series import Series
from tbdiag.signals.reaction import fall_at_once, later_reaction, reaction


def series(values: list[float], first: int = 0, every: int = 1) -> Series:
    return Series.of("x", first + every * np.arange(len(values)), np.array(values))


LOSS, NORM = [4.0, *29 * [1.0]], [40.0, *29 * [2.0]]


def test_it_is_the_squared_norm_over_four_losses() -> None:
    assert reaction(series(LOSS), series(NORM)) == pytest.approx(1600 / 16)
    assert reaction(series(LOSS, 1, 5), series(NORM, 1, 5)) == pytest.approx(100)


def test_the_scale_of_a_target_does_not_matter() -> None:
    by = 50.0  # errors are as many times as large, squares the square of it, gradients once
    scaled = series([by**2 * each for each in LOSS]), series([by * each for each in NORM])
    assert reaction(*scaled) == pytest.approx(100)


def test_what_came_after_the_first_step_tells_nothing() -> None:
    assert reaction(series(LOSS, 500), series(NORM, 500)) is None
    assert reaction(series(LOSS), series(NORM, 1)) is None
    assert reaction(series(LOSS[:1]), series(NORM[:1])) is None
    assert reaction(series([0.0, *LOSS[1:]]), series(NORM)) is None
    assert reaction(None, series(NORM)) is None


def test_the_later_run_is_what_the_start_is_held_against() -> None:
    assert later_reaction(series(LOSS), series(NORM)) == pytest.approx(1.0)
    assert later_reaction(series(LOSS[:10]), series(NORM[:10])) is None
    assert later_reaction(series([4.0, *29 * [0.0]]), series(NORM)) is None


def test_a_fall_at_once_is_held_against_what_came_soon_after() -> None:
    values = np.array([8.0, 6.0] + 38 * [2.0])
    assert fall_at_once(values) == pytest.approx(4.0)
    assert fall_at_once(values[:10]) is None
    assert fall_at_once(np.array([8.0] + 39 * [0.0])) is None
