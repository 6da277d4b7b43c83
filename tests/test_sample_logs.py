"""Every story in sample_logs is named exactly as it expects."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import pytest

import tbdiag
from tbdiag.detectors.registry import rules
from tbdiag.model.finding import Severity
from tbdiag.model.report import RunReport

FOLDER = Path(__file__).parents[1] / "sample_logs"
STORIES = sorted(path.parent.name for path in FOLDER.glob("*/expect.toml"))


@cache
def _scanned() -> dict[str, RunReport]:
    return {report.run.id: report for report in tbdiag.scan(FOLDER)}


def test_every_story_is_a_run_and_every_run_a_story() -> None:
    assert sorted(_scanned()) == STORIES
    assert len(STORIES) >= 12


@pytest.mark.parametrize("story", STORIES)
def test_the_story_is_named_exactly(story: str) -> None:
    expected = tomllib.loads((FOLDER / story / "expect.toml").read_text())
    must, must_not = set(expected["must"]), set(expected["must_not"])
    roots = {finding.code for finding in _scanned()[story].roots}
    assert must <= roots
    assert not roots & must_not
    assert roots <= must | set(expected.get("may", ()))


@pytest.mark.parametrize("story", STORIES)
def test_every_rule_answers_once(story: str) -> None:
    assert list(_scanned()[story].outcomes) == [rule.code for rule in rules()]
    assert all(outcome.kind != "crashed" for outcome in _scanned()[story].outcomes.values())


@pytest.mark.parametrize("story", [name for name in STORIES if name.startswith("healthy")])
def test_healthy_runs_get_neither_error_nor_warning(story: str) -> None:
    assert _scanned()[story].count(Severity.ERROR) == 0
    assert _scanned()[story].count(Severity.WARNING) == 0


def test_the_samples_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 6 << 20
