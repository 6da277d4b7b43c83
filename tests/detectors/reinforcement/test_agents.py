"""The rules of reinforcement learning beyond their samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tbdiag.case import Case, Kind
from tbdiag.detectors.base import Detector
from tbdiag.detectors.reinforcement.entropy_collapse import EntropyCollapse
from tbdiag.detectors.reinforcement.kl_too_large import KlTooLarge
from tbdiag.detectors.reinforcement.return_collapse import ReturnCollapse
from tbdiag.detectors.reinforcement.value_function_not_learning import ValueFunctionNotLearning
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.report import NotApplicable
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.naming.roles import bind
from tbdiag.signals.returns import returns
from tbdiag.synth import a_run, decay, flat, jitter, noisy

N = 200
POOR = 20 + jitter(N, 3, 1)
LEARNED = 500 - decay(N, 480, 0, 12) + jitter(N, 10, 2)
LOST = np.where(np.arange(N) < 120, LEARNED, 60 + jitter(N, 10, 3))
FAMILY = (KlTooLarge(), EntropyCollapse(), ValueFunctionNotLearning(), ReturnCollapse())


def found(rule: Detector, run: Run) -> list[Finding]:
    case = Case(run)
    assert rule.blocked(case) is None
    return list(rule.check(case))


def named(n: int = N, **values: np.ndarray) -> Run:
    """A run whose tags are bound by their names alone."""
    series = {tag: Series.of(tag, np.arange(n), each) for tag, each in values.items()}
    return replace(a_run({}), series=series, roles=bind(series))


def test_a_supervised_run_is_told_so() -> None:
    report = examine(a_run({Role.TRAIN_LOSS: flat(N, 1)}), Selection(detectors=FAMILY))
    assert all(isinstance(each, NotApplicable) for each in report.outcomes.values())
    kl_alone = a_run({Role.TRAIN_LOSS: flat(N, 1), Role.KL: flat(N, 0.1)})
    assert Case(kl_alone).kind is Kind.SUPERVISED
    reason = KlTooLarge().blocked(Case(kl_alone))
    assert reason == "the run is supervised: the rule speaks of reinforcement learning"


def test_a_large_divergence_is_a_note_where_the_return_holds() -> None:
    kl = noisy(flat(N, 0.05), 0.2)
    sides = {Role.KL: kl, Role.POLICY_LOSS: jitter(N, 0.01)}
    for earned, severity in (
        (LEARNED, Severity.NOTE),
        (POOR, Severity.WARNING),
        (LOST, Severity.NOTE),  # it came to its best under the same updates
    ):
        (finding,) = found(KlTooLarge(), a_run({**sides, Role.REWARD: earned}))
        assert finding.severity is severity


@pytest.mark.parametrize(
    ("name", "target", "fires"),
    [
        ("target_kl", 0.02, True),
        ("target_kl", 0.04, False),
        ("algo.kl_target", 0.04, False),
        ("desired_kl", 0.04, False),
        ("target_kl", None, True),
        ("target_kl", "none", True),
        ("kl_coef", 0.04, True),
    ],
)
def test_the_target_is_read_from_the_hyperparameters(
    name: str, target: object, fires: bool
) -> None:
    curves = {Role.KL: noisy(flat(N, 0.05), 0.1), Role.POLICY_LOSS: jitter(N, 0.01)}
    assert bool(found(KlTooLarge(), a_run(curves, hparams={name: target}))) is fires


def test_an_adaptive_penalty_has_room() -> None:
    curves = {Role.KL: noisy(flat(N, 0.05), 0.1), Role.POLICY_LOSS: jitter(N, 0.01)}
    steered = a_run(curves, hparams={"kl_target": 0.025}, extra={"cur_kl_coeff": np.arange(N)})
    assert not found(KlTooLarge(), steered)
    fixed = a_run(curves, hparams={"kl_target": 0.025}, extra={"cur_kl_coeff": flat(N, 0.2)})
    assert found(KlTooLarge(), fixed)


def test_the_divergence_from_a_reference_is_another_quantity() -> None:
    run = named(**{"train/kl": flat(N, 0.4), "train/reward": POOR, "train/loss": flat(N, 0.1)})
    assert run.roles.bound[Role.KL].tag == "train/kl"
    reason = KlTooLarge().blocked(Case(run))
    assert reason is not None
    assert "reference policy" in reason


def test_a_negative_entropy_is_turned() -> None:
    gone = decay(N, 0.69, 0.002, 40)
    for tag, values in (("train/entropy_loss", -gone), ("losses/entropy", gone)):
        run = named(**{tag: values, "rollout/ep_rew_mean": POOR, "train/value_loss": flat(N, 1)})
        (finding,) = found(EntropyCollapse(), run)
        assert finding.evidence[0].tag == tag


def test_an_entropy_that_falls_later_is_no_collapse() -> None:
    late = np.where(np.arange(N) < 120, 1.0, 0.01)
    curves = {Role.ENTROPY: late, Role.REWARD: POOR, Role.VALUE_LOSS: flat(N, 1)}
    assert not found(EntropyCollapse(), a_run(curves))
    assert found(EntropyCollapse(early=0.7), a_run(curves))


def test_a_lost_return_stands_beside_its_cause() -> None:
    curves = {Role.ENTROPY: decay(N, 1, 0.002, 40), Role.REWARD: LOST, Role.VALUE_LOSS: flat(N, 1)}
    findings = examine(a_run(curves), Selection(detectors=FAMILY)).findings
    assert [(each.code, each.suppressed_by) for each in findings] == [
        ("RLX004", None),
        ("RLX002", None),  # a note, for the return was earned after the entropy was gone
    ]


@pytest.mark.parametrize("offset", [-1000.0, 0.0])
def test_a_lost_return_is_told_wherever_zero_lies(offset: float) -> None:
    curves = {Role.REWARD: LOST + offset, Role.VALUE_LOSS: flat(N, 1)}
    (finding,) = found(ReturnCollapse(), a_run(curves))
    assert 110 <= finding.evidence[0].span[0] <= 130


def test_a_small_gain_that_is_lost_is_no_collapse_of_a_positive_return() -> None:
    earned = 95 + np.where(np.arange(N) < 100, np.arange(N) / 20, 1.0) + jitter(N, 0.1)
    assert not found(ReturnCollapse(), a_run({Role.REWARD: earned, Role.VALUE_LOSS: flat(N, 1)}))


@pytest.mark.parametrize("seed", range(20))
def test_noise_never_collapses(seed: int) -> None:
    rng = np.random.default_rng(seed)
    walk = np.convolve(rng.normal(0, 50, N + 19), np.ones(20) / 20, "valid")  # a mean of twenty
    for earned in (rng.normal(0, 100, N), walk, rng.choice([20.0, 500.0], N), rng.pareto(2, N)):
        assert not found(
            ReturnCollapse(), a_run({Role.REWARD: earned, Role.VALUE_LOSS: flat(N, 1)})
        )


def test_levels_are_means_with_an_error() -> None:
    seen = returns(np.where(jitter(400, 1) > 0, 500.0, 20.0))
    assert seen is not None
    assert abs(seen.last - 260) < 3 * seen.error + 30
    assert 20 < seen.error < 60
    assert returns(flat(11, 1)) is None


def test_a_value_function_of_a_solved_task_is_let_be() -> None:
    explained = np.where(np.arange(N) < 60, 0.6, -0.05) + jitter(N, 0.02)
    earned = np.where(np.arange(N) < 60, LEARNED, 500.0)
    curves = {Role.EXPLAINED_VARIANCE: explained, Role.REWARD: earned}
    assert not found(ValueFunctionNotLearning(), a_run(curves))
