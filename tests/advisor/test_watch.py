"""Runs that go on are left alone; those that cannot come to anything are told early."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tbdiag import load
from tbdiag.advisor.look import Watch, steps
from tbdiag.config import Config
from tbdiag.diagnosis.select import select
from tbdiag.model.run import Run
from tests.cli.builders import ROOT

WATCH = Watch.by(select(Config()))
SAMPLES = ROOT / "sample_logs"
GOING_ON = [
    "healthy-adam", "healthy-cosine", "healthy-dropout", "healthy-step", "overfitting", "truncated",
    "badly-scaled-init", "rate-too-low", "over-regularized", "plateau-constant-rate", "underfitting",
]  # fmt: skip


def a_sample(name: str) -> Run:
    (run,) = load(SAMPLES / name, config=Config(), cache=False)
    return run


def so_far(run: Run, share: float) -> Run:
    """The run as it was after a share of its steps."""
    until = share * steps(run)
    return replace(run, series={tag: each.between(0, until) for tag, each in run.series.items()})


@pytest.mark.parametrize("name", GOING_ON)
def test_a_run_that_learns_is_never_hopeless(name: str) -> None:
    run = a_sample(name)
    for share in (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0):
        assert WATCH.hopeless(so_far(run, share), steps(run)) is None


@pytest.mark.parametrize(
    ("name", "code", "by"), [("nan", "NUM001", 0.8), ("rate-too-high-diverging", "NUM002", 0.4)]
)
def test_a_run_that_blew_up_is_told_before_its_end(name: str, code: str, by: float) -> None:
    run = a_sample(name)
    found = WATCH.hopeless(so_far(run, by), steps(run))
    assert found is not None
    assert found.code == code


def test_that_nothing_is_learned_is_told_only_after_a_part_of_the_run() -> None:
    run = a_sample("symmetric-init")
    early, later = so_far(run, 0.25), so_far(run, 0.5)
    assert WATCH.hopeless(early, steps(run)) is None
    assert WATCH.hopeless(later, None) is None
    found = WATCH.hopeless(later, steps(run))
    assert found is not None
    assert found.code == "OPT004"
