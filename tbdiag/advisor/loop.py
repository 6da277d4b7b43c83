"""The loop: propose, launch, watch, verify, until the problem is gone or the budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tbdiag.advisor import look
from tbdiag.advisor.answers import answerable, problem
from tbdiag.advisor.books import Books
from tbdiag.advisor.look import Watch
from tbdiag.advisor.news import Conclusion, Ended, Ending, Launched, Remark, Tell, Underway
from tbdiag.advisor.plan import Plan
from tbdiag.advisor.position import Move, Position
from tbdiag.advisor.prescribe import BUDGET, Desk
from tbdiag.advisor.propose import Policy, propose
from tbdiag.advisor.record import Record, best, same
from tbdiag.errors import LaunchError
from tbdiag.launch.base import GRACE, Exit, How, Launcher
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.proposal import Decision, Origin, Params, Proposal, State, Trial, Verdict
from tbdiag.model.run import Scalar
from tbdiag.naming.knobs import knob
from tbdiag.naming.settings import About, about
from tbdiag.search.entrant import numeric

_PAUSE = 0.1  # seconds between two looks at the launcher
_LOOKS = 1.5  # seconds between two looks into the logs of what runs
_SHARE = 20  # looking may take one part in so many of the time
_FAILURES = 2  # follow-ups that fail with none that ran: the command does not work


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The budget of a call: follow-up runs, epochs of all of them together, seconds; None for no limit."""

    trials: int | None = None
    epochs: float | None = None
    seconds: float | None = None


@dataclass(slots=True, kw_only=True)
class _Under:
    """A follow-up under way."""

    trial: Trial
    hopeless: Finding | None = None  # seen once
    ended: Finding | None = None  # seen twice: it was stopped for it


@dataclass(slots=True, kw_only=True)
class Loop:
    """One round of follow-up runs.

    ``repeats`` is on how many other seeds a winner is trained before its gain is claimed, ``kill``
    whether hopeless runs are ended, ``keep_going`` whether to go on when the problem is gone.
    """

    plan: Plan
    books: Books
    launcher: Launcher
    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)
    repeats: int = 2
    kill: bool = True
    keep_going: bool = False
    tell: Tell = lambda news: None
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _under: dict[str, _Under] = field(default_factory=dict)
    _done: list[Trial] = field(default_factory=list)
    _launched: int = 0
    _epochs: float = 0.0
    _began: float = 0.0
    _looked: float = 0.0
    _cost: float = 0.0
    _queue: list[Proposal] = field(default_factory=list)
    _candidate: str = ""
    _doubted: set[str] = field(default_factory=set)
    _confirmed: Verdict | None = None
    _targets: tuple[Finding, ...] | None = None

    def run(self) -> Conclusion:
        """Goes round until there is a reason to stop; raises JournalError and LaunchError.

        However it ends, nothing that was started keeps running. A call after one that was interrupted
        or killed goes on where that one was.
        """
        self._began = self.clock()
        targets = self.targets
        if self.plan.start.roots and not targets and not self.keep_going:
            return self._concluded(Ending.NOTHING, _unanswered(self.plan.start))
        try:
            self.books.open()
            self._resume()
            end = None
            while end is None:
                self._collect()
                end = self._over() or self._fill()
                if end is None:
                    self._look()
                    self.sleep(_PAUSE)
        except KeyboardInterrupt:
            end = Ending.INTERRUPTED, "it was interrupted; the next call goes on from here"
        finally:
            self._close()
        return self._concluded(*end)

    @property
    def targets(self) -> tuple[Finding, ...]:
        """The problem to be solved, as it was told by the runs that were there before."""
        if self._targets is None:
            self._targets = problem(self.plan.position((), (), ()), self.policy.doses)
        return self._targets

    @property
    def _position(self) -> Position:
        return self.plan.position(self.books.followups, self._pending, self.books.failed)

    def _ill(self, record: Record) -> bool:
        """Whether something is wrong with a run that is more than a note, and can be answered."""
        found = answerable(record, self._position, self.policy.doses)
        return any(each.severity is not Severity.NOTE for each in found)

    # What is there already

    def _resume(self) -> None:
        for trial in self.books.running:
            job = self.books.job(trial.proposal)
            if self.launcher.adopt(job):
                self._begin(trial, adopted=True)
            else:
                self._queue.append(trial.proposal)
        self.books.running.clear()
        for record in list(self.books.followups):
            if record.origin is not Origin.REPEAT:
                self._consider(record)

    # What ended

    def _collect(self) -> None:
        for name, end in self.launcher.poll():
            self._end(name, end)

    def _end(self, name: str, end: Exit) -> None:
        under = self._under.pop(name, None)
        if under is None:
            return
        state, reason = _state(end, under.ended)
        trial = replace(
            under.trial,
            state=state,
            reason=reason,
            exit_code=end.code,
            started=end.started,
            ended=end.ended,
        )
        record, verdict = self.books.finish(trial)
        trial = self.books.trials[name]
        self._done.append(trial)
        self.tell(Ended(trial, record, verdict))
        if record is None or trial.state is not State.FINISHED:
            return
        if record.origin is Origin.REPEAT:
            self._consider(self.books.record(record.parent) or record)
        else:
            self._consider(record)

    def _consider(self, record: Record, *, best_of_all: bool = False) -> None:
        """Whether the follow-up solves the problem; if so it is repeated, and if that holds it is it.

        In a search for a better result only the best of all is repeated, in the end, and so is one with
        which something else is wrong.
        """
        if self._searching and not best_of_all and record.id != self._candidate:
            return
        if record.id in self._doubted or record.origin is None:
            return
        if not best_of_all and record.id != self._candidate and self._ill(record):
            return  # what it has got instead is to be answered first
        start = self.plan.start
        done = self.books.repeats(record.id)
        wanted = self.plan.seeds(record.params, self.repeats)
        verdict = self.books.judged(record, start, self.targets, repeats=done)
        if verdict.decision is not Decision.CONFIRMED:
            if done:
                self._doubted.add(record.id)
                self.books.settle(record.id, verdict)
                self.tell(Remark(f"{record.id} did not hold: {verdict.reason}"))
            if self._candidate == record.id:
                self._candidate = ""
                self._queue = [p for p in self._queue if p.parent != record.id]
            return
        if len(done) < len(wanted):
            self._ask_for_repeats(record, wanted, done)
            return
        self._candidate, self._confirmed = record.id, verdict
        if done:
            self.books.settle(record.id, verdict)

    def _ask_for_repeats(
        self, record: Record, wanted: Sequence[Params], done: Sequence[Record]
    ) -> None:
        better = self.books.record(self._candidate)
        if better is not None and better.loss <= record.loss:  # it may be the same
            return
        self._candidate = record.id
        self._queue = [p for p in self._queue if p.origin is not Origin.REPEAT]
        known = [*(each.params for each in done), *self._pending]
        left = [p for p in wanted if not any(same(p, each) for each in known)]
        self._queue = [self._repeat(record, p) for p in left] + self._queue
        if left:
            seeds = "one more seed" if len(left) == 1 else f"{len(left)} more seeds"
            self.tell(Remark(f"{record.id} looks like a fix: it is trained on {seeds}"))

    def _repeat(self, record: Record, params: Params) -> Proposal:
        why = f"whether {record.id} holds on another seed"
        move = Move(origin=Origin.REPEAT, parent=record, params=params, why=why)
        proposal = self.plan.proposal(move, self.books.name())
        self.books.propose(proposal)
        return proposal

    # Whether to stop

    def _over(self) -> tuple[Ending, str] | None:
        if self._confirmed is not None and not self._searching:
            return Ending.SOLVED, self._confirmed.reason
        failed = [each for each in self._done if each.state is State.FAILED]
        if len(failed) >= _FAILURES and len(failed) == len(self._done):
            return Ending.FAILING, f"the command does not work: {failed[-1].reason}"
        if (seconds := self.limits.seconds) is not None and self.clock() - self._began >= seconds:
            return Ending.SPENT, f"the time is up: {seconds:g} s"
        return None

    # What to start

    def _fill(self) -> tuple[Ending, str] | None:
        """Starts follow-ups while slots are free; why that is over, where nothing runs any more."""
        while len(self._under) < self.launcher.slots:
            if (spent := self._spent()) is not None:
                return None if self._under else (Ending.SPENT, spent)
            proposal = self._next()
            if proposal is None:
                if self._under:
                    return None
                return Ending.EXHAUSTED, "there is nothing left to try within [space]"
            epochs = proposal.price.epochs
            most = self.limits.epochs
            if most is not None and epochs is not None and self._epochs + epochs > most:
                self._queue.insert(0, proposal)
                why = f"the next follow-up would exceed {most:g} epochs"
                return None if self._under else (Ending.SPENT, why)
            self._start(proposal)
        return None

    def _spent(self) -> str | None:
        if self.limits.trials is not None and self._launched >= self.limits.trials:
            n = self.limits.trials
            return (
                f"{n} follow-up run{'' if n == 1 else 's'} were made"
                if n != 1
                else "one follow-up run was made"
            )
        return None

    def _next(self) -> Proposal | None:
        if self._queue:
            return self._queue.pop(0)
        if self._candidate and self._confirmed is None:
            return None  # its repeats are under way
        if self._last_chance():
            return self._queue.pop(0)
        move = propose(self._position, self.policy, self._sampled)
        if move is None:
            return None
        proposal = self.plan.proposal(move, self.books.name())
        self.books.propose(proposal)
        return proposal

    @property
    def _searching(self) -> bool:
        """Whether this goes on for a better result, and not only until a problem is gone."""
        return self.keep_going or not self.targets

    def _last_chance(self) -> bool:
        """Whether only the repeats of the best can still be made; then they are decided on."""
        found = best([self.plan.start, *self._originals])
        if found is self.plan.start or self.limits.trials is None or found.id in self._doubted:
            return False
        wanted = self.plan.seeds(found.params, self.repeats)
        left = self.limits.trials - self._launched
        if not wanted or left > len(wanted) or self._confirmed is not None:
            return False
        self._consider(found, best_of_all=True)
        return bool(self._queue)

    @property
    def _originals(self) -> list[Record]:
        return [r for r in self.books.followups if r.origin is not Origin.REPEAT]

    def _sampled(self) -> Params | None:
        if self.books.ledger is None:
            return None
        found = self.books.ledger.ask(self._pending, seed=len(self.books.followups))
        return {
            name: value
            for name, value in found.items()
            if knob(name) not in BUDGET
            and name != self.plan.costs
            and about(name) is About.TRAINING
        }

    @property
    def _pending(self) -> list[Params]:
        return [each.trial.proposal.params for each in self._under.values()] + [
            each.params for each in self._queue
        ]

    def _start(self, proposal: Proposal) -> None:
        left = None
        if self.limits.seconds is not None:
            left = max(self.limits.seconds - (self.clock() - self._began), 1.0)
        job = self.books.job(proposal, left)
        trial = self.books.launch(proposal, job, self.wall())
        try:
            self.launcher.start(job)
        except LaunchError as error:
            self.books.finish(replace(trial, state=State.FAILED, reason=str(error)))
            raise
        self._begin(trial)

    def _begin(self, trial: Trial, *, adopted: bool = False) -> None:
        self._under[trial.proposal.id] = _Under(trial=trial)
        self._launched += 1
        self._epochs += trial.proposal.price.epochs or 0.0
        self.tell(Launched(trial, adopted))

    # What runs

    def _look(self) -> None:
        """Looks into the logs of what runs, and stops what is hopeless."""
        before = self.clock()
        if before - self._looked < max(_LOOKS, _SHARE * self._cost):
            return
        watch = Watch.by(self.plan.selection)
        objective = self.plan.config.train.objective if self.plan.config.train else None
        for name, under in self._under.items():
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

    # The end

    def _close(self) -> None:
        """Stops all that runs, politely; what has ended by then counts as it ended."""
        for name, end in self.launcher.close(GRACE) if self._under else ():
            self._end(name, end)

    def _concluded(self, ending: Ending, reason: str) -> Conclusion:
        start = self.plan.start
        found = best([start, *self._originals])
        if self._confirmed is not None:
            found = self.books.record(self._candidate) or found
        verdict = self._confirmed if found.id == self._candidate else None
        done = [] if found is start else self.books.repeats(found.id)
        if found is not start and verdict is None:
            verdict = self.books.judged(found, start, self.targets, repeats=done)
        desk = Desk.on(start, self.plan.space, self.plan.past, self.policy.doses)
        return Conclusion(
            ending=ending,
            reason=reason,
            start=start,
            best=found,
            verdict=verdict,
            trials=tuple(self._done),
            plan=self.plan,
            verdicts=dict(self.books.verdicts),
            repeats=len(done),
            advice=tuple(dict.fromkeys(w for f in start.roots for w in desk.advice(f))),
        )


def _batch(params: Params) -> float | None:
    from tbdiag.model.knob import Knob

    value: Scalar = next((v for n, v in params.items() if knob(n) is Knob.BATCH_SIZE), None)
    return numeric(value)


def _state(end: Exit, hopeless: Finding | None) -> tuple[State, str]:
    if hopeless is not None and end.how is not How.EXITED:
        return State.KILLED, f"{hopeless.name} ({hopeless.code}): {hopeless.message}"
    match end.how:
        case How.EXITED:
            return (State.FINISHED, "") if end.code == 0 else (State.FAILED, end.reason)
        case How.TIMED_OUT:
            return State.TIMED_OUT, end.reason
        case _:
            return State.INTERRUPTED, end.reason


def _unanswered(start: Record) -> str:
    codes = ", ".join(f"{each.name} ({each.code})" for each in start.roots)
    return f"no setting of the command answers {codes}"
