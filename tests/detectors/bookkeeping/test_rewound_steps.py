"""LOG001 beyond its samples."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.bookkeeping.rewound_steps import ORDER, STATE, RewoundSteps
from tbdiag.model.finding import Finding
from tbdiag.model.role import Role
from tbdiag.model.run import Provenance, Restart, Run
from tbdiag.model.series import Series
from tbdiag.synth import a_run, decay, flat, noisy


def found(run: Run) -> list[Finding]:
    return list(RewoundSteps().check(Case(run)))


def a_restart(step: int, reached: int, wall_time: float = 1e6) -> Restart:
    return Restart(step=step, reached=reached, dropped=reached - step + 1, wall_time=wall_time)


def resumed(values, *restarts: Restart, every: int = 1) -> Run:
    provenance = Provenance(points=len(values), restarts=restarts)
    return a_run({Role.TRAIN_LOSS: values}, every=every, provenance=provenance)


def test_a_run_that_was_resumed_often_is_one_finding() -> None:
    loss = noisy(decay(600, 2.3, 0.4), 0.05)
    (finding,) = found(resumed(loss, *(a_restart(100 * i, 100 * i + 30) for i in range(1, 6))))
    assert finding.message == (
        "the steps went back from 130 to 100, the furthest of 5 times, and 155 points were dropped"
    )
    assert [each.span for each in finding.evidence][:2] == [(100, 130), (200, 230)]


def test_steps_are_counted_in_points_of_the_curve() -> None:
    loss = noisy(decay(60, 2.3, 0.4), 0.05)
    assert not found(resumed(loss, a_restart(3000, 3099), every=100))
    assert found(resumed(loss, a_restart(3000, 3200), every=100))


def test_spans_stay_within_what_is_logged() -> None:
    (finding,) = found(resumed(decay(60, 2.3, 0.4), a_restart(50, 500)))
    assert finding.evidence[0].span == (50, 60)


@pytest.mark.parametrize(
    ("change", "word", "remedy"), [(0.6, "rose", STATE), (-0.3, "fell", ORDER)]
)
def test_a_jump_at_the_resume_calls_for_its_remedy(
    change: float, word: str, remedy: object
) -> None:
    loss = noisy(decay(600, 2.3, 0.6), 0.03)
    smooth, broken = resumed(loss, a_restart(300, 400)), loss.copy()
    broken[299:] += change
    (plain,) = found(smooth)
    (finding,) = found(resumed(broken, a_restart(300, 400)))
    assert "the loss" not in plain.message
    assert f"; the loss {word} by" in finding.message
    assert remedy in finding.remedies
    assert remedy not in plain.remedies


def test_a_jump_of_another_curve_is_none_of_the_loss() -> None:
    rate = np.concatenate([flat(300, 0.1), flat(300, 0.01)]) + np.linspace(0, 1e-3, 600)
    curves = {Role.LEARNING_RATE: rate, Role.TRAIN_LOSS: decay(20, 2, 1)}
    run = a_run(curves, provenance=Provenance(restarts=(a_restart(301, 400),)))
    (finding,) = found(run)
    assert finding.evidence[0].tag == "lr"
    assert "the loss" not in finding.message


def test_a_steep_descent_is_no_jump() -> None:
    for loss in (decay(200, 10, 0.1, 8), np.linspace(2, 0.2, 100)):
        (finding,) = found(resumed(loss, a_restart(70, 90)))
        assert "the loss" not in finding.message


def test_noise_is_seldom_a_jump() -> None:
    told = 0
    for seed in range(60):
        (finding,) = found(resumed(noisy(decay(300, 2.3, 0.8), 0.2, seed), a_restart(150, 200)))
        told += "the loss" in finding.message
    assert told <= 1


def test_a_resume_takes_at_least_as_long_as_what_it_repeats() -> None:
    steps = np.arange(1, 101)
    walls = 10.0 * steps
    loss = Series.of("loss", steps, decay(100, 2, 1), walls)

    def run(wall_time: float) -> Run:
        provenance = Provenance(restarts=(a_restart(50, 90, wall_time),))
        return a_run({Role.TRAIN_LOSS: loss}, provenance=provenance)

    assert found(run(490 + 400))
    assert not found(run(490 + 100))


def test_the_restart_stands_on_the_curve_that_was_logged_most() -> None:
    batch = Series.of("batch", np.arange(1, 501), flat(500, 2))
    curves = {Role.TRAIN_LOSS: decay(10, 2, 1), Role.BATCH_LOSS: batch}
    provenance = Provenance(restarts=(a_restart(200, 300),))
    (finding,) = found(a_run(curves, provenance=provenance))
    assert finding.evidence[0].tag == "batch"


def test_a_run_without_curves_still_tells_its_restarts() -> None:
    (finding,) = found(a_run({}, provenance=Provenance(restarts=(a_restart(5, 90),))))
    assert finding.evidence == ()
