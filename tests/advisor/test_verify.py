"""Gone and better beyond noise at the same price: nothing less is confirmed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tbdiag.advisor.record import Record
from tbdiag.advisor.verify import judge, mismatches
from tbdiag.model.proposal import Decision, State, Verdict
from tbdiag.model.report import Crashed, NotApplicable
from tests.advisor.builders import a_finding, a_record

BEFORE = a_record("before", 1.0, "OPT001")


def verdict(after: Record, before: Record = BEFORE, **more: object) -> Verdict:
    return judge(after, before, answers=before.roots, **more)  # type: ignore[arg-type]


def test_gone_and_better_is_confirmed() -> None:
    found = verdict(a_record("after", 0.5))
    assert found.decision is Decision.CONFIRMED
    assert found.cleared == ("OPT001",)
    assert (found.before, found.after) == (
        pytest.approx(1.0, abs=1e-3),
        pytest.approx(0.5, abs=1e-3),
    )
    assert found.noise == pytest.approx(0.0141, rel=0.02)  # 2√2 · 1 % of the better


def test_gone_alone_means_nothing() -> None:
    found = verdict(a_record("after", 0.98))
    assert found.decision is Decision.INCONCLUSIVE
    assert "within the noise" in found.reason
    assert "OPT001 is gone" in found.reason


@pytest.mark.parametrize(("after", "decision"), [(0.975, "inconclusive"), (0.97, "confirmed")])
def test_the_limit_is_where_it_was_measured(after: float, decision: str) -> None:
    assert verdict(a_record("after", after)).decision == decision


def test_worse_is_refuted_whatever_is_gone() -> None:
    assert verdict(a_record("after", 1.2)).decision is Decision.REFUTED


def test_what_is_still_there_is_refuted_but_not_where_it_paid() -> None:
    assert verdict(a_record("after", 1.0, "OPT001")).decision is Decision.REFUTED
    paid = verdict(a_record("after", 0.5, "OPT001"))
    assert paid.decision is Decision.INCONCLUSIVE
    assert paid.persisting == ("OPT001",)


def test_a_consequence_is_not_gone() -> None:
    hidden = a_finding("OPT001").suppressed("NUM001")
    found = verdict(a_record("after", 0.5, hidden))
    assert found.persisting == ("OPT001",)


@pytest.mark.parametrize("outcome", [NotApplicable("no loss"), Crashed("ValueError: x")])
def test_a_rule_that_cannot_tell_confirms_nothing(outcome: NotApplicable | Crashed) -> None:
    found = verdict(a_record("after", 0.5, outcomes={"OPT001": outcome}))
    assert found.decision is Decision.INCONCLUSIVE
    assert "cannot be told" in found.reason


def test_a_rule_that_looked_and_found_nothing_is_enough_where_it_fired_before() -> None:
    outcome = NotApplicable("the rate was not logged", looked=True)
    found = verdict(a_record("after", 0.5, outcomes={"OPT001": outcome}))
    assert found.decision is Decision.CONFIRMED
    assert found.cleared == ("OPT001",)


def test_something_worse_refutes_and_something_as_bad_does_not() -> None:
    worse = verdict(a_record("after", 0.5, "GEN001"))
    assert worse.decision is Decision.REFUTED
    assert worse.introduced == ("GEN001",)
    as_bad = verdict(a_record("after", 0.5, "GEN003"))
    assert as_bad.decision is Decision.CONFIRMED
    assert as_bad.introduced == ("GEN003",)


def test_a_validation_set_that_tells_little_blocks() -> None:
    found = verdict(a_record("after", 0.5, "VAL001"))
    assert found.decision is Decision.INCONCLUSIVE
    assert "VAL001" in found.reason


def test_another_budget_tells_nothing_unless_that_was_the_point() -> None:
    longer = verdict(a_record("after", 0.5, epochs=80, lr=1e-3))
    assert longer.decision is Decision.INCONCLUSIVE
    assert "epochs 40 → 80" in longer.reason
    only = verdict(a_record("after", 0.5, epochs=80))
    assert only.decision is Decision.CONFIRMED


@pytest.mark.parametrize(
    ("state", "decision"),
    [
        (State.KILLED, Decision.REFUTED),
        (State.FAILED, Decision.INCONCLUSIVE),
        (State.TIMED_OUT, Decision.INCONCLUSIVE),
        (State.INTERRUPTED, Decision.INCONCLUSIVE),
    ],
)
def test_a_run_that_did_not_finish_is_judged_by_why(state: State, decision: Decision) -> None:
    found = verdict(a_record("after", 0.1, state=state), reason="because")
    assert found.decision is decision
    assert "because" in found.reason


def test_a_run_that_was_told_something_else_is_void() -> None:
    after = a_record("after", 0.1, logged={"learning_rate": 0.3, "dropout": 0.0}, lr=1e-3)
    found = verdict(after)
    assert found.decision is Decision.INCONCLUSIVE
    assert "lr 0.3 where 0.001 was asked for" in found.reason


def test_doubles_text_and_float32_are_no_mismatch() -> None:
    params = {"lr": 0.1, "batch_size": 64, "nesterov": True, "hidden": "64,64", "seed": None}
    logged = {"lr": float(np.float32(0.1)), "batch_size": 64.0, "nesterov": 1.0, "hidden": "64,64"}
    run = a_record("r", 1.0, logged=logged).run
    assert run is not None
    assert mismatches(run, params) == []
    assert mismatches(run, {**params, "batch_size": 32}) == [
        "batch_size 64.0 where 32 was asked for"
    ]


def test_a_parent_that_failed_is_beaten_by_any_that_did_not() -> None:
    failed = a_record("before", 1.0, "NUM001", state=State.KILLED)
    found = verdict(a_record("after", 5.0), failed)
    assert found.decision is Decision.CONFIRMED
    assert found.before is None


def repeats(*losses: float, finding: Sequence[str] = ()) -> list[Record]:
    return [a_record(f"r{n}", each, *finding, seed=n + 1) for n, each in enumerate(losses)]


def test_repeats_count_by_their_mean_and_measure_the_noise() -> None:
    lucky = verdict(a_record("after", 0.9), repeats=repeats(1.05, 1.02))
    assert lucky.decision is Decision.INCONCLUSIVE
    steady = verdict(a_record("after", 0.9), repeats=repeats(0.9, 0.901))
    assert steady.decision is Decision.CONFIRMED
    assert set(steady.repeats) == {"1", "2"}
    assert steady.noise is not None
    assert lucky.noise is not None
    assert lucky.noise > 1.5 * steady.noise


def test_a_finding_that_comes_back_on_another_seed_refutes() -> None:
    found = verdict(a_record("after", 0.5), repeats=repeats(0.5, 0.5, finding=["OPT001"]))
    assert found.decision is Decision.REFUTED
    assert "another seed" in found.reason


def test_a_healthy_run_is_only_beaten_beyond_noise() -> None:
    healthy = a_record("before", 1.0)
    assert verdict(a_record("after", 0.9), healthy).decision is Decision.CONFIRMED
    assert verdict(a_record("after", 0.99), healthy).decision is Decision.INCONCLUSIVE
    assert verdict(a_record("after", 1.2), healthy).decision is Decision.REFUTED


def test_accuracy_is_held_against_the_error_of_its_set() -> None:
    shares = np.round(np.linspace(0.5, 0.9, 40) * 200) / 200
    before = a_record("before", None, "OPT001", accuracy=shares)
    small = a_record("after", None, accuracy=np.minimum(shares + 0.03, 1))
    found = judge(small, before, answers=before.roots)
    assert found.decision is Decision.INCONCLUSIVE  # 3 points of 200 samples
    large = a_record("after", None, accuracy=np.minimum(shares + 0.095, 1))
    assert judge(large, before, answers=before.roots).decision is Decision.CONFIRMED
