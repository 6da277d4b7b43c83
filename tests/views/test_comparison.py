"""What the comparison's views promise: calm, narrow, on one scale, deaf to hostile names."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from tbdiag.diagnosis.comparison import Comparison, compared
from tbdiag.model.role import Role
from tbdiag.model.run import HParam, Run, Scalar
from tbdiag.model.series import Series
from tbdiag.synth import a_run, a_search, decay
from tbdiag.views import comparison_json
from tbdiag.views.abreast import abreast
from tbdiag.views.comparison import render
from tbdiag.views.figures import overlaid_curves
from tbdiag.views.overlay import overlays
from tbdiag.views.text import cells

Golden = Callable[[str, str], None]
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def plain(found: Comparison, **options: object) -> str:
    return render(found, **{"color": False, **options})


def three_runs() -> Comparison:
    settings: list[dict[str, Scalar]] = [
        {"lr": 1e-3, "optimizer": "adam", "dropout": 0.1, "epochs": 40},
        {"lr": 3e-3, "optimizer": "adam", "dropout": 0.1, "epochs": 40},
        {"lr": 0.1, "optimizer": "a very long name of an optimizer", "epochs": 40},
    ]
    runs = a_search(settings, [0.4, 0.3, 0.7], accuracies=[0.88, 0.93, 0.7], samples=797)
    values = runs[2].series["loss/val"].values.copy()
    values[25:] = np.nan
    steps = runs[2].series["loss/val"].steps
    broken = {**runs[2].series, "loss/val": Series.of("loss/val", steps, values)}
    return compared([*runs[:2], replace(runs[2], series=broken)])


def a_dozen() -> Comparison:
    rng = np.random.default_rng(1)
    settings: list[dict[str, Scalar]] = [
        {
            "lr": float(f"{10 ** rng.uniform(-5, -1):.3g}"),
            "optimizer": ["adam", "sgd"][at % 2],
            "dropout": round(float(rng.uniform(0, 0.5)), 3),
            "model.width": 2 ** int(rng.integers(4, 9)),
            "augmentation.strength_of_the_jitter": round(float(rng.uniform()), 2),
            "seed": at % 3,
        }
        for at in range(12)
    ]
    losses = [0.4 + 0.1 * abs(np.log10(float(s["lr"] or 1)) + 3) for s in settings]
    losses[4] = np.nan
    runs = a_search(settings, losses, folder="logs/sweep/of-many-runs")
    return compared([replace(run, id=f"sweep/of-many-runs/{run.id}") for run in runs])


def test_three_runs_at_80_columns(golden: Golden) -> None:
    golden("comparison-80.txt", plain(three_runs()))


def test_a_dozen_runs_at_80_columns(golden: Golden) -> None:
    golden("comparison-many.txt", plain(a_dozen()))


def test_three_runs_in_ascii(golden: Golden) -> None:
    text = plain(three_runs(), ascii=True)
    assert text.isascii()
    golden("comparison-ascii.txt", text)


def test_json(golden: Golden) -> None:
    text = comparison_json.render(three_runs())
    assert json.loads(text)["lead"]["beyond_noise"] is True
    golden("comparison.json", text)


def test_json_of_runs_that_failed_stays_json() -> None:
    found = compared(a_search([{"lr": 0.1}, {"lr": 0.2}], [np.nan, 0.4]))
    told = json.loads(comparison_json.render(found))
    assert told["lead"]["by"] == "Infinity"
    assert [run["best"] is None for run in told["runs"]] == [False, True]


def test_color_adds_escape_sequences_and_nothing_else() -> None:
    colored = render(three_runs(), color=True)
    assert "\x1b[1m" in colored
    assert ESCAPE.sub("", colored) == plain(three_runs())


def test_what_was_left_out_is_said() -> None:
    other = replace(a_run({Role.TRAIN_LOSS: decay(9, 2, 1)}), id="other")
    found = compared([*a_search([{"lr": 0.1}, {"lr": 0.2}], [0.3, 0.4]), other])
    assert "left out: other: no validation loss was logged" in plain(found)
    many = [replace(other, id=f"other{at}") for at in range(9)]
    found = compared([*a_search([{"lr": at} for at in range(9)], [0.3] * 9), *many])
    text = " ".join(plain(found).split())
    assert "left out: other0, other1, other2, other3, other4 and 4 more: no validation" in text


anything = st.text(st.characters(exclude_categories=()), max_size=60)


@st.composite
def hostile_comparisons(draw: st.DrawFn) -> Comparison:
    n = draw(st.integers(2, 9))
    runs = []
    for run in a_search([{"lr": 0.1 + at} for at in range(n)], np.linspace(0.3, 0.5, n)):
        tag, role = draw(anything), run.roles.bound[Role.VAL_LOSS]
        curve = replace(run.series[role.tag], tag=tag)
        bound = {Role.VAL_LOSS: replace(role, tag=tag)}
        hparams = {draw(anything): HParam(draw(anything), "x"), "lr": run.hparams["lr"]}
        runs.append(
            replace(
                run,
                id=draw(anything),
                path=PurePosixPath("logs"),
                series={tag: curve},
                roles=replace(run.roles, bound=bound),
                hparams=hparams,
            )
        )
    return compared(runs)


@given(hostile_comparisons(), st.sampled_from([40, 61, 80]), st.booleans())
@settings(max_examples=40)
def test_hostile_text_stays_text_in_narrow_lines(
    found: Comparison, width: int, ascii_: bool
) -> None:
    text = plain(found, width=width, ascii=ascii_)
    kinds = {unicodedata.category(char)[0] for char in text.replace("\n", "")}
    assert kinds <= {"L", "M", "N", "P", "S", "Z"}
    assert max(cells(line) for line in text.split("\n")) <= width
    assert ESCAPE.sub("", render(found, color=True, width=width, ascii=ascii_)) == text
    assert comparison_json.render(found).isascii()


def rows(*curves: Sequence[float], columns: int = 10, steps: Sequence[int] = ()) -> tuple[str, ...]:
    runs = [a_run({Role.VAL_LOSS: curve}) for curve in curves]
    for at, first in enumerate(steps):
        curve = runs[at].series["loss/val"]
        moved = Series.of(curve.tag, curve.steps + first, curve.values)
        runs[at] = replace(runs[at], series={curve.tag: moved})
    return abreast(overlays(runs)[0], columns).texts()


def test_curves_stand_on_one_scale_and_one_axis() -> None:
    high, low = rows([1.0] * 10, [0.5] * 10)
    assert (high, low) == ("█" * 10, "▁" * 10)
    short, whole = rows(np.linspace(2, 1.5, 5).tolist(), np.linspace(2, 1, 10).tolist())
    assert (len(short.rstrip()), len(whole)) == (5, 10)
    assert short[0] == whole[0]
    late, _ = rows([2.0] * 5, np.linspace(2, 1, 10).tolist(), steps=[5, 0])
    assert late.startswith("    ")


def test_sparse_curves_are_joined_and_bad_points_are_crosses() -> None:
    runs = [
        replace(a_run({Role.VAL_LOSS: Series.of("loss/val", [1, 10], [2.0, 1.0])}), id="a"),
        replace(a_run({Role.VAL_LOSS: np.r_[np.linspace(2, 1, 9), np.nan]}), id="b"),
    ]
    joined, bad = abreast(overlays(runs)[0], 10).texts()
    assert " " not in joined
    assert bad[-1] == "×"


def test_one_curve_that_exploded_does_not_flatten_the_others() -> None:
    calm, wild = np.linspace(2, 1, 10).tolist(), np.geomspace(2, 1e9, 10).tolist()
    runs = [a_run({Role.VAL_LOSS: curve}) for curve in (calm, calm, wild)]
    picture = abreast(overlays(runs)[0], 10)
    assert picture.cut
    assert picture.high < 10
    assert picture.texts()[0][0] != picture.texts()[0][-1]


def test_only_curves_that_two_runs_logged_are_laid_over_each_other() -> None:
    one = a_run({Role.VAL_LOSS: decay(9, 2, 1), Role.TRAIN_LOSS: decay(9, 2, 1)})
    other = a_run({Role.VAL_LOSS: decay(9, 2, 1)})
    assert [each.quantity for each in overlays([one, other])] == ["validation loss"]


def test_epochs_are_the_axis_where_every_run_tells_them() -> None:
    def with_epochs(every: int) -> Run:
        curves = {
            Role.VAL_LOSS: decay(9, 2, 1),
            Role.EPOCH: Series.of("epoch", every * np.arange(1, 10), np.arange(1, 10)),
        }
        return a_run(curves, every=every)

    (shared,) = overlays([with_epochs(10), with_epochs(40)])
    assert (shared.unit, shared.first, shared.last) == ("epoch", 1, 9)
    (steps,) = overlays([with_epochs(10), a_run({Role.VAL_LOSS: decay(9, 2, 1)}, every=40)])
    assert (steps.unit, steps.last) == ("step", 360)


@pytest.mark.parametrize("n", [2, 8, 9, 30])
def test_the_picture_draws_every_run_with_the_best_on_top(n: int) -> None:
    found = compared(a_search([{"lr": 0.1 + at} for at in range(n)], np.linspace(0.3, 0.5, n)))
    figure = overlaid_curves([each.run for each in found.standings])
    assert len(figure.axes) == 2
    for axis in figure.axes:
        assert len(axis.lines) == n
        best = axis.lines[-1]
        assert (best.get_label(), to_hex(best.get_color())) == ("run00", "#0072b2")
        legend = [text.get_text() for text in axis.get_legend().get_texts()]
        assert legend == [f"run{at:02}" for at in range(n if n <= 8 else 1)]


def test_a_picture_needs_a_curve_that_two_runs_share() -> None:
    with pytest.raises(ValueError, match="no two runs"):
        overlaid_curves([a_run({Role.VAL_LOSS: decay(9, 2, 1)}), a_run({})])
