"""LOG004 beyond its samples: how the length of an epoch is known."""

from __future__ import annotations

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.bookkeeping.epoch_sawtooth import EpochSawtooth
from tbdiag.model.finding import Finding
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.signals.period import autocorrelation, folded, without_trend
from tbdiag.synth import a_run, decay, flat, jitter

N, EPOCH = 1200, 100
AT = np.arange(N)
ORDER = np.exp(jitter(EPOCH, 0.1, 5))[AT % EPOCH]
LOSS = decay(N, 2.3, 0.3, 4) * np.exp(jitter(N, 0.05)) * ORDER


def found(run: Run) -> list[Finding]:
    assert EpochSawtooth().blocked(Case(run)) is None
    return list(EpochSawtooth().check(Case(run)))


def logged(role: Role, tag: str, steps: np.ndarray, values: np.ndarray, scale: int = 1) -> Run:
    batch = Series.of("batch/loss", scale * AT, LOSS)
    return a_run({Role.BATCH_LOSS: batch, role: Series.of(tag, steps, values)})


@pytest.mark.parametrize(
    "run",
    [
        logged(Role.EPOCH, "epoch", AT, AT // EPOCH),
        logged(Role.EPOCH, "train/epoch", AT, AT / EPOCH),
        logged(Role.EPOCH, "epoch", 50 * AT, AT // EPOCH, scale=50),
        logged(Role.TRAIN_LOSS, "loss/train", AT[99::100], decay(12, 2.3, 0.3)),
        logged(Role.VAL_LOSS, "loss/val", AT[99::100], decay(12, 2.3, 0.3)),
        logged(Role.TRAIN_LOSS, "loss/train", np.arange(12), decay(12, 2.3, 0.3)),
    ],
    ids=[
        "whole epochs",
        "shares of epochs",
        "samples",
        "a loss per epoch",
        "validation",
        "epochs on an axis of their own",
    ],
)
def test_the_epoch_is_known(run: Run) -> None:
    (finding,) = found(run)
    assert finding.evidence[0].measures[0].value > 0.6


@pytest.mark.parametrize(
    "run",
    [
        logged(Role.EPOCH, "iterations_since_restore", AT, AT // EPOCH),
        logged(Role.EPOCH, "epoch", AT[:50], AT[:50] // 10),  # counted in other steps
        logged(Role.VAL_LOSS, "loss/val", np.array([5, 80, 900, 1150]), flat(4, 1)),
    ],
    ids=["iterations", "other steps", "odd distances"],
)
def test_the_epoch_is_not_known(run: Run) -> None:
    reason = EpochSawtooth().blocked(Case(run))
    assert reason == "how many steps an epoch has is not known: log the epoch beside the loss"


@pytest.mark.parametrize("seed", range(10))
def test_noise_has_no_course(seed: int) -> None:
    for size in (20, 100, 300):
        values = decay(N, 2.3, 0.3, 4) * np.exp(jitter(N, 0.2, seed))
        curves = {
            Role.BATCH_LOSS: Series.of("batch/loss", AT, values),
            Role.EPOCH: Series.of("epoch", AT, AT // size),
        }
        assert not found(a_run(curves))


def test_a_course_stays_whole_when_the_trend_is_taken_off() -> None:
    course = np.sin(2 * np.pi * AT / EPOCH)
    rest = without_trend(course + AT / 100, EPOCH)
    assert len(rest) == N - EPOCH + 1
    assert autocorrelation(rest, EPOCH) > 0.999
    mean, error = folded(rest, EPOCH)
    assert np.ptp(mean) == pytest.approx(2, abs=0.05)
    assert error < 0.01
    assert (len(without_trend(course, N + 1)), autocorrelation(rest[:3], 2)) == (0, 0.0)
