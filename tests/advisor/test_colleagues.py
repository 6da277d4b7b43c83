"""Controllers of one study go on from each other's best run, and learn from each other's diagnoses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tbdiag.advisor.colleagues import FINDINGS, STANDING, Told, record_of, told_of
from tbdiag.advisor.position import Position
from tbdiag.advisor.propose import Policy, propose
from tbdiag.advisor.shared import SharedLedger
from tbdiag.advisor.study import Page
from tbdiag.api.advice import Retraining, retrain
from tbdiag.config.settings import Config
from tbdiag.journal.file import Journal
from tbdiag.journal.replay import replayed
from tbdiag.model.proposal import Origin
from tests.advisor.builders import PARAMS, SPACE, FakeLauncher, a_config, a_record, by_rate, log


@pytest.fixture
def storage(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.db'}"


def told(record: object, number: int = 1, **more: str) -> Told:
    found = told_of(record) | more  # type: ignore[arg-type]
    return Told(
        number=number,
        name="other/followup-001",
        params=record.params,  # type: ignore[attr-defined]
        findings=found[FINDINGS],
        standing=found[STANDING],
    )


def test_what_is_told_of_a_run_comes_back() -> None:
    record = a_record("run", 0.4, "GEN001", "OPT008", lr=1e-3)
    found = record_of(told(record), a_record("start", 0.9))
    assert found is not None
    assert found.elsewhere
    assert found.roots == record.roots
    assert (found.loss, found.value) == (record.loss, record.value)
    assert found.params == record.params
    assert found.seconds is None  # of its curves nothing is known
    assert told_of(a_record("failed", None)) == {}


@pytest.mark.parametrize(
    "text",
    ["", "[", "{}", "3", "null", '["Finding"]', '[["Finding", 1]]', '[["Standing", 1, 2, 3]]'],
)
def test_what_cannot_be_restored_is_no_run(text: str) -> None:
    record, start = a_record("run", 0.4, "GEN001"), a_record("start", 0.9)
    assert record_of(told(record, **{FINDINGS: text}), start) is None
    assert record_of(told(record, **{STANDING: text}), start) is None


def test_runs_with_another_objective_are_not_compared() -> None:
    record = a_record("run", None, accuracy=[0.1, 0.5, 0.9] * 13)
    assert told_of(record)
    assert record_of(told(record), a_record("start", 0.9)) is None


def test_the_policy_goes_on_from_the_best_of_all_and_knows_their_rates() -> None:
    start = a_record("start", 0.9, "OPT004", lr=1.0)
    other = record_of(told(a_record("run", 0.4, "GEN001", lr=1e-3)), start)
    assert other is not None
    position = Position(records=[start], start=start, space=SPACE, others=[other])
    assert position.best is other
    assert position.count == 0  # it is not of this controller's budget
    assert position.tried(other.params)
    move = propose(position)
    assert move is not None
    assert (move.parent, move.origin) == (other, Origin.REMEDY)
    assert move.params["lr"] == 1e-3
    assert float(str(move.params["weight_decay"])) > 1e-3
    worse = replace(position, others=[replace(other, entrant=a_record("w", 2.0).entrant)])
    assert worse.best is start
    high = record_of(told(a_record("hot", 2.3, "OPT001", lr=0.02)), start)
    assert high is not None
    slow = a_record("slow", 0.9, "OPT002", lr=1e-2)
    alone = propose(Position(records=[slow], start=slow, space=SPACE))
    warned = propose(Position(records=[slow], start=slow, space=SPACE, others=[high]))
    assert alone is not None
    assert warned is not None
    assert float(str(alone.params["lr"])) >= 0.02 > float(str(warned.params["lr"]))


def test_a_ledger_tells_what_others_found_and_not_its_own(storage: str) -> None:
    one, other = (
        SharedLedger(storage, "test", SPACE, higher=False, owner=owner)
        for owner in ("one", "other")
    )
    record = a_record("followup-001", 0.4, "GEN001")
    page = Page(key=record.id, params=record.params, value=None, told={"origin": "remedy"})
    assert one.claim(page)
    assert other.others() == []  # it is under way
    one.add(replace(page, value=record.value, told={"origin": "remedy", **told_of(record)}))
    (found,) = other.others()
    assert (found.name, found.params) == ("one/followup-001", record.params)
    back = record_of(found, a_record("start", 0.9))
    assert back is not None
    assert back.roots == record.roots
    assert one.others() == []
    for each in (one, other):
        each.close()


def controller(tmp_path: Path, name: str, storage: str, trials: int, rate: float) -> Retraining:
    params = {**PARAMS, "lr": rate}
    if not (tmp_path / name).exists():
        log(tmp_path / name / f"start-{name}", by_rate(params), params)
    config: Config = a_config(tmp_path)
    return retrain(
        path=tmp_path / name,
        config=config,
        launcher=FakeLauncher(),
        max_trials=trials,
        repeats=0,
        keep_going=True,
        cache=False,
        storage=storage,
        policy=Policy(controls_at=()),  # which are the same wherever one goes on from
    )


def test_of_two_controllers_one_goes_on_where_the_other_has_come(
    tmp_path: Path, storage: str
) -> None:
    first = controller(tmp_path, "a", storage, 4, 1.0)
    best = first.best
    assert best.value is not None
    alone = controller(tmp_path / "apart", "b", f"{storage}.apart", 1, 0.5)
    second = controller(tmp_path, "b", storage, 1, 0.5)
    owner = (tmp_path / "a" / ".tbdiag" / "owner.txt").read_text().strip()
    (attempt,) = replayed(Journal.beside(tmp_path / "b")).attempts.values()
    assert attempt.proposal.why.endswith(f"; from {owner}/{best.id} of the same study")
    assert attempt.proposal.parent == "start-b"  # beside which it is judged
    assert attempt.verdict is not None
    differ = {n for n, v in attempt.proposal.params.items() if v != best.params[n]}
    assert 0 < len(differ) <= 4
    (trial,) = second.trials
    (blind,) = alone.trials
    assert trial.objective is not None
    assert blind.objective is not None
    assert trial.objective < blind.objective
    assert json.dumps(attempt.proposal.params) != json.dumps(best.params)
    again = controller(tmp_path, "b", storage, 1, 0.5)  # its journal leads on
    assert len(replayed(Journal.beside(tmp_path / "b")).attempts) == 2
    assert again.start.id == "start-b"
