"""One rule on one run, as the tests of this family ask."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import ArrayLike

from tbdiag.case import Case
from tbdiag.detectors.base import Detector
from tbdiag.model.finding import Finding
from tbdiag.model.role import Role
from tbdiag.model.run import Scalar
from tbdiag.synth import a_run, decay, jitter, noisy

STUCK = {Role.TRAIN_LOSS: 2.303 + jitter(40, 0.002)}
POOR = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 1.7), 0.01)}
LEARNS = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.1), 0.01)}
STEPS = [1, 10, 20, 30, 40]


def found(
    rule: Detector,
    curves: Mapping[Role, ArrayLike],
    histograms: Mapping[str, Mapping[int, ArrayLike]] | None = None,
    hparams: Mapping[str, Scalar] | None = None,
    extra: Mapping[str, ArrayLike] | None = None,
) -> list[Finding]:
    """What the rule finds, which must be able to tell."""
    case = Case(a_run(curves, histograms=histograms, hparams=hparams, extra=extra))
    assert rule.blocked(case) is None
    return list(rule.check(case))


def blocked(
    rule: Detector,
    curves: Mapping[Role, ArrayLike],
    histograms: Mapping[str, Mapping[int, ArrayLike]] | None = None,
    hparams: Mapping[str, Scalar] | None = None,
    extra: Mapping[str, ArrayLike] | None = None,
) -> str | None:
    """Why the rule cannot tell."""
    run = a_run(curves, histograms=histograms, hparams=hparams, extra=extra)
    return rule.blocked(Case(run))
