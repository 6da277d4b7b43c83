"""The rules about numbers on 540 real runs whose learning rate is known to be right or wrong."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.base import Detector
from tbdiag.detectors.numerics.early_blow_up import EarlyBlowUp
from tbdiag.detectors.numerics.late_divergence import LateDivergence
from tbdiag.detectors.numerics.non_finite_values import NonFiniteValues
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.synth import a_run

CURVES = Path(__file__).parents[4] / "shared" / "curves"

pytestmark = pytest.mark.skipif(
    not CURVES.is_dir(), reason="the learning-rate sweep is not beside the project"
)


@pytest.fixture(scope="module")
def sweep() -> list[tuple[str, Run]]:
    arrays = np.load(CURVES / "learning-rate-sweep.npz")
    runs = json.loads((CURVES / "learning-rate-sweep.json").read_text())
    return [
        (
            each["learning_rate"],
            a_run(
                {
                    Role.TRAIN_LOSS: arrays[f"{each['run']}_train"],
                    Role.VAL_LOSS: arrays[f"{each['run']}_test"],
                    Role.BATCH_LOSS: arrays[f"{each['run']}_mb_head"],
                }
            ),
        )
        for each in runs
    ]


def shares(rule: Detector, sweep: list[tuple[str, Run]]) -> dict[str, float]:
    fired: Counter[str] = Counter()
    for label, run in sweep:
        case = Case(run)
        fired[label] += rule.blocked(case) is None and any(True for _ in rule.check(case))
    totals = Counter(label for label, _ in sweep)
    return {label: fired[label] / totals[label] for label in totals}


@pytest.mark.parametrize(
    ("rule", "of_high"),
    [(NonFiniteValues(), 0.38), (EarlyBlowUp(), 0.35), (LateDivergence(), 0.03)],
    ids=lambda each: each.code if isinstance(each, Detector) else "",
)
def test_high_rates_are_found_and_others_left_alone(
    rule: Detector, of_high: float, sweep: list[tuple[str, Run]]
) -> None:
    found = shares(rule, sweep)
    assert found["high"] >= of_high
    assert found["ok"] <= 0.01
    assert found["low"] <= 0.01
