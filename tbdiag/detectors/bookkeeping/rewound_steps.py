"""LOG001: the steps of a run went back, and what had been logged beyond was dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.run import Provenance, Restart, Run
from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise, spread
from tbdiag.synth import a_run, decay, noisy

_LOSSES = (Role.BATCH_LOSS, Role.TRAIN_LOSS)

PURGE = Remedy.advice(
    "Resume with `purge_step`, or log each attempt into a folder of its own",
    "two branches under one tag are drawn over each other, and readers drop what they guess",
)
CHECKPOINT = Remedy.advice(
    "Save checkpoints more often",
    "all that was trained between the checkpoint and the stop was trained twice",
)
STATE = Remedy.advice(
    "Restore the optimizer, the schedule and the loss scale with the weights",
    "weights alone start with a cold momentum and the first learning rate, and the loss jumps",
)
ORDER = Remedy.advice(
    "Restore the position in the data with the weights",
    "a loss that drops at the resume is that of samples that were seen before",
)


@dataclass(frozen=True, kw_only=True)
class RewoundSteps(Detector):
    """The steps of a run went back, and the points of one branch were dropped.

    ## What it does

    Tells where a run was resumed or started over in the same folder, how many points that cost, and
    whether the loss jumped there.

    ## Why is this bad?

    Two branches of training stand under one tag. TensorBoard draws both or drops one, and the time
    of the abandoned branch is lost. A loss that jumps says that not all was restored.

    ## How it is detected

    Each place where the logged steps go back by `least` points or more counts as a restart; at most
    `shown` of them are listed. It is no restart where the time since the point before it is less
    than the share `resumed_after` of what the abandoned steps took. The loss jumps where the median
    of the `beside` points from there on lies `deviations` times the usual change, and the share
    `jump` of the loss, off that of the points before.

    ## Remedy

    Pass `purge_step` when resuming, or use a fresh folder. After a jump upwards restore all of the
    state, after one downwards the position in the data.

    ## False alarms

    Several writers in one folder also make the steps go back, but while the other still writes: no
    resumed run can stand at an old step sooner than its first branch needed. The step of the
    checkpoint itself is often logged twice.

    ## References

    PyTorch, `SummaryWriter(purge_step=…)`.
    """

    code, severity, since = "LOG001", Severity.WARNING, "0.1.0"
    supervised = False

    least: Annotated[int, Threshold("points that the steps go back", at_least=1)] = 2
    shown: Annotated[int, Threshold("most restarts listed as evidence", at_least=1)] = 5
    resumed_after: Annotated[
        float, Threshold("least time to the resume, as a share of the lost steps'", at_least=0)
    ] = 0.5
    beside: Annotated[int, Threshold("points compared before and after", at_least=3)] = 8
    deviations: Annotated[float, Threshold("jump in units of the usual change", at_least=0)] = 5.0
    jump: Annotated[float, Threshold("jump as a share of the loss", at_least=0)] = 0.05

    def check(self, case: Case) -> Iterator[Finding]:
        curve = _leader(case)
        restarts = [
            each
            for each in case.run.provenance.restarts
            if curve is None or self._is_restart(curve, each)
        ]
        if not restarts:
            return
        loss = curve if curve in [case.curve(role) for role in _LOSSES] else None
        jumps = [0.0 if loss is None else self._jump(loss, each) for each in restarts]
        dropped = sum(each.dropped for each in restarts)
        worst = max(restarts, key=lambda each: each.reached - each.step)
        text = f"the steps went back from {worst.reached:,} to {worst.step:,}"
        if len(restarts) > 1:
            text += f", the furthest of {len(restarts)} times"
        text += f", and {dropped:,} points were dropped"
        up, down = max(jumps), min(jumps)
        if up > 0 or down < 0:
            most = up if up > -down else down
            at = restarts[jumps.index(most)].step
            text += f"; the loss {'rose' if most > 0 else 'fell'} by {abs(most):.0%} at step {at:,}"
        remedies = [PURGE, *([STATE] if up > 0 else []), *([ORDER] if down < 0 else []), CHECKPOINT]
        yield self.finding(
            text,
            *_evidence(curve, restarts[: self.shown], jumps),
            confidence=Confidence.HIGH,
            remedies=tuple(remedies),
        )

    def _is_restart(self, curve: Series, restart: Restart) -> bool:
        """Whether the steps went back far enough, and not sooner than a resumed run could."""
        gap = median(np.diff(curve.steps))
        if restart.reached - restart.step < self.least * gap:
            return False
        before = curve.steps < restart.step
        if not before.any():
            return True
        pace = float(np.ptp(curve.wall_times[before])) / max(float(np.ptp(curve.steps[before])), 1)
        needed = pace * (restart.reached - restart.step)
        passed = restart.wall_time - float(curve.wall_times[before][-1])
        return passed >= self.resumed_after * needed

    def _jump(self, curve: Series, restart: Restart) -> float:
        """The relative change of the loss at a restart, 0 where it is a usual one."""
        at, n = int(np.searchsorted(curve.steps, restart.step)), self.beside
        values = curve.values[max(at - 5 * n, 0) : at + 5 * n]
        at = min(at, 5 * n)
        if at < n or len(values) - at < n:
            return 0.0
        changes = _changes(values, n)
        here, usual = float(changes[at - n]), median(changes)
        scale = max(spread(changes), noise(values) * (2 / n) ** 0.5)
        level = abs(median(values[at - n : at]))
        off = here - usual
        if abs(off) <= max(self.deviations * scale, self.jump * level):
            return 0.0
        return off / level if level else np.sign(off)

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Resumed runs with and without a jump; overlaps of one point and two writers as traps."""
        loss = noisy(decay(640, 2.3, 0.4), 0.05)
        yield fires("resumed", _resumed(loss, 320, 470), onset=320)
        cold, seen = loss.copy(), loss.copy()
        cold[319:] += 0.8
        seen[319:] -= 0.25
        yield fires("optimizer not restored", _resumed(cold, 320, 470), onset=320)
        yield fires("data seen again", _resumed(seen, 320, 400), onset=320)
        yield fires("started over", _resumed(loss, 1, 300))
        yield silent("in one go", a_run({Role.TRAIN_LOSS: loss}))
        yield silent("checkpoint logged twice", _resumed(loss, 320, 320))
        yield silent("two writers at once", _resumed(loss, 320, 470, pause=-149))


def _leader(case: Case) -> Series | None:
    """The loss, if it was logged about as often as anything, else the longest curve."""
    longest = max(case.run.series.values(), key=len, default=None)
    for role in _LOSSES:
        curve = case.curve(role)
        if curve is not None and longest is not None and 2 * len(curve) >= len(longest):
            longest = curve
            break
    return longest if longest is not None and len(longest) > 1 else None


def _evidence(curve: Series | None, restarts: list[Restart], jumps: list[float]) -> list[Evidence]:
    if curve is None:
        return []
    first, last = int(curve.steps[0]), int(curve.steps[-1])
    return [
        Evidence(
            tag=curve.tag,
            span=(min(max(each.step, first), last), max(min(each.reached, last), first)),
            note="trained twice",
            measures=(
                Measure("onset_step", each.step),
                Measure("reached_step", each.reached),
                Measure("dropped_points", each.dropped),
                Measure("jump", change),
            ),
        )
        for each, change in zip(restarts, jumps, strict=False)
    ]


def _changes(values: Floats, n: int) -> Floats:
    """The median of n values minus that of the n before, at each place; shape (len - 2n + 1,)."""
    medians: Floats = np.median(np.lib.stride_tricks.sliding_window_view(values, n), axis=1)
    return medians[n:] - medians[:-n]


def _resumed(values: Floats, step: int, reached: int, pause: float = 60) -> Run:
    """A run of one point a second that had ``reached`` a step and went on from ``step``."""
    steps = np.arange(1, len(values) + 1)
    walls = steps + np.where(steps < step, 0.0, reached - step + pause)
    loss = Series.of("loss/train", steps, values, walls)
    restart = Restart(
        step=step, reached=reached, dropped=reached - step + 1, wall_time=float(walls[step - 1])
    )
    return a_run(
        {Role.TRAIN_LOSS: loss},
        provenance=Provenance(files=("first", "second"), points=len(values), restarts=(restart,)),
    )
