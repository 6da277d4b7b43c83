"""Which follow-up comes next: the order, the magnitudes, and what is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tbdiag.advisor.answers import problem
from tbdiag.advisor.doses import Doses
from tbdiag.advisor.position import Move, Position
from tbdiag.advisor.prescribe import Desk, Space
from tbdiag.advisor.propose import Policy, proposals, propose
from tbdiag.advisor.rates import bracket
from tbdiag.advisor.recipes import recipes
from tbdiag.advisor.record import Record
from tbdiag.config.training import Choices
from tbdiag.model.proposal import Origin
from tbdiag.model.remedy import Remedy
from tbdiag.model.run import Scalar
from tests.advisor.builders import SPACE, a_finding, a_record


def position(*records: Record, start: Record | None = None) -> Position:
    return Position(records=records, start=start or records[0], space=SPACE, name="test")


def changes(move: Move | None) -> dict[str, Scalar]:
    assert move is not None
    return {n: v for n, v in move.params.items() if v != move.parent.params[n]}


def first(*codes: str, **params: Scalar) -> dict[str, Scalar]:
    return changes(propose(position(a_record("bad", 1.0, *codes, **params))))


@pytest.mark.parametrize(
    ("rate", "optimizer", "then"),
    [(3.0, "adam", 0.1), (0.03, "adam", 0.003), (0.004, "adam", 0.001), (9.0, "sgd", 0.3)],
)
def test_a_rate_too_high_goes_toward_the_usual_one(
    rate: float, optimizer: str, then: float
) -> None:
    assert first("NUM001", lr=rate, optimizer=optimizer)["lr"] == pytest.approx(then)


@pytest.mark.parametrize(("rate", "then"), [(1e-6, 3e-5), (1e-4, 3e-3), (2e-3, 8e-3)])
def test_a_rate_too_low_does_so_from_below(rate: float, then: float) -> None:
    assert first("OPT002", lr=rate) == {"lr": pytest.approx(then)}


def test_rates_known_to_be_bad_are_bisected() -> None:
    start = a_record("high", 1.0, "NUM002", lr=0.05)
    low = a_record("low", 2.0, "OPT002", lr=0.01)
    assert changes(propose(position(start, low)))["lr"] == pytest.approx(0.0224)
    contradiction = a_record("odd", 1.0, "OPT002", lr=0.1)
    assert bracket([start, contradiction], start) == bracket([], start)
    of_another = a_record("sgd", 1.0, "OPT002", lr=1e-4, optimizer="sgd")
    assert bracket([start, of_another], start).low is None


def test_a_follow_up_among_the_best_does_not_say_that_its_rate_is_bad() -> None:
    start = a_record("bad", 1.0, "OPT002", lr=1e-4)
    others = [a_record(f"f{n}", 0.5 + n / 10, origin=Origin.MOVE, lr=1e-3) for n in range(2)]
    best = a_record("best", 0.4, "NUM002", origin=Origin.MOVE, lr=5e-3)
    worst = a_record("worst", 0.9, "NUM002", origin=Origin.MOVE, lr=2e-2)
    assert bracket([start, *others, best, worst], start).high == 2e-2
    assert bracket([start, others[0], best], start).high == 5e-3  # of so few none is among the best
    there_before = replace(best, origin=None)
    assert bracket([start, *others, there_before, worst], start).high == 5e-3


def test_the_bundle_answers_all_roots_at_once_and_then_one_by_one() -> None:
    bad = a_record("bad", 1.0, "GEN001", "OPT008")
    found = proposals(position(bad), 2, Policy(controls_at=()))
    assert {"weight_decay", "dropout", "scheduler"} <= set(changes(found[0]))
    assert len(found[0].answers) == 2
    assert set(changes(found[1])) < set(changes(found[0]))
    assert len(found[1].answers) == 1


def test_contradicting_answers_do_not_mix() -> None:
    both = first("OPT002", "GEN001", lr=1e-4)
    assert both["lr"] == pytest.approx(3e-3)
    assert "weight_decay" not in both  # forbidden with a rate that is too low
    high = first("NUM001", "OPT008", lr=0.3)
    assert high["lr"] < 0.3
    assert high["scheduler"] == "cosine"


def test_adamw_keeps_the_product_of_rate_and_decay() -> None:
    moved = first("NUM001", lr=0.03, optimizer="adamw", weight_decay=0.01)
    assert moved == {"lr": pytest.approx(0.003), "weight_decay": pytest.approx(0.1)}


def test_only_exposed_settings_move_and_the_rest_is_advice() -> None:
    bad = a_record("bad", 1.0, "GEN001")
    bare = Position(records=[bad], start=bad, space={"dropout": SPACE["dropout"]})
    assert changes(propose(bare)) == {"dropout": 0.2}
    told = propose(bare)
    assert told is not None
    assert "Raise weight decay threefold" in told.advice
    assert "Stop at the best validation loss and keep that checkpoint" in told.advice


def test_data_measure_and_seed_never_move() -> None:
    space = {**SPACE, "train_size": Choices((500, 1000)), "seed": Choices((0, 1))}
    healthy = a_record("fine", 0.5)
    tried = [healthy]
    for number in range(25):
        move = propose(Position(records=tried, start=healthy, space=space, name="x"))
        assert move is not None
        assert move.params["train_size"] == 1000
        assert move.params["seed"] == 0
        tried.append(
            a_record(f"f{number}", 0.6, origin=move.origin, parent=move.parent.id, **move.params)
        )


def test_the_follow_ups_after_the_first_are_controls() -> None:
    bad = a_record("bad", 1.0, "GEN001")
    found = proposals(position(bad), 6)
    origins = [each.origin for each in found]
    assert origins[0] is Origin.REMEDY
    assert origins[1:5] == [Origin.CONTROL] * 4
    assert origins[5] is not Origin.CONTROL
    assert found[1].params["hidden"] == bad.params["hidden"]
    assert found[2].params["hidden"] == "128,128"
    without = proposals(position(bad), 4, Policy(controls_at=()))
    assert Origin.CONTROL not in [each.origin for each in without]


def test_a_control_widens_once_more_what_paid_when_it_was_wider_but_not_again() -> None:
    widths = Choices(tuple(f"{n},{n}" for n in (16, 32, 64, 128, 256, 512)))
    start = a_record("start", 1.0, hidden="32,32")
    for hidden, then in (("32,32", "64,64"), ("64,64", "128,128"), ("128,128", "128,128")):
        best = a_record("best", 0.5, origin=Origin.CONTROL, parent="start", hidden=hidden)
        here = Position(records=[start, best], start=start, space={**SPACE, "hidden": widths})
        moves = proposals(here, 3)
        assert {move.origin for move in moves} == {Origin.CONTROL}
        assert {move.params["hidden"] for move in moves[1:]} == {then}


def test_a_control_makes_no_network_deeper() -> None:
    for widths, then in ((("64,64", "128,128,128"), "64,64"), (("64,64", "128,128"), "128,128")):
        space = {**SPACE, "hidden": Choices(widths)}
        start = a_record("start", 1.0)
        found = list(recipes(Desk.on(start, space, [start])))
        assert {changes.get("hidden", "64,64") for _, changes in found[1:4]} == {then}


def test_decay_that_goes_through_the_gradient_is_smaller() -> None:
    start = a_record("start", 1.0)
    known = {n: d for n, d in SPACE.items() if n != "optimizer"}
    for optimizer, most in (("adam", 0.01), ("adamw", 0.1)):
        record = a_record("start", 1.0, optimizer=optimizer)
        found = list(recipes(Desk.on(record, known, [record])))
        assert max(changes["weight_decay"] for _, changes in found) == pytest.approx(most)
    assert [name for name, _ in recipes(Desk.on(start, SPACE, [start]))][-1] == "SGD with a cosine"


def test_where_nothing_can_be_answered_controls_come_first() -> None:
    assert propose(position(a_record("bad", 1.0))).origin is Origin.CONTROL  # type: ignore[union-attr]


def test_nothing_is_tried_twice() -> None:
    start = a_record("bad", 1.0, "GEN001", "OPT003")
    tried = [start]
    seen = set()
    for number in range(20):
        move = propose(position(*tried))
        assert move is not None
        key = tuple(sorted((n, str(v)) for n, v in move.params.items()))
        assert key not in seen
        seen.add(key)
        tried.append(
            a_record(f"f{number}", 1.0, "GEN001", origin=move.origin, parent="bad", **move.params)
        )


def test_the_best_run_is_what_is_gone_on_from_and_what_paid_is_repeated() -> None:
    start = a_record("start", 1.0, "OPT002", lr=1e-4)
    better = a_record("better", 0.5, origin=Origin.REMEDY, parent="start", lr=1e-3)
    later = Policy(controls_at=())
    move = propose(position(start, better), later)
    assert move is not None
    assert move.parent is better
    assert move.origin is Origin.MOVE
    assert changes(move) == {"lr": pytest.approx(3e-3)}
    worse = replace(better, id="worse", entrant=a_record("", 1.5).entrant)
    assert propose(position(start, worse), later).parent is start  # type: ignore[union-attr]


def test_a_repeat_on_another_seed_never_leads() -> None:
    start = a_record("start", 1.0)
    lucky = a_record("lucky", 0.1, origin=Origin.REPEAT, parent="start", seed=1)
    assert position(start, lucky).best is start


def test_a_change_that_proved_futile_is_not_made_again() -> None:
    start = a_record("start", 1.0, "GEN002", lr=0.03)
    same = a_record(
        "same", 0.999, "GEN002", origin=Origin.REMEDY, parent="start", lr=0.03, weight_decay=1e-4
    )
    move = propose(position(start, same), Policy(controls_at=()))
    assert move is not None
    assert "weight_decay" not in changes(move)
    assert changes(move) == {"hidden": "128,128"}


def test_a_rate_above_the_usual_one_is_not_raised_for_underfitting() -> None:
    assert "lr" not in first("GEN002", lr=0.03)
    assert first("GEN002", lr=3e-4)["lr"] == pytest.approx(9e-4)


def test_answers_and_the_model_take_turns_as_long_as_there_is_something_to_answer() -> None:
    records = [start := a_record("start", 0.5)]
    records += [
        a_record(f"f{n}", 0.6 + n / 100, origin=Origin.MOVE, lr=1e-3 + n / 1e4) for n in range(5)
    ]

    def next_origins(n: int, *codes: str) -> list[Origin]:
        lead = a_record("start", 0.5, *codes)
        moves = proposals(position(lead, *records[1:], start=lead), n)
        return [each.origin for each in moves]

    assert next_origins(4, "GEN001") == [Origin.MOVE, Origin.REMEDY] * 2
    assert next_origins(4) == [Origin.MOVE] * 4
    whys = {each.why for each in proposals(position(*records, start=start), 4)}
    assert whys == {"what the runs so far, taken together, promise the most of"}


def test_who_wants_the_best_run_gets_the_controls_first() -> None:
    bad = a_record("bad", 1.0, "GEN001")
    found = proposals(position(bad), 6, Policy().searching)
    origins = [each.origin for each in found]
    assert origins[:4] == [Origin.CONTROL] * 4
    assert Origin.REMEDY in origins[4:]
    assert Policy(controls_at=()).searching == Policy(controls_at=())


def test_the_sampler_comes_last() -> None:
    start = a_record("start", 0.5)
    asked: list[Space] = []

    def sampler(within: Space) -> dict[str, Scalar]:
        asked.append(within)
        return {"lr": 0.0122}

    assert propose(position(start), Policy(), sampler).origin is Origin.CONTROL  # type: ignore[union-attr]
    assert not asked
    bare = Policy(controls_at=(), diagnosis=False, repeat=False, model=False, jitter=False)
    move = propose(position(start), bare, sampler)
    assert move is not None
    assert move.origin is Origin.SAMPLER
    assert move.params["lr"] == pytest.approx(0.0122)
    assert move.params["train_size"] == 1000
    assert "train_size" not in asked[0]
    assert "epochs" not in asked[0]  # at another budget nothing could be compared


def test_each_part_can_be_switched_off() -> None:
    start = a_record("bad", 1.0, "GEN001")
    off = Policy(diagnosis=False, repeat=False, jitter=False, sampler=False, controls_at=())
    assert propose(position(start), off) is None
    moves = proposals(position(start), 3, replace(off, jitter=True))
    assert {each.origin for each in moves} == {Origin.MOVE}


def test_an_initialisation_is_made_standard() -> None:
    assert first("INI001", init="constant") == {"init": "he"}
    space = {**SPACE, "activation": Choices(("relu", "tanh")), "init_scale": SPACE["lr"]}
    bad = a_record("bad", 1.0, "INI001", init="constant", activation="tanh", init_scale=4.0)
    move = propose(Position(records=[bad], start=bad, space=space))
    assert changes(move) == {"init": "xavier", "init_scale": 1.0}


def test_the_problem_is_what_is_grave_and_can_be_answered() -> None:
    def codes(*findings: str) -> list[str]:
        return [f.code for f in problem(position(a_record("x", 1.0, *findings)), Doses())]

    assert codes("GEN001", "OPT008") == ["GEN001"]
    assert codes("OPT008") == ["OPT008"]
    assert codes("LOG003", "OPT008") == []
    assert codes() == []


def test_a_remedy_without_a_setting_is_advice_alone() -> None:
    finding = replace(a_finding("GEN001"), remedies=(Remedy.advice("Look", "it helps"),))
    finding = replace(finding, code="VAL001")
    bad = a_record("bad", 1.0, finding)
    desk = Desk.on(bad, SPACE, [bad])
    assert list(desk.prescriptions(finding)) == []
    assert desk.advice(finding) == ("Look",)
