"""Which records come back in which order, learned from one part of a file for the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.series import Ints
from tbdiag.reading.frames import HEADER, SLACK
from tbdiag.reading.rounds import Member, Round, head, make, size
from tbdiag.reading.stamps import STEP_KEY, WALL
from tbdiag.reading.templates import Templates, blank

_MOST_ROUNDS = 128
_WIDEST = 6  # bytes of a step and its key: no run counts more than 2³⁵ batches
_SHORTEST_RUN = 256  # records that came as expected before more are expected to
_CANDIDATES = 64
_FEW = 64  # members of a cycle that is prepared for steps of every width


@dataclass(slots=True, eq=False, repr=False)
class _Expected:
    """A cycle whose steps are so wide: made a round when a record comes that starts like it."""

    members: tuple[Member, ...]
    widths: tuple[int, ...]
    _made: Round | None = None

    @property
    def round(self) -> Round:
        """The round, made once."""
        if self._made is None:
            self._made = make(self.members, self.widths)
        return self._made


@dataclass(slots=True, eq=False, repr=False)
class Cycles:
    """The rounds met so far, in any file: they are tried on the next one too."""

    _known: set[tuple[tuple[Member, ...], tuple[int, ...]]] = field(default_factory=set)
    _by_head: dict[bytes, list[_Expected]] = field(default_factory=dict)

    def starting(self, head: bytes) -> Iterator[Round]:
        """The rounds whose first record has this header, the latest first."""
        return (each.round for each in self._by_head.get(head, ()))

    def learn(self, members: tuple[Member, ...], widths: tuple[int, ...]) -> None:
        """A cycle, and how wide its steps are now; they will widen as they grow."""
        if len(self._known) > _MOST_ROUNDS - _WIDEST:  # all of its widths stay, or none
            self._known.clear()
            self._by_head.clear()
        if len(set(widths)) > 1 or len(members) > _FEW:
            self._add(members, widths)
            return
        for width in (0, *range(2, _WIDEST + 1)):
            self._add(members, (width,) * len(members))

    def _add(self, members: tuple[Member, ...], widths: tuple[int, ...]) -> None:
        if (members, widths) in self._known:
            return
        if sum(map(size, members, widths)) <= SLACK:
            self._known.add((members, widths))
            expected = _Expected(members, widths)
            self._by_head.setdefault(head(members[0], widths[0]), []).insert(0, expected)


def last_cycle(tags: Ints, steps: Ints) -> tuple[int, int] | None:
    """Where the last whole cycle of the records starts, and its length; None where there is none.

    ``tags``, ``steps``: (n,). A cycle starts where the step changes or, where it changes more than
    once in a round, with the rarest of its tags.
    """
    count = len(tags)
    if count < _SHORTEST_RUN:
        return None
    lengths = count - 1 - np.flatnonzero(tags[: count - 1] == tags[-1])[::-1][:_CANDIDATES]
    best, length = _SHORTEST_RUN - 1, 0
    for candidate in lengths.tolist():
        odd = np.flatnonzero(tags[candidate:] != tags[: count - candidate])
        run = count - candidate - (int(odd[-1]) + 1 if len(odd) else 0)
        if run > best and run >= 2 * candidate:
            best, length = run, candidate
        if length == candidate and not len(odd):
            break
    if not length:
        return None
    first = count - length
    changes = np.flatnonzero(steps[first:] != steps[first - 1 : -1])
    if len(changes) == 1:
        return first - length + int(changes[0]), length
    round_ = tags[first:]
    rarity = np.bincount(round_)[round_] * (int(round_.max()) + 1) + round_
    return first - length + int(rarity.argmin()), length


def members_of(
    buffer: NDArray[np.uint8], places: Ints, lengths: Ints, templates: Templates
) -> tuple[tuple[Member, ...], tuple[int, ...]] | None:
    """The records at ``places`` as members of a cycle, and the widths of their steps.

    None where one holds several values or a step that no run reaches.
    """
    members, widths = [], []
    for place, length in zip(places.tolist(), lengths.tolist(), strict=True):
        start = place + HEADER.size
        payload = buffer[start : start + length].tobytes()
        width = _width(payload)
        tail = payload[WALL + width :]
        known = templates.one(tail)
        if width > _WIDEST or known is None or len(known[0]) > 1:
            return None
        (slot,), (tag,) = known
        members.append(Member(blank(tail, (slot,)), slot, tag))
        widths.append(width)
    return tuple(members), tuple(widths)


def _width(payload: bytes) -> int:
    """How many bytes the step of a record takes with its key; none where it is 0 and not told."""
    if payload[WALL] != STEP_KEY:
        return 0
    width = 2
    while payload[WALL + width - 1] & 0x80:
        width += 1
    return width
