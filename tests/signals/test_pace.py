"""By the way that the rate allowed, a curve that follows the rate is straight."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.model.series import Series
from tbdiag.signals.forecast import forecast
from tbdiag.signals.pace import paced, travelled
from tbdiag.synth import cosine, decay, flat

STEPS = np.arange(1, 101)
RATE = Series.of("lr", STEPS, cosine(100, 0.1))


def test_the_way_is_the_area_under_the_rate() -> None:
    steps = STEPS.astype(np.float64)
    assert travelled(RATE, steps)[-1] == pytest.approx(np.trapezoid(RATE.values, steps))
    assert travelled(Series.of("lr", STEPS, flat(100, 0.5)), steps) == pytest.approx(
        0.5 * (steps - 1)
    )


def test_a_constant_rate_changes_nothing() -> None:
    curve = Series.of("loss", STEPS, decay(100, 2, 1))
    even = paced(curve, Series.of("lr", STEPS, flat(100, 0.1)))
    assert even == pytest.approx(curve.values)


def test_a_loss_that_follows_the_rate_falls_evenly() -> None:
    curve = Series.of("loss", STEPS, 5 - travelled(RATE, STEPS.astype(np.float64)))
    even = paced(curve, RATE)
    assert even is not None
    assert np.diff(even, 2) == pytest.approx(np.zeros(98), abs=1e-9)
    # As much of the way again is as much of the fall again, however flat the end was by steps.
    ahead = forecast(np.arange(100.0), even, 100, window=0.5)
    assert ahead.expected == pytest.approx(even[-1] - even[0], rel=0.05)


def test_epochs_lie_over_steps_by_their_ends() -> None:
    values = 5 - travelled(RATE, STEPS.astype(np.float64))[::5]
    epochs, steps = (Series.of("loss", at, values) for at in (np.arange(20), STEPS[::5]))
    assert paced(epochs, RATE) == pytest.approx(paced(steps, RATE), abs=0.15)


def test_no_way_no_pace() -> None:
    curve = Series.of("loss", STEPS, decay(100, 2, 1))
    assert paced(curve, Series.of("lr", STEPS, flat(100, 0.0))) is None
    assert paced(curve, Series.of("lr", [1], [0.1])) is None


def test_a_forecast_is_told_with_its_sign() -> None:
    assert forecast(np.arange(50.0), np.arange(50.0), 10).phrase.startswith("about +10")
    assert forecast(np.arange(50.0), -np.arange(50.0), 10).phrase.startswith("about −10")
