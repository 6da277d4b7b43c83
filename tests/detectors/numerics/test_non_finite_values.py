"""NUM001 beyond its samples."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.numerics.early_blow_up import EarlyBlowUp
from tbdiag.detectors.numerics.non_finite_values import NonFiniteValues
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Confidence, Finding, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Scale, SetTo
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.synth import a_run, decay, flat, noisy

LOSS = noisy(decay(60, 2.3, 0.2), 0.02)


def found(run: Run) -> list[Finding]:
    return list(NonFiniteValues().check(Case(run)))


def only(run: Run) -> Finding:
    (finding,) = found(run)
    return finding


def spoiled(values, *places, by=np.nan):
    bad = np.array(values, dtype=float)
    bad[list(places)] = by
    return bad


def measures(finding: Finding) -> dict[str, float]:
    return {each.name: each.value for each in finding.evidence[0].measures}


def test_onset_is_where_the_last_stretch_begins_and_share_counts_all() -> None:
    finding = only(a_run({Role.TRAIN_LOSS: spoiled(LOSS, 9, *range(45, 60))}))
    assert measures(finding) == {"onset_step": 46, "share": 16 / 60}
    assert finding.evidence[0].span == (46, 60)


def test_steps_are_the_logged_ones() -> None:
    finding = only(a_run({Role.TRAIN_LOSS: spoiled(LOSS, *range(45, 60))}, every=50))
    assert "from step 2,300 to the end" in finding.message


def test_a_single_nan_at_the_very_end_is_told_with_less_confidence() -> None:
    last = only(a_run({Role.TRAIN_LOSS: spoiled(LOSS, 59)}))
    many = only(a_run({Role.TRAIN_LOSS: spoiled(LOSS, 57, 58, 59)}))
    assert (last.confidence, many.confidence) == (Confidence.MEDIUM, Confidence.HIGH)
    assert last.severity is many.severity is Severity.ERROR


def test_infinite_is_not_called_nan() -> None:
    assert (
        "is infinite from" in only(a_run({Role.TRAIN_LOSS: spoiled(LOSS, 59, by=np.inf)})).message
    )


@pytest.mark.parametrize(("count", "fires"), [(4, False), (5, True)])
def test_skipped_losses_are_fine_until_they_come_in_a_row(count: int, fires: bool) -> None:
    batch = noisy(decay(600, 2.3, 0.2), 0.1)
    run = a_run({Role.BATCH_LOSS: spoiled(batch, *range(200, 200 + count))})
    assert bool(found(run)) is fires


@pytest.mark.parametrize(("every", "fires"), [(50, False), (12, True)])
def test_one_batch_in_fifty_may_be_skipped(every: int, fires: bool) -> None:
    batch = noisy(decay(600, 2.3, 0.2), 0.1)
    assert bool(found(a_run({Role.BATCH_LOSS: spoiled(batch, *range(7, 590, every))}))) is fires


def test_losses_lost_again_and_again_are_a_matter_of_the_data() -> None:
    batch = noisy(decay(600, 2.3, 0.2), 0.1)
    finding = only(a_run({Role.BATCH_LOSS: spoiled(batch, *range(0, 590, 8))}))
    assert "at 12% of its points, first at step 1" in finding.message
    assert {remedy.knob for remedy in finding.remedies} == {None}


@pytest.mark.parametrize(("count", "fires"), [(2, False), (3, True)])
def test_a_gradient_norm_may_end_with_a_skipped_step(count: int, fires: bool) -> None:
    norm = spoiled(flat(60, 1.5), *range(60 - count, 60), by=np.inf)
    run = a_run({Role.TRAIN_LOSS: LOSS, Role.GRAD_NORM: norm})
    assert [each.severity for each in found(run)] == [Severity.ERROR] * fires


def test_the_search_for_a_loss_scale_at_the_start_is_fine_without_a_logged_scale() -> None:
    norm = spoiled(flat(60, 1.5), *range(15), by=np.inf)
    assert not found(a_run({Role.TRAIN_LOSS: LOSS, Role.GRAD_NORM: norm}))


def test_a_logged_loss_scale_excuses_skipped_steps_but_not_a_lost_loss() -> None:
    scale = Series.of("scale", np.arange(1, 61), flat(60, 1024))
    norm = spoiled(flat(60, 1.5), *range(0, 50, 2), by=np.inf)
    curves = {Role.TRAIN_LOSS: LOSS, Role.GRAD_NORM: norm}
    assert only(a_run(curves)).severity is Severity.WARNING
    assert not found(a_run({**curves, Role.LOSS_SCALE: scale}))
    lost = {**curves, Role.LOSS_SCALE: scale, Role.TRAIN_LOSS: spoiled(LOSS, *range(50, 60))}
    assert only(a_run(lost)).severity is Severity.ERROR


def test_the_first_curve_is_told_by_wall_time_where_the_axes_differ() -> None:
    epochs = Series.of(
        "loss/train", [1, 2, 3], spoiled(decay(3, 2, 1), 1, 2), [100.0, 200.0, 300.0]
    )
    steps = np.arange(1, 301)
    batch = Series.of("batch/loss", steps, spoiled(flat(300, 2), *range(150, 300)), steps)
    finding = only(a_run({Role.TRAIN_LOSS: epochs, Role.BATCH_LOSS: batch}))
    assert finding.evidence[0].tag == "loss/train"
    assert finding.message.endswith("; loss per batch was first, at step 151")


def test_a_loss_without_any_finite_point_and_without_a_role_is_found_by_its_name() -> None:
    run = a_run({}, extra={"Epoch Loss/Train": flat(10, np.nan), "accuracy": flat(10, 0.1)})
    assert only(run).severity is Severity.ERROR


def test_one_tag_in_two_roles_is_listed_once() -> None:
    loss = Series.of("loss", np.arange(1, 61), spoiled(LOSS, *range(50, 60)))
    assert len(only(a_run({Role.TRAIN_LOSS: loss, Role.BATCH_LOSS: loss})).evidence) == 1


def test_at_most_so_many_layers_are_listed() -> None:
    layers = {f"grad/{i}": spoiled(flat(60, 1), *range(40, 60)) for i in range(30)}
    finding = only(a_run({Role.TRAIN_LOSS: spoiled(LOSS, *range(41, 60))}, extra=layers))
    assert len(finding.evidence) == NonFiniteValues().shown
    assert "grad/0 was first, at step 41" in finding.message


def test_a_part_that_was_never_finite_is_not_in_use() -> None:
    assert not found(a_run({Role.TRAIN_LOSS: LOSS}, extra={"aux_loss": flat(60, np.nan)}))


def test_a_metric_that_gets_lost_alone_is_a_warning() -> None:
    metric = spoiled(flat(60, 0.8), *range(40, 60))
    assert (
        only(a_run({Role.TRAIN_LOSS: LOSS, Role.VAL_METRIC: metric})).severity is Severity.WARNING
    )


def test_an_evaluation_that_never_was_finite_is_a_warning_about_the_evaluation() -> None:
    val = Series.of("loss/val", np.arange(1, 61), flat(60, np.nan))
    finding = only(a_run({Role.TRAIN_LOSS: LOSS, Role.VAL_LOSS: val}))
    assert finding.severity is Severity.WARNING
    assert "validation" in finding.remedies[0].title


@pytest.mark.parametrize(("onset", "divisor"), [(1, 30), (3, 30), (30, 10)])
def test_the_rate_is_cut_further_where_it_happened_at_once(onset: int, divisor: int) -> None:
    finding = only(a_run({Role.TRAIN_LOSS: spoiled(LOSS, *range(onset, 60))}))
    assert (finding.remedies[0].knob, finding.remedies[0].change) == (Knob.LR, Scale(1 / divisor))


def test_clipping_is_proposed_at_the_norms_that_were_usual_before() -> None:
    norm = np.concatenate([np.linspace(0, 4, 40), flat(20, 1e9)])
    run = a_run({Role.TRAIN_LOSS: spoiled(LOSS, *range(40, 60)), Role.GRAD_NORM: norm})
    changes = {each.knob: each.change for each in only(run).remedies}
    assert changes[Knob.CLIP_NORM] == SetTo(3.6)
    assert Knob.WARMUP in changes


def test_no_warm_up_is_proposed_where_there_is_one() -> None:
    rate = np.minimum(np.arange(1, 61) / 10, 1) * 0.1
    run = a_run({Role.TRAIN_LOSS: spoiled(LOSS, *range(40, 60)), Role.LEARNING_RATE: rate})
    assert Knob.WARMUP not in {each.knob for each in only(run).remedies}


def test_what_it_watches_is_asked_for_where_there_is_none() -> None:
    reason = NonFiniteValues().blocked(Case(a_run({}, extra={"time/fps": flat(60, np.nan)})))
    assert reason == "no loss, gradient norm or metric was recognised"


def test_the_blow_up_before_it_is_a_consequence() -> None:
    batch = np.concatenate([flat(20, 2.3), [50, 1e3, 1e9, 1e20, 1e30], flat(75, np.nan)])
    selection = Selection(detectors=(EarlyBlowUp(), NonFiniteValues()))
    root, consequence = examine(a_run({Role.BATCH_LOSS: batch}), selection).findings
    assert (root.code, consequence.code) == ("NUM001", "NUM002")
    assert consequence.suppressed_by == "NUM001"
