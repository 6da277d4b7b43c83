"""Which setting matters: on searches of which the truth is known."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from tbdiag.advisor.importance import Value, importances
from tests.cli.builders import ROOT

RATIOS = frozenset({"lr", "weight_decay"})


def a_random_search(n: int, seed: int = 0) -> list[dict[str, Value]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "lr": float(10 ** rng.uniform(-5, -1)),
            "weight_decay": float(10 ** rng.uniform(-6, -2)),
            "dropout": float(rng.uniform(0, 0.5)),
            "optimizer": str(rng.choice(["sgd", "adam", "adamw"])),
            "junk": float(rng.uniform()),
        }
        for _ in range(n)
    ]


def losses(
    trials: list[dict[str, Value]], loss: Callable[[dict[str, Value]], float], seed: int = 0
) -> np.ndarray:
    noise = np.random.default_rng(seed + 1).normal(0, 0.2, len(trials))
    return np.array([loss(each) for each in trials]) + noise


def valley(each: dict[str, Value]) -> float:
    return (np.log10(float(each["lr"])) + 3) ** 2


@pytest.mark.parametrize("n", [30, 60])
def test_a_valley_is_found_where_no_correlation_is(n: int) -> None:
    trials = a_random_search(n)
    found = importances(trials, losses(trials, valley), by_ratio=RATIOS)
    assert next(iter(found)) == "lr"
    assert found["lr"][0] > 0.5
    assert found["lr"][1] <= 0.05
    assert sum(share for share, _ in found.values()) == pytest.approx(1)


def test_a_kind_of_optimizer_is_found() -> None:
    trials = a_random_search(60)
    found = importances(
        trials, losses(trials, lambda each: 2.0 * (each["optimizer"] == "sgd")), by_ratio=RATIOS
    )
    assert (next(iter(found)), found["optimizer"][1] <= 0.05) == ("optimizer", True)


def test_what_matters_by_chance_is_told_as_chance() -> None:
    sure = 0
    for seed in range(4):
        trials = a_random_search(30, seed)
        found = importances(trials, losses(trials, lambda _: 0.0, seed), by_ratio=RATIOS)
        sure += sum(p <= 0.05 for _, p in found.values())
    assert sure <= 3


def test_failed_runs_count_and_the_order_of_runs_and_units_does_not() -> None:
    trials = a_random_search(30)
    values = losses(trials, valley)
    values[values > 3] = np.inf
    found = importances(trials, values, by_ratio=RATIOS, draws=1)
    shares = {name: share for name, (share, _) in found.items()}
    again = importances(trials[::-1], 1000 * values[::-1], by_ratio=RATIOS, draws=1)
    assert {name: share for name, (share, _) in again.items()} == pytest.approx(shares)


def test_nobody_hears_of_the_study() -> None:
    import optuna

    trials, before = a_random_search(20), optuna.logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importances(trials, losses(trials, valley), draws=1)
    assert optuna.logging.get_verbosity() == before
    assert logging.getLogger("optuna").level == before


def test_a_scan_never_loads_optuna() -> None:
    code = (
        "import sys, tbdiag; tbdiag.scan('sample_logs', cache=False); "
        "print('optuna' in sys.modules, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]
