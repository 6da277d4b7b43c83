"""The policy: which follow-up run to try next, and why."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from tbdiag.advisor.answers import answers, left_over
from tbdiag.advisor.box import box
from tbdiag.advisor.doses import Doses
from tbdiag.advisor.moves import jittered, repeated
from tbdiag.advisor.position import Move, Position, moved
from tbdiag.advisor.prescribe import Desk, Space
from tbdiag.advisor.promising import promising
from tbdiag.advisor.recipes import recipes
from tbdiag.advisor.within import sizes
from tbdiag.model.knob import Knob
from tbdiag.model.proposal import Origin, Params
from tbdiag.model.run import Scalar

Sampler = Callable[[Space], Params | None]

_WIDEST = 3.0  # times the width of the start: what is wider by that, no control widens again


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which parts of the policy are in use, and when."""

    doses: Doses = field(default_factory=Doses)
    diagnosis: bool = True  # bundles and single remedies
    repeat: bool = True
    model: bool = True  # of all runs so far, which names the most promising settings
    jitter: bool = True
    sampler: bool = True
    controls_at: tuple[int, ...] = (2, 3, 4, 5)  # the follow-ups that are controls
    search_from: int = 5  # from this follow-up on the model decides, in turn with answers
    draws: int = 8  # of jitter, where one after the other was tried before

    @property
    def searching(self) -> Policy:
        """The same for who wants the best run rather than a cure: controls come first, answers later.

        What answers the findings of a bad start mends it; it hardly ever leads to a good run.
        """
        return replace(self, controls_at=tuple(each - 1 for each in self.controls_at))


def propose(
    position: Position, policy: Policy | None = None, sampler: Sampler | None = None
) -> Move | None:
    """The next follow-up run, None where nothing is left to try.

    The order is that of the measured policy: a bundle of what answers the root findings of the best run,
    then controls, standard recipes that the diagnosis has no hand in. From then on what the model of all
    runs finds most promising, in turn with one answer to the findings of the best run as long as there
    are any. Without a model: what has just paid once more, and jitter. Where all that is at its end,
    ``sampler`` is asked for settings in their usual ranges.
    """
    policy = policy or Policy()
    moves = _moves(position, policy, sampler)
    return next((move for move in moves if not position.tried(move.params)), None)


def proposals(position: Position, n: int, policy: Policy | None = None) -> list[Move]:
    """The next ``n`` follow-up runs if all of them started at once; fewer where no more are left."""
    found: list[Move] = []
    for _ in range(n):
        pending = [*position.pending, *(each.params for each in found)]
        ahead = replace(position, pending=pending)
        move = propose(ahead, policy)
        if move is None:
            break
        found.append(move)
    return found


def _moves(position: Position, policy: Policy, sampler: Sampler | None) -> Iterator[Move]:
    number = position.count + 1
    lead = position.best
    desk = Desk.on(lead, position.space, position.known, policy.doses)
    if number in policy.controls_at:
        yield from _controls(position, desk)
    answering = policy.diagnosis and _untried(position, desk)
    search = number >= policy.search_from and (number % 2 == 0 or not answering)
    if search and policy.model:
        yield from _modelled(position, desk)
    if search and policy.jitter and not answering:
        yield from _jitter(position, policy, desk)
    if policy.diagnosis:
        yield from answers(position, desk)
    if number < max(policy.controls_at, default=0):  # nothing to answer, and far from good
        yield from _controls(position, desk)
    if policy.repeat:
        yield from _repeats(position, desk)
    if policy.diagnosis:
        yield from left_over(position, desk)
    if policy.jitter:
        yield from _jitter(position, policy, desk)
    yield from _sampled(position, policy, desk, sampler)


def _untried(position: Position, desk: Desk) -> bool:
    """Whether an answer to the diagnosis is still to be tried."""
    return any(not position.tried(each.params) for each in answers(position, desk))


def _controls(position: Position, desk: Desk) -> Iterator[Move]:
    wider = _times(desk.record.setting(Knob.WIDTH), position.start.setting(Knob.WIDTH))
    for name, changes in recipes(desk, widen=wider < _WIDEST):
        why = f"a control that the diagnosis had no hand in: {name}"
        yield moved(desk, Origin.CONTROL, changes, why, desk.record.roots)


def _times(width: Scalar, first: Scalar) -> float:
    """How many times as wide as at first; 1 where that is not known."""
    now, before = (sum(sizes(each) or ()) for each in (width, first))
    return now / before if now > 0 and before > 0 else 1.0


def _repeats(position: Position, desk: Desk) -> Iterator[Move]:
    lead = desk.record
    parent = next((each for each in position.records if each.id == lead.parent), None)
    latest = position.followups[-1] if position.followups else None
    if parent is not None and latest is lead and lead.loss < parent.loss:
        changes = repeated(desk, parent)
        if changes:
            yield moved(desk, Origin.MOVE, changes, "what has just paid, once more")


def _modelled(position: Position, desk: Desk) -> Iterator[Move]:
    seed = zlib.crc32(f"{position.name}\0model\0{position.count}".encode())
    for params in promising(position, desk, np.random.default_rng(seed)):
        yield Move(
            origin=Origin.MOVE,
            parent=position.best,
            params=params,
            why="what the runs so far, taken together, promise the most of",
        )


def _jitter(position: Position, policy: Policy, desk: Desk) -> Iterator[Move]:
    seed = zlib.crc32(f"{position.name}\0{position.count}".encode())
    rng = np.random.default_rng(seed)
    for _ in range(policy.draws):
        changes = jittered(desk, rng)
        if changes:
            yield moved(desk, Origin.MOVE, changes, "a random step around the best run")


def _sampled(
    position: Position, policy: Policy, desk: Desk, sampler: Sampler | None
) -> Iterator[Move]:
    if sampler is None or not policy.sampler:
        return
    found = sampler(box(desk))
    if found is not None:
        base = {name: found.get(name, value) for name, value in position.best.params.items()}
        yield Move(
            origin=Origin.SAMPLER,
            parent=position.best,
            params=base,
            why="the sampler's choice, among settings as they usually are",
        )
