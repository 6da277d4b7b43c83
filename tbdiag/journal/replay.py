"""The state after all entries: what was proposed, what was started, what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tbdiag.journal.entry import Diagnosed, Entry, Kind, Verified
from tbdiag.journal.file import Journal, Pages
from tbdiag.journal.payload import restored
from tbdiag.model.proposal import Proposal, State, Trial, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A proposal and all that became of it; times are seconds since the epoch, None for not yet."""

    proposal: Proposal
    proposed: float
    trial: Trial | None = None
    verdict: Verdict | None = None
    verified: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that a journal tells.

    ``attempts`` are by the proposals' ids, in the order in which they were proposed; ``diagnoses`` are
    (time, what was seen); ``unread`` says which lines could not be read or understood, and why.
    """

    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    diagnoses: tuple[tuple[float, Diagnosed], ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def proposals(self) -> Mapping[str, Proposal]:
        """What was proposed, by id."""
        return {name: each.proposal for name, each in self.attempts.items()}

    @property
    def trials(self) -> Mapping[str, Trial]:
        """What was started, by the id of the proposal; the last start counts."""
        return {name: each.trial for name, each in self.attempts.items() if each.trial}

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """What became clear, by the id of the proposal."""
        return {name: each.verdict for name, each in self.attempts.items() if each.verdict}

    @property
    def unfinished(self) -> tuple[Trial, ...]:
        """Trials of which nobody noted the end: they run, or their controller was killed."""
        return tuple(each for each in self.trials.values() if each.state is State.RUNNING)

    @property
    def waiting(self) -> tuple[Proposal, ...]:
        """What was proposed and never started."""
        return tuple(each.proposal for each in self.attempts.values() if each.trial is None)

    @property
    def unverified(self) -> tuple[Trial, ...]:
        """Trials that are over and were not yet judged."""
        over = [each for each in self.attempts.values() if each.trial and not each.verdict]
        return tuple(
            each.trial for each in over if each.trial and each.trial.state is not State.RUNNING
        )


def replayed(journal: Journal) -> History:
    """The state after all entries of the journal; raises JournalError."""
    return replay(journal.read())


def replay(pages: Pages) -> History:
    """The state after these entries; of what is told twice the later counts."""
    attempts: dict[str, Attempt] = {}
    diagnoses: list[tuple[float, Diagnosed]] = []
    unread = [f"line {number}: {reason}" for number, reason in pages.unread]
    for entry in pages.entries:
        try:
            _apply(entry, attempts, diagnoses)
        except ValueError as error:
            unread.append(f"entry {entry.seq}: {error}")
    return History(attempts=attempts, diagnoses=tuple(diagnoses), unread=tuple(unread))


def _apply(
    entry: Entry, attempts: dict[str, Attempt], diagnoses: list[tuple[float, Diagnosed]]
) -> None:
    match entry.kind:
        case Kind.DIAGNOSED:
            diagnoses.append((entry.at, restored(Diagnosed, entry.payload)))
        case Kind.PROPOSED:
            proposal = restored(Proposal, entry.payload)
            attempts[proposal.id] = Attempt(proposal=proposal, proposed=entry.at)
        case Kind.LAUNCHED | Kind.FINISHED:
            trial = restored(Trial, entry.payload)
            known = attempts.get(trial.proposal.id)
            known = known or Attempt(proposal=trial.proposal, proposed=entry.at)
            if entry.kind is Kind.LAUNCHED:  # anew, maybe: what was found of the first is void
                known = replace(known, verdict=None, verified=None)
            attempts[trial.proposal.id] = replace(known, trial=trial)
        case Kind.VERIFIED:
            found = restored(Verified, entry.payload)
            if found.proposal not in attempts:
                raise ValueError(f"nothing was proposed under the id {found.proposal!r}")
            attempts[found.proposal] = replace(
                attempts[found.proposal], verdict=found.verdict, verified=entry.at
            )
