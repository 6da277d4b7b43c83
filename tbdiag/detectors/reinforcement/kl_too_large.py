"""RLX001: each update moves the policy too far from the one that collected the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.reinforcement import course_of_return, holds, not_an_agent
from tbdiag.detectors.reinforcement.remedies import FEWER_EPOCHS, RATE_THIRD, TARGET_KL
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Series
from tbdiag.naming.words import split
from tbdiag.signals.medians import median
from tbdiag.signals.returns import Returns
from tbdiag.signals.smoothing import running_median
from tbdiag.synth import a_run, decay, flat, jitter, noisy

_TARGETS = (("target", "kl"), ("kl", "target"), ("desired", "kl"))
_COEFFICIENT = frozenset({"coeff", "coef", "coefficient", "beta"})
_ALSO_REFERENCE = frozenset({"objective", "ref", "reference", "rlhf"})


@dataclass(frozen=True, kw_only=True)
class KlTooLarge(Detector):
    """The KL divergence per update stays far above what a clipped objective allows for.

    ## What it does

    Compares the approximate KL divergence between the policy before and after an update with the
    target that the run was given, or with the usual limit.

    ## Why is this bad?

    The advantages hold for the policy that collected the data. Too far from it the update follows
    noise, and one bad update can undo all that was learned.

    ## How it is detected

    The running median of the divergence over `window` updates lies above `limit` for `share` of the
    updates in one go. Where the hyperparameters name a larger target, `over` times that counts, and
    `steered` times where a coefficient that steers the divergence was logged, which doubles only
    beyond. A single spike does not move the median. Where the agent has learned meanwhile (by `errors`
    standard errors of its return) and still has all but `lost` of it, this is only a note, and so it is where the best return came after `most`
    of these updates and the divergence is below `bearable`: what was lost later is RLX004.

    ## Remedy

    A third of the rate, fewer epochs per batch, a target for the KL divergence.

    ## False alarms

    Agents with few actions stand larger changes. The divergence from a fixed reference policy, as
    when a language model is tuned, is another quantity and may be large: the rule does not look at
    curves that are named so, or that stand alone without a loss of a policy or a value function.

    ## References

    Schulman et al., "Proximal Policy Optimization Algorithms" (2017); Stable-Baselines3, `target_kl`.
    """

    code, severity, since = "RLX001", Severity.WARNING, "0.1.0"
    supervised = False
    needs = (Role.KL,)
    points = 20

    limit: Annotated[float, Threshold("divergence per update without a target", above=0)] = 0.02
    over: Annotated[float, Threshold("divergence over its target", at_least=1)] = 1.5
    steered: Annotated[float, Threshold("the same under an adaptive penalty", at_least=1)] = 2.5
    window: Annotated[int, Threshold("updates that the median runs over", at_least=3)] = 7
    share: Annotated[float, Threshold("share of the updates", above=0, at_most=1)] = 0.3
    errors: Annotated[float, Threshold("gain of return in standard errors", above=0)] = 5.0
    lost: Annotated[float, Threshold("share of the gain lost again", at_least=0)] = 0.3
    bearable: Annotated[float, Threshold("divergence under which agents learn", above=0)] = 0.3
    most: Annotated[float, Threshold("share of the updates before the best", above=0)] = 0.4

    def lacking(self, case: Case) -> str | None:
        """Only policies have such a divergence."""
        return not_an_agent(case) or super().lacking(case)

    def cannot_tell(self, case: Case) -> str | None:
        """The divergence must be that of an update, not that from a reference policy."""
        words = split(case.the(Role.KL).tag)
        sure = {"approx", "approxkl", "ppo"} & set(words)
        beside = case.curve(Role.POLICY_LOSS) is not None or case.curve(Role.VALUE_LOSS) is not None
        if not _ALSO_REFERENCE.isdisjoint(words) or not (sure or beside):
            return "the divergence may be that from a reference policy, which has no such limit"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        curve = case.the(Role.KL)
        target = _target(case)
        over = self.steered if _steered(case) else self.over
        limit = max(self.limit, over * (target or 0.0))
        first, last = _longest(running_median(curve.values, self.window) > limit)
        if last - first < max(self.share * len(curve), self.window):
            return
        level = median(curve.values[first:last])
        seen = course_of_return(case)
        harmless = seen is not None and (
            holds(seen, self.errors, self.lost) or self._borne(seen, level, first, last)
        )
        start, end = int(curve.steps[first]), int(curve.steps[last - 1])
        against = f"{limit:.2g} is the most" if target is None else f"the target is {target:g}"
        yield self.finding(
            f"each update changes the policy by a KL divergence of {level:.2g} from step {start:,} "
            f"to {end:,}, where {against}"
            + (", though the agent learned under it" if harmless else ""),
            Evidence(
                tag=curve.tag,
                span=(start, end),
                note="too far in one update",
                measures=(
                    Measure("kl", level, ">", limit),
                    Measure("updates", last - first),
                ),
            ),
            severity=Severity.NOTE if harmless else self.severity,
            confidence=Confidence.MEDIUM if target is None else Confidence.HIGH,
            remedies=(RATE_THIRD, FEWER_EPOCHS, *([TARGET_KL] if target is None else [])),
        )

    def _borne(self, seen: Returns, level: float, first: int, last: int) -> bool:
        """Whether the agent came to its best under such updates: what it lost later was not theirs."""
        best = int(seen.places[seen.best_at])
        learned = seen.above(seen.best, seen.first, self.errors)
        return level < self.bearable and learned and best >= first + self.most * (last - first)

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Divergences that stay large; spikes, targets and reference policies as traps."""
        n = 200
        small = noisy(flat(n, 0.008), 0.3)
        late = small * np.where(np.arange(n) < 120, 1, 8)
        yield fires("large from the middle on", _agent(late), onset=110)
        yield fires("large throughout", _agent(5 * small))
        yield fires("far above its target", _agent(6 * small, target_kl=0.02))
        yield fires("large while it learns", _agent(5 * small, reward=500 - decay(n, 480, 0)))
        yield silent("small", _agent(small))
        spikes = small.copy()
        spikes[30::40] = 0.3
        yield silent("single spikes", _agent(spikes))
        yield silent("within its larger target", _agent(4 * small, kl_target=0.03))
        yield silent("above a target that is smaller than usual", _agent(2 * small, kl_target=0.01))
        yield silent("large at the start only", _agent(small * np.where(np.arange(n) < 20, 8, 1)))
        reference = Series.of("objective/kl", np.arange(1, n + 1), 600 * small)
        yield silent("from a reference policy", _agent(reference))


def _target(case: Case) -> float | None:
    for name, hparam in case.run.hparams.items():
        words = split(name)
        value = hparam.value
        if (
            words[-2:] in _TARGETS
            and isinstance(value, int | float)
            and not isinstance(value, bool)
        ):
            return float(value) if value > 0 else None
    return None


def _steered(case: Case) -> bool:
    """Whether a coefficient of the divergence was logged that changes over the run."""
    return any(
        "kl" in words and not _COEFFICIENT.isdisjoint(words) and float(np.ptp(curve.values)) > 0
        for tag, curve in case.run.series.items()
        if len(curve) and (words := split(tag))
    )


def _longest(above: np.ndarray) -> tuple[int, int]:
    """The longest stretch of True in ``above`` (n,), as [first, last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], above.astype(np.int8), [0]])))
    if not len(edges):
        return 0, 0
    starts, ends = edges[::2], edges[1::2]
    longest = int((ends - starts).argmax())
    return int(starts[longest]), int(ends[longest])


def _agent(kl: Floats | Series, reward: Floats | None = None, **hparams: float) -> Run:
    n = len(kl)
    earned = 20 + jitter(n, 3) if reward is None else reward + jitter(n, 3, 2)
    return a_run(
        {Role.KL: kl, Role.REWARD: earned, Role.POLICY_LOSS: jitter(n, 0.01, 1)}, hparams=hparams
    )
