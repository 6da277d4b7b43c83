"""The journal on the page: each follow-up with its reason, change, result, verdict, and how it went on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from tbdiag.journal.replay import History
from tbdiag.views.logbook import Followup, followups, lead, tally, when
from tbdiag.views.page import ticks
from tbdiag.views.page.picture import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from tbdiag.views.text import count, duration, result

_TOLD = 300  # follow-ups; of more the last ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One follow-up in words."""

    anchor: str
    id: str
    at: str
    idea: str
    changes: tuple[str, ...]
    why: str
    standing: str
    outcome: str
    reason: str
    facts: tuple[tuple[str, str], ...]
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A follow-up in the picture: where, and what became of it."""

    x: float
    y: float
    standing: str
    title: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The objective over follow-ups: dots, the best so far as a ``path``, the value before at ``before``."""

    objective: str
    better: str
    dots: tuple[Dot, ...]
    path: str
    before: float | None
    up: tuple[tuple[float, str], ...]
    across: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """All that a journal tells."""

    tally: str
    lead: str
    tries: tuple[Try, ...]
    left: int
    course: Course | None
    unread: tuple[str, ...]


def tried(history: History) -> Tried:
    """What was tried, the oldest first; times are in UTC."""
    told = followups(history)
    shown = told[-_TOLD:]
    return Tried(
        tally=tally(told),
        lead=lead(told),
        tries=tuple(_try(each, at) for at, each in enumerate(shown)),
        left=len(told) - len(shown),
        course=_course(shown),
        unread=history.unread,
    )


def _try(each: Followup, at: int) -> Try:
    verdict, proposal = each.attempt.verdict, each.attempt.proposal
    facts = [
        ("should clear", ", ".join(proposal.expects)),
        ("cleared", ", ".join(verdict.cleared) if verdict else ""),
        ("still there", ", ".join(verdict.persisting) if verdict else ""),
        ("new", ", ".join(verdict.introduced) if verdict else ""),
        ("repeats", each.repeats),
        ("took", "" if each.seconds is None else duration(each.seconds)),
        ("ended", each.ending),
        ("to do by hand", "; ".join(proposal.advice)),
    ]
    return Try(
        anchor=f"t{at}",
        id=each.id,
        at=f"{when(each.attempt.proposed, UTC)} UTC",
        idea=each.idea,
        changes=each.changes,
        why=proposal.why,
        standing=each.standing,
        outcome=each.outcome,
        reason=verdict.reason if verdict else "",
        facts=tuple((name, words) for name, words in facts if words),
        command=each.command,
    )


def _course(shown: Sequence[Followup]) -> Course | None:
    """The objective of the last follow-up, over all that are judged by it; None for fewer than two."""
    last = next((each for each in reversed(shown) if each.seen), None)
    if last is None or last.seen is None:
        return None
    known = [
        (at, each, each.after)
        for at, each in enumerate(shown)
        if each.after is not None and math.isfinite(each.after) and each.objective == last.objective
    ]
    if len(known) < 2:
        return None
    higher = last.seen.better == "higher"
    origin = next((e.seen.value for _, e, _ in known if e.seen), None)
    values = [value for _, _, value in known] + ([] if origin is None else [origin])
    low, high = min(values), max(values)
    margin = 0.1 * (high - low) or abs(high) * 0.1 or 0.5
    low, high = low - margin, high + margin
    room, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def across(at: int) -> float:
        return round(LEFT + room * (at + 0.5) / len(shown), 1)

    def up(value: float) -> float:
        return round(TOP + tall * (high - value) / (high - low), 1)

    best, path = (known[0][2] if origin is None else origin), ""
    for at, _, value in known:
        before, best = best, max(best, value) if higher else min(best, value)
        path += f"{'L' if path else 'M'}{across(at)} {up(before)}L{across(at)} {up(best)}"
    return Course(
        objective=last.objective,
        better="higher" if higher else "lower",
        dots=tuple(
            Dot(
                x=across(at),
                y=up(value),
                standing=each.standing,
                title=f"{each.id}: {last.objective} {result(value)}, {each.standing}",
                anchor=f"t{at}",
            )
            for at, each, value in known
        ),
        path=path,
        before=None if origin is None else up(origin),
        up=tuple((up(each), result(each)) for each in ticks.linear(low, high, 5)),
        across=tuple((across(at), each.id) for at, each, _ in known[:: -(-len(known) // 8)]),
    )


def numbered(tried: Tried) -> str:
    """``12 follow-ups: …``, with how many older ones are left out."""
    left = f"; {count(tried.left, 'older one')} left out" if tried.left else ""
    return f"{tried.tally}{left}"
