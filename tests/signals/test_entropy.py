"""What a cross-entropy can be."""

from __future__ import annotations

import math

import pytest

from tbdiag.signals.entropy import guessing, honest


def test_guessing_is_honest_at_chance() -> None:
    assert honest(0.1, 10) == pytest.approx(guessing(10))
    assert honest(0.0, 10) == pytest.approx(math.log(10))


def test_the_honest_loss_is_that_of_its_own_beliefs() -> None:
    beliefs = [0.7] + [0.3 / 4] * 4
    assert honest(0.7, 5) == pytest.approx(-sum(p * math.log(p) for p in beliefs))


def test_it_falls_with_the_accuracy_and_ends_at_nothing() -> None:
    losses = [honest(share / 100, 10) for share in range(10, 101)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(0, abs=1e-6)
