"""The guard of what runs: looks into the logs so far, and stops what is hopeless."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tbdiag.advisor import look
from tbdiag.advisor.look import Watch
from tbdiag.advisor.news import Tell, Underway
from tbdiag.advisor.plan import Plan
from tbdiag.launch.base import GRACE, Exit, How, Launcher
from tbdiag.model.finding import Finding
from tbdiag.model.knob import Knob
from tbdiag.model.proposal import Params, Proposal, State, Trial
from tbdiag.model.run import Scalar
from tbdiag.naming.knobs import knob
from tbdiag.search.entrant import numeric

_LOOKS = 1.5  # seconds between two looks into the logs of what runs
_SHARE = 20  # looking may take one part in so many of the time


@dataclass(slots=True, kw_only=True)
class Under:
    """A follow-up under way."""

    trial: Trial
    hopeless: Finding | None = None  # seen once
    ended: Finding | None = None  # seen twice: it was stopped for it

    def state(self, end: Exit) -> tuple[State, str]:
        """What an end makes of it, and why."""
        found = self.ended
        if found is not None and end.how is not How.EXITED:
            return State.KILLED, f"{found.name} ({found.code}): {found.message}"
        match end.how:
            case How.EXITED:
                return (State.FINISHED, "") if end.code == 0 else (State.FAILED, end.reason)
            case How.TIMED_OUT:
                return State.TIMED_OUT, end.reason
            case _:
                return State.INTERRUPTED, end.reason


@dataclass(slots=True, kw_only=True)
class Guard:
    """Looks into the logs of follow-ups of ``plan``; ``kill`` tells whether hopeless ones are stopped."""

    plan: Plan
    launcher: Launcher
    kill: bool
    tell: Tell
    clock: Callable[[], float]
    _looked: float = 0.0
    _cost: float = 0.0

    def look(self, running: Mapping[str, Under]) -> None:
        """Looks into the logs of what runs, and stops what is hopeless; not more often than is cheap."""
        before = self.clock()
        if before - self._looked < max(_LOOKS, _SHARE * self._cost):
            return
        watch = Watch.by(self.plan.selection)
        objective = self.plan.config.train.objective if self.plan.config.train else None
        for name, under in running.items():
            run = look.read(self.plan.logdir / name, self.plan.config, objective)
            if run is None:
                continue
            self.tell(Underway(under.trial.proposal, run))
            if not self.kill or under.ended is not None:
                continue
            found = watch.hopeless(run, self._length(under.trial.proposal))
            if found is not None and under.hopeless is not None:
                under.ended = found
                self.launcher.stop(name, GRACE)
            under.hopeless = found
        self._looked = self.clock()
        self._cost = self._looked - before

    def _length(self, proposal: Proposal) -> int | None:
        """How many steps the follow-up is going to take, judged by the start."""
        run, costs = self.plan.start.run, self.plan.costs
        if run is None:
            return None
        before = numeric(self.plan.start.params.get(costs)) if costs else None
        after = numeric(proposal.params.get(costs)) if costs else None
        by = after / before if before and after else 1.0
        sizes = [_batch(each) for each in (self.plan.start.params, proposal.params)]
        if sizes[0] and sizes[1]:
            by *= sizes[0] / sizes[1]
        return round(look.steps(run) * by)


def _batch(params: Params) -> float | None:
    value: Scalar = next((v for n, v in params.items() if knob(n) is Knob.BATCH_SIZE), None)
    return numeric(value)
