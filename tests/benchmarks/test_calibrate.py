"""Thresholds are swept on labelled runs: what they name and what they cost adds up."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.diagnosis.labels import Facts, Label
from benchmarks.diagnosis.thresholds import Firing, around, cases_of, fires, numeric, variant
from tbdiag.detectors import registry
from tbdiag.detectors.base import Threshold
from tbdiag.detectors.generalization.overfitting import Overfitting
from tbdiag.detectors.optimization.learning_rate_too_high import LearningRateTooHigh
from tbdiag.detectors.optimization.optimizer_rate_mismatch import OptimizerRateMismatch
from tbdiag.model.finding import Severity
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.synth import a_run, decay, u_turn
from tools.calibrate import Point, Runs, examined, page, points, suggested, truth


def an_overfit_run(end: float) -> Run:
    """A validation loss that climbs from 0.5 to ``end``."""
    return a_run(
        {Role.TRAIN_LOSS: decay(60, 2.3, 0.01, 8), Role.VAL_LOSS: u_turn(60, 2.3, 0.5, end)}
    )


def a_label(kind: str = "fault", codes: str = "GEN001", related: str = "", **facts: bool) -> Label:
    return Label(
        run="r",
        part="calibration",
        setting="digits",
        problem="toy",
        family="overfitting",
        kind=kind,
        codes=frozenset(codes.split()),
        related=frozenset(related.split()),
        facts=Facts(**facts),
    )


@pytest.fixture(scope="module")
def runs() -> Runs:
    def labelled() -> Iterator[tuple[Label, Run]]:
        yield a_label(), an_overfit_run(1.0)
        yield a_label(), an_overfit_run(0.6)
        yield a_label("healthy", ""), an_overfit_run(0.56)
        yield a_label("healthy", ""), an_overfit_run(0.5)
        yield a_label("trap", "", "GEN001"), an_overfit_run(0.9)  # may or may not be named
        yield a_label(codes="OPT001"), an_overfit_run(0.8)

    return examined(list(labelled()))


def test_a_stricter_threshold_names_less_and_cries_less(runs: Runs) -> None:
    found = points(runs, Overfitting(), "rise")
    assert [point.value for point in found] == sorted(point.value for point in found)
    at = {round(point.value, 4): point for point in found}
    assert (at[0.05].recall, at[0.05].alarms, at[0.05].elsewhere) == (1.0, 0.5, 1.0)
    assert (at[0.15].recall, at[0.15].alarms) == (1.0, 0.0)
    for milder, stricter in pairwise(found):
        assert stricter.recall <= milder.recall
        assert stricter.alarms <= milder.alarms


def test_the_suggestion_names_all_without_an_alarm(runs: Runs) -> None:
    best = suggested(points(runs, Overfitting(), "rise"), 0.05, cost=5)
    assert (best.recall, best.alarms) == (1.0, 0.0)
    text = "\n".join(page(runs, Overfitting(), ["rise"], cost=5))
    assert "2 runs to name, 2 healthy ones and traps, 1 with other faults" in text
    assert [line.split()[0] for line in text.splitlines() if "suggested" in line] == [
        f"{best.value:.4g}"
    ]
    assert sum("default" in line for line in text.splitlines()) == 1
    assert max(map(len, text.splitlines())) <= 80


def test_a_tie_goes_to_the_value_nearest_to_the_default() -> None:
    found = [Point(value=v, recall=1, alarms=0, elsewhere=math.nan) for v in (0.1, 0.2, 0.4)]
    assert suggested(found, 0.2, cost=5).value == 0.2
    dear = [*found, Point(value=0.3, recall=1.0, alarms=0.1, elsewhere=0)]
    assert suggested(dear, 0.3, cost=5).value == 0.2


def test_a_finding_that_another_explains_is_not_said(runs: Runs) -> None:
    cause = next(rule for rule in registry.rules() if "GEN001" in rule.explains)
    for severity, recall in ((Severity.ERROR, 0.5), (Severity.NOTE, 1.0)):  # a note hides nothing
        roots = ({cause.code: severity}, *({} for _ in runs.labels[1:]))
        hidden = Runs(runs.labels, runs.firing, roots)
        (default,) = (p for p in points(hidden, Overfitting(), "rise") if p.value == 0.05)
        assert default.recall == recall


def test_what_should_be_said_of_a_run() -> None:
    assert truth(a_label(), "GEN001") is True
    assert truth(a_label(), "OPT001") is False
    assert truth(a_label("trap", "", "GEN001"), "GEN001") is None
    assert truth(a_label("healthy", "", longer_helps=True), "OPT006") is True
    assert truth(a_label("healthy", "", longer_helps=False), "OPT006") is False
    assert truth(a_label(codes="OPT006", longer_helps=False), "OPT006") is None


def test_values_stay_in_bounds_and_include_the_default() -> None:
    assert around(0.2, Threshold("", above=0), (0.5, 2)) == [0.1, 0.2, 0.4]
    assert around(0.2, Threshold("", above=0.15), (0.5, 2)) == [0.2, 0.4]
    assert around(0.9, Threshold("", at_most=1), (0.5, 2)) == pytest.approx([0.8, 0.9, 0.95])
    assert around(0.0, Threshold("", at_least=0), (0.5, 2)) == [0.0, 0.01]


def test_counts_stay_whole() -> None:
    changed = variant(LearningRateTooHigh(), "batches", 140.4)
    assert getattr(changed, "batches") == 140  # noqa: B009 - the field is the rule's own
    assert "batches" in numeric(LearningRateTooHigh)


def test_a_rule_fires_as_in_a_scan() -> None:
    run = an_overfit_run(1.0)
    assert fires(Overfitting(), cases_of(run))
    assert not fires(Overfitting(rise=9.0), cases_of(run))
    assert not fires(Overfitting(), cases_of(a_run({Role.TRAIN_LOSS: np.ones(30)})))  # blocked
    mismatch = list(OptimizerRateMismatch.samples())
    beside = Firing([sample.run for sample in mismatch])(OptimizerRateMismatch())
    assert beside.tolist() == [sample.fires for sample in mismatch]
    firing = Firing([run, an_overfit_run(0.5)])
    assert firing(Overfitting()).tolist() == [True, False]
    assert firing(Overfitting()) is firing(Overfitting())
