"""A run as the policy sees it: its settings, what is wrong with it, and where it stands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tbdiag.model.finding import Finding
from tbdiag.model.knob import Knob
from tbdiag.model.proposal import Origin, Params, State
from tbdiag.model.report import RunReport
from tbdiag.model.run import Run, Scalar
from tbdiag.naming.knobs import knob
from tbdiag.search.entrant import Entrant, numeric


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """One run, past or follow-up: ``params`` are all its settings by the names of the command.

    ``report`` is None where nothing was logged, ``entrant`` where there is no objective. ``origin`` is
    None for a run that was there before; ``parent`` is the id of the run that a follow-up started
    from. One that runs ``elsewhere`` is another controller's, of which only findings and result are known.
    """

    id: str
    params: Params
    report: RunReport | None = None
    entrant: Entrant | None = None
    origin: Origin | None = None
    parent: str = ""
    state: State = State.FINISHED
    elsewhere: bool = False

    @property
    def run(self) -> Run | None:
        """The run itself, None where nothing was logged."""
        return None if self.report is None else self.report.run

    @property
    def roots(self) -> tuple[Finding, ...]:
        """What is wrong with it, without mere consequences."""
        return () if self.report is None else self.report.roots

    @property
    def value(self) -> float | None:
        """The objective in its own units, None where the run failed."""
        if self.entrant is None or self.entrant.level is None or self.state is State.KILLED:
            return None
        return self.entrant.value

    @property
    def loss(self) -> float:
        """The objective as something to minimise; infinite where the run failed."""
        if self.value is None or self.entrant is None:
            return math.inf
        return -self.value if self.entrant.objective.higher else self.value

    @property
    def span(self) -> tuple[float, float] | None:
        """The wall times between which it logged, None where they are not known."""
        curves = () if self.run is None else self.run.series.values()
        times = [float(t) for curve in curves if len(curve) for t in curve.wall_times[[0, -1]]]
        return (min(times), max(times)) if len(times) > 2 else None

    @property
    def seconds(self) -> float | None:
        """How long it logged, None where that is not known."""
        return None if self.span is None else self.span[1] - self.span[0]

    def setting(self, wanted: Knob) -> Scalar:
        """The value of a knob, whatever the command calls it; None where it is not known."""
        return next((value for name, value in self.params.items() if knob(name) is wanted), None)


def best(records: Sequence[Record]) -> Record:
    """The record with the best objective, the first of equals."""
    return min(records, key=lambda each: each.loss)


def same(one: Params, other: Mapping[str, Scalar]) -> bool:
    """Whether two runs have the same settings: numbers to a thousandth, all else by their text."""
    if set(one) != set(other):
        return False
    return all(equal(value, other[name]) for name, value in one.items())


def equal(one: Scalar, other: Scalar, tolerance: float = 1e-3) -> bool:
    """Whether two values of a setting are the same, also where one was kept as text or as a double."""
    first, second = _number(one), _number(other)
    if first is None or second is None:
        return str(one).strip().lower() == str(other).strip().lower()
    return math.isclose(first, second, rel_tol=tolerance, abs_tol=1e-12)


def _number(value: Scalar) -> float | None:
    return float(value) if isinstance(value, bool) else numeric(value)
