"""What runs so far let one expect of settings that were not tried: a Gaussian process."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tbdiag.advisor.chart import Chart
from tbdiag.advisor.record import Record
from tbdiag.model.proposal import Params
from tbdiag.model.series import Floats

_UNIT = 0.1  # of the best loss: what is better or worse by far less is hardly told apart
_WORST = 2.0  # as the logarithm of a ratio: what is worse is as bad
_DEVIATION, _NOISE = 0.9, 0.2  # of what settings do, and of luck, in the model's units
_LEVEL = 2.0  # deviation of the level of all runs, which is hardly known
_TRUST, _DOUBT = 0.5, 0.5  # in what is usual: the share that is believed, and its deviation
_MARGIN = 0.15  # by which the level to be bettered is worse than the best run
_FIRM = 4.0  # runs that the deviation above counts as, beside those that are there


@dataclass(frozen=True, slots=True)
class Outlook:
    """The expected excess loss at m settings and its deviation, (m,) each, and the least at a run."""

    expected: Floats
    deviation: Floats
    least: float

    @property
    def improvement(self) -> Floats:
        """By how much each is expected to better the best run, (m,); what may be worse counts as nothing.

        The expected improvement of Mockus and of Jones, Schonlau and Welch (1998), over a level that is a
        little worse than the best run: what is likely to be as good is preferred to what may be anything.
        """
        score = (self.least + _MARGIN - self.expected) / self.deviation
        erf = np.array([math.erf(each / math.sqrt(2)) for each in score])
        density = np.exp(-0.5 * score * score) / math.sqrt(2 * math.pi)
        gain: Floats = self.deviation * (score * 0.5 * (1 + erf) + density)
        return gain


def outlook(
    chart: Chart, runs: Sequence[Record], pending: Sequence[Params], candidates: Sequence[Params]
) -> Outlook:
    """What to expect of the candidates after ``runs``, which are at least one.

    Runs that are ``pending`` are taken to come out as expected. How far settings reach is fixed by the
    chart: a handful of runs cannot tell it.
    """
    gained = excess([each.loss for each in runs], higher=_is_higher(runs))
    known = [each.params for each in runs]
    if pending:
        first = _conditioned(chart, known, gained, pending)
        known, gained = [*known, *pending], np.concatenate([gained, first.expected])
    return _conditioned(chart, known, gained, candidates)


def excess(losses: Sequence[float], *, higher: bool = False) -> Floats:
    """Losses (n,) above the best of them in the model's units; runs that failed are as bad as any.

    By ratio where losses are positive, as errors are that belong to a share or a percentage; else beside
    the median difference.
    """
    values = np.array(losses, dtype=np.float64)
    done = np.isfinite(values)
    if not done.any():
        return np.full(len(values), math.log1p(_WORST / _UNIT))
    if higher:
        top = next((each for each in (1.0, 100.0) if -values[done].min() <= each), None)
        values = values if top is None else values + top
    best = float(values[done].min())
    above = np.where(done, values, best) - best
    if best > 0:
        gaps = np.log1p(above / best)
    else:
        spread = float(np.median(above[done]))
        gaps = above / spread if spread > 0 else above * 0.0
    return np.log1p(np.where(done, np.minimum(gaps, _WORST), _WORST) / _UNIT)


def _is_higher(runs: Sequence[Record]) -> bool:
    return any(each.entrant is not None and each.entrant.objective.higher for each in runs)


def _conditioned(
    chart: Chart, known: Sequence[Params], gained: Floats, candidates: Sequence[Params]
) -> Outlook:
    places, usual = chart.places(known), chart.usual(known)
    elsewhere, likely = chart.places(candidates), chart.usual(candidates)
    inner = _covariance(places, places, usual, usual)
    outer = _covariance(elsewhere, places, likely, usual)
    factor = np.linalg.cholesky(inner + _NOISE**2 * np.eye(len(known)))
    left = np.linalg.solve(factor, gained - _TRUST * usual)
    weights = np.linalg.solve(factor.T, left)
    spread = np.linalg.solve(factor, outer.T)
    prior = _DEVIATION**2 + _LEVEL**2 + (_DOUBT * likely) ** 2
    variance = np.maximum(prior - np.sum(spread * spread, axis=0), 1e-9)
    # Tasks differ in how much settings do: by as much as these runs are off, deviations are scaled.
    amplitude = math.sqrt((float(left @ left) + _FIRM) / (len(known) + _FIRM))
    return Outlook(
        expected=_TRUST * likely + outer @ weights,
        deviation=amplitude * np.sqrt(variance),
        least=float((_TRUST * usual + inner @ weights).min()),
    )


def apart(one: Floats, other: Floats) -> Floats:
    """The distances between places (n, coordinates) and (m, coordinates): (n, m)."""
    squares = np.zeros((len(one), len(other)))
    for here, there in zip(one.T, other.T, strict=True):  # never (n, m, coordinates) at once
        squares += (here[:, None] - there[None, :]) ** 2
    found: Floats = np.sqrt(squares)
    return found


def _covariance(one: Floats, other: Floats, usual: Floats, too: Floats) -> Floats:
    """Matérn's with 5/2 of what settings do, the level, and the doubt in what is usual."""
    far = math.sqrt(5) * apart(one, other)
    near = (1 + far + far * far / 3) * np.exp(-far)
    found: Floats = _DEVIATION**2 * near + _LEVEL**2 + _DOUBT**2 * np.outer(usual, too)
    return found
