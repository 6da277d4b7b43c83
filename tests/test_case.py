"""A case prepares the curves once, as the rules want them."""

from __future__ import annotations

import numpy as np

from tbdiag.case import Case, Kind
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.series import Series
from tbdiag.synth import a_run, decay, flat

LOSS = decay(60, 2.3, 0.3)


def test_the_rise_of_the_rate_is_left_out_of_the_course() -> None:
    rate = np.concatenate([np.linspace(0.01, 0.1, 20), flat(40, 0.1)])
    case = Case(a_run({Role.TRAIN_LOSS: LOSS, Role.LEARNING_RATE: rate}))
    assert case.course(Role.TRAIN_LOSS).steps[0] == 20
    assert case.progress.first == LOSS[0]
    assert len(Case(a_run({Role.TRAIN_LOSS: LOSS})).course(Role.TRAIN_LOSS)) == 60


def test_half_of_the_curve_stays_when_the_rate_rises_to_the_end() -> None:
    rising = np.linspace(0.01, 0.1, 60)
    case = Case(a_run({Role.TRAIN_LOSS: LOSS, Role.LEARNING_RATE: rising}))
    assert len(case.course(Role.TRAIN_LOSS)) == 30


def test_the_loss_on_the_data_is_judged_where_it_was_logged() -> None:
    data = Series.of("data_loss", np.arange(1, 61), LOSS)
    case = Case(a_run({Role.TRAIN_LOSS: LOSS + 5, Role.DATA_LOSS: data}))
    assert case.course(Role.TRAIN_LOSS).tag == "data_loss"
    assert case.initial_loss == LOSS[0]
    sparse = Series.of("data_loss", [1, 60], [2.3, 0.3])
    case = Case(a_run({Role.TRAIN_LOSS: LOSS + 5, Role.DATA_LOSS: sparse}))
    assert case.course(Role.TRAIN_LOSS).tag == "loss/train"


def test_batches_tell_the_first_loss_only_on_the_same_scale() -> None:
    batches = decay(600, 2.5, 0.3)
    assert Case(a_run({Role.TRAIN_LOSS: LOSS, Role.BATCH_LOSS: batches})).initial_loss > 2.4
    summed = Case(a_run({Role.TRAIN_LOSS: LOSS, Role.BATCH_LOSS: 64 * batches}))
    assert summed.initial_loss == LOSS[0]


def test_epochs_and_batches_are_matched_by_the_share_of_the_run() -> None:
    epochs = Series.of("val", np.arange(10), flat(10, 1.0))
    batches = Series.of("train", np.arange(1000), decay(1000, 2.0, 1.0))
    found = Case(a_run({Role.TRAIN_LOSS: batches, Role.VAL_LOSS: epochs})).train_at_validation
    assert found.shape == (10,)
    assert found[-1] < 1.01 < found[0]


def test_percent_accuracies_become_shares() -> None:
    case = Case(a_run({Role.VAL_METRIC: np.array([50.0, 90.0])}))
    assert list(case.accuracy(Role.VAL_METRIC).values) == [0.5, 0.9]


def test_the_curve_of_the_rate_beats_its_setting_and_kinds_are_told() -> None:
    case = Case(
        a_run({Role.TRAIN_LOSS: LOSS, Role.LEARNING_RATE: flat(60, 0.1)}, hparams={"lr": 3.0})
    )
    assert case.number(Knob.LR) == 0.1
    assert case.kind is Kind.SUPERVISED
    assert Case(a_run({Role.REWARD: LOSS})).kind is Kind.REINFORCEMENT


def _head(outputs: int, weights: float = 0.2) -> dict[str, dict[int, np.ndarray]]:
    rng = np.random.default_rng(0)
    return {
        "fc1.weight": {1: rng.normal(0, 0.2, 640)},
        "fc1.bias": {1: np.zeros(32)},
        "fc2.weight": {1: rng.normal(0, weights, 32 * outputs)},
        "fc2.bias": {1: np.zeros(outputs)},
    }


def test_classes_are_the_outputs_of_a_classifier_that_begins_at_guessing() -> None:
    accuracy = {Role.VAL_METRIC: 0.9 - decay(60, 0.8, 0.0)}
    ten = {Role.TRAIN_LOSS: LOSS, **accuracy}
    assert Case(a_run(ten, histograms=_head(10))).classes == 10
    assert Case(a_run(ten, histograms=_head(10), hparams={"num_classes": 7})).classes == 7
    # several labels a sample: each is a guess between two
    labels = {Role.TRAIN_LOSS: decay(60, 0.7, 0.3), **accuracy}
    assert Case(a_run(labels, histograms=_head(10))).classes is None
    assert Case(a_run(labels, histograms=_head(1))).classes == 2
    assert Case(a_run({Role.TRAIN_LOSS: LOSS}, histograms=_head(10))).classes is None
    without = {tag: values for tag, values in _head(10).items() if "bias" not in tag}
    assert Case(a_run(ten, histograms=without)).classes is None


def test_a_decay_beyond_use_that_took_the_weights_is_seen() -> None:
    rng = np.random.default_rng(1)
    faded = {
        "fc1.weight": {at: size * rng.normal(0, 1, 640) for at, size in ((1, 0.2), (60, 0.01))}
    }
    sgd: dict[str, str | float] = {"optimizer": "sgd", "weight_decay": 0.1}

    def withered(**changed: str | float) -> bool:
        settings = {**sgd, **changed}
        return Case(a_run({Role.TRAIN_LOSS: LOSS}, histograms=faded, hparams=settings)).withered

    assert withered()
    assert not withered(optimizer="adamw")
    assert not withered(weight_decay=1e-4)
    assert not Case(a_run({Role.TRAIN_LOSS: LOSS}, hparams=sgd)).withered
