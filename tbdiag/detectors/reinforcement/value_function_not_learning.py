"""RLX003: the value function explains nothing of the returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.reinforcement import course_of_return, holds, not_an_agent, reward
from tbdiag.detectors.reinforcement.remedies import DISCOUNT, SCALE_REWARDS, VALUE_RATE
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import running_median
from tbdiag.synth import a_run, decay, flat, jitter


@dataclass(frozen=True, kw_only=True)
class ValueFunctionNotLearning(Detector):
    """The value function predicts returns no better than a constant does.

    ## What it does

    Looks at the explained variance of the value function: 1 for perfect predictions, 0 for those of
    a constant, below 0 for worse.

    ## Why is this bad?

    Without a value function the advantages are mere returns with all their noise, and the policy
    needs many times the samples, or learns nothing.

    ## How it is detected

    After the first `grace` of the run half of the updates have an explained variance of `nothing` or
    less, and its running median over `window` updates never rises above `little`, in the grace or
    after. Where the agent has learned all the same (by `errors` standard errors of its return, all but `lost` of
    it kept) this is only a note.

    ## Remedy

    Normalise the rewards, give the value function a rate of its own, lower the discount.

    ## False alarms

    Where every episode earns the same there is nothing to explain, and the rule is silent: rewards
    that are never met, or a task that is solved. Returns that are noise in themselves cannot be
    explained by any value function.

    ## References

    Stable-Baselines3, `explained_variance`.
    """

    code, severity, since = "RLX003", Severity.WARNING, "0.1.0"
    supervised = False
    needs = (Role.EXPLAINED_VARIANCE,)
    points = 20

    grace: Annotated[float, Threshold("share of the run left out", above=0, at_most=1)] = 0.2
    nothing: Annotated[float, Threshold("explained variance that is none", at_most=1)] = 0.1
    little: Annotated[float, Threshold("explained variance that is some", at_most=1)] = 0.25
    errors: Annotated[float, Threshold("gain of return in standard errors", above=0)] = 5.0
    lost: Annotated[float, Threshold("share of the gain lost again", at_least=0)] = 0.3
    window: Annotated[int, Threshold("updates that the median runs over", at_least=3)] = 7

    def lacking(self, case: Case) -> str | None:
        """Only agents have a value function."""
        return not_an_agent(case) or super().lacking(case)

    def cannot_tell(self, case: Case) -> str | None:
        """A number that never changes was not measured, and equal returns cannot be explained."""
        if float(np.ptp(case.the(Role.EXPLAINED_VARIANCE).values)) == 0:
            return "the explained variance never changes: it was not measured"
        earned = reward(case)
        if earned is not None and len(earned) > 1 and float(np.ptp(earned.values)) == 0:
            return "every episode earned the same: there is nothing to explain"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        curve = case.the(Role.EXPLAINED_VARIANCE)
        after = curve.values[round(self.grace * len(curve)) :]
        level = median(after)
        best = float(running_median(curve.values, self.window).max())
        if level > self.nothing or best > self.little or _all_alike(case, self.grace):
            return
        first = int(curve.steps[len(curve) - len(after)])
        seen = course_of_return(case)
        harmless = seen is not None and holds(seen, self.errors, self.lost)
        yield self.finding(
            f"the value function explains nothing of the returns: its explained variance is "
            f"{level:.2g} since step {first:,} and never above {best:.2g}"
            + (", though the agent has learned" if harmless else ""),
            Evidence(
                tag=curve.tag,
                span=(first, int(curve.steps[-1])),
                note="no better than a constant",
                measures=(
                    Measure("explained_variance", level, "<=", self.nothing),
                    Measure("best", best, "<=", self.little),
                ),
            ),
            severity=Severity.NOTE if harmless else self.severity,
            confidence=Confidence.MEDIUM,
            remedies=(SCALE_REWARDS, VALUE_RATE, DISCOUNT),
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Value functions that explain nothing; slow, good and pointless ones as traps."""
        n = 120
        yield fires("around zero", _agent(-0.02 + jitter(n, 0.05)))
        yield fires("worse than a constant", _agent(-0.8 + jitter(n, 0.2)))
        yield silent("learns", _agent(0.9 - decay(n, 1.0, 0) + jitter(n, 0.05)))
        yield silent(
            "learns late", _agent(np.where(np.arange(n) < 80, -0.1, 0.6) + jitter(n, 0.05))
        )
        lost = np.where(np.arange(n) < 40, 0.7, -0.1) + jitter(n, 0.05)
        yield silent("had learned", _agent(lost))
        yield silent("nothing to explain", _agent(-0.02 + jitter(n, 0.05), flat(n, 0.0)))
        solved = np.where(np.arange(n) < 12, 200.0, 500.0)
        yield silent("solved at once", _agent(-0.02 + jitter(n, 0.05), solved))
        yield silent("never measured", _agent(flat(n, 0.0)))


def _all_alike(case: Case, grace: float) -> bool:
    """Whether most points of the reward are equal once the grace is over."""
    earned = reward(case)
    if earned is None or len(earned) < 2:
        return False
    after = earned.values[int(grace * len(earned)) :]
    return bool(np.mean(after == median(after)) > 0.5)


def _agent(explained: Floats, earned: Floats | None = None) -> Run:
    n = len(explained)
    rewards = 20 + jitter(n, 3, 2) if earned is None else earned
    return a_run(
        {Role.EXPLAINED_VARIANCE: explained, Role.REWARD: rewards, Role.VALUE_LOSS: flat(n, 1.0)}
    )
