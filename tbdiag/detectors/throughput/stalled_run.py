"""SYS001: a run stood still for a long time, or stands still now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import LIVE, Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.run import Provenance, Run, Writing
from tbdiag.model.series import Floats, Ints, Series
from tbdiag.signals.cadence import evenly_spaced, spoken
from tbdiag.synth import a_run, at_times, decay

ALIVE = Remedy.advice(
    "Look whether the process is alive and what it waits for",
    "a data loader, a lock, a full disk or a lost worker holds a run without any error",
)
MACHINE = Remedy.advice(
    "Look into the logs of the machine and of the scheduler for that time",
    "a suspended job, a machine that slept and a hanging disk all look like this",
)


@dataclass(frozen=True, slots=True)
class _Pause:
    """From wall time ``start`` to ``end`` nothing was logged; ``place`` is the point before it."""

    start: float
    end: float
    place: int

    @property
    def length(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, kw_only=True)
class StalledRun(Detector):
    """Nothing was logged for a long time in the middle of a run, or since its last point.

    ## What it does

    Tells where a process stood still and then went on, and where a run that is not at its end has
    logged nothing for a while.

    ## Why is this bad?

    The machine was paid for and idle. A run that stands still now does so until somebody looks.

    ## How it is detected

    Nothing was logged for more than `factor` times the usual interval between two points, and for
    more than `minutes`. In the middle of the run it is no stall where a new file begins after it (the
    run was resumed), where a curve that is logged `rarer` times as seldom has a point right after it
    (an evaluation), or where `recurring` or more pauses of that length come at even distances
    (within `evenness`). After the last point it counts only where the number of steps or epochs that
    the run was to have is known and was not reached, and where that point is less than `recent`
    hours old: what is older was ended by somebody. At least `fewest` points tell what is usual.

    ## Remedy

    Look at the process; for a pause in the past look at the machine's logs.

    ## False alarms

    A notebook whose cell was run again later goes on in the same file. A clock that was set forward
    looks like a pause.

    ## References

    None: it follows from the wall times.
    """

    code, severity, since = "SYS001", Severity.NOTE, "0.1.0"
    supervised = False
    timely = True

    factor: Annotated[float, Threshold("pause over the usual interval", above=1)] = 10.0
    minutes: Annotated[float, Threshold("shortest pause that counts, in minutes", above=0)] = 30.0
    rarer: Annotated[float, Threshold("times as seldom as evaluations are logged", above=1)] = 3.0
    recurring: Annotated[int, Threshold("pauses that make a habit", at_least=3)] = 3
    evenness: Annotated[float, Threshold("largest over smallest distance", at_least=1)] = 1.5
    recent: Annotated[
        float, Threshold("age of the last point, in hours", above=0, at_most=LIVE / 3600)
    ] = 24.0
    fewest: Annotated[int, Threshold("points that tell the usual interval", at_least=3)] = 20

    def cannot_tell(self, case: Case) -> str | None:
        """The wall times must tell one point from the next."""
        pulse = case.pulse
        if pulse is None or len(pulse) < self.fewest:
            count = 0 if pulse is None else len(pulse)
            return f"no curve has more than {count} points; {self.fewest} tell a usual interval"
        if case.pace <= 0:
            return "the wall times are too coarse to tell one point from the next"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        pulse = case.pulse
        if pulse is None:
            return
        walls, usual = pulse.wall_times, case.pace
        limit = max(self.factor * usual, 60 * self.minutes)
        pauses = list(self._pauses(case, walls, limit))
        stalled = [each for each in pauses if not self._explained(case, pulse, each, pauses)]
        if stalled:
            yield self._in_the_past(pulse, stalled, usual, limit)
        last = max(float(each.wall_times[-1]) for each in case.run.series.values() if len(each))
        if case.now is not None and limit < case.now - last <= 3600 * self.recent:
            missing = _missing(case, pulse)
            if missing is not None:
                yield self._now(pulse, case.now - last, missing, usual, limit)

    def _pauses(self, case: Case, walls: Floats, limit: float) -> Iterator[_Pause]:
        """The times longer than ``limit`` in which no curve at all was logged."""
        for place in np.flatnonzero(np.diff(walls) > limit).tolist():
            start, end = float(walls[place]), float(walls[place + 1])
            others = [_within(each.wall_times, start, end) for each in case.run.series.values()]
            events = np.sort(np.concatenate([*others, [start, end]]))
            longest = int(np.diff(events).argmax())
            pause = _Pause(float(events[longest]), float(events[longest + 1]), place)
            if pause.length > limit:
                yield pause

    def _explained(self, case: Case, pulse: Series, pause: _Pause, pauses: list[_Pause]) -> bool:
        """Whether the pause is a resume, an evaluation, or one of those that come regularly."""
        if any(pause.start < at <= pause.end for at in case.resumes):
            return True
        before, after = pulse.steps[pause.place], pulse.steps[pause.place + 1]
        for curve in case.run.series.values():
            rare = self.rarer * len(curve) < len(pulse)
            near = (pause.end - case.pace, pause.end + 2 * case.pace)
            if rare and len(_within(curve.wall_times, *near)):
                return True
            # Of points that were NaN no wall time is kept: they fill a pause unseen.
            if np.any((curve.nonfinite.steps > before) & (curve.nonfinite.steps < after)):
                return True
        alike = [each.place for each in pauses if 3 * each.length >= pause.length]
        return len(alike) >= self.recurring and evenly_spaced(np.array(alike), self.evenness)

    def _in_the_past(
        self, pulse: Series, stalled: list[_Pause], usual: float, limit: float
    ) -> Finding:
        worst = max(stalled, key=lambda each: each.length)
        step = int(pulse.steps[worst.place])
        text = f"nothing was logged for {spoken(worst.length)} after step {step:,}"
        if len(stalled) > 1:
            text += f", the longest of {len(stalled)} such pauses"
        return self.finding(
            f"{text}, where a point comes every {spoken(usual)}, and then the run went on",
            *(
                Evidence(
                    tag=pulse.tag,
                    span=(int(pulse.steps[each.place]), int(pulse.steps[each.place + 1])),
                    note="nothing logged in between",
                    measures=(Measure("seconds", each.length, ">", limit),),
                )
                for each in stalled
            ),
            confidence=Confidence.MEDIUM,
            remedies=(MACHINE,),
        )

    def _now(self, pulse: Series, idle: float, missing: str, usual: float, limit: float) -> Finding:
        last = int(pulse.steps[-1])
        return self.finding(
            f"nothing was logged for {spoken(idle)}, where a point comes every {spoken(usual)}, "
            f"although the run {missing}",
            Evidence(
                tag=pulse.tag,
                span=(last, last),
                note="the last point",
                measures=(Measure("seconds", idle, ">", limit),),
            ),
            confidence=Confidence.MEDIUM,
            remedies=(ALIVE,),
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Pauses in the middle; evaluations, checkpoints, resumes and NaNs as traps."""
        even = np.full(400, 12.0)
        yield fires("stood still for five hours", _paced(_with(even, 5 * 3600, 210)), onset=205)
        irregular = _with(even, 3 * 3600, 40, 260, 300)
        yield fires("stood still three times at odd places", _paced(irregular))
        yield silent("steady", _paced(even))
        checkpoints = _with(even, 2400, *range(49, 400, 50))
        yield silent("a checkpoint each 50 points", _paced(checkpoints))
        yield silent("one evaluation", _evaluated(_with(even, 3600, 200), 200))
        night = _with(even, 9 * 3600, 200)
        began = Writing(file="second", first=float(np.cumsum(night)[200]), last=float(night.sum()))
        yield silent("resumed after a night", _paced(night, Provenance(writings=(began,))))
        yield silent(
            "an hour between points", _paced(np.full(60, 3600.0) * (1 + 4 * (even[:60] < 0)))
        )
        yield silent("slower in the end", _paced(np.geomspace(1, 100, 400)))


def _within(walls: Floats, start: float, end: float) -> Floats:
    inside: Floats = walls[(walls > start) & (walls < end)]
    return inside


def _missing(case: Case, pulse: Series) -> str | None:
    """What a run has not reached of its steps or epochs; None where it has, or nobody knows."""
    steps, epochs = case.number(Knob.MAX_STEPS), case.number(Knob.EPOCHS)
    last = max(int(each.steps[-1]) for each in case.run.series.values() if len(each))
    if steps is not None and steps > 0:
        return f"stands at step {last:,} of {steps:,.0f}" if last + 1 < steps else None
    counter = case.curve(Role.EPOCH)
    if epochs is not None and counter is not None and len(counter):
        reached = float(counter.values[-1])
        if reached + 1 < epochs:
            return f"stands at epoch {reached:g} of {epochs:g}"
    return None


def _with(intervals: Floats, seconds: float, *places: int) -> Floats:
    longer = intervals.copy()
    longer[list(places)] = seconds
    return longer


def _paced(intervals: Floats, provenance: Provenance | None = None) -> Run:
    loss = at_times(Role.TRAIN_LOSS, decay(len(intervals), 2.3, 0.2), np.cumsum(intervals))
    return a_run({Role.TRAIN_LOSS: loss}, provenance=provenance)


def _evaluated(intervals: Floats, place: int) -> Run:
    walls = np.cumsum(intervals)
    loss = at_times(Role.TRAIN_LOSS, decay(len(intervals), 2.3, 0.2), walls)
    at: Ints = np.array([place, len(walls)], dtype=np.int64)
    val = Series.of("loss/val", at, [1.0, 0.9], [walls[place] - 1, walls[-1]])
    return a_run({Role.TRAIN_LOSS: loss, Role.VAL_LOSS: val})
