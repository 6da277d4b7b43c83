"""What is known when a follow-up is decided on, and what is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tbdiag.advisor.prescribe import Changes, Desk, Space
from tbdiag.advisor.record import Record, best, same
from tbdiag.model.finding import Finding
from tbdiag.model.proposal import Origin, Params
from tbdiag.model.run import Scalar


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Move:
    """What to try: the settings in full, the run they start from, and why."""

    origin: Origin
    parent: Record
    params: Params
    why: str
    answers: tuple[Finding, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Position:
    """All that is known: comparable ``records`` in the order in which they came, the ``start`` among them.

    ``pending`` are settings that run at this moment, ``failed`` those that could not be judged: they
    are not tried again either, nor those that others try ``elsewhere``. ``others`` are the runs of those
    of which findings and result are known: they may be gone on from, too. ``name`` seeds what is left to
    chance.
    """

    records: Sequence[Record]
    start: Record
    space: Space
    pending: Sequence[Params] = ()
    failed: Sequence[Params] = ()
    elsewhere: Sequence[Params] = ()
    others: Sequence[Record] = ()
    name: str = ""

    @property
    def known(self) -> Sequence[Record]:
        """All runs whose findings are known."""
        return [*self.records, *self.others]

    @property
    def followups(self) -> list[Record]:
        """The runs that were proposed, repeats on other seeds aside."""
        return [each for each in self.records if each.origin not in (None, Origin.REPEAT)]

    @property
    def count(self) -> int:
        """How many follow-ups were tried or are on their way."""
        return len(self.followups) + len(self.failed) + len(self.pending)

    @property
    def eligible(self) -> list[Record]:
        """The runs that the search may go on from."""
        return [each for each in self.records if each.origin is not Origin.REPEAT] or [self.start]

    @property
    def best(self) -> Record:
        """The best run so far, whoever made it; the start where nothing is better."""
        found = best([*self.eligible, *self.others])
        return found if found.loss < self.start.loss else self.start

    def tried(self, params: Mapping[str, Scalar]) -> bool:
        """Whether a run with these settings exists, runs, or could not be judged."""
        known = (*(each.params for each in self.known), *self.pending, *self.failed)
        return any(same(each, params) for each in (*known, *self.elsewhere))


def moved(
    desk: Desk,
    origin: Origin,
    changes: Changes,
    why: str,
    answers: tuple[Finding, ...] = (),
    advice: tuple[str, ...] = (),
) -> Move:
    """The move from the desk's run by these changes."""
    return Move(
        origin=origin,
        parent=desk.record,
        params={**desk.record.params, **changes},
        why=why,
        answers=answers,
        advice=advice,
    )
