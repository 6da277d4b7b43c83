"""High, ok or low: the arithmetic, on a handful of made-up runs."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.diagnosis import forest, rates
from benchmarks.diagnosis.thresholds import Firing
from tbdiag.case import Case
from tbdiag.detectors.optimization.learning_rate_too_high import LearningRateTooHigh
from tbdiag.detectors.optimization.learning_rate_too_low import LearningRateTooLow
from tbdiag.model.role import Role
from tbdiag.synth import a_run, decay, noisy

FALLS = decay(60, 2.3, 0.05, 12)
BOUNCES = noisy(decay(60, 2.3, 0.9, 40), 0.12)
CRAWLS = decay(60, 2.3, 1.2, 1)


@pytest.fixture
def runs() -> rates.Runs:
    """Two problems, each with a rate of every kind; one run of the second blew up."""
    curves = [FALLS, BOUNCES, CRAWLS, FALLS, CRAWLS, CRAWLS]
    made = [a_run({Role.TRAIN_LOSS: curve}, hparams={"lr": 1e-3}) for curve in curves]
    no = np.zeros(6, dtype=np.bool_)
    return rates.Runs(
        problems=np.array(["a", "a", "a", "b", "b", "b"]),
        labels=np.array(["ok", "high", "low", "ok", "high", "low"]),
        broken=np.array([False, False, False, False, True, False]),
        error=no,
        rate_warning=no,
        firing=Firing(made),
        features=np.zeros((6, 16)),
    )


def test_rules_call_each_rate(runs: rates.Runs) -> None:
    called = runs.called(LearningRateTooHigh(), LearningRateTooLow())
    assert called.tolist() == ["ok", "high", "low", "ok", "high", "low"]
    deaf = runs.called(
        LearningRateTooHigh(left=1e6, above_best=1e6, climbing=1), LearningRateTooLow()
    )
    assert deaf.tolist() == ["ok", "ok", "low", "ok", "high", "low"]


def test_accuracy_is_balanced_over_the_labels_that_occur() -> None:
    labels = np.array(["ok", "ok", "ok", "high"])
    table = rates.confusion(labels, np.array(["ok", "ok", "high", "ok"]))
    assert rates.balanced(table) == pytest.approx((2 / 3 + 0) / 2)
    assert rates.wrongly_called(table) == pytest.approx(1 / 3)


def test_what_is_chosen_is_no_worse_than_chance_and_never_the_default(runs: rates.Runs) -> None:
    kept = runs.problems == "a"
    high, low = rates.choose(runs, kept, seed=0)
    assert high != LearningRateTooHigh()
    table = rates.confusion(runs.labels[kept], runs.called(high, low)[kept])
    assert rates.balanced(table) == 1.0
    assert rates.choose(runs, kept, seed=0) == (high, low)


def test_the_forest_looks_at_sixteen_features() -> None:
    val = decay(60, 2.3, 0.2)
    full = a_run(
        {Role.TRAIN_LOSS: FALLS, Role.VAL_LOSS: val, Role.BATCH_LOSS: np.repeat(FALLS, 10)}
    )
    found = forest.features(Case(full))
    assert len(found) == len(forest.NAMES) == 16
    assert np.isfinite(found).all()
    bare = forest.features(Case(a_run({Role.TRAIN_LOSS: FALLS[:5]})))
    assert len(bare) == 16
    assert np.isnan(bare).all()


def test_the_forest_learns() -> None:
    dice = np.random.default_rng(0)
    labels = np.array(["low", "ok", "high"] * 20)
    known = dice.normal(size=(60, 16))
    known[:, 3] += np.select([labels == "low", labels == "high"], [-8.0, 8.0], 0.0)
    asked = known[:6] + 0.01
    asked[:, 0] = np.nan
    assert forest.forest(known, labels, asked, 0).tolist() == labels[:6].tolist()
