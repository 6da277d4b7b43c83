"""GAN001 beyond its samples."""

from __future__ import annotations

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.adversarial.discriminator_wins import DiscriminatorWins
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Confidence
from tbdiag.model.report import NotApplicable
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.synth import a_run, decay, flat, jitter, noisy

N = 400
LOST = noisy(decay(N, 1.38, 0.01, 12), 0.3)
CLIMBS = noisy(np.linspace(0.7, 7, N), 0.1, 1)


def game(judge: np.ndarray, maker: np.ndarray) -> Run:
    return a_run({Role.D_LOSS: judge, Role.G_LOSS: maker})


def test_a_supervised_run_is_told_so() -> None:
    (outcome,) = examine(
        a_run({Role.TRAIN_LOSS: flat(N, 1)}), Selection(detectors=(DiscriminatorWins(),))
    ).outcomes.values()
    assert isinstance(outcome, NotApplicable)
    assert outcome.reason.startswith("the run is supervised")


def test_one_player_alone_is_no_game() -> None:
    reason = DiscriminatorWins().blocked(Case(a_run({Role.D_LOSS: LOST})))
    assert reason == "no generator loss was logged"


def test_a_few_points_below_zero_are_no_distance() -> None:
    judge = LOST.copy()
    judge[200:203] = -1e-4
    assert DiscriminatorWins().blocked(Case(game(judge, CLIMBS))) is None
    assert "zero is its goal" in (DiscriminatorWins().blocked(Case(game(LOST - 0.1, CLIMBS))) or "")


def test_a_discriminator_that_grows_wilder_is_surer() -> None:
    wild = LOST * np.exp(jitter(N, 1.0, 3) * (np.arange(N) > 300))
    (calm,) = DiscriminatorWins().check(Case(game(decay(N, 1.38, 0.01, 12), CLIMBS)))
    (sure,) = DiscriminatorWins().check(Case(game(wild, CLIMBS)))
    assert (calm.confidence, sure.confidence) == (Confidence.MEDIUM, Confidence.HIGH)


def test_a_game_that_turns_at_the_end_is_not_lost() -> None:
    judge = np.where(np.arange(N) < 360, LOST, 1.0)
    assert not list(DiscriminatorWins().check(Case(game(judge, CLIMBS))))
