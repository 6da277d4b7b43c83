"""The study holds every run once, whole, and survives whoever is killed over it."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from tbdiag.advisor.study import Ledger, Page
from tbdiag.config.training import Choices, Range
from tbdiag.errors import RequestError
from tbdiag.model.proposal import State
from tests.advisor.builders import PARAMS, SPACE


def ledger(path: Path, higher: bool = False) -> Ledger:
    return Ledger(path / "study.log", "test", SPACE, higher=higher)


def study(path: Path) -> optuna.Study:
    backend = optuna.storages.journal.JournalFileBackend(str(path / "study.log"))
    return optuna.load_study(study_name="test", storage=optuna.storages.JournalStorage(backend))


def test_a_run_stands_there_once_with_all_of_its_settings(tmp_path: Path) -> None:
    page = Page(
        key="a",
        params=PARAMS,
        value=0.5,
        curve={1: 2.3, 40: 0.5},
        told={"origin": "imported", "why": "it was there"},
    )
    for _ in range(2):
        ledger(tmp_path).add(page)
    (trial,) = study(tmp_path).trials
    assert trial.state is TrialState.COMPLETE
    assert trial.value == 0.5
    assert trial.params == {name: PARAMS[name] for name in SPACE}
    assert trial.intermediate_values == {1: 2.3, 40: 0.5}
    assert trial.user_attrs == {"run": "a", "origin": "imported", "why": "it was there"}


def test_it_tells_when_a_run_was_made_and_what_is_measured(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.measures("validation loss")
    book.measures("something else")  # of an old study whose objective has another name by now
    book.add(Page(key="a", params=PARAMS, value=0.5, span=(1.7e9, 1.7e9 + 90)))
    book.add(Page(key="b", params=PARAMS, value=0.5, span=(0.0, 1e300)))
    with_times, without = study(tmp_path).trials
    assert study(tmp_path).metric_names == ["validation loss"]
    assert with_times.duration is not None
    assert with_times.duration.total_seconds() == 90
    assert with_times.datetime_start is not None
    assert with_times.datetime_start.timestamp() == 1.7e9
    assert without.datetime_complete is not None  # of wall times that are none, as it was written


def test_values_out_of_range_stand_at_its_end_and_are_told(tmp_path: Path) -> None:
    odd = {**PARAMS, "weight_decay": 0.0, "lr": 50.0, "batch_size": 64.0, "optimizer": "lion"}
    ledger(tmp_path).add(Page(key="a", params=odd, value=0.5))
    (trial,) = study(tmp_path).trials
    assert trial.params["weight_decay"] == 1e-7
    assert trial.params["lr"] == 10.0
    assert trial.params["batch_size"] == 64
    assert "optimizer" not in trial.params
    assert trial.user_attrs["not as written"] == {
        "weight_decay": 0.0,
        "lr": 50.0,
        "optimizer": "lion",
    }


@pytest.mark.parametrize(
    ("state", "value", "then"),
    [
        (State.FINISHED, None, TrialState.FAIL),
        (State.FINISHED, float("inf"), TrialState.FAIL),
        (State.FAILED, None, TrialState.FAIL),
        (State.KILLED, None, TrialState.PRUNED),
        (State.TIMED_OUT, 0.5, TrialState.FAIL),
    ],
)
def test_what_did_not_finish_is_no_success(
    tmp_path: Path, state: State, value: float | None, then: TrialState
) -> None:
    ledger(tmp_path).add(Page(key="a", params=PARAMS, value=value, state=state, curve={3: 1.0}))
    (trial,) = study(tmp_path).trials
    assert trial.state is then


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_torn_end_is_cut_off_and_written_on(tmp_path: Path, cut: int) -> None:
    first = ledger(tmp_path)
    first.add(Page(key="a", params=PARAMS, value=0.5))
    first.add(Page(key="b", params={**PARAMS, "lr": 0.1}, value=0.6))
    file = tmp_path / "study.log"
    file.write_bytes(file.read_bytes()[:-cut])
    again = ledger(tmp_path)
    assert "a" in again
    assert "b" not in again
    again.add(Page(key="b", params={**PARAMS, "lr": 0.1}, value=0.6))
    assert [t.user_attrs["run"] for t in study(tmp_path).trials] == ["a", "b"]


def test_asking_writes_nothing_and_stays_within_the_space(tmp_path: Path) -> None:
    book = ledger(tmp_path, higher=True)
    for n in range(15):
        params = {**PARAMS, "lr": 10.0 ** -(n % 6), "dropout": n / 40}
        book.add(Page(key=str(n), params=params, value=float(n % 6)))
    found = book.ask([PARAMS], seed=3)
    assert set(found) == set(SPACE)
    assert 1e-6 <= float(str(found["lr"])) <= 10
    assert found["optimizer"] in ("sgd", "momentum", "adam", "adamw")
    assert len(study(tmp_path).trials) == 15
    assert found == book.ask([PARAMS], seed=3)


def test_a_part_of_the_space_is_asked_by_what_is_known_of_all(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    for n in range(15):
        optimizer = "sgd" if n % 3 == 0 else "adam"
        params = {**PARAMS, "lr": 10.0 ** -(n % 6), "optimizer": optimizer}
        book.add(Page(key=str(n), params=params, value=float(abs(n % 6 - 2))))
    within = {"lr": Range(low=1e-3, high=0.1, log=True), "optimizer": Choices(("adam", "adamw"))}
    for seed in range(5):
        found = book.ask([{**PARAMS, "optimizer": "sgd"}], seed=seed, within=within)
        assert set(found) == set(within)
        assert 1e-3 <= float(str(found["lr"])) <= 0.1
        assert found["optimizer"] in ("adam", "adamw")
    assert len(study(tmp_path).trials) == 15


def test_a_study_in_memory_leaves_nothing(tmp_path: Path) -> None:
    book = Ledger(None, "test", SPACE, higher=False)
    book.add(Page(key="a", params=PARAMS, value=0.5))
    assert "a" in book
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////nowhere/at/all.db"])
def test_a_storage_that_cannot_be_used_is_one_sentence(url: str) -> None:
    with pytest.raises(RequestError, match="cannot be used"):
        Ledger(url, "test", SPACE, higher=False)


def test_any_storage_of_optuna_will_do(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    Ledger(url, "test", SPACE, higher=False).add(Page(key="a", params=PARAMS, value=0.5))
    assert "a" in Ledger(url, "test", SPACE, higher=False)


def test_a_study_that_looks_the_other_way_is_refused(tmp_path: Path) -> None:
    ledger(tmp_path)
    with pytest.raises(
        RequestError, match=r'the study "test" looks for the lowest value.* --study'
    ):
        ledger(tmp_path, higher=True)
