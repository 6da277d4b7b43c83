"""Runs side by side: who leads, by what, and whether that is noise."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tbdiag.diagnosis.comparison import compared
from tbdiag.errors import RequestError
from tbdiag.model.role import Override, Role
from tbdiag.model.run import HParam, Run, Scalar
from tbdiag.synth import a_run, a_search, decay

RATES = [{"lr": 10.0**-at, "epochs": 40, "act": "relu"} for at in range(1, 9)]


def order(runs: list[Run] | tuple[Run, ...]) -> list[str]:
    return [each.run.id for each in compared(runs).standings]


def test_the_best_comes_first_and_only_what_differs_is_shown() -> None:
    found = compared(a_search(RATES[:3], [0.5, 0.3, 0.4]))
    assert [each.run.id for each in found.standings] == ["run01", "run02", "run00"]
    assert (found.differing, found.same) == (("lr",), 2)
    first = found.standings[0]
    assert (first.epochs, first.steps, first.seconds) == (40, 1000, 39)
    assert first.entrant.level is not None
    assert first.entrant.level.best == pytest.approx(0.3, rel=0.02)


def test_a_clear_lead_and_one_within_noise() -> None:
    clear, close = (
        compared(a_search(RATES[:2], [0.5, 0.3])),
        compared(a_search(RATES[:2], [0.3, 0.301])),
    )
    assert clear.lead is not None
    assert close.lead is not None
    assert (clear.lead.beyond, close.lead.beyond) == (True, False)
    assert clear.lead.limit == pytest.approx(2.83 * 0.01 * 0.3, rel=0.05)


def test_repeats_of_one_setting_are_compared_one_by_one() -> None:
    settings: list[Mapping[str, Scalar]] = [{"lr": 0.1, "seed": seed} for seed in range(3)]
    found = compared(a_search(settings, [0.4, 0.41, 0.42]))
    assert (found.lead.groups, found.lead.noise.repeats) == (3, 3)
    assert found.differing == ("seed",)
    assert found.why_no_effects == "the runs do not differ in any setting but the seed"


def test_the_order_of_the_runs_means_nothing() -> None:
    runs = list(a_search(RATES, [0.4, 0.3, 0.3, 0.5, np.nan, 0.7, 0.31, 0.9]))
    expected = compared(runs)
    for seed in range(5):
        random.Random(seed).shuffle(runs)
        again = compared(runs)
        assert [s.run.id for s in again.standings] == [s.run.id for s in expected.standings]
        assert again.effects == expected.effects
        assert again.lead.by == expected.lead.by


def test_runs_without_the_objective_are_left_out_with_the_reason() -> None:
    other = replace(a_run({Role.TRAIN_LOSS: decay(40, 2.3, 0.4)}), id="other")
    found = compared([*a_search(RATES[:3], [0.4, 0.3, 0.5]), other])
    assert len(found.standings) == 3
    assert found.left_out == (("other", "no validation loss was logged"),)


def test_validation_is_preferred_to_training_that_more_runs_logged() -> None:
    blind = [
        replace(a_run({Role.TRAIN_LOSS: decay(40, 2.3, 0.4)}, hparams={"lr": 1.0}), id=f"blind{at}")
        for at in range(2)
    ]
    found = compared([*a_search(RATES[:3], [0.4, 0.3, 0.5]), *blind])
    assert found.objective.role is Role.VAL_LOSS
    alone = compared(blind)
    assert alone.objective.role is Role.TRAIN_LOSS
    assert "validation was not logged: the comparison is by training alone" in alone.caveats


def test_other_data_and_other_losses_are_caveats() -> None:
    def told(name: str) -> str:
        runs = a_search(RATES[:2], [0.4, 0.3])
        return " ".join(
            compared(
                [
                    replace(run, hparams={**run.hparams, name: HParam(value, "x")})
                    for run, value in zip(runs, "ab", strict=True)
                ]
            ).caveats
        )

    assert "the runs differ in dataset" in told("dataset")
    assert "their losses may not mean the same" in told("criterion")
    assert told("activation") == ""


def test_one_run_and_nothing_in_common_are_refused() -> None:
    (one,) = a_search(RATES[:1], [0.4])
    with pytest.raises(
        RequestError, match="two runs or more are needed to compare: found run00 only"
    ):
        compared([one])
    with pytest.raises(RequestError, match="found none"):
        compared([])
    reward = replace(a_run({Role.REWARD: decay(40, 0, 5)}), id="agent")
    with pytest.raises(
        RequestError, match=r"no curve in common .* agent logged rollout/ep_rew_mean"
    ):
        compared([one, reward])
    with pytest.raises(RequestError, match="fewer than two of the runs logged eval/bleu"):
        compared(a_search(RATES[:2], [0.4, 0.3]), objective=Override("eval/bleu"))


def test_all_failed_have_no_leader_and_one_alive_has_no_rival() -> None:
    dead = compared(a_search(RATES[:3], [np.nan] * 3))
    assert (dead.lead, dead.noise) == (None, None)
    alive = compared(a_search(RATES[:3], [np.nan, 0.3, np.nan]))
    assert alive.standings[0].run.id == "run01"
    assert alive.lead is not None
    assert not np.isfinite(alive.lead.by)


def test_which_setting_goes_with_good_results() -> None:
    settings: list[Mapping[str, Scalar]] = [
        {"lr": 10.0**-at, "act": "relu" if at % 2 else "tanh", "flag": at % 3 == 0, "same": 1}
        for at in range(10)
    ]
    found = compared(a_search(settings, np.linspace(0.3, 0.8, 10)))
    effects = {each.name: each for each in found.effects}
    assert set(effects) == {"lr", "act", "flag"}
    assert effects["lr"].correlation.rho == pytest.approx(1)
    assert effects["lr"].correlation.low > 0.8
    assert [value for value, _, _ in effects["act"].values] == ["tanh", "relu"]
    assert effects["flag"].correlation.low < 0 < effects["flag"].correlation.high


def test_too_few_runs_are_said_to_be_too_few() -> None:
    found = compared(a_search(RATES[:5], [0.3, 0.4, 0.5, 0.6, 0.7]))
    assert found.why_no_effects == "5 runs are too few to tell which setting matters; 6 are needed"
    assert found.effects == ()


def test_unknown_settings_are_a_caveat() -> None:
    found = compared(a_search([{}, {"lr": 0.1}], [0.3, 0.4]))
    assert "no hyperparameters are known of 1 of 2 runs" in found.caveats


def test_runs_of_which_nothing_is_known_are_nobodys_repeats() -> None:
    found = compared(a_search([{}, {}, {}], [0.3, 0.5, 0.7]))
    assert found.lead is not None
    assert (found.lead.groups, found.lead.noise.repeats, found.lead.beyond) == (3, 0, True)
    assert found.caveats == ("no hyperparameters are known of any run",)
    assert "no hyperparameters are known" in found.why_no_effects


def test_rewards_lead_by_nothing_without_repeats() -> None:
    def agents(*seeds: int) -> list[Run]:
        return [
            replace(
                a_run({Role.REWARD: top - decay(40, top, 0)}, hparams={"lr": lr, "seed": seed}),
                id=f"{lr}-{seed}",
            )
            for lr, tops in ((0.1, (200.0, 230.0)), (0.01, (90.0, 110.0)))
            for seed, top in enumerate(tops)
            if seed in seeds
        ]

    alone, repeated = compared(agents(0)), compared(agents(0, 1))
    assert (alone.objective.role, alone.lead) == (Role.REWARD, None)
    assert repeated.lead is not None
    assert repeated.lead.noise.repeats == 4
    assert repeated.lead.beyond


def test_a_setting_that_some_runs_lack_is_not_told_by_its_absence() -> None:
    settings: list[Mapping[str, Scalar]] = [{"lr": 10.0**-at, "new": 1} for at in range(6)]
    found = compared(a_search([*settings, {"lr": 1.0}, {"lr": 2.0}], np.linspace(0.3, 0.8, 8)))
    assert [each.name for each in found.effects] == ["lr"]
