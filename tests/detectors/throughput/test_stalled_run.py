"""SYS001 beyond its samples: runs that stand still now, by a clock that the test sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tbdiag
from tbdiag.case import Case
from tbdiag.config import Config
from tbdiag.detectors.throughput.stalled_run import StalledRun
from tbdiag.model.finding import Finding
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.synth import a_run, at_times, decay, flat
from tests.reading.eventfiles import NAME, hparams, scalars, write

HOUR = 3600.0
END = 1_700_000_000.0


def a_live_run(**hparams: float) -> Run:
    """200 points, one each 12 seconds, the last one at END."""
    loss = at_times(Role.TRAIN_LOSS, decay(200, 2.3, 0.2), END + 12.0 * np.arange(-199, 1))
    return a_run({Role.TRAIN_LOSS: loss}, hparams=hparams)


def found(run: Run, now: float | None = None, **thresholds: float) -> list[Finding]:
    case = Case(run, now)
    assert StalledRun(**thresholds).blocked(case) is None
    return list(StalledRun(**thresholds).check(case))


def test_a_run_that_is_not_at_its_end_stands_still() -> None:
    (finding,) = found(a_live_run(max_steps=1000), now=END + 3 * HOUR)
    assert finding.message == (
        "nothing was logged for 3 h, where a point comes every 12 s, although the run stands at"
        " step 200 of 1,000"
    )


@pytest.mark.parametrize(
    ("settings", "idle"),
    [
        ({"max_steps": 1000}, 0.4 * HOUR),  # within what is usual
        ({"max_steps": 200}, 3 * HOUR),  # finished
        ({"max_steps": 201}, 3 * HOUR),  # finished, counted from 0
        ({}, 3 * HOUR),  # nobody knows
        ({"epochs": 50}, 3 * HOUR),  # no epoch was logged
        ({"max_steps": 1000}, 25 * HOUR),  # an old log
        ({"max_steps": 1000}, -3 * HOUR),  # a clock that is behind
    ],
)
def test_a_run_is_not_called_stalled(settings: dict[str, float], idle: float) -> None:
    assert not found(a_live_run(**settings), now=END + idle)


def test_without_a_clock_no_run_is_live() -> None:
    assert not found(a_live_run(max_steps=1000))


def test_epochs_tell_the_end_where_steps_do_not() -> None:
    walls = END + 60.0 * np.arange(-99, 1)
    curves = {
        Role.TRAIN_LOSS: at_times(Role.TRAIN_LOSS, decay(100, 2.3, 0.2), walls),
        Role.EPOCH: at_times(Role.EPOCH, np.arange(100) // 10, walls),
    }
    (finding,) = found(a_run(curves, hparams={"epochs": 20}), now=END + 2 * HOUR)
    assert finding.message.endswith("the run stands at epoch 9 of 20")
    assert not found(a_run(curves, hparams={"epochs": 10}), now=END + 2 * HOUR)


def test_points_of_rarer_curves_fill_a_pause() -> None:
    intervals = flat(200, 10)
    intervals[100] = 2 * HOUR
    walls = np.cumsum(intervals)
    loss = at_times(Role.TRAIN_LOSS, decay(200, 2.3, 0.2), walls)
    assert found(a_run({Role.TRAIN_LOSS: loss}))
    saved = Series.of("saved", range(5), flat(5, 1), walls[99] + 1400.0 * np.arange(1, 6))
    run = a_run({Role.TRAIN_LOSS: loss})
    assert not found(replace(run, series={**run.series, "saved": saved}))


def test_nans_fill_a_pause() -> None:
    values = decay(400, 2.3, 0.2)
    values[100:300] = np.nan
    loss = at_times(Role.TRAIN_LOSS, values, 30.0 * np.arange(400))
    assert not found(a_run({Role.TRAIN_LOSS: loss}))


def test_coarse_wall_times_tell_nothing() -> None:
    loss = at_times(Role.TRAIN_LOSS, decay(60, 2.3, 0.2), flat(60, END))
    reason = StalledRun().blocked(Case(a_run({Role.TRAIN_LOSS: loss})))
    assert reason == "the wall times are too coarse to tell one point from the next"


def test_what_was_kept_of_a_live_run_is_asked_again(tmp_path: Path) -> None:
    points = scalars("loss", range(100), at=END)
    write(tmp_path / NAME, hparams({"max_steps": 1000}, at=END), *points)
    codes = []
    for idle in (60, 2 * HOUR, 3 * HOUR, 60 * HOUR, 400 * HOUR, 2 * HOUR):
        report = tbdiag.scan(tmp_path, config=Config(), now=END + 99 + idle)
        fresh = tbdiag.scan(tmp_path, config=Config(), now=END + 99 + idle, cache=False)
        assert report.to_json() == fresh.to_json()
        codes.append([each.code for each in report.runs[0].findings if each.code == "SYS001"])
    assert codes == [[], ["SYS001"], ["SYS001"], [], [], ["SYS001"]]
