"""Where a loss is flat the histograms tell the cause; without them nothing more is said than that."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import ArrayLike

from tbdiag.detectors.registry import rules
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Severity
from tbdiag.model.role import Role
from tbdiag.synth import a_run, a_stack, flat, jitter, noisy, rectified

STEPS = [1, 14, 27, 40]
FLAT: Mapping[Role, ArrayLike] = {
    Role.TRAIN_LOSS: 2.303 + jitter(40, 0.002),
    Role.BATCH_LOSS: noisy(flat(400, 2.303), 0.01),
    Role.TRAIN_METRIC: 0.1 + jitter(40, 0.004),
}
SAME = np.full((60, 16), 0.1)
DRIFTED = SAME + np.repeat(jitter(60, 0.001)[:, None], 16, axis=1)
ALIVE = a_stack("activations/layer{}", np.ones((3, 4)), STEPS)
MOVING = a_stack("weights/layer{}", np.full((4, 4), 0.1), STEPS)
EVEN = a_stack("gradients/layer{}", np.full((4, 4), 1e-2), STEPS)
FADING = a_stack("gradients/layer{}", np.outer([1e-8, 1e-6, 1e-4, 1e-2], np.ones(4)), STEPS)
WIDE = {step: np.tanh(jitter(2000, 20.0, step)) for step in STEPS}

CAUSES = {
    "INI001": {"weights/layer1": {1: SAME, 20: DRIFTED, 40: DRIFTED}, **FADING},
    "GRD001": {**MOVING, **FADING, **ALIVE},
    "GRD003": {
        **MOVING,
        **FADING,
        **{f"activations/layer{n}": rectified([0.97, 0.98, 1, 1], STEPS) for n in (1, 2, 3)},
    },
    "GRD004": {**MOVING, **FADING, "activations/layer1": WIDE},
    "GRD006": {f"weights/layer{n}": {s: jitter(600, 0.1, n) for s in STEPS} for n in (1, 2, 3)}
    | EVEN
    | ALIVE,
    "OPT004": {**MOVING, **EVEN, **ALIVE},
}


def roots(histograms: Mapping[str, Mapping[int, ArrayLike]], **curves: ArrayLike) -> dict[str, str]:
    """Code of each grave finding → what it is suppressed by, or an empty string."""
    run = a_run(
        {**FLAT, **{Role(name): each for name, each in curves.items()}}, histograms=histograms
    )
    report = examine(run, Selection(detectors=tuple(rule() for rule in rules())))
    assert all(outcome.kind != "crashed" for outcome in report.outcomes.values())
    return {
        each.code: each.suppressed_by or ""
        for each in report.findings
        if each.severity is Severity.ERROR
    }


@pytest.mark.parametrize("cause", CAUSES)
def test_the_cause_of_a_flat_loss_is_its_only_root(cause: str) -> None:
    found = roots(CAUSES[cause])
    assert [code for code, by in found.items() if not by] == [cause]
    assert "OPT004" in found


def test_gradients_that_pile_up_since_nothing_steps_are_no_cause() -> None:
    found = roots(CAUSES["GRD006"], grad_norm=noisy(np.geomspace(1, 500, 400), 0.1))
    assert (found["GRD006"], found["GRD002"]) == ("", "GRD006")


def test_without_histograms_the_flat_loss_stands_as_the_root() -> None:
    assert roots({})["OPT004"] == ""
