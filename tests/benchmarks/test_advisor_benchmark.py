"""The benchmark of the advisor: gradients are right, runs are kept, scores mean what they say."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.advisor import losses
from benchmarks.advisor.arena import Arena
from benchmarks.advisor.blind import Blind, drawn, tpe
from benchmarks.advisor.layers import Array, Network
from benchmarks.advisor.methods import OURS, RANDOM, STANDARD, blind_methods, ours, standard
from benchmarks.advisor.ours import Cell, advised, hidden
from benchmarks.advisor.page import main_section
from benchmarks.advisor.scores import Score, estimate, reach, scored
from benchmarks.advisor.starts import STARTS, TWO, expert, narrowed, sane, space
from benchmarks.advisor.tasks import REPORT, TASKS, TUNING, named
from benchmarks.advisor.training import Task, rate_at, train
from tbdiag.advisor.within import allowed
from tbdiag.model.proposal import Origin

TASK = replace(named("progression"), epochs=16)


def a_cell(start: int = 0, names: tuple[str, ...] = ()) -> Cell:
    exposed = space(TASK)
    if names:
        exposed = narrowed(exposed, names)
    return Cell(TASK, STARTS[start].name, STARTS[start].params(TASK), exposed)


@pytest.fixture
def arena(tmp_path: Path) -> Arena:
    return Arena(tmp_path)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_gradients_are_those_of_the_loss(task: Task) -> None:
    rng = np.random.default_rng(3)
    network = Network(task.network(task.width, 0.0), rng, 1.0)
    x, y = (part[:16] for part in task.data().train)
    if task.name == "points":
        y = y / 100  # so that float32 leaves digits for the difference
    weights = network.weights.copy()

    def loss_at(step: float) -> float:
        network.weights[:] = weights + np.float32(step) * along
        return task.loss(network.forward(x), y)[0]

    network.backward(task.loss(network.forward(x), y)[1])
    gradient = network.gradients.copy()
    along = gradient / np.float32(np.linalg.norm(gradient))
    size = 2e-3
    numeric = (loss_at(size) - loss_at(-size)) / (2 * size)
    assert numeric == pytest.approx(float(gradient @ along), rel=0.03)


@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [
        (losses.squared, [[1.0], [2.0]], [[0.5], [3.0]]),
        (losses.huber(1.0), [[1.0], [5.0]], [[0.5], [3.0]]),
        (losses.deviance, [[0.3], [1.2]], [[0.0], [4.0]]),
        (losses.cross_entropy, [[0.3, -1.0], [1.2, 0.4]], [1, 0]),
    ],
)
def test_slopes_of_losses(loss: losses.Loss, outputs: Array, targets: Array) -> None:
    at, wanted = np.array(outputs, dtype=np.float64), np.array(targets)
    slope = loss(at, wanted)[1]
    for index in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[index] += 1e-5
        down[index] -= 1e-5
        numeric = (loss(up, wanted)[0] - loss(down, wanted)[0]) / 2e-5
        assert slope[index] == pytest.approx(numeric, abs=1e-5)


def test_schedules_end_where_they_should() -> None:
    assert rate_at(99, 100, 1.0, "cosine", 0.0) < 0.01
    assert rate_at(99, 100, 1.0, "onecycle", 0.0) < 0.01
    assert rate_at(99, 100, 1.0, "constant", 0.0) == 1.0
    assert rate_at(80, 100, 1.0, "step", 0.0) == 0.01
    assert rate_at(0, 100, 1.0, "cosine", 0.1) < 0.1
    assert max(rate_at(s, 100, 1.0, "onecycle", 0.0) for s in range(100)) == pytest.approx(1.0)


def test_a_run_is_the_same_each_time_and_another_by_its_seed() -> None:
    params = sane(TASK)
    one, two = train(TASK, params), train(TASK, params)
    assert all(np.array_equal(one[tag][1], two[tag][1]) for tag in one)
    other = train(TASK, {**params, "seed": 1})
    assert not np.array_equal(one["val/loss"][1], other["val/loss"][1])


def test_what_diverges_stays_diverged() -> None:
    curves = train(named("counts"), {**sane(named("counts")), "optimizer": "sgd", "lr": 3.0})
    assert np.isnan(curves["batch/loss"][1][-1])
    assert len(curves["lr"][0]) == len(curves["batch/loss"][0])


def test_a_run_is_trained_once_and_read_as_a_run(arena: Arena, tmp_path: Path) -> None:
    params = STARTS[3].params(TASK)
    first = arena.record(TASK, params, "a")
    assert arena.record(TASK, {**params, "lr": 3.00001}, "b").loss == first.loss
    assert arena.trained == 1
    assert Arena(tmp_path).value(TASK, params) == first.loss
    assert first.entrant is not None
    assert first.entrant.objective.tag == "val/loss"
    assert first.roots  # a bad start has something wrong with it
    assert not hidden(arena).record(TASK, params, "a").roots


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_starts_and_ranges_lie_within_the_space(task: Task) -> None:
    exposed = space(task)
    for start in STARTS:
        params = start.params(task)
        assert set(params) == set(exposed)
        assert all(allowed(exposed[name], value) for name, value in params.items())
    rng = np.random.default_rng(0)
    for _ in range(20):
        found = drawn(expert(task), rng)
        assert all(allowed(exposed[name], value) for name, value in found.items())


def test_the_policy_is_not_reported_on_what_it_was_tuned_on() -> None:
    assert not set(TUNING) & set(REPORT)
    assert {task.kind for task in TASKS} == {*TUNING, *REPORT}


def test_the_advisor_makes_as_many_follow_ups_as_it_may(arena: Arena) -> None:
    found = advised(arena, a_cell(), 6)
    assert len(found.runs) == 7
    assert len(found.epochs) == 6
    assert max(found.epochs) == TASK.epochs
    trace = ours()(arena, a_cell(), 0)
    repeats = [run.origin is Origin.REPEAT for run in advised(arena, a_cell(), 24).runs[1:]]
    assert [math.isinf(loss) for loss, again in zip(trace.losses, repeats, strict=True) if again]
    assert min(trace.losses) < arena.value(TASK, a_cell().params)


def test_only_what_is_exposed_moves(arena: Arena) -> None:
    cell = a_cell(1, TWO)
    found = advised(arena, cell, 8)
    for run in found.runs:
        moved = {name for name, value in run.params.items() if value != cell.params[name]}
        assert moved <= {*TWO, "seed"}


def test_blind_searches_are_kept(arena: Arena) -> None:
    method = blind_methods()[RANDOM]
    first = method(arena, a_cell(), 0)
    count = arena.trained
    assert method(arena, a_cell(), 0) == first
    assert arena.trained == count
    assert len(first.losses) == 24
    assert method(arena, a_cell(), 1).losses != first.losses


def test_the_sampler_knows_the_runs_that_lie_within_its_ranges(arena: Arena) -> None:
    blind = Blind(arena, TASK, {"seed": 0})
    for rate in (1e-3, 3e-3):
        blind.train({**sane(TASK), "lr": rate})
    tpe(blind, space(TASK), 2, 0)
    assert len(blind.runs) == 4


def test_standard_recipes_are_those_that_can_be_followed() -> None:
    assert standard(a_cell()) == list(STANDARD)
    assert standard(a_cell(3, TWO)) == [{"lr": 0.03, "weight_decay": 5e-4}]


def test_reach_is_the_first_within_the_share() -> None:
    found = reach([2.0, 1.06, 1.04, 1.0], [10, 10, 5, 10], 1.0, 0.05)
    assert (found.followups, found.epochs) == (3, 25)
    assert math.isinf(reach([2.0], [10], 1.0, 0.05).followups)


def test_an_interval_draws_whole_tasks() -> None:
    values = np.array([0.0] * 10 + [1.0] * 10)
    same = estimate(lambda i: float(values[i].mean()), ["a"] * 10 + ["b"] * 10)
    assert (same.value, same.low, same.high) == (0.5, 0.0, 1.0)
    mixed = estimate(lambda i: float(values[i].mean()), [str(i) for i in range(20)])
    assert 0.2 < mixed.low < 0.5 < mixed.high < 0.8


def a_score(*firsts: int) -> Score:
    """Cells of two tasks, each reached at the follow-up given, never where that is 0."""
    traces = [[([9.0] * (at - 1) + [1.0] * (at > 0), [10] * 24)] for at in firsts]
    return scored(traces, [1.0] * len(firsts), ["counts", "images"] * (len(firsts) // 2), 24)


def test_scores_compare_methods_cell_by_cell() -> None:
    ours_, theirs = a_score(2, 4, 2, 4), a_score(0, 8, 0, 8)
    assert ours_.hits.value == 1.0
    assert theirs.hits.value == 0.5
    assert ours_.median == 3
    assert theirs.mean.value == pytest.approx((25 + 8) / 2)
    assert ours_.ahead(theirs).value == pytest.approx(0.5)
    assert ours_.fewer(theirs).value == pytest.approx(16.5 / 3)
    assert ours_.of([0, 2]).mean.value == 2


def test_the_table_has_a_row_for_each_method() -> None:
    (table,) = main_section("Title", (), {OURS: a_score(2, 4), RANDOM: a_score(0, 0)}).parts
    assert not isinstance(table, str)
    assert [row[0] for row in table.rows] == [OURS, RANDOM]
    assert table.rows[0][1].startswith("100%")
    assert table.rows[1][2] == "> 24"
