"""A curve by how much the optimizer was allowed to move, instead of by how many steps it took.

Under a schedule the end of a run is slow by design, and steps are no fair measure of time. The sum of
the learning rate up to a step is one: by it, a curve that has arrived is flat at its end whatever
the schedule, and one that was on its way is not. What a run as long again would bring, under the
same schedule stretched, is what as much of that sum again would bring.
"""

from __future__ import annotations

import numpy as np

from tbdiag.model.series import Floats, Series


def travelled(rate: Series, steps: Floats) -> Floats:
    """The sum of the rate from its first step to each of ``steps`` (m,), linear in between."""
    along = rate.steps.astype(np.float64)
    height = np.maximum(rate.values, 0.0)
    total: Floats = np.zeros(len(along))
    np.cumsum((height[1:] + height[:-1]) / 2 * (along[1:] - along[:-1]), out=total[1:])
    found: Floats = np.interp(steps, along, total)
    return found


def paced(curve: Series, rate: Series) -> Floats | None:
    """``curve`` (n,) at n equal parts of the way that the rate allowed; None where it allowed none.

    Where one counts epochs and the other steps, they are laid over each other by their ends.
    """
    if len(rate) < 2 or len(curve) < 2:
        return None
    way = travelled(rate, on_axis_of(rate, curve))
    if way[-1] <= way[0]:
        return None
    even: Floats = np.interp(_spaced(float(way[0]), float(way[-1]), len(way)), way, curve.values)
    return even


def on_axis_of(rate: Series, curve: Series) -> Floats:
    """The steps of ``curve`` (n,) in those of ``rate``, both of two points or more.

    Where one counts epochs and the other steps, they are laid over each other by their ends.
    """
    steps = curve.steps.astype(np.float64)
    mine, other = float(steps[-1] - steps[0]), float(rate.steps[-1] - rate.steps[0])
    if not 0.5 < mine / other < 2:
        steps = rate.steps[0] + (steps - steps[0]) / mine * other
    return steps


def _spaced(first: float, last: float, n: int) -> Floats:
    """What `numpy.linspace` gives for n ≥ 2 places and ``last`` above ``first``, several times as fast."""
    places = np.arange(n, dtype=np.float64)
    places *= (last - first) / (n - 1)
    places += first
    places[-1] = last
    return places
