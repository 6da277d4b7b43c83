"""What changes about runs while they are trained, from one look to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tbdiag.diagnosis.suspicion import is_suspicion
from tbdiag.model.finding import Confidence, Finding, Severity
from tbdiag.model.report import RunReport
from tbdiag.model.run import Run

# What only the end can tell: of a run under way it would be said of nearly all.
PREMATURE = frozenset({"OPT006", "VAL006"})
SETTLED = 600.0  # seconds without a new point after which a run is not under way any more
WAITING = "OPT004"  # that nothing is learned may change at any moment
# Times as many points as when a finding was first seen: then it is told. Chosen by `benchmarks.watching`.
LASTING = {Confidence.LOW: 2.0, Confidence.MEDIUM: 2.0, Confidence.HIGH: 1.25}


def is_premature(finding: Finding) -> bool:
    """Whether only the end of a run can tell it; what runs look like in their middle nobody has learned."""
    return finding.code in PREMATURE or is_suspicion(finding)


@dataclass(frozen=True, slots=True)
class Alert:
    """A finding that came up in a run, or that is ``gone`` again."""

    run: str
    finding: Finding
    gone: bool = False

    def __str__(self) -> str:
        found = self.finding
        what = f"{found.severity.value}[{found.code}] {found.name}"
        return (
            f"{self.run}: {what} is gone" if self.gone else f"{self.run}: {what}: {found.message}"
        )


@dataclass(slots=True)
class _Course:
    """What is known of a run: its ``points``, and the wall time at which it had ``grown`` to them.

    ``told`` are the findings that were told. ``since`` holds the points at which what is found now was seen
    first, and ``missed`` those since which what was told is not found.
    """

    points: int
    grown: float
    told: dict[str, Finding] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Vigil:
    """Looks at the reports of runs one after another.

    What a rule says in the middle of a training may be over an epoch later. So a finding is told once every
    look has seen it while the run became twice as long, a quarter longer where the rule is sure, and is gone
    once none has for as long. A sure error, and what is found in a run that is over, is told at once.
    """

    lasting: Mapping[Confidence, float] = field(default_factory=lambda: LASTING)
    _courses: dict[str, _Course] = field(default_factory=dict)

    def look(self, reports: Iterable[RunReport], now: float) -> list[Alert]:
        """What is new, in the order of the runs; ``now`` is the wall time in seconds."""
        return [alert for report in reports for alert in self._look(report, now)]

    def under_way(self, run: Run, now: float) -> bool:
        """Whether the run got new points a short while ago."""
        course = self._courses.get(run.id)
        return course is not None and now - course.grown < SETTLED

    def _look(self, report: RunReport, now: float) -> Iterator[Alert]:
        name, points = report.run.id, report.run.provenance.points
        course = self._courses.get(name)
        if course is None or points < course.points:  # new, or begun anew
            told = {} if course is None else course.told
            course = self._courses[name] = _Course(points, min(_last(report.run), now), told)
        elif points > course.points:
            course.points, course.grown = points, now
        over = now - course.grown >= SETTLED
        found = {each.fingerprint: each for each in report.roots if over or not is_premature(each)}
        course.since = {key: course.since.get(key, points) for key in found}
        course.missed = {
            key: course.missed.get(key, points) for key in course.told if key not in found
        }
        for key, finding in found.items():
            lasted = points >= self.lasting[finding.confidence] * course.since[key]
            if key not in course.told and (lasted or over or _certain(finding)):
                course.told[key] = finding
                yield Alert(name, finding)
        for key, since in course.missed.items():
            if over or points >= self.lasting[course.told[key].confidence] * since:
                yield Alert(name, course.told.pop(key), gone=True)


def _certain(finding: Finding) -> bool:
    error, sure = finding.severity is Severity.ERROR, finding.confidence is Confidence.HIGH
    return error and sure and finding.code != WAITING


def _last(run: Run) -> float:
    """The wall time of the last point."""
    curves = [each.wall_times for each in run.series.values() if len(each)]
    return max((float(times[-1]) for times in curves), default=0.0)
