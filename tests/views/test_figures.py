"""What the pictures promise: the right curves in the right panels, marked, without a display."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tbdiag.errors import RequestError
from tbdiag.model.finding import Finding, Severity
from tbdiag.views.figures import save, training_curves
from tests.views.builders import a_finding, a_run

KERAS = {
    "loss": [2.0, 1.0, 0.5, 0.4],
    "val_loss": [2.1, 1.2, 0.9, 1.1],
    "accuracy": [0.2, 0.5, 0.7, 0.8],
    "val_accuracy": [0.2, 0.4, 0.6, 0.6],
}


def panels(figure: Figure) -> dict[str, Axes]:
    return {axis.get_title(loc="left"): axis for axis in figure.axes}


def curves(axis: Axes) -> dict[str, tuple[list[float], list[float]]]:
    lines = {str(line.get_label()): line for line in axis.get_lines()}
    return {
        label: (list(map(float, line.get_xdata())), list(map(float, line.get_ydata())))
        for label, line in lines.items()
        if not label.startswith("_")
    }


def labels(axis: Axes) -> list[str]:
    return [each.get_text() for each in axis.texts]


def test_a_keras_history_has_two_panels_over_epochs_from_one() -> None:
    figure = training_curves(KERAS)
    found = panels(figure)
    assert [*found] == ["Loss", "Accuracy"]
    assert curves(found["Loss"]) == {
        "training": ([1, 2, 3, 4], KERAS["loss"]),
        "validation": ([1, 2, 3, 4], KERAS["val_loss"]),
    }
    assert curves(found["Accuracy"])["validation"][1] == KERAS["val_accuracy"]
    assert figure.axes[-1].get_xlabel() == "epoch"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["loss"], {"Loss": ["training"]}),
        (["val_loss"], {"Loss": ["validation"]}),
        (["loss", "val_accuracy"], {"Loss": ["training"], "Accuracy": ["validation"]}),
        (["accuracy", "val_accuracy"], {"Accuracy": ["training", "validation"]}),
    ],
)
def test_a_missing_curve_leaves_its_line_out_and_a_missing_pair_its_panel(
    names: Sequence[str], expected: dict[str, list[str]]
) -> None:
    found = panels(training_curves({name: KERAS[name] for name in names}))
    assert {title: [*curves(axis)] for title, axis in found.items()} == expected


@pytest.mark.parametrize(
    ("names", "title"),
    [
        (("acc", "val_acc"), "Accuracy"),
        (("train_accuracy", "valid_accuracy"), "Accuracy"),
        (("accuracy/train", "accuracy/val"), "Accuracy"),
        (("f1", "val_f1"), "F1"),
        (("binary_accuracy", "val_binary_accuracy"), "Binary accuracy"),
        (("perplexity", "val_perplexity"), "Perplexity"),
    ],
)
def test_metrics_go_by_many_names(names: tuple[str, str], title: str) -> None:
    found = panels(training_curves({"loss": [2, 1], names[0]: [0.1, 0.2], names[1]: [0.2, 0.3]}))
    assert curves(found[title]) == {
        "training": ([1, 2], [0.1, 0.2]),
        "validation": ([1, 2], [0.2, 0.3]),
    }


def test_accuracy_is_preferred_and_what_is_unknown_left_out() -> None:
    history = {"grad_norm": [1, 2], "f1": [0, 1], **KERAS, "note": "text"}
    assert [*panels(training_curves(history))] == ["Loss", "Accuracy"]


def test_arrays_none_and_nan_are_taken() -> None:
    figure = training_curves({"loss": np.array([3, 2, np.nan, 1]), "val_loss": [3, None, 2, 2]})
    found = curves(panels(figure)["Loss"])
    assert found["training"] == ([1, 2, 4], [3, 2, 1])
    assert found["validation"][0] == [1, 3, 4]
    assert found["NaN or infinite"][0] == [2, 3]


def test_nan_stands_at_the_bottom_of_the_panel() -> None:
    axis = panels(training_curves({"loss": [3, np.inf, 1]}))["Loss"]
    cross = next(line for line in axis.get_lines() if line.get_marker() == "x")
    assert cross.get_transform() == axis.get_xaxis_transform()
    assert 0 < cross.get_ydata()[0] < 0.1


def test_a_curve_of_nothing_but_nan_is_still_shown() -> None:
    found = curves(panels(training_curves({"loss": [np.nan, np.nan]}))["Loss"])
    assert found["NaN or infinite"][0] == [1, 2]


@pytest.mark.parametrize(("name", "x"), [("epoch", [5, 10]), ("step", [5, 10]), (None, [1, 2])])
def test_a_frame_is_drawn_over_its_index_if_that_is_named(name: str | None, x: list[float]) -> None:
    frame = pd.DataFrame({"loss": [2.0, 1.0]}, index=pd.Index([5, 10], name=name))
    figure = training_curves(frame)
    assert curves(panels(figure)["Loss"])["training"] == (x, [2, 1])
    assert figure.axes[-1].get_xlabel() == (name or "epoch")


def test_nan_in_a_frame_over_steps_means_not_logged_there() -> None:
    run = a_run("a", {"loss/train": [4, 3, 2, 1]})
    short = replace(run, series={**run.series})
    frame = short.history().assign(val_loss=[np.nan, 2, np.nan, 1])
    found = curves(panels(training_curves(frame))["Loss"])
    assert found["validation"] == ([2, 4], [2, 1])
    assert "NaN or infinite" not in found
    unnamed = frame.reset_index(drop=True)
    assert "NaN or infinite" in curves(panels(training_curves(unnamed))["Loss"])


def test_a_run_is_drawn_by_its_roles_over_steps() -> None:
    run = a_run(
        "lr1e-2",
        {
            "loss/train": [2, 1, 0.5],
            "loss/val": [2, 1, 0.6],
            "acc/val": [0.1, 0.2, 0.3],
            "lr": [0.1, 0.1, 0.01],
        },
        every=100,
    )
    figure = training_curves(run)
    found = panels(figure)
    assert [*found] == ["Loss", "Accuracy", "Learning rate"]
    assert curves(found["Loss"])["training"][0] == [100, 200, 300]
    assert figure.axes[-1].get_xlabel() == "step"
    assert figure.get_suptitle() == "lr1e-2"
    heights = [axis.get_position().height for axis in figure.axes]
    assert heights[2] < heights[0] / 2


def test_batches_are_pale_behind_the_epochs_and_stretched_to_their_axis() -> None:
    batches = np.linspace(2, 1, 1000)
    run = a_run("a", {"loss/batch": batches, "loss/train": np.linspace(2, 1, 10)})
    axis = panels(training_curves(run))["Loss"]
    pale = next(line for line in axis.get_lines() if "per batch" in str(line.get_label()))
    train = next(line for line in axis.get_lines() if line.get_label() == "training")
    assert pale.get_label() == "per batch\n(steps rescaled)"
    assert (pale.get_xdata()[0], pale.get_xdata()[-1]) == (0.01, 10)
    assert (pale.get_alpha() or 1) < 0.6
    assert axis.get_lines().index(pale) < axis.get_lines().index(train)


@pytest.mark.parametrize(
    ("values", "scale"),
    [([10, 0.05], "log"), ([1, 0.05], "linear"), ([10, 0], "linear"), ([10, -0.01], "linear")],
)
def test_a_loss_that_spans_decades_gets_a_logarithmic_scale(
    values: list[float], scale: str
) -> None:
    assert panels(training_curves({"loss": values}))["Loss"].get_yscale() == scale


def test_many_points_get_a_smooth_line_over_a_thin_raw_one() -> None:
    rng = np.random.default_rng(0)
    values = np.linspace(3, 2, 100_000) + rng.normal(0, 0.1, 100_000)
    values[61_234] = 30
    lines = panels(training_curves({"loss": values}))["Loss"].get_lines()
    raw, smooth = lines
    assert raw.get_linewidth() < smooth.get_linewidth()
    assert smooth.get_label() == "training"
    assert len(raw.get_xdata()) <= 4000
    assert 30 in raw.get_ydata()
    assert np.abs(np.diff(smooth.get_ydata())).max() < 0.1


def test_findings_are_shaded_on_the_panel_of_their_curve() -> None:
    figure = training_curves(KERAS, [a_finding(tag="val_loss", span=(2, 4))])
    found = panels(figure)
    assert labels(found["Loss"]) == ["GEN001 overfitting"]
    assert labels(found["Accuracy"]) == []
    (shade,) = found["Loss"].patches
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == (2, 4)


def test_consequences_are_not_drawn_and_unknown_curves_fall_to_the_first_panel() -> None:
    findings = [
        a_finding("OPT005", "plateau", tag="loss", suppressed_by="GEN001"),
        a_finding("GRD001", "vanishing-gradients", tag="grad/0", span=(1, 3)),
    ]
    assert labels(panels(training_curves(KERAS, findings))["Loss"]) == [
        "GRD001 vanishing-gradients"
    ]


def test_the_span_of_a_stretched_curve_is_stretched_with_it() -> None:
    run = a_run("a", {"loss/batch": np.linspace(2, 1, 1000), "loss/train": np.linspace(2, 1, 10)})
    axis = panels(training_curves(run, [a_finding(tag="loss/batch", span=(500, 800))]))["Loss"]
    (shade,) = axis.patches
    assert shade.get_x() == pytest.approx(5)
    assert shade.get_width() == pytest.approx(3)


def many(spans: Sequence[tuple[int, int]]) -> list[Finding]:
    severities = [*Severity] * len(spans)
    return [
        a_finding(f"OPT{n:03d}", "learning-rate-too-high", tag="loss", span=span, severity=severity)
        for n, (span, severity) in enumerate(zip(spans, severities, strict=False))
    ]


@pytest.mark.parametrize(
    "spans",
    [
        [(1, 60)] * 5,
        [(1, 5), (8, 20), (40, 60), (58, 60), (60, 60)],
        [(10 * n, 10 * n + 3) for n in range(6)],
        [(-500, 900), (30, 30)],
    ],
)
def test_labels_of_findings_overlap_neither_each_other_nor_the_data(
    spans: Sequence[tuple[int, int]],
) -> None:
    figure = training_curves({"loss": np.linspace(2, 1, 60)}, many(spans))
    figure.draw_without_rendering()
    (axis,) = figure.axes
    title = axis._left_title.get_window_extent()
    boxes = [each.get_window_extent() for each in axis.texts] + [title]
    assert len(boxes) == len(spans) + 1
    for at, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[at + 1 :])
        assert not box.overlaps(axis.get_window_extent())
        assert box.x0 >= figure.bbox.x0
        assert box.x1 <= figure.bbox.x1


def test_too_many_findings_are_counted() -> None:
    axis = training_curves(KERAS, many([(1, 4)] * 9)).axes[0]
    assert len(axis.texts) == 7
    assert labels(axis)[-1] == "and 3 more"


def test_the_legend_stands_outside_the_data() -> None:
    figure = training_curves(KERAS)
    figure.draw_without_rendering()
    for axis in figure.axes:
        legend = axis.get_legend()
        assert legend is not None
        assert not legend.get_window_extent().overlaps(axis.get_window_extent())


@pytest.mark.parametrize(
    ("history", "told"),
    [
        ({}, "found nothing"),
        ({"loss": []}, "found loss"),
        ({"grad_norm": [1], "x\x1b": [1]}, r"found grad_norm, x\\x1b"),
        ({"loss": ["high", "low"]}, "loss does not hold numbers"),
        ([1, 2, 3], "a history is a mapping, a DataFrame or a Run"),
        (pd.DataFrame({"a": ["x"]}), "found a;"),
    ],
)
def test_a_history_without_curves_is_refused_in_one_sentence(history: object, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        training_curves(history)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")]
)
def test_equal_figures_are_saved_as_equal_bytes(tmp_path: Path, suffix: str, start: bytes) -> None:
    for name in ("a", "b"):
        save(
            training_curves(KERAS, [a_finding(tag="loss", span=(1, 2))]), tmp_path / (name + suffix)
        )
    written = (tmp_path / f"a{suffix}").read_bytes()
    assert written.startswith(start)
    assert written == (tmp_path / f"b{suffix}").read_bytes()
    assert not re.search(rb"Date|[Mm]atplotlib v", written)


def test_other_suffixes_and_places_are_refused(tmp_path: Path) -> None:
    figure = training_curves(KERAS)
    with pytest.raises(RequestError, match=r"^a\.bmp: a figure is saved as \.png, \.svg or \.pdf$"):
        save(figure, tmp_path / "a.bmp")
    with pytest.raises(RequestError, match="cannot be written"):
        save(figure, tmp_path / "nowhere" / "a.png")


def test_hostile_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    name = "val_$\\frac{$中_1\x1b\u202e"
    run = a_run("$\\bad{$\n中", {"loss/train": [2, 1]})
    save(training_curves({"loss": [1, 2], name: [1, 2]}), tmp_path / "a.png")
    save(training_curves(run, [a_finding(name="$\\x{$", tag="loss/train")]), tmp_path / "b.png")


def test_huge_and_tiny_values_are_drawn(tmp_path: Path) -> None:
    save(training_curves({"loss": [1e300, 1e-300], "val_loss": [1.0, 1.0]}), tmp_path / "a.png")
    save(training_curves({"loss": [1e308, -1e308]}), tmp_path / "b.png")
    save(training_curves({"loss": [1.0]}), tmp_path / "c.png")


def test_neither_display_nor_pyplot_nor_pandas_is_needed(tmp_path: Path) -> None:
    program = (
        "import sys; from tbdiag.views.figures import training_curves, save\n"
        "save(training_curves({'loss': [2, 1]}), sys.argv[1])\n"
        "print([m for m in ('matplotlib.pyplot', 'pandas', 'tkinter') if m in sys.modules])"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "MPLBACKEND")}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "x.png")],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stdout == "[]\n"
    assert (tmp_path / "x.png").exists()
