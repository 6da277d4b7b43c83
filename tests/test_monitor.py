"""Runs watched from Python while they are trained."""

from __future__ import annotations

from pathlib import Path

import pytest

import tbdiag
from tbdiag.errors import UnknownRuleError
from tests.cli.builders import DIVERGED, OVERFITTING, event_dir

SAMPLES = Path(__file__).parents[1] / "sample_logs"


def grown(folder: Path, curves: dict[str, list[float]], points: int) -> None:
    event_dir(folder, {tag: values[:points] for tag, values in curves.items()})


def test_a_run_is_followed_from_before_its_first_point(tmp_path: Path) -> None:
    curves = {tag: list(values) for tag, values in OVERFITTING.items()}
    monitor = tbdiag.Monitor(tmp_path / "logs")
    assert monitor.check() == ()
    assert monitor.report is None
    told = []
    for points in range(10, 61, 5):
        grown(tmp_path / "logs" / "a", curves, points)
        told += [str(each) for each in monitor.check(now=1000.0 + points)]
    assert [each.split(":")[1] for each in told if "GEN001" in each] == [
        " warning[GEN001] overfitting"
    ]
    assert monitor.report is not None
    assert len(monitor.report.runs) == 1


@pytest.mark.parametrize("name", ["healthy-adam", "healthy-cosine", "healthy-dropout"])
def test_a_healthy_run_raises_no_alarm(name: str, tmp_path: Path) -> None:
    (whole,) = (SAMPLES / name).glob("*tfevents*")
    content = whole.read_bytes()
    monitor = tbdiag.Monitor(tmp_path)
    for part in range(1, 21):
        (tmp_path / whole.name).write_bytes(content[: len(content) * part // 20])
        alerts = monitor.check(now=1_700_000_000.0)
        assert [each for each in alerts if each.finding.severity != "note"] == []
    assert monitor.report is not None
    assert monitor.report.runs[0].run.provenance.points > 100


def test_a_loss_that_is_no_number_is_told_at_once(tmp_path: Path) -> None:
    event_dir(tmp_path / "a", DIVERGED)
    (alert,) = tbdiag.Monitor(tmp_path, select="NUM001").check(now=1030.0)
    assert alert.finding.code == "NUM001"
    assert not alert.gone


def test_a_wrong_rule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownRuleError):
        tbdiag.Monitor(tmp_path, select="XYZ").check()
