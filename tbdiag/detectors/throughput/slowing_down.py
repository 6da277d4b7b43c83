"""SYS002: a step takes far longer at the end than at the beginning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case, Kind
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.run import Provenance, Run, Writing
from tbdiag.model.series import Floats, Series
from tbdiag.signals.cadence import spoken, step_times
from tbdiag.signals.medians import median
from tbdiag.signals.trend import kendall
from tbdiag.synth import a_run, at_times, decay, jitter

GROWING = Remedy.advice(
    "Look for something that grows with the steps: a list of losses with their graphs, a buffer",
    "a step that slows down bit by bit does a little more each time",
)
SHARED = Remedy.advice(
    "Look who else uses the machine, its disk and its memory since that step",
    "a step that slows down at once lost a resource: another job, a throttled GPU, a swap file",
)
PROFILE = Remedy.advice(
    "Profile a few steps late in the run, data loading apart from the rest",
    "it tells whether the data, the device or the logging takes the time",
)


@dataclass(frozen=True, kw_only=True)
class SlowingDown(Detector):
    """A step takes far longer at the end of the run than it took at the beginning.

    ## What it does

    Compares the seconds per step late in the run with those early in it, and tells a slow growth
    from a jump.

    ## Why is this bad?

    The same training costs twice the time. A slow growth often ends in a full memory.

    ## How it is detected

    The steps since the last resume are cut into `blocks`; the time of a step is the median of its
    block, by the wall times of the longest curve. The last quarter of the blocks takes more than
    `slower` times the second block to the first quarter, nine of ten late blocks take longer than
    nine of ten early ones, and either all blocks grow (Mann–Kendall, tau above `growing`) or the
    last third stays up. The run took `minutes` or more, in `fewest` points.

    ## Remedy

    Growth: look for what accumulates. A jump: look at the machine. Either way, profile late steps.

    ## False alarms

    Evaluations and checkpoints fall out of the median of a block. Sequences or images that grow on
    purpose take longer by design, and so do episodes where a step is a whole episode: runs of
    reinforcement learning are judged only where a step is a step of the environment.

    ## References

    None: it follows from the wall times.
    """

    code, severity, since = "SYS002", Severity.NOTE, "0.1.0"
    supervised = False

    slower: Annotated[float, Threshold("late over early seconds per step", above=1)] = 2.0
    blocks: Annotated[int, Threshold("blocks that the run is cut into", at_least=8)] = 40
    growing: Annotated[float, Threshold("smallest tau of a growth", above=0, at_most=1)] = 0.6
    minutes: Annotated[float, Threshold("shortest run that is judged, in minutes", above=0)] = 1.0
    fewest: Annotated[int, Threshold("points since the last resume", at_least=12)] = 20

    def cannot_tell(self, case: Case) -> str | None:
        """The run must be long enough for its pace to mean something."""
        curve = case.in_one_go
        if curve is None or len(curve) < self.fewest:
            count = 0 if curve is None else len(curve)
            return f"{count} points in one go are too few to tell a pace; {self.fewest} are needed"
        spent = float(curve.wall_times[-1] - curve.wall_times[0])
        if spent < 60 * self.minutes:
            return f"the run took {spoken(spent)} in one go: too short to tell a pace"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        curve = case.in_one_go
        if curve is None or (case.kind is Kind.REINFORCEMENT and _one_by_one(curve)):
            return
        steps, times = step_times(curve, self.blocks)
        quarter = len(times) // 4
        early, late = times[1 : max(quarter, 3)], times[-quarter:]
        before, after = median(early), median(late)
        if before <= 0 or after <= self.slower * before:
            return
        if np.quantile(late, 0.1) <= np.quantile(early, 0.9):
            return
        tau = kendall(times)
        since = _since(times, (before * after) ** 0.5)
        grows = tau > self.growing
        if not grows and since > len(times) - len(times) // 3:
            return
        jump = _jumps(times, since, before, after)
        step = int(steps[since])
        text = f"a step takes {spoken(after)} at the end and took {spoken(before)} at the beginning"
        yield self.finding(
            f"{text}, since a jump at step {step:,}" if jump else f"{text}: it grows bit by bit",
            Evidence(
                tag=curve.tag,
                span=(step if jump else int(curve.steps[0]), int(curve.steps[-1])),
                note="slower" if jump else "ever slower",
                measures=(
                    Measure("seconds_per_step_late", after, ">", self.slower * before),
                    Measure("seconds_per_step_early", before),
                    Measure("tau", tau),
                ),
            ),
            confidence=Confidence.MEDIUM if grows or jump else Confidence.LOW,
            remedies=(SHARED, PROFILE) if jump else (GROWING, PROFILE),
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Growth and a lasting jump; pauses, a busy hour and a resume on another machine as traps."""
        n = 800
        even = np.full(n, 3.0) * np.exp(jitter(n, 0.1))
        yield fires("grows bit by bit", _paced(even * np.linspace(1, 4, n)))
        jumped = even * np.where(np.arange(n) < 500, 1.0, 3.0)
        yield fires("jumps and stays", _paced(jumped), onset=495)
        yield silent("steady", _paced(even))
        yield silent("slow first steps", _paced(even * np.where(np.arange(n) < 5, 20.0, 1.0)))
        pauses = even.copy()
        pauses[49::50] += 400
        yield silent("evaluated each 50 points", _paced(pauses))
        rare = even.copy()
        rare[600::40] += 1000
        yield silent("evaluated more often towards the end", _paced(rare))
        busy = even * np.where((np.arange(n) > 300) & (np.arange(n) < 500), 3.0, 1.0)
        yield silent("another job for an hour", _paced(busy))
        noise = even * np.exp(jitter(n, 0.8, 3))
        yield silent("a shared machine", _paced(noise))
        start = np.where(np.arange(n) // 20 % 2, 6.0, 1.0)
        uneven = even * np.where(np.arange(n) < 200, start, np.linspace(1.5, 3, n))
        yield silent("uneven from the start", _paced(uneven))
        walls = np.cumsum(jumped)
        second = Writing(file="second", first=float(walls[500]), last=float(walls[-1]))
        yield silent("resumed on a slower machine", _paced(jumped, second))
        yield silent("over in half a minute", _paced(0.008 * jumped))


def _one_by_one(curve: Series) -> bool:
    """Whether each step is a point of its own, as where episodes or updates are counted."""
    return median(np.diff(curve.steps)) <= 1


def _since(times: Floats, level: float) -> int:
    """The block from which on the time of a step stays above ``level``, single blocks aside."""
    below = times <= level
    alone = below[1:-1] & ~below[:-2] & ~below[2:]
    below[1:-1] &= ~alone
    low = np.flatnonzero(below)
    return int(low[-1]) + 1 if len(low) else 0


def _jumps(times: Floats, since: int, before: float, after: float) -> bool:
    """Whether most of the growth from ``before`` to ``after`` happens within a tenth of the run."""
    reach = max(len(times) // 20, 1)
    rise = median(times[since : since + 3 * reach])
    rise -= median(times[max(since - 3 * reach, 0) : max(since, 1)])
    return rise > 0.6 * (after - before)


def _paced(intervals: Floats, *files: Writing) -> Run:
    loss = at_times(Role.TRAIN_LOSS, decay(len(intervals), 2.3, 0.2), np.cumsum(intervals))
    return a_run({Role.TRAIN_LOSS: loss}, provenance=Provenance(writings=files))
