"""The library: light to import, one call from a path or a history to a report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import tbdiag
from tbdiag import synth
from tbdiag.api.intake import At
from tbdiag.config import Config
from tbdiag.errors import ConfigError, NoRunsError, RequestError, UnknownRuleError
from tbdiag.model.role import Override, Role
from tests.cli.builders import HEALTHY, OVERFITTING, ROOT, event_dir
from tests.reading.eventfiles import NAME, write

HISTORY = {"loss": OVERFITTING["loss/train"], "val_loss": OVERFITTING["loss/val"]}
NONE = Config()  # of these tests' own: whatever lies in the working directory does not count


def codes(report: tbdiag.Report) -> set[str]:
    return {each.code for run in report for each in run.findings}


def kind(report: tbdiag.Report, code: str) -> str:
    return report.runs[0].outcomes[code].kind


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "numpy pandas scipy tensorboard optuna matplotlib typer rich pydantic yaml google"
    code = (
        "import sys, tbdiag; tbdiag.__version__; tbdiag.TbdiagError; dir(tbdiag)\n"
        f"print(*sorted(set('{heavy}'.split()) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_public_names_are_sorted_listed_and_there() -> None:
    assert tbdiag.__all__ == sorted(tbdiag.__all__)
    assert set(tbdiag.__all__) <= set(dir(tbdiag))
    for name in tbdiag.__all__:
        assert getattr(tbdiag, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'undiagnose'"):
        tbdiag.undiagnose  # noqa: B018 - the access is what is tested


def test_load_takes_one_path_or_several(tmp_path: Path) -> None:
    one, two = event_dir(tmp_path / "one"), event_dir(tmp_path / "two", HEALTHY)
    assert [run.id for run in tbdiag.load(tmp_path, config=NONE)] == ["one", "two"]
    assert len(tbdiag.load(str(one), config=NONE)) == 1
    (run, _) = tbdiag.load([one, str(two)], config=NONE)
    assert list(run.history().columns) == ["loss", "val_loss"]
    assert run.series["loss/val"].values == pytest.approx(OVERFITTING["loss/val"])


def test_scan_answers_every_rule_for_every_run(tmp_path: Path) -> None:
    event_dir(tmp_path / "bad")
    event_dir(tmp_path / "good", HEALTHY)
    report = tbdiag.scan(tmp_path, config=NONE)
    bad, good = report.runs
    assert "GEN001" in {each.code for each in bad.findings}
    assert good.outcomes["GEN001"].kind == "passed"
    assert set(bad.outcomes) == set(good.outcomes)
    assert (report.version, len(report.digest)) == (tbdiag.__version__, 64)


def test_scan_selects_and_ignores(tmp_path: Path) -> None:
    event_dir(tmp_path)
    assert kind(tbdiag.scan(tmp_path, select="OPT", config=NONE), "GEN001") == "skipped"
    assert kind(tbdiag.scan(tmp_path, ignore=["overfitting"], config=NONE), "GEN001") == "ignored"
    with pytest.raises(UnknownRuleError, match="GEN999"):
        tbdiag.scan(tmp_path, select=["GEN999"], config=NONE)


def test_scan_without_a_path_takes_the_configured_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_dir(tmp_path / "elsewhere" / "run")
    event_dir(tmp_path / "deep" / "logs" / "other")
    (tmp_path / "tbdiag.toml").write_text(
        'logdir = "elsewhere"\nignore = { GEN001 = "we know" }\n[rules.overfitting]\nrise = 0.1\n'
    )
    monkeypatch.chdir(tmp_path / "deep")
    report = tbdiag.scan()
    assert [run.run.id for run in report] == ["run"]
    assert kind(report, "GEN001") == "ignored"
    assert tbdiag.scan(config=tmp_path / "tbdiag.toml").digest == report.digest
    assert [run.run.id for run in tbdiag.scan(config=NONE)] == ["other"]


def test_scan_without_anything_names_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoRunsError, match=r"none of logs/, runs/, lightning_logs/, tb_logs/$"):
        tbdiag.scan(config=NONE)
    event_dir(tmp_path / "tb_logs" / "late")
    event_dir(tmp_path / "runs" / "early")
    assert [run.run.id for run in tbdiag.scan(config=NONE)] == ["early"]


def test_a_wrong_configuration_stops_a_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_dir(tmp_path / "logs")
    (tmp_path / "tbdiag.toml").write_text("[rules.overfitting]\nrise = -1\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r'^tbdiag\.toml:2: "rules\.overfitting\.rise" must be'):
        tbdiag.scan()


def test_roles_from_the_configuration_bind_runs_and_histories(tmp_path: Path) -> None:
    curves = {"objective/a": HISTORY["loss"], "objective/b": HISTORY["val_loss"]}
    event_dir(tmp_path, curves)
    roles = {Role.TRAIN_LOSS: Override("objective/a"), Role.VAL_LOSS: Override("objective/b")}
    for report in (
        tbdiag.scan(tmp_path, config=Config(roles=roles)),
        tbdiag.diagnose(curves, config=Config(roles=roles)),
    ):
        assert report.runs[0].run.roles.bound[Role.VAL_LOSS].tag == "objective/b"
        assert "GEN001" in codes(report)


def test_nothing_to_read_is_one_sentence_that_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(NoRunsError, match="nowhere does not exist"):
        tbdiag.scan(tmp_path / "nowhere", config=NONE)
    with pytest.raises(NoRunsError, match=r'^no event files below .*"tfevents"'):
        tbdiag.load(tmp_path, config=NONE)
    write(tmp_path / "run" / NAME)
    with pytest.raises(NoRunsError, match=r"run: it holds no scalars and no histograms$"):
        tbdiag.scan(tmp_path, config=NONE)
    write(tmp_path / "second" / NAME)
    with pytest.raises(NoRunsError, match=r"and 1 more could not be examined either$"):
        tbdiag.load(tmp_path, config=NONE)


def test_what_cannot_be_examined_is_told_beside_what_can(tmp_path: Path) -> None:
    event_dir(tmp_path / "good")
    write(tmp_path / "empty" / NAME)
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / NAME).write_bytes(b"\xff" * 100)
    report = tbdiag.scan(tmp_path, config=NONE)
    assert [run.run.id for run in report] == ["good"]
    assert {Path(path).name: bool(reason) for path, reason in report.unread} == {
        "empty": True,
        "garbage": True,
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_file_that_cannot_be_read_does_not_cost_the_others(tmp_path: Path) -> None:
    event_dir(tmp_path / "good")
    os.mkfifo(tmp_path / NAME)
    report = tbdiag.scan(tmp_path, config=NONE)
    assert [run.run.id for run in report] == ["good"]
    assert report.unread == ((str(tmp_path / NAME), "not a regular file"),)


def test_progress_counts_bytes_and_files_up_to_the_total(tmp_path: Path) -> None:
    sizes = [
        (event_dir(tmp_path / name, curves) / NAME).stat().st_size
        for name, curves in (("a", OVERFITTING), ("b", HEALTHY))
    ]
    for cache in (False, True, True):
        seen: list[At] = []
        tbdiag.scan(tmp_path, config=NONE, progress=seen.append, cache=cache)
        assert seen == [At(sizes[0], sum(sizes), 1, 2), At(sum(sizes), sum(sizes), 2, 2)]


@pytest.mark.parametrize(
    "history",
    [HISTORY, SimpleNamespace(history=HISTORY), pd.DataFrame(HISTORY)],
    ids=["mapping", "keras", "frame"],
)
def test_diagnose_takes_a_history_in_each_form(history: object) -> None:
    report = tbdiag.diagnose(history, name="mine", config=NONE)
    (run,) = report
    assert "GEN001" in codes(report)
    assert run.run.id == "mine"
    assert run.run.series["val_loss"].steps.tolist() == list(range(1, 61))


def test_a_nan_in_a_history_is_a_nan_that_the_training_produced() -> None:
    broken = [*HISTORY["loss"][:30], *[float("nan")] * 30]
    for history in ({"loss": broken}, pd.DataFrame({"loss": broken})):
        assert kind(tbdiag.diagnose(history, config=NONE), "NUM001") == "fired"


def test_an_empty_cell_of_a_frame_with_gaps_is_a_step_not_logged() -> None:
    run = synth.a_run(
        {Role.TRAIN_LOSS: synth.decay(40, 2.0, 0.5), Role.VAL_LOSS: synth.decay(40, 2.0, 0.6)}
    )
    frame = run.history()
    frame.loc[frame.index[1::2], "val_loss"] = np.nan
    report = tbdiag.diagnose(frame, config=NONE)
    assert kind(report, "NUM001") == "passed"
    found = report.runs[0].run.series["val_loss"]
    assert found.steps.tolist() == frame.index[::2].tolist()
    assert (len(found), len(found.nonfinite)) == (20, 0)


def test_a_curve_that_merely_ends_early_in_a_run_has_not_gone_nan() -> None:
    frame = synth.a_run({Role.TRAIN_LOSS: synth.decay(40, 2.0, 0.5)}).history()
    frame["val_loss"] = [*synth.decay(30, 2.0, 0.6), *[np.nan] * 10]
    assert kind(tbdiag.diagnose(frame, config=NONE), "NUM001") == "passed"


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({}, "holds no curve"),
        (pd.DataFrame({"name": ["a"]}), "holds no curve"),
        ({"loss": ["a", "b"]}, "the curve 'loss' is not a list of numbers"),
        ({"loss": [[1.0], [2.0]]}, "the curve 'loss' is not a list of numbers"),
        ({"loss": 3.0}, "the curve 'loss' is not a list of numbers"),
        (42, "a history is a mapping or a DataFrame of curves, not int"),
        (
            pd.DataFrame({"loss": [1.0, 2.0]}, index=pd.Index([2, 1], name="step")),
            "do not increase",
        ),
    ],
)
def test_what_is_no_history_is_refused(history: object, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        tbdiag.diagnose(history, config=NONE)


def test_a_report_becomes_a_frame_with_one_row_per_finding() -> None:
    report = tbdiag.diagnose(HISTORY, config=NONE)
    frame = report.to_frame()
    assert len(frame) == sum(len(run.findings) for run in report)
    row = frame[frame["code"] == "GEN001"].iloc[0]
    assert (row["run"], row["name"], row["tag"]) == ("history", "overfitting", "val_loss")
    assert row["first_step"] < row["last_step"] <= 60
    healthy = tbdiag.diagnose(HISTORY, select="NUM001", config=NONE).to_frame()
    assert (len(healthy), list(healthy.columns)) == (0, list(frame.columns))


def test_a_report_becomes_json() -> None:
    report = tbdiag.diagnose(HISTORY, config=NONE)
    text = report.to_json()
    assert json.loads(text)["runs"][0]["outcomes"]["GEN001"] == "fired"
    assert text == tbdiag.diagnose(HISTORY, config=NONE).to_json()


def test_a_notebook_gets_a_table_without_foreign_markup() -> None:
    name = "<script>alert(1)</script>"
    shown = tbdiag.diagnose(HISTORY, name=name, config=NONE)._repr_html_()
    assert "<td>GEN001</td>" in shown
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown


def test_training_curves_become_a_figure() -> None:
    for history in (HISTORY, SimpleNamespace(history=HISTORY), pd.DataFrame(HISTORY)):
        assert isinstance(tbdiag.plot_training_curves(history), Figure)


def test_scan_looks_at_the_search_as_a_whole(tmp_path: Path) -> None:
    for number in range(3):
        event_dir(tmp_path / f"lr{number + 1}e-3_bs32", HEALTHY)
    report = tbdiag.scan(tmp_path, config=NONE)
    assert [each.code for each in report.search] == ["SET002"]
    assert list(report.search_outcomes) == ["SET001", "SET002", "SET003"]
    assert set(report.runs[0].outcomes).isdisjoint(report.search_outcomes)
    told = json.loads(report.to_json())["search"]
    assert told["outcomes"] == {
        "SET001": "not-applicable",
        "SET002": "fired",
        "SET003": "not-applicable",
    }
    assert told["findings"][0]["evidence"][0]["run"] == "lr1e-3_bs32"
    assert report.to_frame().query("run == ''")["code"].tolist() == ["SET002"]


def test_rules_about_searches_are_configured_like_others(tmp_path: Path) -> None:
    for number in range(3):
        worse = {tag: [v * (1 + number / 1000) for v in curve] for tag, curve in HEALTHY.items()}
        event_dir(tmp_path / "logs" / f"lr{number + 1}e-3_bs32", worse)

    def answers(toml: str = "", **words: str) -> dict[str, str]:
        (tmp_path / "tbdiag.toml").write_text(toml)
        report = tbdiag.scan(tmp_path / "logs", config=tmp_path / "tbdiag.toml", **words)
        return {code: each.kind for code, each in report.search_outcomes.items()}

    assert answers(ignore="SET002")["SET002"] == "ignored"
    assert answers('ignore = { "SET" = "one task" }')["SET002"] == "ignored"
    assert answers(select="OPT") == dict.fromkeys(("SET001", "SET002", "SET003"), "skipped")
    assert answers("[rules.difference-within-noise]\nfactor = 1e-9")["SET002"] == "passed"
    with pytest.raises(ConfigError, match=r"rules.best-at-the-edge.margn.* is no threshold"):
        answers("[rules.best-at-the-edge]\nmargn = 1")


def test_one_history_is_no_search() -> None:
    report = tbdiag.diagnose(HISTORY, config=NONE)
    assert {each.kind for each in report.search_outcomes.values()} == {"not-applicable"}


def test_compare_takes_paths_and_runs(tmp_path: Path) -> None:
    bad, good = event_dir(tmp_path / "bad"), event_dir(tmp_path / "good", HEALTHY)
    found = tbdiag.compare([bad, good], config=NONE)
    assert [each.run.id for each in found.standings] == ["good", "bad"]
    frame = found.to_frame()
    assert frame["run"].tolist() == ["good", "bad"]
    assert frame["best"].is_monotonic_increasing
    assert json.loads(found.to_json())["tbdiag"] == tbdiag.__version__
    again = tbdiag.compare(tbdiag.load(tmp_path, config=NONE), config=NONE)
    assert [each.run.id for each in again.standings] == ["good", "bad"]
    with pytest.raises(RequestError, match="two runs or more"):
        tbdiag.compare(good, config=NONE)
    with pytest.raises(AttributeError):
        found.objective = None


def test_compare_tells_importances_of_twenty_runs_and_no_fewer() -> None:
    rng = np.random.default_rng(0)
    rates = [float(10**each) for each in rng.uniform(-5, -1, 24)]
    settings = [{"lr": rate, "junk": float(rng.uniform()), "seed": 1} for rate in rates]
    runs = synth.a_search(settings, [0.3 + 0.1 * (np.log10(rate) + 3) ** 2 for rate in rates])
    few = tbdiag.compare(runs[:19], config=NONE)
    assert {each.importance for each in few.effects} == {None}
    first, second = tbdiag.compare(runs, config=NONE).effects
    assert (first.name, second.name) == ("lr", "junk")
    assert first.importance > 0.7
    assert first.chance <= 0.05
    assert second.chance > 0.05


def test_comparing_a_few_runs_never_loads_optuna() -> None:
    code = (
        "import sys, tbdiag; tbdiag.compare(['sample_logs/healthy-step', 'sample_logs/nan']); "
        "print('optuna' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_search_is_judged_also_where_curves_were_let_go(tmp_path: Path) -> None:
    for number in range(3):
        event_dir(tmp_path / f"lr{number + 1}e-3_bs32", HEALTHY)
    kept = tbdiag.scan(tmp_path, config=NONE, cache=False)
    let_go = tbdiag.scan(tmp_path, config=NONE, cache=False, memory=0)
    assert let_go.to_json() == kept.to_json()
    assert [each.code for each in let_go.search] == ["SET002"]
