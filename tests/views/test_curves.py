from __future__ import annotations

from pathlib import PurePath

import numpy as np
import pytest

from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.views.axes import Axis, Clock
from tbdiag.views.charts import charts, shared
from tbdiag.views.curves import Frame, drawn
from tests.tensorboard_tab.builders import a_finding

NAN = float("nan")


def a_run(**curves: Series) -> Run:
    return Run(id="r", path=PurePath("r"), series={each.tag: each for each in curves.values()})


def test_a_nan_is_a_gap_and_a_mark():
    run = a_run(a=Series.of("loss", [1, 2, 3, 4], [1.0, NAN, 3.0, float("-inf")]))
    (curve,) = drawn(run, ["loss"], Frame())["curves"]
    assert curve["x"] == [1, 2, 3, 4]
    assert curve["y"] == [1, None, 3, None]
    assert curve["nonfinite"] == [[2, "NaN", 2], [4, "-Inf", 4]]
    assert (curve["points"], curve["bad"]) == (4, 2)


def test_a_lone_nan_among_a_million_points_is_told():
    values = np.ones(1_000_000)
    values[654_321] = NAN
    run = a_run(a=Series.of("loss", np.arange(1_000_000), values))
    (curve,) = drawn(run, ["loss"], Frame(columns=300))["curves"]
    assert curve["nonfinite"] == [[654_321, "NaN", 654_321]]
    assert curve["y"][curve["x"].index(654_321)] is None
    assert len(curve["x"]) < 1300


def test_a_part_reaches_to_the_edges_of_the_picture():
    run = a_run(a=Series.of("loss", np.arange(0, 100, 10), np.arange(10)))
    (curve,) = drawn(run, ["loss"], Frame(first=25, last=55))["curves"]
    assert curve["x"] == [20, 30, 40, 50, 60]
    (curve,) = drawn(run, ["loss"], Frame(first=1000, last=2000))["curves"]
    assert curve["x"] == [90]


def test_the_average_is_that_of_all_points_not_of_the_part():
    run = a_run(a=Series.of("loss", np.arange(1000), np.r_[np.zeros(500), np.ones(500)]))
    whole = drawn(run, ["loss"], Frame(smoothing=0.9))["curves"][0]
    part = drawn(run, ["loss"], Frame(smoothing=0.9, first=600))["curves"][0]
    assert part["smooth"][1] == whole["smooth"][600]


def test_spans_and_nans_move_with_the_axis():
    walls = [1000.0, 1010.0, 1030.0]
    run = a_run(a=Series.of("loss", [0, 10, 20], [1.0, NAN, 2.0], walls))
    evidence = [{"tag": "loss", "span": [0, 20]}]
    told = drawn(run, ["loss"], Frame(axis=Axis.RELATIVE), evidence)
    assert told["spans"] == [[0, 30]]
    assert told["curves"][0]["x"] == [0, 15, 30], "between its neighbours: a NaN tells no time"
    told = drawn(run, ["loss"], Frame(axis=Axis.WALL), evidence)
    assert told["spans"] == [[1000, 1030]]


def test_clocks_that_were_set_back_do_not_fold_a_curve():
    run = a_run(a=Series.of("loss", [1, 2, 3], [1.0, 2, 3], [100.0, 50.0, 120.0]))
    (curve,) = drawn(run, ["loss"], Frame(axis=Axis.WALL))["curves"]
    assert curve["x"] == sorted(curve["x"])


def test_a_run_of_nothing_but_nan_has_places():
    run = a_run(a=Series.of("loss", [1, 2], [NAN, NAN]))
    for axis in Axis:
        (curve,) = drawn(run, ["loss"], Frame(axis=axis), [])["curves"]
        assert (curve["y"], len(curve["nonfinite"])) == ([None, None], 2)
    assert Clock(run).places(Axis.RELATIVE, [1, 2]).tolist() == [1, 2]


def test_a_tag_that_is_not_there_gives_no_curve():
    assert drawn(a_run(), ["loss"], Frame())["curves"] == []


def test_charts_of_findings_come_first():
    run = a_run(a=Series.of("a", [1], [1.0]), b=Series.of("b", [1], [1.0]))
    assert [each["title"] for each in charts(run, [])] == ["a", "b"]
    found = charts(run, [a_finding("X", tag="b")])
    assert [(each["title"], each["findings"]) for each in found] == [("b", [0]), ("a", [])]


def test_training_and_validation_share_a_chart(sample):
    run = sample("overfitting")
    first = charts(run, [])[0]
    assert [each["tag"] for each in first["curves"]] == ["loss/train", "loss/val"]


def test_histograms_are_drawn_where_a_finding_speaks_of_them(sample):
    run = sample("symmetric-init")
    assert not [each for each in charts(run, []) if each["curves"][0]["kind"] == "histogram"]
    tag = next(iter(run.histograms))
    found = charts(run, [a_finding("INI001", tag=tag)])
    assert found[0]["curves"] == [{"tag": tag, "role": "", "kind": "histogram"}]
    told = drawn(run, [tag], Frame())["curves"]
    assert [each["part"] for each in told] == ["highest 5 %", "median", "lowest 5 %"]
    assert told[0]["y"][0] >= told[1]["y"][0] >= told[2]["y"][0]


def test_runs_share_charts_by_role_whatever_their_tags(sample):
    runs = [sample("overfitting"), sample("nan")]
    found = shared(runs)
    assert found[0]["title"] == "validation loss"
    assert set(found[0]["tags"]) == {"overfitting", "nan"}


@pytest.fixture(scope="module")
def sample():
    from tbdiag.api import load
    from tests.cli.builders import ROOT

    def named(name: str) -> Run:
        return load(ROOT / "sample_logs" / name, cache=False)[0]

    return named
