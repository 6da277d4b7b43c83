"""Which follow-up solves the problem, and whether that holds on other seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tbdiag.advisor.books import Books
from tbdiag.advisor.news import Remark, Tell
from tbdiag.advisor.plan import Plan
from tbdiag.advisor.position import Move
from tbdiag.advisor.record import Record, best, same
from tbdiag.model.finding import Finding
from tbdiag.model.proposal import Decision, Origin, Params, Proposal, State, Trial, Verdict


@dataclass(slots=True, kw_only=True)
class Claims:
    """The best claim so far that the problem ``targets`` is solved, and its repeats.

    A follow-up that is confirmed beside the start is a ``candidate``; it is trained on ``repeats`` other
    seeds, by the proposals in ``queue``, and ``confirmed`` if that holds. ``searching`` is true where the
    best of all is wanted, and not just one that solves the problem; then the last runs of the budget are
    for repeats. ``ill`` tells whether something else is wrong with a run,
    ``pending`` which settings run or are about to.
    """

    plan: Plan
    books: Books
    targets: tuple[Finding, ...]
    repeats: int
    searching: bool
    ill: Callable[[Record], bool]
    tell: Tell
    pending: Callable[[], Sequence[Params]]
    candidate: str = ""
    confirmed: Verdict | None = None
    queue: list[Proposal] = field(default_factory=list)
    _doubted: set[str] = field(default_factory=set)

    @property
    def open(self) -> bool:
        """Whether a candidate waits for its repeats."""
        return bool(self.candidate) and self.confirmed is None

    def ended(self, trial: Trial, record: Record) -> None:
        """Takes note of a follow-up that is over."""
        if record.origin is not Origin.REPEAT:
            if trial.state is State.FINISHED:
                self.consider(record)
            return
        original = self.books.record(record.parent)
        if original is None:
            return
        if trial.state in (State.FINISHED, State.KILLED):
            self.consider(original)
        elif trial.state is not State.INTERRUPTED:
            self._doubt(original, f"a repeat came to nothing: {trial.reason}")

    def consider(self, record: Record, *, best_of_all: bool = False) -> None:
        """Whether the follow-up solves the problem; if so it is repeated, and if that holds it is it.

        In a search only the best of all is repeated, in the end, and so is one with which something else
        is wrong: that is to be answered first.
        """
        if record.id in self._doubted or self.confirmed is not None:
            return
        if not best_of_all and record.id != self.candidate and (self.searching or self.ill(record)):
            return
        done = self.books.repeats(record.id)
        wanted = self.plan.seeds(record.params, self.repeats)
        verdict = self.books.judged(record, self.plan.start, self.targets, repeats=done)
        if verdict.decision is not Decision.CONFIRMED:
            if done:
                self.books.settle(record.id, verdict)
                self._doubt(record, verdict.reason)
        elif len(done) < len(wanted):
            self._ask(record, wanted, done)
        else:
            self.candidate, self.confirmed = record.id, verdict
            if done:
                self.books.settle(record.id, verdict)

    def last_chance(self, left: int, pending: Sequence[Params]) -> bool:
        """Whether only the repeats of the best can still be made; then they are in the queue."""
        found = best([self.plan.start, *self.originals])
        wanted = self.plan.seeds(found.params, self.repeats)
        if found is self.plan.start or not wanted or left > len(wanted) or pending:
            return False
        self.consider(found, best_of_all=True)
        return bool(self.queue)

    @property
    def originals(self) -> list[Record]:
        """The follow-ups that are no repeats."""
        return [r for r in self.books.followups if r.origin is not Origin.REPEAT]

    def _doubt(self, record: Record, why: str) -> None:
        self._doubted.add(record.id)
        self.tell(Remark(f"{record.id} did not hold: {why}"))
        if self.candidate == record.id:
            self.candidate = ""
            self.queue.clear()

    def _ask(self, record: Record, wanted: Sequence[Params], done: Sequence[Record]) -> None:
        known = self.books.record(self.candidate)
        if known is not None and known.loss <= record.loss:  # it may be the same
            return
        self.candidate = record.id
        self.queue.clear()  # the repeats of a candidate that was beaten
        had = [*(each.params for each in done), *self.pending()]
        left = [each for each in wanted if not any(same(each, other) for other in had)]
        self.queue = [self._repeat(record, each) for each in left]
        if left:
            seeds = "one more seed" if len(left) == 1 else f"{len(left)} more seeds"
            self.tell(Remark(f"{record.id} looks like a fix: it is trained on {seeds}"))

    def _repeat(self, record: Record, params: Params) -> Proposal:
        why = f"whether {record.id} holds on another seed"
        move = Move(origin=Origin.REPEAT, parent=record, params=params, why=why)
        proposal = self.plan.proposal(move, self.books.name())
        self.books.propose(proposal)
        return proposal
