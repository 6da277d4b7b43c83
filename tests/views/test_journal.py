"""What the journal's views promise: the whole story, narrow, deaf to hostile text."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tbdiag.journal.entry import Found
from tbdiag.journal.replay import Attempt, History, replayed
from tbdiag.model.proposal import Decision, Origin, State, Turn
from tbdiag.views import journal, journal_csv, journal_json, journal_markdown
from tbdiag.views.logbook import best, followups
from tbdiag.views.text import cells
from tests.journal.builders import NOON, a_diagnosis, a_journal, a_proposal, a_trial, a_verdict

Golden = Callable[[str, str], None]
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def told(tmp_path: Path) -> History:
    """A few follow-ups, each with another fate."""
    book = a_journal(tmp_path)
    book.diagnosed(a_diagnosis())
    one = a_proposal("t1")
    two = a_proposal(
        "t2",
        parent="t1",
        origin=Origin.MOVE,
        turns=(Turn("weight_decay", None, 1e-4), Turn("scheduler", "cosine", "constant")),
        why="a rate without decay leaves noise",
        expects=(),
        advice=("look at twenty of the wrong predictions",),
    )
    three = a_proposal("t3", origin=Origin.CONTROL, why="a standard recipe, to compare with")
    four = a_proposal("t4", parent="t1", origin=Origin.REPEAT, turns=(Turn("seed", 0, 1),))
    book.proposed(one)
    book.launched(a_trial(one))
    book.finished(
        a_trial(one, state=State.FINISHED, exit_code=0, objective=0.284, ended=NOON + 372)
    )
    book.verified("t1", a_verdict(repeats={"1": 0.291, "2": 0.279}))
    book.diagnosed(a_diagnosis(best="t1", runs=2, value=0.284, findings=()))
    for each in (two, three, four):
        book.proposed(each)
    book.launched(a_trial(two))
    words = 'it ended with exit code 1; the last that it printed: "ValueError: no such scheduler"'
    book.finished(a_trial(two, state=State.FAILED, exit_code=1, reason=words, ended=NOON + 2.5))
    book.launched(a_trial(three))
    book.finished(a_trial(three, state=State.FINISHED, objective=0.31, ended=NOON + 400))
    refuted = a_verdict(
        decision=Decision.REFUTED,
        reason="GEN001 has appeared",
        cleared=(),
        persisting=("OPT001",),
        introduced=("GEN001", "VAL002"),
        before=0.284,
        after=0.31,
        noise=None,
    )
    book.verified("t3", refuted)
    book.launched(a_trial(four))
    with book.path.open("a") as file:
        file.write('{"schema": 1, "se\n')
    return replayed(book)


def test_text(golden: Golden, told: History) -> None:
    golden("journal-80.txt", journal.render(told, color=False, zone=UTC))


def test_text_in_ascii(golden: Golden, told: History) -> None:
    text = journal.render(told, color=False, ascii=True, zone=UTC)
    assert text.isascii()
    golden("journal-ascii.txt", text)


def test_markdown(golden: Golden, told: History) -> None:
    golden("journal.md", journal_markdown.render(told, zone=UTC))


def test_csv(golden: Golden, told: History) -> None:
    golden("journal.csv", journal_csv.render(told))


def test_json(golden: Golden, told: History) -> None:
    golden("journal.json", journal_json.render(told))


def test_color_adds_escape_sequences_and_nothing_else(told: History) -> None:
    colored = journal.render(told, color=True, zone=UTC)
    assert "\x1b[1;32m" in colored
    assert ESCAPE.sub("", colored) == journal.render(told, color=False, zone=UTC)


def test_an_empty_journal_is_shown() -> None:
    empty = History()
    assert journal.render(empty, color=False) == "0 follow-ups\n"
    assert "0 follow-ups." in journal_markdown.render(empty)
    assert journal_csv.render(empty).count("\n") == 1
    assert json.loads(journal_json.render(empty))["followups"] == []


def test_the_best_is_judged_by_the_direction_and_never_by_nan(told: History) -> None:
    tried = followups(told)
    assert best(tried) is tried[0]
    upward = [replace(each, seen=a_diagnosis(better="higher")) for each in tried]
    found = best(upward)
    assert found is not None
    assert found.id == "t3"
    odd = Attempt(proposal=a_proposal("t9"), proposed=NOON, trial=a_trial(objective=float("nan")))
    assert best(followups(History(attempts={"t9": odd}))) is None


def test_a_lucky_repeat_is_not_the_best(tmp_path: Path) -> None:
    book = a_journal(tmp_path)
    book.diagnosed(a_diagnosis())
    book.proposed(a_proposal("t1"))
    book.launched(a_trial())
    book.finished(a_trial(state=State.FINISHED, objective=0.284, ended=NOON + 9))
    book.verified("t1", a_verdict(after=0.284, repeats={"1": 0.27}))
    again = a_proposal("t2", parent="t1", origin=Origin.REPEAT, turns=(Turn("seed", 0, 1),))
    book.proposed(again)
    book.launched(a_trial(again))
    book.finished(a_trial(again, state=State.FINISHED, objective=0.27, ended=NOON + 9))
    found = best(followups(replayed(book)))
    assert found is not None
    assert found.id == "t1"


def test_a_change_in_the_fourth_digit_is_shown() -> None:
    odd = a_proposal(turns=(Turn("lr", 0.12341, 0.12342), Turn("bias", False, True)))
    (each,) = followups(History(attempts={"t1": Attempt(proposal=odd, proposed=NOON)}))
    assert each.changes == ("lr 0.12341 → 0.12342", "bias False → True")


def test_a_time_that_is_none_is_no_crash() -> None:
    odd = Attempt(proposal=a_proposal(), proposed=1e300)
    assert "at no known time" in journal.render(History(attempts={"t1": odd}), color=False)


def test_a_spreadsheet_computes_nothing() -> None:
    odd = a_proposal("=1+1", parent="@SUM(A1)", why=' =HYPERLINK("x")', params={"lr": -0.5})
    told = History(attempts={"=1+1": Attempt(proposal=odd, proposed=NOON)})
    (row,) = csv.DictReader(StringIO(journal_csv.render(told)))
    assert (row["id"], row["parent"]) == ("'=1+1", "'@SUM(A1)")
    assert row["why"] == '\' =HYPERLINK("x")'
    assert json.loads(row["params"]) == {"lr": -0.5}


anything = st.text(st.characters(exclude_categories=()), max_size=60)
numbers = st.none() | st.floats()


@st.composite
def hostile_histories(draw: st.DrawFn) -> History:
    attempts = {}
    for _ in range(draw(st.integers(1, 3))):
        proposal = a_proposal(
            draw(anything),
            parent=draw(anything),
            params={draw(anything): draw(anything)},
            turns=(Turn(draw(anything), draw(anything), draw(st.floats())),),
            why=draw(anything),
            expects=(draw(anything),),
            advice=(draw(anything),),
        )
        trial = a_trial(
            proposal,
            command=(draw(anything), draw(anything)),
            state=draw(st.sampled_from(State)),
            reason=draw(anything),
            objective=draw(numbers),
            ended=draw(numbers),
        )
        verdict = a_verdict(
            reason=draw(anything),
            introduced=(draw(anything),),
            before=draw(numbers),
            repeats={draw(anything): draw(st.floats())},
        )
        attempts[proposal.id] = Attempt(
            proposal=proposal, proposed=draw(st.floats()), trial=trial, verdict=verdict
        )
    found = Found(code=draw(anything), severity=draw(anything), message=draw(anything))
    seen = a_diagnosis(
        best=draw(anything), objective=draw(anything), value=draw(numbers), findings=(found,)
    )
    return History(
        attempts=attempts,
        diagnoses=((draw(st.floats(allow_nan=False)), seen),),
        unread=(draw(anything),),
    )


def harmless(text: str) -> bool:
    return all(
        char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        for char in text
    )


@given(hostile_histories(), st.sampled_from([40, 61, 80]), st.booleans())
@settings(max_examples=60)
def test_hostile_text_reaches_no_terminal(told: History, width: int, only_ascii: bool) -> None:
    text = journal.render(told, color=False, width=width, ascii=only_ascii)
    assert harmless(text)
    assert max(map(cells, text.splitlines())) <= width
    assert text.isascii() or not only_ascii


@given(hostile_histories())
@settings(max_examples=60)
def test_hostile_text_stays_text_in_markdown_csv_and_json(told: History) -> None:
    page = journal_markdown.render(told)
    assert harmless(page)
    table = journal_csv.render(told)
    assert harmless(table)
    rows = list(csv.reader(StringIO(table)))
    assert {len(row) for row in rows} == {len(journal_csv.COLUMNS)}
    assert len(rows) == len(told.attempts) + 1
    text = journal_json.render(told)
    assert text.isascii()
    json.loads(text, parse_constant=lambda name: pytest.fail(name))


def test_marks_and_tags_stay_text_in_markdown() -> None:
    odd = a_proposal(
        "<script>alert(1)</script>",
        why="[x](javascript:alert(1)) <img src=x> | **b** `c` # d\n\n# e",
        turns=(Turn("a`b``|c", 1, "<b>"),),
    )
    trial = a_trial(odd, command=("```", "<i>"))
    told = History(attempts={"t": Attempt(proposal=odd, proposed=NOON, trial=trial)})
    page = journal_markdown.render(told, zone=UTC)
    assert r"\<script\>alert(1)\</script\>" in page
    assert r"\[x\](javascript:alert(1)) \<img src=x\> \| \*\*b\*\* \`c\` \# d\\n\\n\# e" in page
    assert "- change: ``` a`b``|c 1 → <b> ```" in page
    assert "``` a`b``\\|c 1 → <b> ```" in page
    assert "- command: ```` '```' '<i>' ````" in page
