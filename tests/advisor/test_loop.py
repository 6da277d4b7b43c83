"""Rounds with a launcher that trains by a formula: how they end, and what the journal tells."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tbdiag.advisor.news import Ended, Ending, News, Remark
from tbdiag.advisor.propose import Policy
from tbdiag.api.advice import Retraining, retrain, suggest
from tbdiag.config.settings import Config
from tbdiag.errors import JournalError
from tbdiag.journal.file import Journal
from tbdiag.journal.replay import History, replayed
from tbdiag.model.proposal import Decision, Origin, State
from tbdiag.model.run import Scalar
from tests.advisor.builders import PARAMS, Curves, FakeLauncher, a_config, by_rate, log


def a_project(tmp_path: Path, **params: Scalar) -> tuple[Path, Config]:
    told = {**PARAMS, "lr": 1.0, **params}
    log(tmp_path / "logs" / "start", by_rate(told), told)
    return tmp_path / "logs", a_config(tmp_path)


def a_round(
    logs: Path, config: Config, launcher: FakeLauncher | None = None, **more: Any
) -> Retraining:
    given: dict[str, Any] = {"max_trials": 8, "cache": False} | more
    return retrain(path=logs, config=config, launcher=launcher or FakeLauncher(), **given)


def history(logs: Path) -> History:
    return replayed(Journal.beside(logs))


def test_a_problem_is_solved_repeated_and_noted(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    launcher = FakeLauncher()
    found = a_round(logs, config, launcher)
    assert found.ending is Ending.SOLVED
    assert found.verdict is not None
    assert found.verdict.decision is Decision.CONFIRMED
    assert len(found.verdict.repeats) == 2
    assert found.best.params["lr"] == pytest.approx(1 / 30, rel=0.02)
    assert launcher.started == ["followup-001", "followup-002", "followup-003"]
    told = history(logs)
    assert [each.state for each in told.trials.values()] == [State.FINISHED] * 3
    assert told.proposals["followup-001"].expects == ("OPT004",)
    assert told.verdicts["followup-001"] == found.verdict
    assert found.solved


def test_the_next_call_knows_that_it_is_solved(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    first = a_round(logs, config)
    launcher = FakeLauncher()
    again = a_round(logs, config, launcher)
    assert launcher.started == []
    assert again.ending is Ending.SOLVED
    assert again.best.id == first.best.id


def test_without_repeats_one_run_is_enough(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    found = a_round(logs, config, repeats=0)
    assert found.solved
    assert len(found.trials) == 1


def test_a_fix_that_does_not_hold_on_other_seeds_is_not_claimed(tmp_path: Path) -> None:
    def lucky(params: Mapping[str, Scalar]) -> Curves:
        return by_rate(params if params["seed"] == 0 else {**params, "lr": 1.0})

    logs, config = a_project(tmp_path)
    news: list[News] = []
    found = a_round(logs, config, FakeLauncher(learn=lucky), tell=news.append)
    assert not found.solved
    assert any(isinstance(n, Remark) and "did not hold" in n.sentence for n in news)


def test_the_budget_of_runs_and_epochs_is_kept(tmp_path: Path) -> None:
    def hopeless(params: Mapping[str, Scalar]) -> Curves:
        return by_rate({**params, "lr": 1.0})

    logs, config = a_project(tmp_path)
    launcher = FakeLauncher(learn=hopeless)
    found = a_round(logs, config, launcher, max_trials=5)
    assert found.ending is Ending.SPENT
    assert len(launcher.started) == 5
    assert found.best.id == "start"
    assert found.verdict is None
    launcher = FakeLauncher(learn=hopeless)
    found = a_round(logs, config, launcher, max_trials=None, max_epochs=100)
    assert found.ending is Ending.SPENT
    assert len(launcher.started) == 2


def test_a_command_that_fails_is_not_tried_for_long_and_forgiven_later(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    launcher = FakeLauncher(code=2)
    found = a_round(logs, config, launcher)
    assert found.ending is Ending.FAILING
    assert len(launcher.started) == 2
    assert "exit code 2" in found.reason
    mended = a_round(logs, config)
    assert mended.solved
    first = history(logs).proposals["followup-001"]
    assert mended.best.params == first.params


def test_a_run_that_was_told_something_else_proves_nothing(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    found = a_round(logs, config, FakeLauncher(logged={"lr": 0.5}), max_trials=2)
    assert not found.solved
    assert "not what was asked for" in history(logs).verdicts["followup-001"].reason


def test_a_run_that_logs_nothing_has_failed(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    launcher = FakeLauncher(learn=lambda params: {"other": [1.0]})
    launcher.learn = lambda params: {}
    launcher._trained = lambda name: (launcher.jobs.pop(name), launcher._exit("exited", 0))[1]  # type: ignore[method-assign,arg-type]
    a_round(logs, config, launcher, max_trials=1)
    (trial,) = history(logs).trials.values()
    assert trial.state is State.FAILED
    assert "logged no curve" in trial.reason


def test_an_interruption_is_noted_and_gone_on_from(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    found = a_round(logs, config, FakeLauncher(interrupt_at=1))
    assert found.ending is Ending.INTERRUPTED
    assert history(logs).trials["followup-001"].state is State.INTERRUPTED
    launcher = FakeLauncher()
    again = a_round(logs, config, launcher)
    assert again.solved
    assert launcher.started[0] == "followup-002"
    told = history(logs).proposals
    assert told["followup-002"].params == told["followup-001"].params


class Killed(BaseException):
    """What no handler catches: the controller is gone."""


@pytest.mark.parametrize("at", range(1, 14))
def test_killed_at_any_entry_nothing_is_lost_and_nothing_run_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """The controller dies before the ``at``-th entry of its journal; what it started ran on."""
    logs, config = a_project(tmp_path)
    append, entries = Journal.append, []

    def dying(self: Journal, kind: Any, payload: Any) -> Any:
        entries.append(kind)
        if len(entries) == at:
            raise Killed
        return append(self, kind, payload)

    first = FakeLauncher()
    first.close = lambda grace=0.0: []  # type: ignore[method-assign,assignment,misc]
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", dying)
        with suppress(Killed):
            a_round(logs, config, first)
    finished = [n for n, t in history(logs).trials.items() if t.state is State.FINISHED]
    second = FakeLauncher()
    found = a_round(logs, config, second)
    assert found.solved
    assert not set(finished) & set(second.started)
    assert len({*first.trained, *second.trained}) == len(first.trained) + len(second.trained)
    trained = [history(logs).trials[name].proposal.params for name in history(logs).trials]
    whole = [str(sorted(each.items(), key=str)) for each in trained]
    assert len(set(whole)) == len(whole)


def test_two_controllers_are_one_too_many(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    with Journal.beside(logs).held(), pytest.raises(JournalError, match="another tbdiag"):
        a_round(logs, config)


def test_several_run_at_a_time(tmp_path: Path) -> None:
    def hopeless(params: Mapping[str, Scalar]) -> Curves:
        return by_rate({**params, "lr": 1.0})

    logs, config = a_project(tmp_path)
    launcher = FakeLauncher(slots=3, learn=hopeless)
    a_round(logs, config, launcher, max_trials=6)
    told = history(logs).proposals
    assert len(launcher.started) == 6
    assert told["followup-003"].origin is Origin.CONTROL


def test_what_no_setting_answers_is_said_and_nothing_started(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    only = Config(root=tmp_path, train=config.train, space={"dropout": config.space["dropout"]})
    launcher = FakeLauncher()
    found = a_round(logs, only, launcher)
    assert found.ending is Ending.NOTHING
    assert launcher.started == []
    assert "no-learning" in found.reason
    assert found.advice


def test_a_healthy_run_is_improved_within_the_budget_and_the_best_repeated(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path, lr=3e-4)
    launcher = FakeLauncher()
    sure = replace(config, suspicions=False)  # a low rate is suspected, and rightly
    found = a_round(logs, sure, launcher, max_trials=8)
    assert found.ending is Ending.SPENT
    origins = [each.proposal.origin for each in found.trials]
    assert Origin.REPEAT in origins[-2:]
    assert found.verdict is not None
    assert found.verdict.decision is Decision.CONFIRMED
    assert found.best.loss < found.start.loss


def test_who_goes_on_for_the_best_run_gets_standard_recipes_first(tmp_path: Path) -> None:
    def first(folder: Path, **how: Any) -> Origin:
        folder.mkdir()
        logs, config = a_project(folder)
        found = a_round(logs, config, max_trials=1, **how)
        return found.trials[0].proposal.origin

    assert first(tmp_path / "cure") is Origin.REMEDY
    assert first(tmp_path / "best", keep_going=True) is Origin.CONTROL


def test_the_sampler_comes_last_and_stays_at_the_budget(tmp_path: Path) -> None:
    def hopeless(params: Mapping[str, Scalar]) -> Curves:
        return by_rate({**params, "lr": 1.0})

    logs, config = a_project(tmp_path)
    policy = Policy(controls_at=(), repeat=False, model=False, jitter=False)
    a_round(logs, config, FakeLauncher(learn=hopeless), max_trials=9, policy=policy)
    sampled = [p for p in history(logs).proposals.values() if p.origin is Origin.SAMPLER]
    assert sampled
    assert all(p.params["epochs"] == 40 and p.params["seed"] == 0 for p in sampled)


def test_a_python_function_is_trained_in_this_process(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    seen = []

    def train(params: dict[str, Scalar], folder: Path) -> None:
        seen.append(folder.name)
        log(folder, by_rate(params), params)

    found = retrain(train, logs, space=config.space, config=Config(root=tmp_path), cache=False)
    assert found.solved
    assert seen == ["followup-001", "followup-002", "followup-003"]
    assert found.journal.trials["followup-001"].objective == pytest.approx(0.33, abs=0.05)


def test_an_exception_of_a_python_function_is_a_failure_with_its_words(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)

    def train(params: dict[str, Scalar], folder: Path) -> None:
        raise MemoryError("no room")

    found = retrain(train, logs, space=config.space, config=Config(root=tmp_path), cache=False)
    assert found.ending is Ending.FAILING
    assert "MemoryError: no room" in found.reason


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_function_in_child_processes_solves_it_too(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    seen: list[str] = []

    def train(params: dict[str, Scalar], folder: Path) -> None:
        seen.append(folder.name)
        log(folder, by_rate(params), params)

    more: dict[str, Any] = {"space": config.space, "config": Config(root=tmp_path), "cache": False}
    found = retrain(train, logs, child=True, parallel=2, **more)
    assert found.solved
    assert seen == []  # what a child changes is lost with it


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_function_in_a_child_process_is_ended_live_and_in_time(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)

    def hopeless(params: dict[str, Scalar], folder: Path) -> None:
        curves = {tag: [*each[:20], *[math.nan] * 20] for tag, each in by_rate(params).items()}
        log(folder, curves, params)
        time.sleep(600)

    def slow(params: dict[str, Scalar], folder: Path) -> None:
        log(folder, by_rate(params), params)
        time.sleep(600)

    more: dict[str, Any] = {"space": config.space, "config": Config(root=tmp_path), "cache": False}
    began = time.monotonic()
    found = retrain(hopeless, logs, child=True, max_trials=1, **more)
    assert [each.state for each in found.trials] == [State.KILLED]
    assert "NaN" in found.trials[0].reason or "NUM001" in found.trials[0].reason
    found = retrain(slow, logs, child=True, max_trials=1, kill=False, timeout=2, **more)
    assert found.ending is Ending.SPENT
    (trial,) = (
        found.trials
    )  # by its own limit or the round's: they are one, and either may look first
    assert trial.state in (State.TIMED_OUT, State.INTERRUPTED)
    assert time.monotonic() - began < 120


def test_suggestions_write_nothing_and_know_what_was_tried(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    found = suggest(logs, config=config, n=2, cache=False)
    assert sorted(tmp_path.rglob("*")) == before
    assert [each.id for each in found] == ["followup-001", "followup-002"]
    news: list[News] = []
    a_round(logs, config, tell=news.append)
    after = suggest(logs, config=config, n=3, cache=False)
    tried = [n.trial.proposal.params for n in news if isinstance(n, Ended)]
    assert after.plan.start.id == "start"
    assert after[0].parent == "followup-001"
    assert all(each.params not in tried for each in after)


def test_a_repeat_that_fails_takes_the_claim_with_it(tmp_path: Path) -> None:
    launcher = FakeLauncher()

    def crashing(params: Mapping[str, Scalar]) -> Curves:
        launcher.code = 0 if params["seed"] == 0 else 3
        return by_rate(params)

    logs, config = a_project(tmp_path)
    launcher.learn = crashing
    trained = launcher._trained
    launcher._trained = lambda name: replace(trained(name), code=launcher.code)  # type: ignore[method-assign]
    news: list[News] = []
    found = a_round(logs, config, launcher, max_trials=6, tell=news.append)
    assert found.ending is Ending.SPENT
    assert len(found.trials) == 6
    sentences = [each.sentence for each in news if isinstance(each, Remark)]
    assert any("a repeat came to nothing" in each for each in sentences)
