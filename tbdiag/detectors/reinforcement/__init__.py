"""Rules about agents that learn from rewards, and what several of them look at."""

from __future__ import annotations

import numpy as np

from tbdiag.case import Case, Kind
from tbdiag.model.role import Better, Role
from tbdiag.model.series import Series
from tbdiag.signals.returns import Returns, returns

_REWARDS = (Role.REWARD, Role.VAL_REWARD)


def not_an_agent(case: Case) -> str | None:
    """Why the rules of this family do not speak of the run; None where an agent is trained."""
    if case.kind is Kind.REINFORCEMENT:
        return None
    return f"the run is {case.kind}: the rule speaks of reinforcement learning"


def reward(case: Case) -> Series | None:
    """The return that the agent earned, turned so that higher is better; the longer of two."""
    curves = [(role, curve) for role in _REWARDS if (curve := case.curve(role)) is not None]
    if not curves:
        return None
    role, curve = max(curves, key=lambda each: len(each[1]))
    lower = case.run.roles.bound[role].better is Better.LOWER
    return curve.with_values(-curve.values) if lower else curve


def course_of_return(case: Case) -> Returns | None:
    """What the return does over the run, None where it was not logged or too rarely."""
    curve = reward(case)
    return None if curve is None else returns(curve.values)


def gained_by(seen: Returns, place: int) -> float:
    """The share of all that was gained that the agent had at a point of its return; 1 for no gain."""
    at = int(np.searchsorted(seen.places, place))
    level = float(seen.levels[min(at, len(seen.levels) - 1)])
    return (level - seen.first) / seen.learned if seen.learned > 0 else 1.0


def holds(seen: Returns, errors: float, lost: float) -> bool:
    """Whether the agent has learned, and still has what it learned but for the share ``lost``."""
    gained = seen.above(seen.last, seen.first, errors)
    return gained and seen.best - seen.last <= lost * seen.learned
