"""OPT004 beyond its samples."""

from __future__ import annotations

import math

import pytest

from tbdiag.case import Case
from tbdiag.detectors.optimization.no_learning import NoLearning
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Scale
from tbdiag.model.role import Role
from tbdiag.synth import a_run, flat, jitter


@pytest.mark.parametrize(
    ("hparams", "factor"),
    [
        ({"lr": 5e-6, "optim": "adamw_torch"}, 10),
        ({"lr": 0.3, "optimizer": "Adam"}, 0.1),
        ({"lr": 5e-6}, 0.1),  # whether that is low nobody knows
        ({}, 0.1),
    ],
)
def test_the_rate_is_first_moved_towards_the_usual_one(
    hparams: dict[str, float | str], factor: float
) -> None:
    curves = {Role.TRAIN_LOSS: math.log(4) + jitter(40, 0.002), Role.VAL_METRIC: flat(40, 0.25)}
    (finding,) = NoLearning().check(Case(a_run(curves, hparams=hparams)))
    first, second = finding.remedies[:2]
    assert first.knob is second.knob is Knob.LR
    assert first.change == Scale(factor)
    assert second.change == Scale(0.1 if factor == 10 else 10)
