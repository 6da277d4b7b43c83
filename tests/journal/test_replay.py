"""The state after all entries, and values that come back as they were."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.journal.entry import Diagnosed, Entry, Kind, Verified
from tbdiag.journal.file import Pages
from tbdiag.journal.payload import plain, restored
from tbdiag.journal.replay import Attempt, replay, replayed
from tbdiag.model.proposal import Decision, Origin, Price, Proposal, State, Trial, Turn, Verdict
from tests.journal.builders import NOON, a_diagnosis, a_journal, a_proposal, a_trial, a_verdict

NAMES = st.text(max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | NAMES
WORDS = st.lists(NAMES, max_size=3).map(tuple)
PROPOSALS = st.builds(
    Proposal,
    id=NAMES,
    parent=NAMES,
    origin=st.sampled_from(Origin),
    params=st.dictionaries(NAMES, SCALARS, max_size=4),
    turns=st.lists(st.builds(Turn, NAMES, SCALARS, SCALARS), max_size=3).map(tuple),
    why=NAMES,
    answers=WORDS,
    expects=WORDS,
    advice=WORDS,
    price=st.builds(Price, epochs=st.none() | st.floats(), seconds=st.none() | st.floats()),
)
TRIALS = st.builds(
    Trial,
    proposal=PROPOSALS,
    run=NAMES,
    command=WORDS,
    state=st.sampled_from(State),
    reason=NAMES,
    exit_code=st.none() | st.integers(),
    objective=st.none() | st.floats(),
    started=st.floats(),
    ended=st.none() | st.floats(),
)
VERDICTS = st.builds(
    Verdict,
    decision=st.sampled_from(Decision),
    reason=NAMES,
    cleared=WORDS,
    before=st.none() | st.floats(),
    repeats=st.dictionaries(NAMES, st.floats(), max_size=3),
)


@given(PROPOSALS | TRIALS | VERDICTS | st.builds(Verified, proposal=NAMES, verdict=VERDICTS))
def test_what_is_written_comes_back(value: object) -> None:
    import json

    text = json.dumps(plain(value), allow_nan=False)
    assert repr(restored(type(value), json.loads(text))) == repr(value)  # as NaN equals nothing


def test_numbers_of_numpy_come_back_as_numbers() -> None:
    odd = a_proposal(params={"lr": np.float32(0.5), "n": np.int64(3), "on": np.bool_(True)})
    back = restored(Proposal, plain(odd))
    assert back.params == {"lr": 0.5, "n": 3, "on": True}
    assert [type(each) for each in back.params.values()] == [float, int, bool]


@pytest.mark.parametrize("odd", [{1: 2}, object(), {"x": {1, 2}}, b"x"])
def test_what_could_not_come_back_is_refused(odd: object) -> None:
    with pytest.raises(TypeError):
        plain(odd)


def test_a_field_that_is_missing_has_its_default_and_one_more_does_no_harm() -> None:
    data = plain(a_trial())
    del data["reason"], data["proposal"]["advice"]
    data["mood"] = "good"
    assert restored(Trial, data) == a_trial()
    del data["run"], data["state"]
    with pytest.raises(ValueError, match="a Trial lacks run, state"):
        restored(Trial, data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run", 3),
        ("state", "asleep"),
        ("exit_code", "0"),
        ("exit_code", True),
        ("objective", "NaN"),
        ("started", None),
        ("command", "rm -rf"),
        ("command", [3]),
        ("proposal", []),
    ],
)
def test_a_value_of_another_type_is_told(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"is no|is not"):
        restored(Trial, {**plain(a_trial()), field: value})


@dataclass(frozen=True)
class _Odd:
    numbers: Mapping[str, float]


def test_a_number_may_be_whole() -> None:
    assert restored(_Odd, {"numbers": {"a": 1}}).numbers == {"a": 1.0}
    assert math.isnan(restored(_Odd, {"numbers": {"a": {"$float": "nan"}}}).numbers["a"])


def test_an_empty_journal_is_an_empty_history(tmp_path: Path) -> None:
    history = replayed(a_journal(tmp_path))
    assert (history.attempts, history.diagnoses, history.unread) == ({}, (), ())
    assert history.unfinished == history.waiting == history.unverified == ()


def test_a_history_tells_where_each_attempt_stands(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    one, two, three, four = (a_proposal(f"t{n}") for n in range(1, 5))
    journal.diagnosed(a_diagnosis())
    for each in (one, two, three, four):
        journal.proposed(each)
    done = a_trial(one, state=State.FINISHED, objective=0.284, ended=NOON + 9)
    over = a_trial(two, state=State.FAILED, exit_code=1)
    for trial in (a_trial(one), a_trial(two), a_trial(three)):
        journal.launched(trial)
    journal.finished(done)
    journal.finished(over)
    journal.verified("t1", a_verdict())

    history = replayed(journal)
    assert history.diagnoses == ((NOON, a_diagnosis()),)
    assert [*history.proposals.values()] == [one, two, three, four]
    assert history.trials == {"t1": done, "t2": over, "t3": a_trial(three)}
    assert history.verdicts == {"t1": a_verdict()}
    assert history.unfinished == (a_trial(three),)
    assert history.waiting == (four,)
    assert history.unverified == (over,)
    assert history.attempts["t1"] == Attempt(
        proposal=one,
        proposed=NOON + 60,
        trial=done,
        verdict=a_verdict(),
        verified=NOON + 10 * 60,
    )
    assert history.unread == ()


def test_a_run_that_is_started_anew_runs_again(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    journal.proposed(a_proposal())
    journal.launched(a_trial())
    journal.finished(a_trial(state=State.INTERRUPTED))
    journal.verified("t1", a_verdict(decision=Decision.INCONCLUSIVE))
    assert replayed(journal).unfinished == ()
    again = a_trial(run="logs/tbdiag/t1-2")
    journal.launched(again)
    history = replayed(journal)
    assert history.unfinished == (again,)
    assert history.verdicts == {}


def test_what_a_damaged_line_hides_is_taken_from_later_ones(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    journal.proposed(a_proposal("t1"))
    journal.proposed(a_proposal("t2"))
    journal.launched(a_trial(a_proposal("t1")))
    lines = journal.path.read_bytes().split(b"\n")
    journal.path.write_bytes(b"\n".join([lines[0][:50], lines[1][:50], lines[2], b""]))
    journal.verified("t2", a_verdict())
    history = replayed(journal)
    assert history.unfinished == (a_trial(a_proposal("t1")),)
    assert history.unread == (
        "line 1: it is not whole",
        "line 2: it is not whole",
        "entry 4: nothing was proposed under the id 't2'",
    )


def test_an_entry_that_is_not_understood_is_told(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    good = journal.diagnosed(a_diagnosis())
    bad = replace(good, seq=2, payload={**good.payload, "runs": "many"})
    worse = Entry(seq=3, at=0.0, kind=Kind.LAUNCHED, payload={})
    history = replay(Pages((good, bad, worse)))
    assert [seen for _, seen in history.diagnoses] == [restored(Diagnosed, good.payload)]
    assert history.unread == (
        "entry 2: 'many' is no int",
        "entry 3: a Trial lacks proposal, run, command, state",
    )
