"""GEN002 where an accuracy is neither poor nor good."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.detectors.generalization.underfitting import Underfitting
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Severity
from tbdiag.model.report import Fired, NotApplicable, Outcome, Passed
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.synth import a_run, cosine, decay, jitter, noisy


def outcome(level: float, lead: float = 0.01, floor: float = 0.5) -> Outcome:
    accuracy = decay(60, 0.5, level, 20)
    run = a_run(
        {
            Role.TRAIN_LOSS: noisy(decay(60, 0.69, floor, 20), 0.002),
            Role.VAL_LOSS: noisy(decay(60, 0.69, floor, 20), 0.002, 1),
            Role.TRAIN_METRIC: accuracy + jitter(60, 0.001),
            Role.VAL_METRIC: accuracy - lead + jitter(60, 0.001, 1),
        }
    )
    return examine(run, Selection(detectors=(Underfitting(),))).outcomes["GEN002"]


@pytest.mark.parametrize(("level", "told"), [(0.6, Severity.WARNING), (0.75, Severity.NOTE)])
def test_the_less_poor_the_milder(level: float, told: Severity) -> None:
    found = outcome(level)
    assert isinstance(found, Fired)
    assert found.findings[0].severity is told
    assert ("larger network" in found.findings[0].message) is (told is Severity.NOTE)


def test_a_fair_level_may_be_all_that_the_data_allow() -> None:
    found = outcome(0.84, floor=0.1)
    assert isinstance(found, NotApplicable)
    assert "twice the width" in found.reason
    assert outcome(0.93, floor=0.1) == Passed()
    assert outcome(0.84, lead=0.2, floor=0.1) == Passed()


def test_the_errors_tell_what_a_bad_start_hides() -> None:
    steady = {
        Role.TRAIN_LOSS: noisy(decay(60, 6.0, 0.62, 20), 0.002),
        Role.TRAIN_METRIC: decay(60, 0.4, 0.65, 20),
        Role.VAL_METRIC: decay(60, 0.4, 0.65, 20),
    }
    found = examine(a_run(steady), Selection(detectors=(Underfitting(classes=1000),)))
    assert isinstance(found.outcomes["GEN002"], Fired)
    assert "first errors" in found.outcomes["GEN002"].findings[0].message


def test_what_only_the_rate_slowed_down_is_a_note() -> None:
    way = np.cumsum(cosine(60, 0.01)) / 0.31
    falls = {
        Role.TRAIN_LOSS: 1.6 - 0.7 * way,
        Role.TRAIN_METRIC: 0.3 + 0.3 * way**0.2,
        Role.VAL_METRIC: 0.3 + 0.29 * way**0.2,
        Role.LEARNING_RATE: cosine(60, 0.01),
    }
    found = examine(a_run(falls), Selection(detectors=(Underfitting(gain=0.1),))).outcomes["GEN002"]
    assert isinstance(found, Fired)
    assert found.findings[0].severity is Severity.NOTE


POOR = decay(60, 0.5, 0.6, 20)
STANDS = {
    Role.TRAIN_LOSS: noisy(decay(60, 0.69, 0.5, 20), 0.002),
    Role.VAL_LOSS: noisy(decay(60, 0.69, 0.5, 20), 0.002, 1),
    Role.TRAIN_METRIC: POOR + jitter(60, 0.001),
    Role.VAL_METRIC: POOR - 0.01 + jitter(60, 0.001, 1),
}


def told(run: Run) -> Severity | None:
    found = examine(run, Selection(detectors=(Underfitting(),))).outcomes["GEN002"]
    return found.findings[0].severity if isinstance(found, Fired) else None


def test_what_explains_a_poor_standstill_makes_it_a_note() -> None:
    assert told(a_run(STANDS)) is Severity.WARNING
    opens = {**STANDS, Role.VAL_LOSS: STANDS[Role.VAL_LOSS] * np.linspace(1.0, 1.2, 60)}
    assert told(a_run(opens)) is Severity.NOTE
    ahead = {**STANDS, Role.VAL_METRIC: STANDS[Role.TRAIN_METRIC] + 0.01}
    assert told(a_run(ahead, hparams={"dropout": 0.5})) is Severity.NOTE
    assert told(a_run(ahead, hparams={"dropout": 0.1})) is Severity.WARNING
    held = np.full(60, 0.1)
    assert told(a_run({**STANDS, Role.LEARNING_RATE: held})) is Severity.WARNING
    spent = np.where(np.arange(60) < 25, held, 1e-5)
    assert told(a_run({**STANDS, Role.LEARNING_RATE: spent})) is Severity.NOTE
    alone = {role: curve for role, curve in STANDS.items() if role is not Role.TRAIN_METRIC}
    assert told(a_run(alone)) is Severity.NOTE


def test_losses_beside_each_other_are_a_note_where_no_metric_tells_more() -> None:
    losses = {role: STANDS[role] / 5 for role in (Role.TRAIN_LOSS, Role.VAL_LOSS)}
    falls = {role: curve - 0.09 * np.linspace(0, 1, 60) ** 0.5 for role, curve in losses.items()}
    assert told(a_run(losses)) is Severity.NOTE
    assert told(a_run(falls)) is None
    apart = {**losses, Role.VAL_LOSS: 1.4 * losses[Role.VAL_LOSS]}
    assert told(a_run(apart)) is None
    assert told(a_run({**losses, Role.VAL_METRIC: decay(60, 0.5, 0.9, 20)})) is None
    assert told(a_run({**losses, Role.VAL_METRIC: decay(60, 300.0, 120.0, 20)})) is None


def test_of_one_accuracy_a_slow_fall_that_validation_follows_is_a_note() -> None:
    falls = 0.5 - 0.015 * np.linspace(0, 1, 60) + decay(60, 0.2, 0.0, 20)
    poor = {Role.TRAIN_LOSS: falls, Role.VAL_METRIC: POOR}
    assert told(a_run({**poor, Role.VAL_LOSS: 1.02 * falls})) is Severity.NOTE
    assert told(a_run({**poor, Role.VAL_LOSS: 1.3 * falls})) is None
    assert told(a_run({**poor, Role.VAL_LOSS: falls * np.linspace(1, 1.06, 60)})) is None
