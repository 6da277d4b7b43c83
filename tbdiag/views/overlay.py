"""The curves of several runs by what they measure, on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tbdiag.model.role import Better, Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Series

_ROLES = (Role.VAL_LOSS, Role.VAL_METRIC, Role.VAL_REWARD, Role.REWARD, Role.TRAIN_LOSS)
_DECADE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stroke:
    """A curve to draw: ``x``, ``y`` (n,) finite, in order of x; ``bad`` (m,) where it was not finite.

    ``at`` is the place of its run among those that were given.
    """

    at: int
    x: Floats
    y: Floats
    bad: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlay:
    """Curves that share their axes: ``quantity`` in words, the ``tags`` they were logged under.

    ``unit`` is what the x axis counts, from ``first`` to ``last``: epochs where every run tells them.
    ``higher`` is better, or not.
    """

    quantity: str
    tags: tuple[str, ...]
    unit: str
    first: float
    last: float
    higher: bool
    strokes: tuple[Stroke, ...]

    def spreads(self, low: float, high: float) -> bool:
        """Whether curves from ``low`` to ``high`` show their late differences on a log scale only."""
        return not self.higher and low > 0 and high > _DECADE * low


def overlays(runs: Sequence[Run]) -> tuple[Overlay, ...]:
    """One for each kind of curve that at least two of the runs logged."""
    found = (_overlay(runs, role) for role in _ROLES)
    return tuple(each for each in found if each is not None)


def _overlay(runs: Sequence[Run], role: Role) -> Overlay | None:
    curves = [(at, run, run.curve(role)) for at, run in enumerate(runs)]
    logged = [(at, run, curve) for at, run, curve in curves if curve is not None and curve.logged]
    if len(logged) < 2:
        return None
    epochs = [_epochs(run) for _, run, _ in logged]
    by_epoch = None not in epochs
    strokes = tuple(
        _stroke(at, curve, epoch if by_epoch else None)
        for (at, _, curve), epoch in zip(logged, epochs, strict=True)
    )
    ends = [float(v) for s in strokes for part in (s.x, s.bad) if len(part) for v in part[[0, -1]]]
    bound = logged[0][1].roles.bound[role]
    split = "validation" if role is Role.VAL_METRIC else ""
    return Overlay(
        quantity=f"{split} {bound.quantity.replace('_', ' ')}" if split else role.phrase,
        tags=tuple(dict.fromkeys(curve.tag for _, _, curve in logged)),
        unit="epoch" if by_epoch else "step",
        first=min(ends),
        last=max(ends),
        higher=bound.better is Better.HIGHER,
        strokes=strokes,
    )


def _epochs(run: Run) -> Series | None:
    """The curve that tells the epoch of each step, where it only grows."""
    epoch = run.curve(Role.EPOCH)
    if epoch is None or len(epoch) < 2 or bool(np.any(np.diff(epoch.values) < 0)):
        return None
    return epoch


def _stroke(at: int, curve: Series, epoch: Series | None) -> Stroke:
    x, bad = curve.steps.astype(np.float64), curve.nonfinite.steps.astype(np.float64)
    if epoch is not None:
        steps = epoch.steps.astype(np.float64)
        x, bad = np.interp(x, steps, epoch.values), np.interp(bad, steps, epoch.values)
    return Stroke(at=at, x=x, y=curve.values, bad=bad)
