"""A rule under other thresholds: which there are, which values to try, and on which runs it fires."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tbdiag.case import Case, Kind
from tbdiag.detectors.base import Detector, Threshold, thresholds
from tbdiag.detectors.registry import rules
from tbdiag.model.run import Run

Bools = NDArray[np.bool_]
Cases = tuple[Case, ...]


def numeric(rule: type[Detector]) -> dict[str, tuple[float, Threshold]]:
    """The thresholds of a rule that are numbers: name → default and bounds."""
    return {
        name: (default, bounds)
        for name, (kind, default, bounds) in thresholds(rule).items()
        if kind in (int, float)
    }


def variant(detector: Detector, name: str, value: float) -> Detector:
    """The same rule with one threshold at ``value``, which is rounded where it counts things."""
    whole = isinstance(getattr(detector, name), int)
    changed: Detector = replace(detector, **{name: round(value) if whole else value})
    return changed


def around(default: float, bounds: Threshold, factors: Sequence[float]) -> list[float]:
    """The default times the ``factors`` where that is in bounds, the default itself included.

    A share near 1 moves by what is missing to 1, since 0.9 times anything says little there; a
    default of 0 moves by hundredths.
    """
    if default == 0:
        values = [(factor - 1) / 100 for factor in factors]
    elif bounds.at_most == 1 and 0.5 < default < 1:
        values = [1 - (1 - default) * factor for factor in factors]
    else:
        values = [default * factor for factor in factors]
    return sorted({default, *(value for value in values if bounds.problem(value) is None)})


def cases_of(run: Run) -> Cases:
    """The run as rules look at it, or each part of its loss where only parts were logged."""
    parts = run.roles.parts or ({},)
    bound = [{**run.roles.bound, **part} for part in parts]
    return tuple(Case(run.with_roles(replace(run.roles, bound=each, parts=()))) for each in bound)


def fires(detector: Detector, cases: Cases) -> bool:
    """Whether a rule finds anything on a run."""
    return any(
        True
        for case in cases
        if (case.kind is Kind.SUPERVISED or not detector.supervised)
        and detector.blocked(case) is None
        for _ in detector.check(case)
    )


class Firing:
    """On which of the runs a rule fires; what was asked once is kept, with the runs' signals."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.cases = [cases_of(run) for run in runs]
        self._known: dict[Detector, Bools] = {}

    def __call__(self, detector: Detector) -> Bools:
        """(n,) whether the rule fires on each run; where it speaks only amid others, beside them."""
        if detector not in self._known:
            found = np.array([fires(detector, cases) for cases in self.cases], dtype=np.bool_)
            if detector.amid:
                company = [rule() for rule in rules() if rule.code in detector.amid]
                found &= np.any([self(each) for each in company], axis=0)
            self._known[detector] = found
        return self._known[detector]
