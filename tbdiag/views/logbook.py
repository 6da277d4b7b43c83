"""What views of a journal tell of each follow-up: how it stands, what it changed, what it brought."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from tbdiag.journal.entry import Diagnosed
from tbdiag.journal.replay import Attempt, History
from tbdiag.model.proposal import Origin, State, Turn
from tbdiag.model.run import Scalar
from tbdiag.views.text import count, number, result

_IDEAS = {
    Origin.REMEDY: "remedy for",
    Origin.CONTROL: "standard recipe beside",
    Origin.MOVE: "small step from",
    Origin.SAMPLER: "sample, parent",
    Origin.REPEAT: "repeat of",
}


@dataclass(frozen=True, slots=True)
class Followup:
    """A follow-up run, and what was ``seen`` last before it was proposed."""

    attempt: Attempt
    seen: Diagnosed | None

    @property
    def id(self) -> str:
        """Its name."""
        return self.attempt.proposal.id

    @property
    def standing(self) -> str:
        """In one word what became of it: the verdict, else how it ended, else that it waits."""
        if self.attempt.verdict is not None:
            return self.attempt.verdict.decision.value
        return self.attempt.trial.state.value if self.attempt.trial else "waiting"

    @property
    def idea(self) -> str:
        """``remedy for lr1``."""
        proposal = self.attempt.proposal
        return f"{_IDEAS[proposal.origin]} {proposal.parent}"

    @property
    def changes(self) -> tuple[str, ...]:
        """``lr 1 → 0.1`` for each setting that differs from the parent's."""
        return tuple(f"{each.name} {_turned(each)}" for each in self.attempt.proposal.turns)

    @property
    def objective(self) -> str:
        """What runs are compared by; empty where that was not noted."""
        return self.seen.objective if self.seen else ""

    @property
    def before(self) -> float | None:
        """The objective of the parent."""
        return self.attempt.verdict.before if self.attempt.verdict else None

    @property
    def after(self) -> float | None:
        """The objective of the follow-up."""
        if self.attempt.verdict is not None and self.attempt.verdict.after is not None:
            return self.attempt.verdict.after
        return self.attempt.trial.objective if self.attempt.trial else None

    @property
    def outcome(self) -> str:
        """``val_loss 2.31 → 0.284, noise 0.05``; empty where nothing is known."""
        if self.after is None:
            return ""
        values = result(self.after)
        if self.before is not None:
            values = f"{result(self.before)} → {values}"
        verdict = self.attempt.verdict
        noise = verdict.noise if verdict else None
        told = f"{self.objective or 'objective'} {values}"
        return told if noise is None else f"{told}, noise {number(noise)}"

    @property
    def repeats(self) -> str:
        """``0.284, 0.291 on seeds 1, 2``; empty where the run was not repeated."""
        repeats = self.attempt.verdict.repeats if self.attempt.verdict else {}
        values = ", ".join(result(each) for each in repeats.values())
        return (
            f"{values} on {'seed' if len(repeats) == 1 else 'seeds'} {', '.join(repeats)}"
            if repeats
            else ""
        )

    @property
    def seconds(self) -> float | None:
        """How long it ran; None while it runs."""
        trial = self.attempt.trial
        return None if trial is None or trial.ended is None else trial.ended - trial.started

    @property
    def ending(self) -> str:
        """How it ended where it did not end well; empty where it did, or runs, or waits."""
        trial = self.attempt.trial
        if trial is None or trial.state in (State.RUNNING, State.FINISHED):
            return ""
        return f"{trial.state.value}: {trial.reason}" if trial.reason else trial.state.value

    @property
    def command(self) -> str:
        """What was run, as it could be typed."""
        return shlex.join(self.attempt.trial.command) if self.attempt.trial else ""


Chapter = tuple[float, Diagnosed | Followup]


def followups(history: History) -> list[Followup]:
    """The follow-ups in the order in which they were proposed."""
    found = []
    for attempt in history.attempts.values():
        before = [seen for at, seen in history.diagnoses if at <= attempt.proposed]
        found.append(Followup(attempt, before[-1] if before else None))
    return found


def chapters(history: History) -> list[Chapter]:
    """(time, what was seen or tried) in the order of time."""
    told: list[Chapter] = [*history.diagnoses]
    told += [(each.attempt.proposed, each) for each in followups(history)]
    return sorted(told, key=lambda chapter: chapter[0])


def tally(tried: Sequence[Followup]) -> str:
    """``3 follow-ups: 2 confirmed, 1 failed``."""
    standing = Counter(each.standing for each in tried)
    counts = ", ".join(f"{n} {word}" for word, n in standing.most_common())
    return f"{count(len(tried), 'follow-up')}{': ' if tried else ''}{counts}"


def best(tried: Sequence[Followup]) -> Followup | None:
    """The follow-up with the best objective, of those that are compared by the last one's.

    A repeat is none of its own: it tells what the settings of its original are worth.
    """
    if not tried or (seen := tried[-1].seen) is None:
        return None
    sign = -1.0 if seen.better == "higher" else 1.0
    ids = {each.id for each in tried}
    known = [
        (sign * each.after, at, each)
        for at, each in enumerate(tried)
        if each.after is not None
        and each.after == each.after
        and each.objective == seen.objective
        and not (
            each.attempt.proposal.origin is Origin.REPEAT and each.attempt.proposal.parent in ids
        )
    ]
    return min(known)[2] if known else None


def lead(tried: Sequence[Followup]) -> str:
    """``the best is t2 with val_loss 0.284, from 2.31``; empty where nothing is known.

    The value from which it came is that of the best run before any follow-up.
    """
    first = best(tried)
    if first is None or first.after is None:
        return ""
    told = f"the best is {first.id} with {first.objective} {result(first.after)}"
    origin = next((e.seen.value for e in tried if e.seen and e.objective == first.objective), None)
    return told if origin is None else f"{told}, from {result(origin)}"


def when(at: float, zone: tzinfo | None) -> str:
    """A time to the minute, in the zone or, with None, in that of this machine."""
    try:
        return f"{datetime.fromtimestamp(at, UTC).astimezone(zone):%Y-%m-%d %H:%M}"
    except (OverflowError, ValueError, OSError):
        return "at no known time"


def seen_in(seen: Diagnosed) -> str:
    """``3 runs, the best is lr1 with val_loss 2.31``."""
    told = f"{count(seen.runs, 'run')}, the best is {seen.best}"
    if seen.value is None:
        return told
    return f"{told} with {seen.objective} {result(seen.value)}"


def _turned(turn: Turn) -> str:
    shown = shown_value(turn.before), shown_value(turn.after)
    if shown[0] == shown[1]:
        shown = str(turn.before), str(turn.after)
    return f"{shown[0]} → {shown[1]}"


def shown_value(value: Scalar) -> str:
    """A setting's value; numbers with three digits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return "unknown" if value is None else str(value)
