"""Suspicions: only where no rule found anything wrong, by features that know no scale."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.config import Config
from tbdiag.detectors.base import Detector, explanation
from tbdiag.detectors.registry import find, rules
from tbdiag.diagnosis import examine as examining
from tbdiag.diagnosis import suspicion
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.diagnosis.select import select
from tbdiag.diagnosis.suspicion.features import FEATURES, NAMES, features
from tbdiag.diagnosis.suspicion.trained import FILE, decoded, encoded, trained
from tbdiag.model.finding import Confidence, Finding, Severity
from tbdiag.model.report import Crashed, Fired, NotApplicable, Passed
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats
from tbdiag.signals.additive import FORMS, Classifier
from tbdiag.synth import a_run, cosine, decay, flat, jitter, noisy, u_turn

HEALTHY = {
    Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.2, 8), 0.02),
    Role.VAL_LOSS: decay(60, 2.3, 0.25, 8) * np.exp(jitter(60, 0.02, 1)),
    Role.LEARNING_RATE: cosine(60, 0.1),
}
SCREAMS = {**HEALTHY, Role.VAL_LOSS: u_turn(60, 2.3, 0.8, 2.0)}


def _sure_of(kind: str) -> Classifier:
    """A classifier that takes every run for one of this kind, most by the end of the training loss."""
    known = trained()
    weights = np.zeros_like(known.weights)
    at = known.kinds.index(kind)
    weights[at, NAMES.index("train_late"), [0, 2]] = -1.0, 2.0  # the farther from the mean the more
    weights[at, NAMES.index("train_fall"), [0, 2]] = 1.0, -2.0
    intercepts = np.zeros(len(known.kinds))
    intercepts[at] = 20.0
    return Classifier(known.kinds, known.scale, weights, intercepts)


def _suspected(run: Run, selection: Selection) -> list[Finding]:
    found = examine(run, selection).findings
    return [each for each in found if "look like" in each.message]


@pytest.fixture
def sure(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = _sure_of("rate-too-low")
    monkeypatch.setattr(suspicion, "trained", lambda: classifier)


@pytest.mark.usefixtures("sure")
def test_a_suspicion_is_a_note_of_low_confidence_with_its_reasons() -> None:
    report = examine(a_run(HEALTHY), select(Config()))
    (found,) = (each for each in report.findings if each.code == "OPT002")
    assert (found.severity, found.confidence) == (Severity.NOTE, Confidence.LOW)
    assert "whose learning rate was too low (100%)" in found.message
    assert FEATURES["train_late"] in found.message
    assert found.evidence[0].measures[0].value > suspicion.LIKELY
    assert found.remedies
    assert report.outcomes["OPT002"] == Fired((found,))


def test_a_rule_that_looks_a_little_likely_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    known = trained()
    intercepts = np.full(len(known.kinds), -20.0)
    intercepts[known.kinds.index("healthy")] = 0.0
    intercepts[known.kinds.index("rate-too-high")] = -0.4  # 28 of 100
    intercepts[known.kinds.index("rate-too-low")] = -0.5  # 26 of 100
    intercepts[known.kinds.index("over-regularized")] = -2.0
    unsure = Classifier(known.kinds, known.scale, np.zeros_like(known.weights), intercepts)
    monkeypatch.setattr(suspicion, "trained", lambda: unsure)
    outcomes = examine(a_run(HEALTHY), select(Config())).outcomes
    assert outcomes["GEN003"] == Passed()
    high, low = outcomes["OPT001"], outcomes["OPT002"]
    assert isinstance(high, NotApplicable)
    assert high.looked
    assert "too high (28%): too little to say so" in high.reason
    assert isinstance(low, NotApplicable)
    assert "look somewhat like" not in low.reason  # it has a better reason
    assert not _suspected(a_run(HEALTHY), select(Config()))


@pytest.mark.usefixtures("sure")
def test_nothing_is_suspected_where_a_rule_found_something_wrong() -> None:
    assert examine(a_run(SCREAMS), select(Config())).findings[0].severity is not Severity.NOTE
    assert _suspected(a_run(HEALTHY), select(Config()))
    assert not _suspected(a_run(SCREAMS), select(Config()))


@pytest.mark.usefixtures("sure")
def test_a_rule_that_is_ignored_or_not_selected_suspects_nothing() -> None:
    run = a_run(HEALTHY)
    assert not _suspected(run, select(Config(), ignore=["OPT002"]))
    assert not _suspected(run, select(Config(), only=["GEN"]))
    assert not _suspected(run, select(Config(suspicions=False)))


@pytest.mark.usefixtures("sure")
def test_without_suspicions_all_else_is_the_same_and_remembered_apart() -> None:
    with_them, without = select(Config()), select(Config(suspicions=False))
    assert with_them.digest != without.digest
    seen, plain = (examine(a_run(HEALTHY), each) for each in (with_them, without))
    assert [f for f in seen.findings if "look like" not in f.message] == list(plain.findings)


def test_a_rule_that_lacks_its_curves_suspects_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = _sure_of("over-clipping")
    monkeypatch.setattr(suspicion, "trained", lambda: classifier)
    assert not _suspected(a_run(HEALTHY), select(Config()))
    norms = {**HEALTHY, Role.GRAD_NORM: noisy(flat(200, 1.0), 0.3)}
    assert [each.code for each in _suspected(a_run(norms), select(Config()))] == ["OPT011"]


@pytest.mark.usefixtures("sure")
def test_agents_and_short_runs_are_not_suspected() -> None:
    agent = {**HEALTHY, Role.REWARD: noisy(flat(60, 1.0), 0.1)}
    assert not _suspected(a_run(agent), select(Config()))
    short = {role: values[:6] for role, values in HEALTHY.items()}
    assert not _suspected(a_run(short), select(Config()))


@pytest.mark.parametrize("kind", ["healthy", "other", "stopped-too-early"])
def test_what_no_rule_speaks_of_is_not_suspected(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = _sure_of(kind)
    monkeypatch.setattr(suspicion, "trained", lambda: classifier)
    assert not _suspected(a_run(HEALTHY), select(Config()))


def test_a_defect_costs_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Iterator[tuple[Detector, Finding | str]]:
        raise ZeroDivisionError("no run is like any other")

    monkeypatch.setattr(examining, "suspect", broken)
    report = examine(a_run(HEALTHY), select(Config()))
    assert isinstance(report.outcomes["OPT002"], Crashed)
    assert isinstance(report.outcomes["NUM001"], Passed)


def _case(factor: float = 1.0, **more: Floats) -> Case:
    losses = (Role.TRAIN_LOSS, Role.VAL_LOSS, Role.BATCH_LOSS, Role.GRAD_NORM)
    curves = {
        **HEALTHY,
        Role.BATCH_LOSS: noisy(decay(600, 2.3, 0.2, 8), 0.2),
        Role.GRAD_NORM: noisy(decay(600, 3.0, 0.5, 4), 0.2),
        Role.VAL_METRIC: np.linspace(0.1, 0.9, 60),
        **{Role(name): values for name, values in more.items()},
    }
    return Case(a_run({role: v * factor if role in losses else v for role, v in curves.items()}))


def test_features_know_no_scale() -> None:
    seen, scaled = features(_case()), features(_case(1024.0))
    plain = np.array([name != "promise" for name in NAMES])  # the rate would have been another
    assert seen[plain] == pytest.approx(scaled[plain], nan_ok=True, abs=1e-9)
    assert np.isfinite(seen).sum() > 30


def test_what_was_not_logged_is_unknown() -> None:
    known = dict(
        zip(NAMES, features(Case(a_run({Role.VAL_LOSS: HEALTHY[Role.VAL_LOSS]}))), strict=True)
    )
    assert math.isnan(known["train_fall"])
    assert math.isnan(known["batch_peak"])
    assert known["val_fall"] > 1.0


def test_losses_that_are_not_positive_have_no_logarithm() -> None:
    shifted = Case(
        a_run({Role.TRAIN_LOSS: HEALTHY[Role.TRAIN_LOSS] - 1.0, Role.VAL_LOSS: flat(60, 0.0)})
    )
    known = dict(zip(NAMES, features(shifted), strict=True))
    assert math.isnan(known["train_bends"])
    assert known["train_rises"] >= 0


def test_every_number_is_finite_or_unknown_on_all_samples() -> None:
    for rule in rules():
        for sample in rule.samples():
            assert not np.isinf(features(Case(sample.run))).any(), (rule.code, sample.name)


def test_the_classifier_that_comes_with_it_knows_what_rules_speak_of() -> None:
    known = trained()
    assert suspicion.HEALTHY in known.kinds
    spoken = {rule.suspicion.kind for rule in rules() if rule.suspicion is not None}
    assert spoken < set(known.kinds)
    assert known.weights.shape == (len(known.kinds), len(NAMES), FORMS)
    assert np.isfinite(known.weights).all()


def test_it_is_written_as_it_is_read() -> None:
    content = json.loads(FILE.read_text("utf-8"))
    assert encoded(decoded(content)) == content
    fewer = {**content, "features": dict(list(content["features"].items())[1:])}
    with pytest.raises(ValueError, match=r"tools/learn\.py"):
        decoded(fewer)


def test_each_suspicion_is_told_of_where_the_rule_is_explained() -> None:
    low = find("OPT002")
    assert low is not None
    assert "whose learning rate was too low" in explanation(low).sections["How it is detected"]
    plain = find("NUM001")
    assert plain is not None
    assert "look like" not in explanation(plain).sections["How it is detected"]


def test_a_selection_that_was_made_by_hand_suspects_nothing() -> None:
    chosen = Selection(detectors=tuple(rule() for rule in rules()))
    assert not chosen.suspicious
    assert replace(chosen, suspicious=True).suspecting["rate-too-low"].code == "OPT002"
