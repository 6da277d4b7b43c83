"""Single points, or a few, that stand far above the course of a loss per step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tbdiag.model.series import Floats, Ints

_MAD_TO_SD = 1.4826
_HOP = 10  # how many points share one reference: a fifth of the usual window, for speed
_REFERENCES = 10_000  # more are not taken of a long curve, as long as windows meet
_CALM = 5  # points of which most must be back before a spike is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A rise of a positive curve: its first point ``at``, its highest one ``peak``, both indices.

    ``height`` is the highest value over the ``level`` before, ``deviations`` how many robust standard
    deviations of the log curve that is, and ``back`` the first index from which the curve is within
    two of them, or a twentieth, of the level again, None where it never is.
    """

    at: int
    peak: int
    level: float
    height: float
    deviations: float
    back: int | None


def spikes(
    values: Floats, *, window: int = 50, deviations: float = 10.0, rise: float = 1.1
) -> tuple[Spike, ...]:
    """The spikes of ``values`` (n,), all positive, by a causal Hampel filter on their logarithm.

    A point is one where it exceeds the median of ``window`` earlier points by ``deviations`` times
    1.4826 MAD of those points, and is ``rise`` times as high. The reference is renewed every ten
    points, in long curves every ``window`` points. What happens before a spike is over belongs to it. Hampel (1974). Linear in n.
    """
    if len(values) <= window:
        return ()
    logs = np.log(values)
    hop = max(_HOP, min(window, len(logs) // _REFERENCES))
    windows = sliding_window_view(logs, window)[::hop]
    levels = _medians(windows)
    scales = _MAD_TO_SD * _medians(np.abs(windows - levels[:, None]))
    # A constant stretch has no noise; a thousandth of the value is none that anyone would mind.
    scales = np.maximum(scales, 1e-3)
    reference = np.minimum((np.arange(window, len(logs)) - window) // hop, len(levels) - 1)
    above = logs[window:] - levels[reference]
    out = np.flatnonzero(above > np.maximum(deviations * scales[reference], np.log(rise))) + window
    return tuple(_grouped(logs, out, levels[reference], scales[reference], window))


def bumps(
    values: Floats, block: int, *, window: int = 50, deviations: float = 10.0, rise: float = 1.1
) -> tuple[Spike, ...]:
    """As `spikes`, of the means over ``block`` points: what is too low for a point, but lasts."""
    whole = len(values) // block * block
    means = np.exp(np.log(values[len(values) - whole :]).reshape(-1, block).mean(axis=1))
    offset = len(values) - whole
    found = spikes(means, window=window, deviations=deviations, rise=rise)
    return tuple(
        replace(
            each,
            at=offset + block * each.at,
            peak=offset + block * each.peak,
            back=None if each.back is None else offset + block * each.back,
        )
        for each in found
    )


def _medians(rows: Floats) -> Floats:
    """The median of each row; NumPy sorts short rows far faster than it partitions them."""
    ranked, half = np.sort(rows, axis=1), rows.shape[1] // 2
    upper: Floats = ranked[:, half]
    return upper if rows.shape[1] % 2 else (ranked[:, half - 1] + upper) / 2


def _grouped(
    logs: Floats, out: Ints, levels: Floats, scales: Floats, window: int
) -> Iterator[Spike]:
    """The spikes among the indices ``out`` of ``logs``, none of which begins within another."""
    over = 0
    for index in out:
        at = int(index)
        if at < over:
            continue
        level, scale = float(levels[at - window]), float(scales[at - window])
        back = _back(logs[at:], level + max(2 * scale, np.log(1.05)))
        over = len(logs) if back is None else at + back
        peak = at + int(logs[at:over].argmax()) if over > at else at
        yield Spike(
            at=at,
            peak=peak,
            level=float(np.exp(level)),
            height=float(np.exp(logs[peak] - level)),
            deviations=float((logs[peak] - level) / scale),
            back=None if back is None else over,
        )


def _back(logs: Floats, limit: float) -> int | None:
    """The first index from which most of the next few values are below ``limit``."""
    for chunk in (1000, len(logs)):  # nearly all are over soon, so the rest is seldom looked at
        below = logs[:chunk] <= limit
        if len(below) < _CALM:
            return int(np.argmax(below)) if len(below) and below[-1] else None
        most = np.convolve(below, np.ones(_CALM, dtype=np.int64), "valid") > _CALM // 2
        most &= below[: len(most)]
        if most.any():
            return int(np.argmax(most))
    return None
