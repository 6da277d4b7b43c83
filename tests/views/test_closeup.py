"""One small picture of one finding: the right curve, the right steps, the same bytes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from tbdiag.model.finding import Evidence
from tbdiag.views.closeup import closeup, png
from tests.views.builders import a_finding, a_run

CURVES = {
    "loss/train": np.linspace(2, 0.1, 60),
    "loss/val": np.abs(np.linspace(-1, 1, 60)) + 0.5,
    "acc/train": np.linspace(0, 1, 60),
    "acc/val": np.linspace(0, 0.8, 60),
    "lr": np.full(60, 0.1),
    "grad_norm": np.linspace(1, 9, 60),
}


def axes(run, finding) -> Axes:
    figure = closeup(run, finding)
    assert figure is not None
    (axis,) = figure.axes
    return axis


def shaded(axis: Axes) -> list[tuple[float, float]]:
    patches = [each for each in axis.patches if isinstance(each, Rectangle)]
    return [(each.get_x(), each.get_x() + each.get_width()) for each in patches]


@pytest.mark.parametrize(
    ("tag", "title", "lines"),
    [
        ("loss/val", "Loss", {"training", "validation"}),
        ("acc/train", "Accuracy", {"training", "validation"}),
        ("lr", "Learning rate", set()),
        ("grad_norm", "Grad norm", set()),
    ],
)
def test_the_panel_of_the_curve_is_drawn(tag: str, title: str, lines: set[str]) -> None:
    axis = axes(a_run(curves=CURVES), a_finding(tag=tag, span=(20, 40)))
    assert axis.get_title(loc="left") == title
    assert shaded(axis) == [(20, 40)]
    legend = axis.get_legend()
    assert {t.get_text() for t in (legend.get_texts() if legend else ())} == lines


def test_a_single_point_is_a_line_and_a_span_stays_on_the_axis() -> None:
    run = a_run(curves=CURVES)
    assert shaded(axes(run, a_finding(span=(20, 20)))) == []
    ((low, high),) = shaded(axes(run, a_finding(span=(-100, 1000))))
    assert (low, high) == axes(run, a_finding()).get_xlim()


def test_what_is_about_a_histogram_stands_at_its_steps_of_the_loss() -> None:
    axis = axes(a_run(curves=CURVES), a_finding(tag="weights/layer1", span=(5, 9)))
    assert axis.get_title(loc="left") == "Loss"
    assert shaded(axis) == [(5, 9)]


def test_of_several_runs_the_own_curve_is_drawn() -> None:
    other = Evidence(tag="lr", span=(1, 2), run="another")
    finding = a_finding(tag="acc/val", span=(30, 60), also=[other])
    assert axes(a_run(curves=CURVES), finding).get_title(loc="left") == "Accuracy"


def test_where_there_is_no_curve_there_is_no_picture() -> None:
    assert png(a_run(), a_finding(tag="weights")) is None
    assert png(a_run(curves={"odd": []}), a_finding(tag="odd")) is None


def test_the_same_finding_gives_the_same_bytes() -> None:
    one, other = (png(a_run(curves=CURVES), a_finding(span=(20, 40))) for _ in range(2))
    assert one == other
    assert one is not None
    assert b"Software" not in one
    assert one != png(a_run(curves=CURVES), a_finding(span=(21, 40)))


@pytest.mark.parametrize(
    "values",
    [
        [math.nan] * 5,
        [1.0, math.inf, math.nan, 2.0],
        [1e308, -1e308, 1e-320],
        [0.0],
        [3.0] * 3000,
    ],
)
@pytest.mark.parametrize("tag", ["loss/val", "$\\frac{}{x}$ odd\u202e"])
def test_odd_curves_are_drawn(values: list[float], tag: str) -> None:
    assert png(a_run(curves={tag: values}), a_finding(tag=tag, span=(1, 2)))
