"""What a study that several controllers share promises, whatever it is kept in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import optuna
from optuna.trial import TrialState

from tbdiag.advisor.shared import SharedLedger
from tbdiag.advisor.storages import closed, opened, silence
from tbdiag.advisor.study import Page
from tbdiag.model.proposal import Params, State
from tests.advisor.builders import PARAMS, SPACE

ROOT = Path(__file__).parent.parent.parent
CONTROLLERS = 8

GRACE, BEAT = 1.5, 0.2

# A controller: claims settings off a common list, in an order of its own, and makes what it got.
CONTROLLER = """
import json, random, sys, time
from pathlib import Path
from tests.advisor.shared_contract import ledger, settings, page
url, name, owner, folder, count = sys.argv[1:6]
book = ledger(url, name, owner)
random.seed(owner)
todo = list(range(int(count)))
random.shuffle(todo)
book.add(page("start", settings(0.5), 0.5, origin="imported"))
book.ask([], seed=len(owner))
for number in todo:
    key = f"followup-{number:03d}"
    if not book.claim(page(key, settings(number))):
        continue
    with open(f"{folder}/ran", "a") as file:
        file.write(f"{number} {owner}\\n")
    time.sleep(0.02)
    book.add(page(key, settings(number), float(number)))
book.close()
print("done")
"""

# A controller that claims one run and dies of SIGKILL at it.
DYING = """
import os, signal, sys, time
from tests.advisor.shared_contract import ledger, settings, page
url, name = sys.argv[1:3]
book = ledger(url, name, "dying")
assert book.claim(page("followup-001", settings(7)))
print("claimed", flush=True)
time.sleep(600)
"""


def ledger(url: str, name: str, owner: str) -> SharedLedger:
    return SharedLedger(url, name, SPACE, higher=False, owner=owner, grace=GRACE, beat=BEAT)


def settings(number: float) -> Params:
    return {**PARAMS, "lr": 1e-5 * (1 + number)}


def page(key: str, params: Params, value: float | None = None, origin: str = "remedy") -> Page:
    return Page(key=key, params=params, value=value, told={"origin": origin, "why": "to see"})


def trials(url: str, name: str) -> list[optuna.trial.FrozenTrial]:
    with silence():
        storage = opened(url)
        found = optuna.load_study(study_name=name, storage=storage).trials
    closed(storage)
    return found


def process(script: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def within(seconds: float, what: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.1)
    return False


def eight_controllers_at_once_lose_nothing_and_run_nothing_twice(
    url: str, name: str, folder: Path
) -> None:
    count = 16
    words = (str(folder), str(count))
    controllers = [process(CONTROLLER, url, name, f"c{n}", *words) for n in range(CONTROLLERS)]
    said = [each.communicate(timeout=240) for each in controllers]
    assert [out for out, _ in said] == ["done\n"] * CONTROLLERS, said
    ran = [line.split() for line in (folder / "ran").read_text().splitlines()]
    assert Counter(number for number, _ in ran) == {str(number): 1 for number in range(count)}
    kept = trials(url, name)
    whole = [each for each in kept if each.state is TrialState.COMPLETE]
    values = sorted(each.values[0] for each in whole)
    assert values == sorted([0.5, *map(float, range(count))])  # the past run once, all others once
    assert {each.user_attrs["run"] for each in whole} == {
        "start",
        *(f"followup-{n:03d}" for n in range(count)),
    }
    assert not [each for each in kept if not each.state.is_finished()]
    for each in whole:
        if each.user_attrs["origin"] != "imported":
            assert json.loads(each.user_attrs["settings"]) == settings(each.values[0])
            assert {str(int(each.values[0])), each.user_attrs["owner"]} in [set(r) for r in ran]


def of_two_claims_the_first_holds(url: str, name: str, folder: Path) -> None:
    del folder
    one, other = ledger(url, name, "one"), ledger(url, name, "other")
    assert one.claim(page("a", settings(1)))
    assert not other.claim(page("b", settings(1)))
    assert other.claim(page("b", settings(2)))
    assert one.claim(page("a", settings(1)))  # it is its own
    assert [each["lr"] for each in one.elsewhere()] == [settings(2)["lr"]]
    one.add(page("a", settings(1), 0.3))
    assert not other.claim(page("c", settings(1)))  # it was tried
    assert "a" in one
    assert "a" not in other
    other.add(page("b", settings(2), 0.4))
    assert sorted(each.values[0] for each in trials(url, name)) == [0.3, 0.4]
    for each in (one, other):
        each.close()


def a_name_is_told_from_the_same_one_of_another(url: str, name: str, folder: Path) -> None:
    del folder
    for number, owner in enumerate(("one", "other")):
        book = ledger(url, name, owner)
        assert book.claim(page("followup-001", settings(number)))
        book.add(page("followup-001", settings(number), float(number)))
        book.add(page("followup-001", settings(number), float(number)))
        book.close()
    assert sorted(each.values[0] for each in trials(url, name)) == [0.0, 1.0]


def a_killed_controller_is_found_out_and_its_run_made(url: str, name: str, folder: Path) -> None:
    del folder
    dying = process(DYING, url, name)
    assert dying.stdout is not None
    assert dying.stdout.readline() == "claimed\n"
    alive = ledger(url, name, "alive")
    assert not within(3 * GRACE, lambda: bool(alive.orphans()))  # it lives
    dying.send_signal(signal.SIGKILL)
    dying.communicate()
    assert within(10 * GRACE, lambda: bool(alive.orphans()))
    (orphan,) = alive.orphans()
    assert dict(orphan.params) == settings(7)
    assert orphan.reason.startswith("its controller dying on ")
    assert orphan.reason.endswith("gave no sign of life for 2 s")
    third = ledger(url, name, "third")
    assert len(third.orphans()) == 1
    assert alive.claim(page("followup-009", orphan.params))
    assert alive.orphans() == third.orphans() == []
    assert not third.claim(page("followup-009", orphan.params))
    alive.add(page("followup-009", orphan.params, 0.25))
    kept = [each for each in trials(url, name) if each.state is TrialState.COMPLETE]
    assert [(each.values[0], each.user_attrs["owner"]) for each in kept] == [(0.25, "alive")]
    for each in (alive, third):
        each.close()


def a_result_that_comes_late_is_kept(url: str, name: str, folder: Path) -> None:
    del folder
    asleep, awake = ledger(url, name, "asleep"), ledger(url, name, "awake")
    assert asleep.claim(page("a", settings(1)))
    asleep._end.set()  # as if the machine slept
    assert within(10 * GRACE, lambda: bool(awake.orphans()))
    assert awake.claim(page("b", settings(1)))
    asleep.add(page("a", settings(1), 0.7))
    awake.add(page("b", settings(1), 0.6))
    kept = [each for each in trials(url, name) if each.state is TrialState.COMPLETE]
    assert sorted(each.values[0] for each in kept) == [0.6, 0.7]
    for each in (asleep, awake):
        each.close()


def an_interrupted_run_is_free_at_once(url: str, name: str, folder: Path) -> None:
    del folder
    one, other = ledger(url, name, "one"), ledger(url, name, "other")
    assert one.claim(page("a", settings(1)))
    one.give_up("a", "it was interrupted")
    (orphan,) = other.orphans()
    assert orphan.reason == "it was interrupted"
    assert other.claim(page("b", settings(1)))
    for each in (one, other):
        each.close()


def a_controller_that_comes_back_goes_on(url: str, name: str, folder: Path) -> None:
    del folder
    first = ledger(url, name, "one")
    assert first.claim(page("a", settings(1)))
    first.close()
    again = ledger(url, name, "one")
    assert "a" not in again
    again.add(page("a", settings(1), 0.3))
    (trial,) = trials(url, name)
    assert (trial.state, trial.values) == (TrialState.COMPLETE, [0.3])
    again.close()
    third = ledger(url, name, "one")
    assert "a" in third
    third.close()


def repeats_are_everybodys_own(url: str, name: str, folder: Path) -> None:
    del folder
    one, other = ledger(url, name, "one"), ledger(url, name, "other")
    for book in (one, other):
        assert book.claim(page("r", settings(1), origin="repeat"))
    one.give_up("r", "it was interrupted")
    assert other.orphans() == []
    other.add(page("r", settings(1), 0.3, origin="repeat"))
    assert not one.claim(page("a", settings(1)))
    for each in (one, other):
        each.close()


def each_controller_is_told_something_else(url: str, name: str, folder: Path) -> None:
    del folder
    books = [ledger(url, name, owner) for owner in ("one", "other")]
    for number in range(12):
        books[0].add(page(f"a{number}", settings(number), float(number)))
    told = [book.ask([], seed=3) for book in books]
    assert told[0] != told[1]
    assert told[0] == books[0].ask([], seed=3)
    for each in books:
        each.close()


def what_failed_is_tried_and_not_lost(url: str, name: str, folder: Path) -> None:
    del folder
    one, other = ledger(url, name, "one"), ledger(url, name, "other")
    assert one.claim(page("a", settings(1)))
    failed = Page(
        key="a", params=settings(1), value=None, state=State.FAILED, told={"origin": "remedy"}
    )
    one.add(failed)
    assert other.orphans() == []
    assert not other.claim(page("b", settings(1)))
    for each in (one, other):
        each.close()


def the_curve_and_the_reasons_stand_there(url: str, name: str, folder: Path) -> None:
    del folder
    book = ledger(url, name, "one")
    assert book.claim(page("a", settings(1)))
    done = Page(
        key="a",
        params={**settings(1), "optimizer": "lion"},
        value=0.3,
        curve={1: 2.0, 40: 0.3},
        told={"origin": "remedy", "why": "to see", "diagnosis": ["OPT004 x: y"]},
    )
    book.add(done)
    book.close()
    (trial,) = trials(url, name)
    assert trial.intermediate_values == {1: 2.0, 40: 0.3}
    assert trial.user_attrs["diagnosis"] == ["OPT004 x: y"]
    assert trial.user_attrs["not as written"] == {"optimizer": "lion"}
    assert trial.params["lr"] == settings(1)["lr"]


CLAUSES = {
    clause.__name__: clause
    for clause in (
        eight_controllers_at_once_lose_nothing_and_run_nothing_twice,
        of_two_claims_the_first_holds,
        a_name_is_told_from_the_same_one_of_another,
        a_killed_controller_is_found_out_and_its_run_made,
        a_result_that_comes_late_is_kept,
        an_interrupted_run_is_free_at_once,
        a_controller_that_comes_back_goes_on,
        repeats_are_everybodys_own,
        each_controller_is_told_something_else,
        what_failed_is_tried_and_not_lost,
        the_curve_and_the_reasons_stand_there,
    )
}
