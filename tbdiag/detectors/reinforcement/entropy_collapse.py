"""RLX002: the policy stopped exploring before it had learned anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.reinforcement import course_of_return, gained_by, holds, not_an_agent, reward
from tbdiag.detectors.reinforcement.remedies import ENTROPY_BONUS, RATE_THIRD
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Series
from tbdiag.naming.words import split
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import running_median
from tbdiag.synth import a_run, decay, flat, jitter

_UNIT_NORMAL = 0.5 * float(np.log(2 * np.pi * np.e))  # entropy of a normal variable with sd 1


@dataclass(frozen=True, kw_only=True)
class EntropyCollapse(Detector):
    """The policy became deterministic early, and the return shows no good reason for it.

    ## What it does

    Finds a policy whose entropy vanished in an early part of the run while the agent had not learned,
    or before it lost again what it had.

    ## Why is this bad?

    A policy that always does the same sees nothing new and cannot improve. What it settled on early
    is what it found by chance.

    ## How it is detected

    The running median of the entropy over `window` updates falls below `share` of its start within
    the first `early` of the run and stays there. For continuous actions, whose entropy may be
    negative, it is the standard deviation of an action that falls below `share` of its start, if the
    start is that of unit normal variables (within `unit`), so that their number is known. The
    return at the end does not lie above that of the beginning by `errors` standard errors, or more
    than `lost` of the gain was lost again. A policy that settles before it has found anything counts however the
    return goes on: its entropy falls below `settled` within `at_once` of the run, and is below it for most of the rest,
    when the return has made less than `found` of all that it will gain, which is sure below `little`; a note, where that is kept,
    or where the best return came `earned` of the run after the entropy was gone. Stable-Baselines3 logs the negative entropy as a loss.

    ## Remedy

    Ten times the entropy coefficient; a third of the rate.

    ## False alarms

    A task that is solved needs no entropy: an agent that has learned before, or while, it loses it and
    keeps what it learned is never reported.

    ## References

    Mnih et al., "Asynchronous Methods for Deep Reinforcement Learning" (2016); Ahmed et al.,
    "Understanding the Impact of Entropy on Policy Optimization" (2019).
    """

    code, severity, since = "RLX002", Severity.WARNING, "0.1.0"
    supervised = False
    needs = (Role.ENTROPY, (Role.REWARD, Role.VAL_REWARD))
    points = 20

    share: Annotated[float, Threshold("entropy, or deviation, over its start", above=0)] = 0.05
    early: Annotated[float, Threshold("share of the run", above=0, at_most=1)] = 0.5
    at_once: Annotated[float, Threshold("share of the run for a policy that settles", above=0)] = (
        0.3
    )
    settled: Annotated[float, Threshold("entropy over its start of such a policy", above=0)] = 0.1
    found: Annotated[float, Threshold("share of the gain by then that is enough", above=0)] = 0.75
    little: Annotated[float, Threshold("the same of a policy that settled for sure", above=0)] = 0.4
    earned: Annotated[float, Threshold("share of the run before the best return", above=0)] = 0.1
    window: Annotated[int, Threshold("updates that the median runs over", at_least=3)] = 5
    unit: Annotated[float, Threshold("distance from whole numbers of unit normals", above=0)] = 0.03
    errors: Annotated[float, Threshold("gain of return in standard errors", above=0)] = 3.0
    lost: Annotated[float, Threshold("share of the gain lost again", at_least=0)] = 0.3

    def lacking(self, case: Case) -> str | None:
        """Only policies have such an entropy."""
        return not_an_agent(case) or super().lacking(case)

    def cannot_tell(self, case: Case) -> str | None:
        """The start must be known, and for continuous actions their number."""
        earned = reward(case)
        if earned is not None and len(earned) < self.points:
            return f"the reward has {len(earned)} usable points; {self.points} are needed"
        entropy = _entropy(case.the(Role.ENTROPY))
        start = _start(entropy)
        if start <= 0:
            return "the entropy does not start above zero: the share that is left has no meaning"
        if entropy.min() < -self.share * start and self._actions(start) is None:
            return "actions are continuous and their number is not known: log their deviation"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        curve, seen = case.the(Role.ENTROPY), course_of_return(case)
        entropy = running_median(_entropy(curve), self.window)
        start = _start(_entropy(curve))
        left = entropy / start
        actions = self._actions(start) if entropy.min() < -self.share * start else None
        if actions is not None:
            left = np.exp(np.minimum((entropy - start) / actions, 0.0))
        high = np.flatnonzero(left >= self.share)
        at = int(high[-1]) + 1 if len(high) else 0
        if seen is None:
            return
        kept = holds(seen, self.errors, self.lost)
        lost = at < self.early * len(curve) and not kept
        soon = np.flatnonzero(left < self.settled)
        since = int(soon[0]) if len(soon) else len(curve)
        settled = (
            since < self.at_once * len(curve)
            and median(left[since:]) < self.settled
            and gained_by(seen, since) < self.found
        )
        if not (lost or settled):
            return
        at = at if lost else since
        # What was earned after that was not lost for want of exploring.
        later = seen.places[seen.best_at] > at + self.earned * len(curve)
        surely = lost or gained_by(seen, since) < self.little
        step = int(curve.steps[at])
        what = "entropy" if actions is None else "standard deviation of an action"
        yield self.finding(
            f"the {what} fell to {median(left[at:]):.1%} of its start by step {step:,}, "
            + (
                "and the return has gained nothing that lasts"
                if lost
                else f"when the return had made {max(gained_by(seen, since), 0):.0%} of its gain"
            ),
            Evidence(
                tag=curve.tag,
                span=(step, int(curve.steps[-1])),
                note="the policy no longer explores",
                measures=(
                    Measure("left", median(left[at:]), "<", self.share if lost else self.settled),
                    Measure(
                        "share_of_run", at / len(curve), "<", self.early if lost else self.at_once
                    ),
                ),
            ),
            severity=Severity.NOTE if kept or (lost and later) else self.severity,
            confidence=Confidence.HIGH if surely else Confidence.MEDIUM,
            remedies=(ENTROPY_BONUS, RATE_THIRD),
        )

    def _actions(self, start: float) -> int | None:
        """How many unit normal variables have this entropy together, None where no whole number has."""
        count = round(start / _UNIT_NORMAL)
        return count if count and abs(start / _UNIT_NORMAL - count) <= self.unit * count else None

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Early collapses in each of the three ways to log them; solved and slow tasks as traps."""
        n = 200
        poor = 20 + jitter(n, 5, 3)
        gone = decay(n, 1.386, 0.005, 40) * np.exp(jitter(n, 0.1))
        yield fires("before it learned", _agent(gone, poor))
        negative = Series.of("train/entropy_loss", np.arange(1, n + 1), -gone)
        yield fires("logged as a negative loss", _agent(negative, poor))
        narrow = 2 * (_UNIT_NORMAL + np.log(np.interp(np.arange(n), [0, 60], [1.0, 0.01])))
        yield fires("continuous actions", _agent(narrow, poor))
        learned = 500 - decay(n, 480, 0, 12)
        lost = learned * np.where(np.arange(n) < 80, 1, 0.2) + jitter(n, 5, 3)
        yield fires("lost what it had learned", _agent(gone, lost))
        meanwhile = decay(n, 1.386, 0.005, 14) * np.exp(jitter(n, 0.1))
        yield silent("solved", _agent(meanwhile, learned + jitter(n, 5, 3)))
        yield fires("settled before it had found much", _agent(gone, learned + jitter(n, 5, 3)))
        yield silent("falls slowly", _agent(decay(n, 1.386, 0.3, 3), poor))
        late = np.where(np.arange(n) < 160, 1.0, 0.01)
        yield silent("late", _agent(late, poor))
        dip = np.where((np.arange(n) > 20) & (np.arange(n) < 50), 0.01, 1.0)
        yield silent("came back", _agent(dip, poor))
        wide = 2 * (_UNIT_NORMAL + np.log(np.interp(np.arange(n), [0, 200], [1.0, 0.15])))
        yield silent("continuous actions, a sixth of their deviation left", _agent(wide, poor))
        yield silent("continuous actions of unknown number", _agent(narrow + 0.5, poor))


def _entropy(curve: Series) -> Floats:
    """The entropy itself: what is called a loss and starts below zero is its negative."""
    negative = "loss" in split(curve.tag) and _start(curve.values) < 0
    return -curve.values if negative else curve.values


def _start(values: Floats) -> float:
    """The entropy of the first policy, which is its largest; a collapse may take three updates."""
    return float(values[:3][np.abs(values[:3]).argmax()])


def _agent(entropy: Floats | Series, earned: Floats) -> Run:
    return a_run(
        {Role.ENTROPY: entropy, Role.REWARD: earned, Role.VALUE_LOSS: flat(len(earned), 1.0)}
    )
