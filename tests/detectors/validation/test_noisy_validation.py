"""VAL002 beyond its samples, and its figures on a public sweep of learning rates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

from tbdiag.case import Case
from tbdiag.detectors.validation.noisy_validation import NoisyValidation
from tbdiag.model.finding import Confidence, Finding
from tbdiag.model.role import Role
from tbdiag.model.run import Scalar
from tbdiag.model.series import Series
from tbdiag.synth import a_run, counted, decay, flat, jitter, noisy

SWEEP = Path(__file__).parents[4] / "shared" / "curves" / "learning-rate-sweep"
TRAIN = noisy(decay(60, 2.3, 0.3, 12), 0.005)
RISE = 0.9 - decay(60, 0.7, 0.0, 12)


def found(
    curves: Mapping[Role, ArrayLike | Series], hparams: Mapping[str, Scalar] | None = None
) -> list[Finding]:
    case, rule = Case(a_run(curves, hparams=hparams)), NoisyValidation()
    assert rule.blocked(case) is None
    return list(rule.check(case))


def test_noise_is_held_against_the_smallest_likely_set() -> None:
    accuracy = counted(RISE + jitter(60, 0.02, 5), 10_112)
    (finding,) = found({Role.VAL_METRIC: accuracy}, {"val_size": 10_112})
    assert finding.confidence is Confidence.HIGH
    # Read off the values, it may be a mean over batches of a far smaller set.
    assert not any(f.confidence is Confidence.HIGH for f in found({Role.VAL_METRIC: accuracy}))


def test_where_the_accuracy_is_explained_the_loss_is_not_asked() -> None:
    jumpy = {Role.TRAIN_LOSS: TRAIN, Role.VAL_LOSS: noisy(decay(60, 2.3, 0.5, 12), 0.3, 2)}
    assert found(jumpy)
    assert not found({**jumpy, Role.VAL_METRIC: counted(RISE + jitter(60, 0.01, 5), 997)})


def test_smoothing_is_all_that_silences_the_smoothed_sample() -> None:
    (sample,) = (each for each in NoisyValidation.samples() if each.name.startswith("smoothed"))
    assert not list(NoisyValidation().check(Case(sample.run)))
    assert list(NoisyValidation(smooth=1.0).check(Case(sample.run)))


def test_a_loss_without_training_beside_it_tells_nothing() -> None:
    assert not found({Role.VAL_LOSS: noisy(decay(60, 2.3, 0.5, 12), 0.3, 2)})


def test_a_loss_that_gained_nothing_is_not_called_noisy() -> None:
    curves = {
        Role.TRAIN_LOSS: flat(60, 2.3) + jitter(60, 1e-4),
        Role.VAL_LOSS: 2.3 + jitter(60, 0.01, 1),
    }
    assert not found(curves)


def test_all_right_has_some_noise_left() -> None:
    perfect = np.concatenate([np.linspace(0.2, 0.9, 20), flat(39, 1.0), [0.998]])
    assert not found({Role.VAL_METRIC: perfect}, {"val_size": 500})


@pytest.mark.skipif(not SWEEP.with_suffix(".json").exists(), reason=f"{SWEEP} is not here")
def test_healthy_rates_are_seldom_called_noisy() -> None:
    curves = np.load(SWEEP.with_suffix(".npz"))
    fired, healthy = 0, 0
    for run in json.loads(SWEEP.with_suffix(".json").read_text()):
        if run["learning_rate"] != "ok":
            continue
        healthy += 1
        train, test, share = (
            curves[f"{run['run']}_{name}"].astype(np.float64) for name in ("train", "test", "teacc")
        )
        steps = np.arange(len(train))
        roles = {
            Role.TRAIN_LOSS: Series.of("loss/train", steps, train),
            Role.VAL_LOSS: Series.of("loss/val", steps, test),
        }
        if len(share):
            roles[Role.VAL_METRIC] = Series.of("accuracy/val", steps, share)
        fired += bool(found(roles))
    assert healthy > 200
    assert fired / healthy < 0.02
