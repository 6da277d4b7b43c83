"""Runs that no loss can judge: agents that earn rewards, two players against each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tbdiag.model.role import Role
from tbdiag.naming import tables
from tbdiag.naming.candidates import Candidate, Choice, choose
from tbdiag.naming.singles import playing

_REINFORCEMENT = (
    Role.KL, Role.ENTROPY, Role.CLIP_FRACTION, Role.EXPLAINED_VARIANCE, Role.POLICY_LOSS,
    Role.VALUE_LOSS,
)  # fmt: skip
_SIGNS = frozenset({Role.REWARD, Role.CLIP_FRACTION, Role.EXPLAINED_VARIANCE})
_TRAINING = ("train", "")


def is_reinforcement(candidates: Sequence[Candidate]) -> bool:
    """Whether an agent is trained: it earns rewards, and no loss is taken on validation."""
    roles = {c.meaning.role for c in candidates}
    approximate = any("approx" in c.meaning.words for c in playing(Role.KL, candidates))
    both = {Role.POLICY_LOSS, Role.VALUE_LOSS} <= roles
    if Role.G_LOSS in roles or not (roles & _SIGNS or approximate or both):
        return False
    return not any(
        c.meaning.loss and c.meaning.split in ("val", "test") and c.meaning.role is None
        for c in candidates
    )


def _of_an_update(candidate: Candidate) -> tuple[bool, ...]:
    """Sorts what is measured of the policy's update before what is measured of the task.

    Tuning a language model logs ``objective/kl`` and ``objective/entropy`` too, which tell the distance
    from a reference and the answers' length, and ``val/clipfrac``, which is the value function's.
    """
    said = candidate.meaning
    return (
        "objective" in said.words,
        said.split not in _TRAINING,
        bool(said.stem),
        candidate.logged == 1,
    )


def reinforcement(candidates: Sequence[Candidate]) -> dict[Role, Choice]:
    """The roles in the run of an agent; the terms of a reward are not taken for the reward."""
    found = {role: choose(playing(role, candidates), _of_an_update) for role in _REINFORCEMENT}
    rewards = playing(Role.REWARD, candidates)
    table = tables.raw()["roles"]["reward"]
    whole = frozenset(table["whole"])
    filing = whole | frozenset(table["filing"])

    def key(candidate: Candidate) -> tuple[Any, ...]:
        words = candidate.meaning.words
        other = [word for word in candidate.meaning.stem if word not in filing]
        return (bool(other), -len(whole.intersection(words)), "cumulative" not in words)

    for role, splits in ((Role.REWARD, _TRAINING), (Role.VAL_REWARD, ("val", "test"))):
        pool = [c for c in rewards if c.meaning.split in splits]
        choice = choose(pool, key)
        terms = bool(choice.tied) and all(key(c)[0] for c in pool)
        found[role] = Choice() if terms else choice
    return found


def adversarial(candidates: Sequence[Candidate]) -> dict[Role, Choice]:
    """The losses of the two players, where there are two; else nothing."""
    players = {role: playing(role, candidates) for role in (Role.D_LOSS, Role.G_LOSS)}
    if not players[Role.D_LOSS]:
        critics = [c for c in playing(Role.VALUE_LOSS, candidates) if "critic" in c.meaning.words]
        players[Role.D_LOSS] = critics
    if not all(players.values()):
        return {}
    return {
        role: choose(
            [c for c in pool if c.meaning.split in _TRAINING] or pool,
            lambda c: (bool(c.meaning.stem), not c.meaning.total, c.grain),
        )
        for role, pool in players.items()
    }
