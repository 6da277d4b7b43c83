"""Rules about numbers that run away, and the remedies that they share."""

from __future__ import annotations

import numpy as np

from tbdiag.case import Case
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Scale, SetTo, Within
from tbdiag.model.role import Role

_WARM_UP = Within(0.02, 0.05)
_FEWEST_NORMS = 10
_USUAL_NORM = 1.0


def calming(case: Case, *, until: int, divisor: int) -> tuple[Remedy, ...]:
    """What keeps a run from blowing up, in the order in which to try it.

    The rate is divided by ``divisor``, which lands in the good band for 92 % (10) of the rates that
    are too high by up to a decade. The gradient norm is clipped at the 90th percentile of the norms
    that were logged before the step ``until``, at 1.0 where there are too few.
    """
    remedies = [
        Remedy.turn(
            Knob.LR,
            Scale(1 / divisor),
            f"Divide the learning rate by {divisor}",
            "a rate that is too high is the usual cause, and the first to rule out",
        )
    ]
    if not _warms_up(case):
        remedies.append(
            Remedy.turn(
                Knob.WARMUP,
                _WARM_UP,
                "Warm the learning rate up over the first 2 to 5 % of the run",
                "the first steps are the steepest, and Adam's averages are not settled yet",
            )
        )
    remedies += [
        clip_at_usual(case, until),
        Remedy.turn(
            Knob.BETA2,
            SetTo(0.95),
            "Lower Adam's second beta to 0.95",
            "a shorter memory lets the step size follow a gradient that grows suddenly",
        ),
        Remedy.advice(
            "Compute in bfloat16 or float32 instead of float16",
            "float16 overflows at 65,504",
        ),
        Remedy.advice(
            "Look for broken samples if it happens at a thousandth of the rate too",
            "what no learning rate cures comes from the data or from the loss itself",
        ),
    ]
    return tuple(remedies)


def clip_at_usual(case: Case, until: int) -> Remedy:
    """Clipping at the 90th percentile of the gradient norms before the step ``until``, else at 1."""
    norm, source = _usual_norm(case, until)
    return Remedy.turn(
        Knob.CLIP_NORM,
        SetTo(norm),
        f"Clip the gradient norm at {norm:g}",
        f"{source}; a rare huge gradient then no longer throws the weights far off",
    )


def _warms_up(case: Case) -> bool:
    rate = case.curve(Role.LEARNING_RATE)
    if case.schedule is None or rate is None:
        return False
    length = int(rate.steps[-1] - rate.steps[0])
    return case.schedule.warm_up_end - int(rate.steps[0]) >= _WARM_UP.low * length


def _usual_norm(case: Case, until: int) -> tuple[float, str]:
    norms = case.curve(Role.GRAD_NORM)
    if norms is not None:
        seen = norms.values[norms.steps < until]
        if len(seen) >= _FEWEST_NORMS and (usual := float(np.quantile(seen, 0.9))) > 0:
            return float(f"{usual:.2g}"), "nine of ten norms were below that before"
    return _USUAL_NORM, "the norm was not logged, and 1 is the usual choice"
