"""Two losses that stand, and the gap between them."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.model.role import Role
from tbdiag.signals.standstill import Standstill, standstill
from tbdiag.synth import a_run, decay, flat

STANDS = decay(40, 2.0, 1.0, 30)


def seen(train: np.ndarray, val: np.ndarray) -> Standstill:
    found = standstill(train, val)
    assert found is not None
    return found


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_losses_that_stand_move_by_nothing_at_any_scale(scale: float) -> None:
    found = seen(scale * STANDS, 1.2 * scale * STANDS)
    assert found.within(0.001, 0.001, 0.001)


def test_a_gap_that_opens_is_that_of_training_alone() -> None:
    falls = STANDS * np.exp(-0.5 * np.clip(np.linspace(-1, 1, 40), 0, 1))
    found = seen(falls, STANDS)
    assert found.opened == pytest.approx(0.5, abs=0.05)
    assert found.validation < 0.001
    assert found.training > 0.3
    closes = seen(STANDS, falls)
    assert closes.opened == pytest.approx(-0.5, abs=0.05)
    assert not closes.within(1.0, 1.0, 0.1)


def test_few_points_and_losses_below_zero_tell_nothing() -> None:
    assert standstill(STANDS[:7], STANDS[:7]) is None
    assert standstill(STANDS - 1.5, STANDS) is None


def test_a_run_needs_both_losses() -> None:
    both = {Role.TRAIN_LOSS: STANDS, Role.VAL_LOSS: STANDS}
    assert Case(a_run(both)).standstill is not None
    for role in both:
        assert Case(a_run({role: STANDS})).standstill is None
        assert Case(a_run({**both, role: flat(40, np.nan)})).standstill is None
