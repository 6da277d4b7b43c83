from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.reading.columns import Columns, Points
from tbdiag.reading.restarts import join, join_all, restarts_of, superseded, without_void
from tbdiag.reading.sessions import labels, sessions_of, side_by_side


def column(steps: Sequence[int], at: float = 0.0) -> Points:
    """Points whose values are their places and which follow each other by a second."""
    return Points.of(steps, range(len(steps)), at + np.arange(len(steps)))


def file(at: float = 0.0, **tags: Sequence[int]) -> Columns:
    return Columns(scalars={tag: column(steps, at) for tag, steps in tags.items()}, started=at)


def test_a_resumed_run_is_one_curve_with_one_restart() -> None:
    first, second = [*range(60)], [*range(40, 100)]
    joined = join_all({"loss": [(0, column(first)), (1, column(second, 100))]})["loss"]
    assert joined.points.steps.tolist() == [*range(100)]
    assert joined.points.values.tolist() == [*range(40), *range(60)]
    (restart,) = restarts_of(joined.rewinds)
    assert (restart.step, restart.reached, restart.dropped) == (40, 59, 20)
    assert restart.wall_time == 100
    assert (joined.duplicates, joined.note) == (0, "")


def test_one_resume_is_one_restart_however_many_tags_rewind() -> None:
    pieces = {
        "loss": [(0, column([*range(60), *range(40, 80)]))],
        "val": [(0, Points.of([0, 20, 40, 50, 40, 60], range(6), [0, 20, 40, 50, 62, 82]))],
    }
    (restart,) = restarts_of(r for j in join_all(pieces).values() for r in j.rewinds)
    assert (restart.step, restart.reached, restart.dropped) == (40, 59, 22)


def test_two_resumes_are_two_restarts() -> None:
    joined = join("loss", [(0, column([*range(10), *range(5, 20), *range(12, 30)]))])
    assert joined.points.steps.tolist() == [*range(30)]
    assert [(r.step, r.reached, r.dropped) for r in restarts_of(joined.rewinds)] == [
        (5, 9, 5),
        (12, 19, 8),
    ]


def test_duplicates_are_no_restart_and_the_last_one_wins() -> None:
    joined = join("loss", [(0, column([0, 1, 1, 1, 2])), (1, column([2, 3]))])
    assert joined.points.steps.tolist() == [0, 1, 2, 3]
    assert joined.points.values.tolist() == [0, 3, 0, 1]
    assert (joined.duplicates, joined.rewinds) == (3, ())


def test_points_at_one_step_are_numbered_and_told() -> None:
    joined = join("loss", [(0, column([7] * 50))])
    assert joined.points.steps.tolist() == [*range(50)]
    assert joined.note == "all 50 points of loss stand at step 7: its points are numbered from 0"
    once_each = join("test", [(0, column([7])), (1, column([7]))])
    assert (len(once_each.points), once_each.duplicates) == (1, 1)


def test_batches_logged_by_epoch_keep_the_last_of_each_and_are_told() -> None:
    joined = join("loss", [(0, column(np.repeat(range(5), 100).tolist()))])
    assert joined.points.steps.tolist() == [0, 1, 2, 3, 4]
    assert "100 points per step" in joined.note


def test_a_counter_of_batches_that_begins_anew_is_no_restart() -> None:
    batches = [*range(20)] * 5
    epochs = Points.of(range(5), range(5), [20, 40, 60, 80, 100])
    joined = join_all({"batch": [(0, column(batches))], "epoch": [(0, epochs)]})
    assert joined["batch"].points.steps.tolist() == [*range(100)]
    assert joined["batch"].rewinds == ()
    assert "go back 4 times" in joined["batch"].note
    still = Points.of([0] * 5, range(5), [20, 40, 60, 80, 100])
    alone = join_all({"batch": [(0, column(batches))], "constant": [(0, still)]})["batch"]
    assert alone.points.steps.tolist() == [*range(20)]
    assert len(alone.rewinds) == 4


def test_a_stray_point_does_not_void_a_curve() -> None:
    for steps in ([*range(10), 0], [*range(10), 3, *range(10, 20)]):
        joined = join_all({"val": [(0, column(steps))]})["val"]
        assert joined.points.steps.tolist() == sorted(set(steps))
        assert joined.rewinds == ()
        assert len(joined.strays) == 1


def test_a_sparse_curve_rewinds_with_the_others() -> None:
    joined = join_all(
        {
            "loss": [(0, column([*range(50)])), (1, column([*range(15, 25)], 100))],
            "val": [(0, column([10, 20, 30, 40])), (1, column([20], 105))],
        }
    )
    assert joined["val"].points.steps.tolist() == [10, 20]
    assert joined["val"].strays == ()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_what_is_kept_is_what_no_later_point_supersedes(steps: list[int]) -> None:
    array = np.array(steps)
    expected = [i for i, s in enumerate(steps) if all(s < later for later in steps[i + 1 :])]
    assert np.flatnonzero(~superseded(array)).tolist() == expected

    joined = join("x", [(0, column(steps))], resumed=[0])
    if len(set(steps)) > 1 or len(steps) == 1:
        assert joined.points.values.tolist() == expected
        lost = joined.duplicates + sum(rewind.dropped for rewind in joined.rewinds)
        assert lost == len(steps) - len(expected)


def test_a_hundred_thousand_rewinds_take_no_time() -> None:
    steps = np.arange(200_000)
    steps[1::2] -= 2
    joined = join("x", [(0, column(steps.tolist()))])
    assert len(joined.points) == 100_000
    (restart,) = restarts_of(joined.rewinds)  # told as one: no run was resumed so often
    assert (restart.step, restart.reached, restart.dropped) == (-1, 199_998, 100_000)


def test_a_session_start_voids_the_files_before() -> None:
    first = file(loss=range(10))
    second = Columns(scalars={"loss": column([8, 9], 100)}, voids=6, started=100.0)
    kept, (restart,) = without_void([first, second])
    assert kept[0].scalars["loss"].steps.tolist() == [0, 1, 2, 3, 4, 5]
    assert kept[1] is second
    assert (restart.step, restart.reached, restart.dropped, restart.wall_time) == (6, 9, 4, 100.0)


def test_files_that_start_over_are_trainings_of_their_own() -> None:
    assert sessions_of([file(loss=range(5)), file(loss=range(5)), file(loss=range(9))]) == [
        [0],
        [1],
        [2],
    ]


def test_files_that_go_on_belong_together() -> None:
    resumed = [file(loss=range(50)), file(loss=range(30, 60)), file(loss=range(60, 70))]
    assert sessions_of(resumed) == [[0, 1, 2]]
    others = [file(loss=range(5)), file(), file(eval=[5]), file(loss=[0]), file(loss=range(5))]
    assert sessions_of(others) == [[0, 1, 2, 3], [4]]
    assert sessions_of([file(loss=[0] * 9, epoch=[1, 2]), file(loss=[0] * 9, epoch=[3, 4])]) == [
        [0, 1]
    ]
    assert sessions_of([file(loss=[0] * 9), file(loss=[0] * 9)]) == [[0], [1]]


def test_trainings_of_train_and_validation_are_told_to_each_other() -> None:
    train = [[file(0, loss=range(5))], [file(100, loss=range(5))], [file(200, loss=range(5))]]
    validation = [[file(5, loss=range(5))], [file(205, loss=range(5))]]
    assert side_by_side([train, validation]) == [[[0], [0]], [[1], []], [[2], [1]]]
    assert side_by_side([validation, train[:2]]) == [[[0], [0]], [[1], [1]]]


def test_labels_are_short_and_distinct() -> None:
    prefix = "events.out.tfevents."
    assert labels([f"{prefix}1700000000.a.1", f"{prefix}1700000009.a.2"]) == [
        "1700000000",
        "1700000009",
    ]
    assert labels([f"{prefix}1700000000.a.1", f"{prefix}1700000000.b.1"]) == [
        "1700000000.a.1",
        "1700000000.b.1",
    ]
    assert labels(["events.out.tfevents"] * 2) == ["1 of 2", "2 of 2"]


def test_a_tag_whose_points_are_all_void_is_gone() -> None:
    kept, (restart,) = without_void(
        [
            Columns(scalars={"loss": column([0, 1, 8]), "late": column([9])}),
            Columns(scalars={"loss": column([5], 100)}, voids=5, started=100.0),
        ]
    )
    assert list(kept[0].scalars) == ["loss"]
    assert (restart.dropped, restart.reached) == (2, 9)
