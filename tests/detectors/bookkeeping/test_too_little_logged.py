"""LOG005 beyond its samples."""

from __future__ import annotations

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.bookkeeping.too_little_logged import TooLittleLogged
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.synth import a_run, at_times, decay, flat, noisy

LOSS = decay(60, 2.3, 0.2)
RARE = at_times(Role.TRAIN_LOSS, LOSS[:5], 3600.0 * np.arange(5))
RATE = flat(60, 0.1)


def found(run: Run, **thresholds: int) -> list[Finding]:
    return list(TooLittleLogged(**thresholds).check(Case(run)))


def only(run: Run, **thresholds: int) -> Finding:
    (finding,) = found(run, **thresholds)
    return finding


def stuck() -> Run:
    return a_run({Role.TRAIN_LOSS: np.concatenate([LOSS[:12], noisy(flat(60, LOSS[12]), 0.02)])})


def test_one_note_names_what_would_tell_most() -> None:
    finding = only(a_run({Role.TRAIN_LOSS: RARE}))
    assert finding.severity is Severity.NOTE
    assert finding.message == "the training loss has only 5 points in 4 h: too few for a trend"
    assert len(finding.remedies) == 1


def test_a_rate_is_asked_for_where_the_loss_got_stuck() -> None:
    assert "got stuck, and no learning rate" in only(stuck()).message
    assert not found(a_run({Role.TRAIN_LOSS: LOSS, Role.VAL_LOSS: LOSS}))


def test_a_loss_alone_is_too_little() -> None:
    assert only(a_run({Role.TRAIN_LOSS: LOSS})).message.startswith("nothing but the training loss")
    for more in ({"hparams": {"seed": 1}}, {"extra": {"speed": LOSS}}):
        assert not found(a_run({Role.TRAIN_LOSS: LOSS}, **more))


def test_an_agent_without_a_rate_is_let_be() -> None:
    run = stuck()
    value = {Role.VALUE_LOSS: flat(60, 1), Role.REWARD: flat(60, 1)}
    assert not found(a_run({Role.TRAIN_LOSS: run.series["loss/train"], **value}))


def test_a_run_of_results_has_nothing_to_log() -> None:
    assert not found(a_run({Role.VAL_METRIC: LOSS[:1]}, extra={"hp_metric": LOSS[:1]}))


def test_points_that_were_nan_were_logged() -> None:
    loss = LOSS[:10].copy()
    loss[4:] = np.nan
    assert not found(a_run({Role.TRAIN_LOSS: loss, Role.LEARNING_RATE: RATE}))


def test_few_points_are_shown_where_they_stand() -> None:
    (evidence,) = only(a_run({Role.TRAIN_LOSS: RARE, Role.LEARNING_RATE: RATE})).evidence
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
