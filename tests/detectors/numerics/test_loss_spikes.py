"""NUM004 beyond its samples: what became of a spike decides how grave it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.numerics.loss_spikes import LossSpikes
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import SetTo
from tbdiag.model.role import Role
from tbdiag.model.run import Restart, Run
from tbdiag.model.series import Floats
from tbdiag.synth import a_run, decay, flat, noisy

COURSE = noisy(decay(900, 2.3, 0.5), 0.05)


def found(run: Run) -> list[Finding]:
    case, rule = Case(run), LossSpikes()
    assert rule.blocked(case) is None
    return list(rule.check(case))


def with_factor(factor: Floats, at: int) -> Floats:
    values = COURSE.copy()
    values[at : at + len(factor)] *= factor
    return values


@pytest.mark.parametrize(
    ("values", "severity"),
    [
        (with_factor(np.array([6.0, 3.0]), 300), Severity.NOTE),
        (with_factor(1 + 5 * np.exp(-np.arange(600) / 150), 300), Severity.WARNING),
        (with_factor(flat(600, 4.0), 300), Severity.ERROR),
        (with_factor(flat(30, 4.0), 870), Severity.NOTE),  # nobody knows what would have come
    ],
)
def test_the_class_is_the_severity(values: Floats, severity: Severity) -> None:
    (finding,) = found(a_run({Role.BATCH_LOSS: values}))
    assert finding.severity is severity


def test_the_worst_of_several_is_named_and_all_are_counted() -> None:
    values = COURSE.copy()
    values[[200, 261, 430]] *= (5, 20, 4)
    (finding,) = found(a_run({Role.BATCH_LOSS: values}))
    assert "3 times" in finding.message
    assert "step 262" in finding.message


def test_a_quick_recovery_is_counted_in_steps() -> None:
    values = with_factor(flat(8, 5.0), 300)
    (quick,) = found(a_run({Role.BATCH_LOSS: values}, every=10))
    (slow,) = found(a_run({Role.BATCH_LOSS: values}, every=100))
    assert (quick.severity, slow.severity) == (Severity.NOTE, Severity.WARNING)


def test_a_resume_explains_the_spike_after_it() -> None:
    run = a_run({Role.BATCH_LOSS: with_factor(np.array([6.0, 3.0]), 300)})
    restart = Restart(step=290, reached=340, dropped=50, wall_time=0.0)
    resumed = replace(run, provenance=replace(run.provenance, restarts=(restart,)))
    assert found(run)
    assert not found(resumed)


def test_the_same_place_of_every_epoch_is_the_data() -> None:
    values = COURSE.copy()
    values[[180, 360, 540]] *= 5
    epochs = (np.arange(900) + 1) / 60
    assert found(a_run({Role.BATCH_LOSS: values}))
    assert not found(a_run({Role.BATCH_LOSS: values, Role.EPOCH: epochs}, every=1))


def test_what_heals_is_only_clipped_at_the_usual_norm() -> None:
    run = a_run(
        {
            Role.BATCH_LOSS: with_factor(np.array([6.0, 3.0]), 300),
            Role.GRAD_NORM: np.linspace(0, 3, 900),
        }
    )
    (finding,) = found(run)
    assert [(each.knob, each.change) for each in finding.remedies] == [(Knob.CLIP_NORM, SetTo(0.9))]


def test_a_loss_of_zero_has_no_multiples() -> None:
    values = COURSE.copy()
    values[5] = 0
    reason = LossSpikes().blocked(Case(a_run({Role.BATCH_LOSS: values})))
    assert "zero or less" in (reason or "")
