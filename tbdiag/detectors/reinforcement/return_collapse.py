"""RLX004: the return was better once, and has not come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.reinforcement import course_of_return, not_an_agent, reward
from tbdiag.detectors.reinforcement.remedies import KEEP_BEST, RATE_THIRD, TARGET_KL
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats
from tbdiag.naming.words import split
from tbdiag.signals.returns import Returns
from tbdiag.synth import a_run, decay, flat, jitter

_HARDER = frozenset({"lesson", "curriculum", "terrain", "difficulty"})


@dataclass(frozen=True, kw_only=True)
class ReturnCollapse(Detector):
    """The return has fallen far below its best, and stays there.

    ## What it does

    Finds an agent that had learned something and lost it again.

    ## Why is this bad?

    The policy at the end is worse than one that the run already had, and all since was wasted. The
    usual causes are updates that are too large and a policy that stopped exploring.

    ## How it is detected

    The levels of the return are means over blocks of points. The level of the end lies below the best
    one by more than `fall` of what was gained since the beginning, and, where no return is negative,
    of the best return itself; by more than `errors` standard errors; and it has been that low for
    `lasting` of the run. Returns that went down across the middle and up again `swings` times are
    merely unsteady. The reward has `fewest` points or more.

    ## Remedy

    Keep the best checkpoint; then a third of the rate, or a target for the KL divergence.

    ## False alarms

    Where the task was made harder on the way the return falls by design: the rule is silent if a
    lesson or a terrain level was logged that went up since the best return. Returns with two modes
    need a change of their mean that stands out of the noise.

    ## References

    Dohare et al., "Overcoming Policy Collapse in Deep Reinforcement Learning" (2023).
    """

    code, severity, since = "RLX004", Severity.WARNING, "0.1.0"
    supervised = False
    needs = ((Role.REWARD, Role.VAL_REWARD),)
    explains = ("RLX003",)  # equal returns of an agent that failed cannot be explained

    fall: Annotated[float, Threshold("share of the gain that was lost", above=0)] = 0.3
    lasting: Annotated[float, Threshold("share of the run", above=0, at_most=1)] = 0.2
    errors: Annotated[float, Threshold("fall in standard errors of a level", above=0)] = 6.0
    swings: Annotated[int, Threshold("falls that make an unsteady return", at_least=2)] = 3
    fewest: Annotated[int, Threshold("points of the reward", at_least=12)] = 20

    def lacking(self, case: Case) -> str | None:
        """Only agents have a return."""
        return not_an_agent(case) or super().lacking(case)

    def cannot_tell(self, case: Case) -> str | None:
        """The longer one of two rewards counts."""
        curve = reward(case)
        if curve is not None and len(curve) < self.fewest:
            return f"the reward has {len(curve)} usable points; {self.fewest} are needed"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        curve, seen = reward(case), course_of_return(case)
        if curve is None or seen is None:
            return
        positive = bool(curve.values.min() >= 0)
        scale = max(seen.learned, seen.best if positive else 0.0)
        limit = seen.best - self.fall * scale
        since = _since(seen, limit)
        start = int(seen.places[since]) if since < len(seen.places) else len(curve)
        if len(curve) - start < self.lasting * len(curve):
            return
        gained = seen.above(seen.best, seen.first, self.errors)
        if not (gained or positive) or not seen.above(seen.best, seen.last, self.errors):
            return
        if _falls(seen) >= self.swings or _made_harder(
            case, int(curve.steps[seen.places[seen.best_at]])
        ):
            return
        best_step, step = int(curve.steps[seen.places[seen.best_at]]), int(curve.steps[start])
        sign = 1 if curve is case.curve(Role.REWARD) or curve is case.curve(Role.VAL_REWARD) else -1
        yield self.finding(
            f"the return is {sign * seen.last:.4g} at the end and was {sign * seen.best:.4g} "
            f"around step {best_step:,}",
            Evidence(
                tag=curve.tag,
                span=(step, int(curve.steps[-1])),
                note="far below the best",
                measures=(
                    Measure("fall", (seen.best - seen.last) / scale, ">", self.fall),
                    Measure("best", sign * seen.best),
                    Measure("best_step", best_step),
                ),
            ),
            confidence=Confidence.HIGH if gained else Confidence.MEDIUM,
            remedies=(KEEP_BEST, RATE_THIRD, TARGET_KL),
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Falls that last; dips, noise, two modes and a harder task as traps."""
        n = 300
        learned = 500 - decay(n, 480, 0, 12)
        fell = learned * np.where(np.arange(n) < 180, 1.0, 0.3) + jitter(n, 15)
        yield fires("lost what it learned", _agent(fell), onset=170)
        yield fires("negative returns", _agent(fell - 700))
        yield fires(
            "slowly worse",
            _agent(learned * np.interp(np.arange(n), [100, 300], [1, 0.4]) + jitter(n, 15)),
        )
        yield fires("evaluated only", _agent(fell[::10], Role.VAL_REWARD))
        yield silent("learns and keeps it", _agent(learned + jitter(n, 15)))
        yield silent("never learned", _agent(20 + jitter(n, 5)))
        yield silent("always negative and flat", _agent(-200 + jitter(n, 30)))
        dip = learned * np.where((np.arange(n) > 150) & (np.arange(n) < 220), 0.4, 1.0)
        yield silent("came back", _agent(dip + jitter(n, 15)))
        modes = np.where(jitter(n, 1, 4) > np.where(np.arange(n) < 150, -0.3, 0.0), 500.0, 20.0)
        yield silent("two modes", _agent(modes))
        swings = 300 + 200 * np.sign(np.sin(np.arange(n) / 13.0)) + jitter(n, 10)
        yield silent("unsteady throughout", _agent(swings))
        few = np.repeat([1, 0.1, 1, 0.1, 1, 0.1], [7, 7, 7, 7, 7, 11]) * 500 + jitter(46, 10)
        yield silent("unsteady, in few points", _agent(few))
        lesson = np.where(np.arange(n) < 180, 1.0, 2.0)
        yield silent("a harder lesson", _agent(fell, extra={"Environment/Lesson": lesson}))
        yield silent("a little below the best", _agent(learned * np.linspace(1, 0.85, n)))


def _since(seen: Returns, limit: float) -> int:
    """The first block from which on the levels stay below ``limit``; their number where none does."""
    high = np.flatnonzero(seen.levels >= limit)
    return int(high[-1]) + 1 if len(high) else 0


def _falls(seen: Returns) -> int:
    """How often the levels fell from the upper third of their range into the lower one."""
    low, high = float(seen.levels.min()), float(seen.levels.max())
    third = (high - low) / 3
    side = np.where(seen.levels > high - third, 1, np.where(seen.levels < low + third, -1, 0))
    side = side[side != 0]
    return int(np.sum((side[:-1] > 0) & (side[1:] < 0)))


def _made_harder(case: Case, step: int) -> bool:
    """Whether a curve that tells how hard the task is went up after ``step``."""
    for tag, curve in case.run.series.items():
        if _HARDER.isdisjoint(split(tag)) or len(curve) < 2:
            continue
        at = min(int(np.searchsorted(curve.steps, step, side="right")), len(curve)) - 1
        if float(curve.values[-1]) > float(curve.values[max(at, 0)]):
            return True
    return False


def _agent(values: Floats, role: Role = Role.REWARD, extra: dict[str, Floats] | None = None) -> Run:
    return a_run({role: values, Role.VALUE_LOSS: flat(len(values), 1.0)}, extra=extra)
