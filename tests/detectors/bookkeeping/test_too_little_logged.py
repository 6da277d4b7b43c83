"""LOG005 beyond its samples."""

from __future__ import annotations

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.bookkeeping.too_little_logged import TooLittleLogged
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.synth import a_run, decay, flat

LOSS = decay(60, 2.3, 0.2)
RATE = flat(60, 0.1)


def found(run: Run, **thresholds: int) -> list[Finding]:
    return list(TooLittleLogged(**thresholds).check(Case(run)))


def only(run: Run, **thresholds: int) -> Finding:
    (finding,) = found(run, **thresholds)
    return finding


def test_all_that_is_missing_is_one_note() -> None:
    finding = only(a_run({Role.TRAIN_LOSS: LOSS[:5]}))
    assert finding.severity is Severity.NOTE
    assert finding.message == (
        "the training loss has only 5 points, no learning rate was logged,"
        " no gradient norm was logged"
    )
    assert len(finding.remedies) == 3


def test_only_the_most_telling_are_named() -> None:
    assert only(a_run({Role.TRAIN_LOSS: LOSS}), most=1).message == "no learning rate was logged"


def test_what_was_logged_is_not_asked_for() -> None:
    norms = {Role.GRAD_NORM: flat(60, 1), Role.BATCH_LOSS: np.repeat(LOSS, 10)}
    finding = only(a_run({Role.TRAIN_LOSS: LOSS, **norms}))
    assert finding.message == "no learning rate was logged"


def test_histograms_will_do_for_a_gradient_norm() -> None:
    run = a_run({Role.TRAIN_LOSS: LOSS}, histograms={"grad": {1: [0.0, 1.0], 2: [0.0, 1.0]}})
    assert "gradient" not in only(run).message


def test_what_would_be_nice_to_have_alone_is_no_finding() -> None:
    assert not found(a_run({Role.TRAIN_LOSS: LOSS, Role.LEARNING_RATE: RATE}))


def test_points_that_were_nan_were_logged() -> None:
    loss = LOSS[:10].copy()
    loss[4:] = np.nan
    assert not found(a_run({Role.TRAIN_LOSS: loss, Role.LEARNING_RATE: RATE}))


def test_few_points_are_shown_where_they_stand() -> None:
    (evidence,) = only(a_run({Role.TRAIN_LOSS: LOSS[:5], Role.LEARNING_RATE: RATE})).evidence
    assert (evidence.tag, evidence.span) == ("loss/train", (1, 5))


def test_many_batches_make_up_for_few_epochs() -> None:
    batch = np.repeat(LOSS, 10)
    curves = {Role.TRAIN_LOSS: LOSS[:3], Role.BATCH_LOSS: batch, Role.LEARNING_RATE: RATE}
    assert not found(a_run(curves))


def test_unknown_tags_are_counted_and_lead_to_the_configuration() -> None:
    finding = only(a_run({}, extra={f"curve{i}": LOSS for i in range(1200)}))
    assert finding.message.startswith("no training loss was recognised among 1,200 tags")
    assert 'train_loss = "<tag>" under [roles]' in finding.remedies[0].title
    assert finding.evidence == ()


def test_a_reinforcement_learner_is_asked_for_its_reward() -> None:
    value = Series.of("value_loss", np.arange(1, 61), LOSS)
    run = a_run({Role.VALUE_LOSS: value, Role.LEARNING_RATE: RATE})
    assert only(run).message.startswith("no reward was recognised")


def test_an_adversarial_run_needs_no_training_loss() -> None:
    steps = np.arange(1, 61)
    losses = {Role.D_LOSS: Series.of("d", steps, LOSS), Role.G_LOSS: Series.of("g", steps, LOSS)}
    assert not found(a_run({**losses, Role.LEARNING_RATE: RATE}))
