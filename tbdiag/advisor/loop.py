"""The loop: propose, launch, watch, verify, until the problem is gone or the budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tbdiag.advisor.answers import answerable, problem
from tbdiag.advisor.books import Books
from tbdiag.advisor.claims import Claims
from tbdiag.advisor.guard import Guard, Under
from tbdiag.advisor.news import Conclusion, Ended, Ending, Launched, Remark, Tell
from tbdiag.advisor.plan import Plan
from tbdiag.advisor.position import Move, Position
from tbdiag.advisor.prescribe import BUDGET, Desk, Space
from tbdiag.advisor.propose import Policy, propose
from tbdiag.advisor.record import Record, best
from tbdiag.errors import LaunchError
from tbdiag.launch.base import GRACE, Exit, Launcher
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.proposal import Origin, Params, Proposal, State, Trial
from tbdiag.naming.knobs import knob
from tbdiag.naming.settings import About, about

_PAUSE = 0.1  # seconds between two looks at the launcher
_FAILURES = 2  # follow-ups that fail with none that ran: the command does not work


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The budget of a call: follow-up runs, epochs of all of them together, seconds; None for no limit."""

    trials: int | None = None
    epochs: float | None = None
    seconds: float | None = None


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
    _under: dict[str, Under] = field(default_factory=dict)
    _done: list[Trial] = field(default_factory=list)
    _launched: int = 0
    _epochs: float = 0.0
    _began: float = 0.0
    _queue: list[Proposal] = field(default_factory=list)
    _taken: dict[str, str] = field(default_factory=dict)
    _claimed: Claims | None = None
    _guarding: Guard | None = None

    def run(self) -> Conclusion:
        """Goes round until there is a reason to stop; raises JournalError and LaunchError.

        However it ends, nothing that was started keeps running. A call after one that was interrupted
        or killed goes on where that one was.
        """
        self._began = self.clock()
        targets = self.targets
        grave = any(each.severity is not Severity.NOTE for each in self.plan.start.roots)
        if grave and not targets and not self.keep_going:
            return self._concluded(Ending.NOTHING, _unanswered(self.plan.start))
        try:
            self.books.open()
            self._resume()
            end = None
            while end is None:
                self._collect()
                end = self._over() or self._fill()
                if end is None:
                    self._guard.look(self._under)
                    self.sleep(_PAUSE)
        except KeyboardInterrupt:
            end = Ending.INTERRUPTED, "it was interrupted; the next call goes on from here"
        finally:
            self._close()
        return self._concluded(*end)

    @property
    def targets(self) -> tuple[Finding, ...]:
        """The problem to be solved, as it was told by the runs that were there before."""
        return self._claims.targets

    @property
    def _claims(self) -> Claims:
        if self._claimed is None:
            targets = problem(self.plan.position((), (), ()), self.policy.doses)
            self._claimed = Claims(
                plan=self.plan,
                books=self.books,
                targets=targets,
                repeats=self.repeats,
                searching=self.keep_going or not targets,
                ill=self._ill,
                tell=self.tell,
                pending=lambda: self._pending,
            )
        return self._claimed

    @property
    def _guard(self) -> Guard:
        if self._guarding is None:
            self._guarding = Guard(
                plan=self.plan,
                launcher=self.launcher,
                kill=self.kill,
                tell=self.tell,
                clock=self.clock,
            )
        return self._guarding

    @property
    def _position(self) -> Position:
        ledger = self.books.ledger
        return self.plan.position(
            self.books.followups,
            self._pending,
            self.books.failed,
            () if ledger is None else ledger.elsewhere(),
            "" if ledger is None else ledger.owner,
            self.books.others(),
        )

    def _ill(self, record: Record) -> bool:
        """Whether something is wrong with a run that is more than a note, and can be answered."""
        found = answerable(record, self._position, self.policy.doses)
        return any(each.severity is not Severity.NOTE for each in found)

    # What is there already

    def _resume(self) -> None:
        for trial in self.books.running:
            job = self.books.job(trial.proposal)
            if self.launcher.adopt(job):
                self.books.claim(
                    trial.proposal
                )  # or what became of it stands beside who took it over
                self._begin(trial, adopted=True)
            else:
                self._queue.append(trial.proposal)
        self.books.running.clear()
        for record in self._claims.originals:
            self._claims.consider(record)

    # What ended

    def _collect(self) -> None:
        for name, end in self.launcher.poll():
            self._end(name, end)

    def _end(self, name: str, end: Exit) -> None:
        under = self._under.pop(name, None)
        if under is None:
            return
        state, reason = under.state(end)
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
        if record is not None:
            self._claims.ended(trial, record)

    # Whether to stop

    def _over(self) -> tuple[Ending, str] | None:
        claims = self._claims
        if claims.confirmed is not None and not claims.searching:
            return Ending.SOLVED, claims.confirmed.reason
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
        n = self.limits.trials
        if n is None or self._launched < n:
            return None
        return "one follow-up run was made" if n == 1 else f"{n} follow-up runs were made"

    def _next(self) -> Proposal | None:
        claims = self._claims
        if claims.queue or self._queue:
            return (claims.queue or self._queue).pop(0)
        if claims.open:
            return None  # its repeats are under way
        if (orphan := self._orphan()) is not None:
            return orphan
        left = None if self.limits.trials is None else self.limits.trials - self._launched
        if left is not None and claims.last_chance(left, self._pending):
            return claims.queue.pop(0)
        policy = self.policy.searching if self.keep_going else self.policy
        move = propose(self._position, policy, self._sampled)
        if move is None:
            return None
        proposal = self.plan.proposal(move, self.books.name())
        self.books.propose(proposal)
        return proposal

    def _orphan(self) -> Proposal | None:
        """A run that another controller of the study did not make to its end, if it is one of ours."""
        ledger, position = self.books.ledger, None
        for orphan in () if ledger is None else ledger.orphans():
            position = position or self._position
            if not self.plan.takes(orphan.params) or position.tried(orphan.params):
                continue
            origin = Origin(orphan.origin)
            move = Move(
                origin=origin,
                parent=self.plan.start,
                params=orphan.params,
                why=f"taken over, as {orphan.reason}",
                answers=self.targets if origin is Origin.REMEDY else (),
            )
            proposal = self.plan.proposal(move, self.books.name())
            self.books.propose(proposal)
            self._taken[proposal.id] = orphan.reason
            return proposal
        return None

    def _sampled(self, within: Space) -> Params | None:
        if self.books.ledger is None or not within:
            return None
        seed = len(self.books.followups)
        found = self.books.ledger.ask(self._pending, seed=seed, within=within)
        return {
            name: value
            for name, value in found.items()
            if knob(name) not in BUDGET
            and name != self.plan.costs
            and about(name) is About.TRAINING
        }

    @property
    def _pending(self) -> list[Params]:
        running = [each.trial.proposal.params for each in self._under.values()]
        return running + [each.params for each in (*self._queue, *self._claims.queue)]

    def _start(self, proposal: Proposal) -> None:
        """Starts a follow-up, unless another controller of the study is at it."""
        if not self.books.claim(proposal):
            return
        if (reason := self._taken.pop(proposal.id, None)) is not None:
            self.tell(Remark(f"{proposal.id} takes over a run: {reason}"))
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
        self._under[trial.proposal.id] = Under(trial=trial)
        self._launched += 1
        self._epochs += trial.proposal.price.epochs or 0.0
        self.tell(Launched(trial, adopted))

    # The end

    def _close(self) -> None:
        """Stops all that runs, politely; what has ended by then counts as it ended."""
        try:
            for name, end in self.launcher.close(GRACE) if self._under else ():
                self._end(name, end)
        finally:
            if self.books.ledger is not None:
                self.books.ledger.close()

    def _concluded(self, ending: Ending, reason: str) -> Conclusion:
        start = self.plan.start
        claims = self._claims
        found = best([start, *claims.originals])
        if claims.confirmed is not None:
            found = self.books.record(claims.candidate) or found
        verdict = claims.confirmed if found.id == claims.candidate else None
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
            problem=self.targets,
            verdicts=dict(self.books.verdicts),
            repeats=len(done),
            advice=tuple(dict.fromkeys(w for f in start.roots for w in desk.advice(f))),
        )


def _unanswered(start: Record) -> str:
    grave = [each for each in start.roots if each.severity is not Severity.NOTE]
    codes = ", ".join(f"{each.name} ({each.code})" for each in grave)
    return f"no setting of the command answers {codes}"
