"""The gallery of labelled runs: its definitions, and a few of its runs made for real."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tbdiag
from benchmarks.gallery.adversarial_faults import ADVERSARIAL_FAULTS
from benchmarks.gallery.build import asks_longer, build, detail, faults
from benchmarks.gallery.conventions import CONVENTIONS
from benchmarks.gallery.events import write as write_events
from benchmarks.gallery.faults import FAULTS
from benchmarks.gallery.labels import FAMILIES
from benchmarks.gallery.log import Session
from benchmarks.gallery.plan import Planned, planned
from benchmarks.gallery.policy_faults import POLICY_FAULTS
from benchmarks.gallery.problems import numbered, problems
from benchmarks.gallery.recipe import Recipe
from benchmarks.gallery.schedules import Schedule
from benchmarks.gallery.training import noise, supervised, tail
from benchmarks.gallery.truth import longer_helps, manifested
from benchmarks.gallery.unshown import unshown
from tbdiag.config import Config
from tbdiag.detectors.registry import rules

PLANS = list(planned(numbered()))
KEYS = {
    "run", "part", "setting", "problem", "family", "kind", "strength", "detail", "seed", "codes", "related",
    "facts",
}  # fmt: skip
FACTS = {"validation_samples", "longer_helps", "gain_if_longer", "classes", "epochs"}


def small(*families: str) -> list[Planned]:
    """The controls and some families of the smallest problem, with a few epochs each."""
    problem = next(each for each in problems() if each.name == "cancer")
    problem = replace(
        problem,
        recipe=replace(problem.recipe, epochs=6),
        controls=2,
        runs={family: tuple(FAULTS[family].changes)[-1:] for family in families},
    )
    return list(planned([(0, problem)]))


def made(plans: list[Planned], out: Path) -> list[dict[str, object]]:
    """The labels after the runs were made in this process."""
    build(plans, out, 1, lambda plan: None, plans)
    return json.loads((out / "labels.json").read_text("utf-8"))


def files(out: Path) -> dict[str, bytes]:
    """Every event file with its bytes."""
    found = out.rglob("events.out.tfevents.*")
    return {str(path.relative_to(out)): path.read_bytes() for path in found}


def test_the_parts_share_no_problem_and_no_seed() -> None:
    by_part = {
        part: [plan for plan in PLANS if plan.problem.part == part]
        for part in ("calibration", "report")
    }
    for shared in (
        lambda plan: plan.problem.name,
        lambda plan: plan.seed,
        lambda plan: id(plan.problem.make),
    ):
        calibration, report = ({shared(plan) for plan in plans} for plans in by_part.values())
        assert calibration
        assert report
        assert not calibration & report


def test_runs_have_names_of_their_own() -> None:
    assert len({plan.path for plan in PLANS}) == len(PLANS)
    assert len({(plan.problem.name, plan.seed) for plan in PLANS}) == len(PLANS)


def test_every_planned_family_is_in_the_tables() -> None:
    for plan in PLANS:
        assert plan.family in FAMILIES
        assert plan.strength in faults(plan).changes


def test_the_tables_hold_nothing_that_is_not_planned() -> None:
    known = {*FAULTS, *POLICY_FAULTS, *ADVERSARIAL_FAULTS}
    assert {plan.family for plan in PLANS} == known
    assert set(FAMILIES) == known | {"overconfidence"}  # what overfitting is called at times


def test_both_parts_hold_nearly_every_family() -> None:
    parts = {family: {p.problem.part for p in PLANS if p.family == family} for family in FAMILIES}
    alone = [family for family, each in parts.items() if len(each) == 1]
    assert alone == []


def test_codes_are_those_of_rules_and_faults_have_some() -> None:
    known = {rule.code for rule in rules()}
    for name, family in FAMILIES.items():
        given = {*family.codes, *family.related, *sum(family.codes_when.values(), ())}
        assert given <= known, name
        assert bool(family.codes) == (family.kind == "fault"), name
        assert not set(family.codes) & set(family.related), name


def test_every_rule_about_a_single_run_has_a_family() -> None:
    named = {code for family in FAMILIES.values() for code in family.codes}
    named |= {code for f in FAMILIES.values() for codes in f.codes_when.values() for code in codes}
    assert {rule.code for rule in rules() if not rule.code.startswith("SET")} <= named


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("gallery")
    made(small("rate-too-low", "no-validation", "damaged", "rewound", "two-processes"), out)
    return out


def test_labels_have_their_form(gallery: Path) -> None:
    labels = json.loads((gallery / "labels.json").read_text("utf-8"))
    assert [each["run"] for each in labels] == sorted(each["run"] for each in labels)
    assert {each["kind"] for each in labels} == {"healthy", "fault"}
    for each in labels:
        assert set(each) == KEYS
        assert set(each["facts"]) == FACTS
        assert list((gallery / each["run"]).rglob("events.out.tfevents.*"))
        assert bool(each["codes"]) == (each["kind"] == "fault")


def test_what_is_labelled_can_be_read(gallery: Path) -> None:
    labels = json.loads((gallery / "labels.json").read_text("utf-8"))
    for each in labels:
        runs = tbdiag.load(gallery / each["run"])
        assert len(runs) == (2 if each["family"] == "two-processes" else 1), each["run"]
        assert any(len(series) >= 5 for series in runs[0].series.values())


def test_the_size_of_the_validation_set_is_the_true_one(gallery: Path) -> None:
    labels = json.loads((gallery / "labels.json").read_text("utf-8"))
    for each in labels:
        size = each["facts"]["validation_samples"]
        assert size == (None if each["family"] == "no-validation" else 120)
        for run in tbdiag.load(gallery / each["run"]):
            for tag, series in run.series.items():
                if "Accuracy" in tag and "Validation" in tag:
                    hits = series.values / 100.0 * size
                    assert hits == pytest.approx(np.round(hits), abs=1e-3)


def test_runs_are_made_to_the_same_bytes(gallery: Path, tmp_path: Path) -> None:
    made(small("rate-too-low", "damaged"), tmp_path)
    again = files(tmp_path)
    assert again
    same = files(gallery)
    control = {name: data for name, data in again.items() if "healthy" in name}
    assert control == {name: same[name] for name in control}


def test_what_is_there_is_not_trained_again(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(plan: Planned) -> None:
        raise AssertionError(plan.path)

    before = (gallery / "labels.json").read_bytes()
    monkeypatch.setattr("benchmarks.gallery.build.train", fail)
    made(small("rate-too-low", "no-validation", "damaged", "rewound", "two-processes"), gallery)
    assert (gallery / "labels.json").read_bytes() == before


def test_another_recipe_is_trained_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = small("no-validation")
    made(plans, tmp_path)
    changed = dict.fromkeys(FAULTS["no-validation"].changes, lambda r: replace(r, val_size=60))
    monkeypatch.setitem(FAULTS, "no-validation", replace(FAULTS["no-validation"], changes=changed))
    (entry,) = (e for e in made(plans, tmp_path) if e["family"] == "no-validation")
    (run,) = tbdiag.load(tmp_path / str(entry["run"]))
    assert any("Validation" in tag for tag in run.series)


def test_labels_wait_for_the_controls(tmp_path: Path) -> None:
    plans = small("no-validation")
    build(plans[1:], tmp_path, 1, lambda plan: None, plans)
    assert json.loads((tmp_path / "labels.json").read_text("utf-8")) == []
    assert len(made(plans, tmp_path)) == len(plans)


def test_a_fault_that_did_not_show_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = small("rate-too-low")
    monkeypatch.setitem(FAULTS["rate-too-low"].changes, plans[-1].strength, lambda recipe: recipe)
    left_out = build(plans, tmp_path, 1, lambda plan: None, plans)
    assert left_out == [plans[-1]]
    assert not (tmp_path / plans[-1].path).exists()


def test_longer_runs_are_made_where_somebody_asks_for_them() -> None:
    asked = {(each.problem.part, each.family) for each in PLANS if asks_longer(each)}
    for part in ("calibration", "report"):
        assert {(part, "healthy"), (part, "stopped-too-early"), (part, "underfitting")} <= asked
        assert (part, "rate-too-high") not in asked
    assert ("report", "rate-too-low") in asked
    assert ("calibration", "rate-too-low") not in asked


@pytest.mark.parametrize("schedule", ["constant", "drops:0.3", "cosine"])
def test_a_longer_run_is_the_same_however_it_is_made(
    schedule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (problem, *_) = (plan.problem for plan in small())
    recipe = replace(problem.recipe, schedule=schedule)
    found = supervised(problem, recipe, 3, longer=True)[1]["longer"]
    monkeypatch.setattr("benchmarks.gallery.training._open_ended", lambda recipe: False)
    assert found == supervised(problem, recipe, 3, longer=True)[1]["longer"]
    end = supervised(problem, replace(recipe, epochs=9), 3)[1]
    assert found == {name: end[name] for name in found}


def test_what_is_known_to_show_nothing_is_planned_and_no_control() -> None:
    silent = [plan for plan in PLANS if plan.path in unshown()]
    assert len(silent) == len(unshown())
    assert "healthy" not in {plan.family for plan in silent}


def test_little_is_logged_only_where_the_family_allows_it() -> None:
    shown = {(plan.family, detail(plan)) for plan in PLANS}
    assert ("vanishing-gradients", "full") in shown
    assert {each for family, each in shown if family == "vanishing-gradients"} == {"full"}
    assert ("healthy", "sparse") in shown


def test_pytorch_is_needed_only_for_training() -> None:
    assert "torch" not in sys.modules


def outcome(**values: object) -> dict[str, object]:
    base: dict[str, object] = {
        "nonfinite": False, "test_tail": 1.0, "test_best": 1.0, "test_noise": 0.0,
        "test_metric": None, "train_loss": 1.0, "test_best_at": 1.0, "val_tail": 1.0,
        "val_best": 1.0,
    }  # fmt: skip
    return base | values


@pytest.mark.parametrize(
    ("end", "spread", "answer"), [(0.9, 0.0, True), (0.998, 0.0, False), (0.9, 0.1, None)]
)
def test_longer_helps_beyond_noise_alone(end: float, spread: float, answer: bool | None) -> None:
    more = {"test_tail": end, "test_noise": spread, "val_tail": end, "nonfinite": False}
    assert longer_helps(outcome(longer=more))[0] is answer


def test_longer_helps_only_where_both_sets_say_so() -> None:
    more = {"test_tail": 0.9, "test_noise": 0.0, "val_tail": 1.1, "nonfinite": False}
    assert longer_helps(outcome(longer=more))[0] is None


def test_worse_than_the_controls_is_what_makes_a_fault() -> None:
    controls = [outcome(), outcome(test_tail=1.02)]
    assert manifested("rate-too-high", "fault", outcome(test_tail=1.5), controls)
    assert not manifested("rate-too-high", "fault", outcome(test_tail=1.02), controls)
    assert manifested("rate-too-high", "fault", outcome(nonfinite=True), controls)


def test_schedules_are_what_they_are_called() -> None:
    recipe = Recipe(train_size=1, val_size=1, rate=1.0, epochs=10)

    def rates(schedule: str, **values: object) -> list[float]:
        course = Schedule(replace(recipe, schedule=schedule, **values), 10)  # type: ignore[arg-type]
        return [course.rate(step) for step in range(100)]

    assert rates("cosine")[0] == 1.0
    assert rates("cosine")[-1] < 0.01
    assert max(rates("early:0.2")[20:]) == pytest.approx(1e-3)
    assert rates("onecycle").index(max(rates("onecycle"))) == 30
    assert rates("restarts:2")[50] == pytest.approx(1.0)
    assert rates("constant", warmup=0.1)[0] < 0.2
    assert rates("constant", jump_at=0.5, jump=10.0)[49:51] == [1.0, 10.0]
    rising = Schedule(replace(recipe, schedule="rises:2", rate=1.0), 10)
    for _ in range(3):
        rising.epoch_done(1.0)
    assert rising.rate(0) == 4.0


def test_the_noise_of_a_trend_is_nothing() -> None:
    line = np.linspace(50.0, 10.0, 400)
    assert noise(line) == pytest.approx(0.0, abs=1e-9)
    rough = line + 0.1 * np.random.default_rng(0).standard_normal(400)
    assert noise(rough) == pytest.approx(0.1, rel=0.2)
    assert tail(np.array([9.0, 1.0, 2.0, 3.0])) == 2.0


@pytest.mark.parametrize("detail", ["full", "usual", "sparse"])
def test_sizes_of_layers_are_curves_that_only_little_logging_leaves_out(
    tmp_path: Path, detail: str
) -> None:
    session = Session()
    for step in range(12):
        session.scalar("train_loss", step, 1.0 / (1 + step), 1.7e9 + step, step + 1)
        layers = {
            "gradients/fc1": np.full(16, 0.5),
            "activations/fc1": np.array([0.0, 0.0, 0.0, 1.0]),
        }
        session.tensors(layers, step, 1.7e9 + step)
    write_events(tmp_path / "run", [session], CONVENTIONS["zeros"], detail, {})
    (run,) = tbdiag.load(tmp_path, config=Config(), cache=False)
    assert not run.histograms
    sizes = {tag: curve.values for tag, curve in run.series.items() if tag.endswith("fc1")}
    if detail == "sparse":
        assert not sizes
        return
    assert sizes["GradNorm/fc1"] == pytest.approx(2.0)
    assert sizes["DeadFraction/fc1"] == pytest.approx(0.75)
