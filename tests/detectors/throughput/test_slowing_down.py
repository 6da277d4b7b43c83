"""SYS002 beyond its samples."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.throughput.slowing_down import SlowingDown
from tbdiag.model.finding import Finding
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats
from tbdiag.signals.cadence import evenly_spaced, spoken, step_times
from tbdiag.synth import a_run, at_times, decay, flat, jitter

N = 600
EVEN = 5.0 * np.exp(jitter(N, 0.05))


def paced(intervals: Floats, every: int = 1, **others: Role) -> Run:
    loss = at_times(
        Role.TRAIN_LOSS, decay(len(intervals), 2.3, 0.2), np.cumsum(intervals), every=every
    )
    return a_run({Role.TRAIN_LOSS: loss})


def found(run: Run) -> list[Finding]:
    assert SlowingDown().blocked(Case(run)) is None
    return list(SlowingDown().check(Case(run)))


def test_a_jump_is_told_from_a_growth() -> None:
    (jump,) = found(paced(EVEN * np.where(np.arange(N) < 300, 1, 3)))
    assert "since a jump at step 30" in jump.message
    (growth,) = found(paced(EVEN * np.linspace(1, 4, N)))
    assert growth.message.endswith("it grows bit by bit")
    assert jump.remedies != growth.remedies


def test_points_further_apart_take_no_longer_per_step() -> None:
    steps = np.cumsum(np.where(np.arange(N) < 300, 1, 4))
    loss = at_times(
        Role.TRAIN_LOSS, decay(N, 2.3, 0.2), np.cumsum(EVEN * np.diff(steps, prepend=0))
    )
    run = a_run({Role.TRAIN_LOSS: type(loss).of("loss/train", steps, loss.values, loss.wall_times)})
    assert not found(run)


def test_whole_seconds_are_fine_enough() -> None:
    intervals = np.where(np.arange(4 * N) < 2 * N, 0.4, 1.2)
    walls = np.floor(np.cumsum(intervals))
    run = a_run({Role.TRAIN_LOSS: at_times(Role.TRAIN_LOSS, decay(4 * N, 2.3, 0.2), walls)})
    assert found(run)


def test_updates_of_an_agent_may_take_longer_as_it_lives_longer() -> None:
    longer = EVEN * np.linspace(1, 4, N)
    earned = at_times(Role.REWARD, np.linspace(0, 500, N), np.cumsum(longer))
    value = at_times(Role.VALUE_LOSS, flat(N, 1), np.cumsum(longer))
    assert not found(a_run({Role.REWARD: earned, Role.VALUE_LOSS: value}))
    earned = at_times(Role.REWARD, np.linspace(0, 500, N), np.cumsum(longer), every=2048)
    value = at_times(Role.VALUE_LOSS, flat(N, 1), np.cumsum(longer), every=2048)
    assert found(a_run({Role.REWARD: earned, Role.VALUE_LOSS: value}))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0125, "12 ms"), (0.9, "900 ms"), (1.5, "1.5 s"), (90, "1.5 min"), (5400, "1.5 h"),
        (86400, "1 day"), (300_000, "3.5 days"), (1e-5, "0.01 ms"),
    ],
)  # fmt: skip
def test_a_time_is_told_in_a_unit_that_it_fills(seconds: float, text: str) -> None:
    assert spoken(seconds) == text


def test_the_time_of_a_step_leaves_pauses_out() -> None:
    intervals = flat(400, 2.0)
    intervals[::20] = 500
    loss = at_times(Role.TRAIN_LOSS, decay(400, 2.3, 0.2), np.cumsum(intervals), every=10)
    _, times = step_times(loss, 40)
    assert len(times) == 44  # blocks of nine
    assert np.allclose(times, 0.2)


def test_even_places_have_even_distances() -> None:
    assert evenly_spaced(np.array([10, 20, 31]), 1.5)
    assert not evenly_spaced(np.array([10, 20, 60]), 1.5)
    assert not evenly_spaced(np.array([10, 20]), 1.5)
