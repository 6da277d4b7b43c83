"""Which tags are the training, batch and validation loss of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tbdiag.model.role import Role
from tbdiag.naming.candidates import (
    SAME,
    Candidate,
    Choice,
    choose,
    coarsest,
    is_accuracy,
    same_curve,
    unnumbered,
)
from tbdiag.naming.knobs import Stated, unstated
from tbdiag.naming.meaning import Meaning, Words

DENSE = 10.0  # training points per validation point that tell a curve per batch
DENSE_STRIDED = 3.0  # the same where the training steps are themselves apart
DENSE_PER_EPOCH = 3.0  # training points per epoch
MANY = 500  # points that tell a curve per batch with nothing to compare it with
FINER = 3.0  # times as many points per second as the other curve


@dataclass(slots=True)
class Losses:
    """The losses by role, the tags in doubt, pairs of terms, and an accuracy named a loss."""

    found: dict[Role, Candidate] = field(default_factory=dict)
    tied: dict[Role, tuple[str, ...]] = field(default_factory=dict)
    parts: list[dict[Role, Candidate]] = field(default_factory=list)
    accuracy: tuple[Candidate, Candidate] | None = None


def choose_losses(
    candidates: Sequence[Candidate],
    *,
    epochs: float | None,
    whole_only: bool = False,
    given: Mapping[Role, Candidate] | None = None,
    stated: Stated = unstated,
) -> Losses:
    """The losses among ``candidates``.

    ``epochs`` is how many epochs the run lasted, where known; ``given`` holds roles that are
    settled already. With ``whole_only`` a term never stands for the run (a GAN's, for example).
    ``stated`` is asked for the epochs of the settings where no curve tells.
    """
    given = given or {}
    pool = unnumbered(candidates, _term)
    if whole_only:
        pool = [c for c in pool if not c.meaning.term]
    losses = _choose(pool, given)
    train, val = losses.found.get(Role.TRAIN_LOSS), losses.found.get(Role.VAL_LOSS)
    if train and val and not given and is_accuracy(train.curve, val.curve):
        rest = [c for c in pool if not _any_same(c, (train, val))]
        losses = _choose(rest, given)
        losses.accuracy = (train, val)
        pool = rest
    train = given.get(Role.TRAIN_LOSS) or losses.found.get(Role.TRAIN_LOSS)
    if train and Role.BATCH_LOSS not in given:
        val = given.get(Role.VAL_LOSS) or losses.found.get(Role.VAL_LOSS)
        batch = _batch(pool, train, val, epochs, stated)
        if batch.chosen:
            losses.found[Role.BATCH_LOSS] = batch.chosen
        elif batch.tied:
            losses.tied[Role.BATCH_LOSS] = batch.tied
    return losses


def _choose(pool: Sequence[Candidate], given: Mapping[Role, Candidate]) -> Losses:
    losses = Losses()
    training = [c for c in pool if c.meaning.split in ("train", "")]
    validation = validating(pool)
    terms = {c.meaning.term for c in training}
    val, in_doubt = given.get(Role.VAL_LOSS), False
    if val is None:
        whole, tied = _whole(validation, terms)
        in_doubt = not whole and bool(validation)
        val = _settle(losses, Role.VAL_LOSS, coarsest(whole, None, validation=True), tied)
    if Role.TRAIN_LOSS not in given:
        near = {val.meaning.term} if val else {c.meaning.term for c in validation}
        whole, tied = _whole(training, near, total=val.meaning.total if val else None)
        twin = val.logged if val else None
        _settle(losses, Role.TRAIN_LOSS, coarsest(whole, twin, validation=False), tied)
    train = given.get(Role.TRAIN_LOSS) or losses.found.get(Role.TRAIN_LOSS)
    if (
        train
        and val
        and Role.VAL_LOSS in losses.found
        and not train.meaning.term
        and val.meaning.component
        and val.meaning.term in terms
    ):
        del losses.found[Role.VAL_LOSS]  # a term of the total that stands for training
        in_doubt = True
    if train is None or in_doubt:
        losses.parts = list(_parts(training, validation, paired=train is not None))
    return losses


def validating(pool: Sequence[Candidate]) -> list[Candidate]:
    """The candidates on validation; those on test where there is none, unless they are one point.

    Curves that are zero throughout were switched off.
    """
    alive = [c for c in pool if not c.zero]
    return [c for c in alive if c.meaning.split == "val"] or [
        c for c in alive if c.meaning.split == "test" and c.logged > 1
    ]


def _whole(
    pool: Sequence[Candidate], near: Collection[Words], total: bool | None = None
) -> tuple[list[Candidate], tuple[str, ...]]:
    """The candidates for the loss as a whole, at any granularity, or the tags that are in doubt."""
    plain = [c for c in pool if not c.meaning.term]
    if plain:
        sharp = [c for c in plain if not c.meaning.smooth] or plain
        flags = {c.meaning.total for c in sharp}
        wanted = total if total in flags else max(flags)
        return [c for c in plain if c.meaning.total == wanted or c.grain == 2], ()
    terms = {c.meaning.term for c in pool}
    if len(terms) == 1:
        return list(pool), ()
    if any(c.meaning.component for c in pool):
        return [], ()
    shared = terms & set(near)
    if len(shared) == 1:
        return [c for c in pool if c.meaning.term in shared], ()
    return [], tuple(sorted(c.tag for c in pool))


def _settle(losses: Losses, role: Role, choice: Choice, tied: tuple[str, ...]) -> Candidate | None:
    if choice.chosen:
        losses.found[role] = choice.chosen
    elif choice.tied or tied:
        losses.tied[role] = choice.tied or tied
    return choice.chosen


def _parts(
    training: Sequence[Candidate], validation: Sequence[Candidate], *, paired: bool
) -> Iterator[dict[Role, Candidate]]:
    """One map for each term of a sum; with ``paired`` only those logged on both splits."""
    if not any(c.meaning.component for c in (*training, *validation)):
        return
    for term in sorted({c.meaning.term for c in (*training, *validation) if c.meaning.term}):
        val = coarsest([c for c in validation if c.meaning.term == term], None, validation=True)
        twin = val.chosen.logged if val.chosen else None
        train = coarsest([c for c in training if c.meaning.term == term], twin, validation=False)
        part = {Role.TRAIN_LOSS: train.chosen, Role.VAL_LOSS: val.chosen}
        known = {role: candidate for role, candidate in part.items() if candidate}
        if len(known) == 2 or (known and not paired):
            yield known


def _batch(
    pool: Sequence[Candidate],
    train: Candidate,
    val: Candidate | None,
    epochs: float | None,
    stated: Stated,
) -> Choice:
    finer = [
        c
        for c in pool
        if c.meaning.split in ("train", "")
        and c.tag != train.tag
        and c.meaning.term == train.meaning.term
        and c.grain > 0
        and _finer(c, train)
    ]
    if not finer:
        return Choice(train) if _dense(train, val, epochs, stated) else Choice()
    most = max(c.logged for c in finer)
    return choose(
        finer,
        lambda c: (-c.grain, c.meaning.smooth, SAME * c.logged < most, not c.meaning.split),
    )


def _finer(one: Candidate, other: Candidate) -> bool:
    if one.logged > SAME * other.logged:
        return True
    return min(len(one.curve), len(other.curve)) > 1 and _rate(one) > FINER * _rate(other)


def _rate(candidate: Candidate) -> float:
    walls = candidate.curve.wall_times
    return len(walls) / max(float(walls[-1] - walls[0]), 1e-9)


def _dense(train: Candidate, val: Candidate | None, epochs: float | None, stated: Stated) -> bool:
    """Whether a training loss is logged per batch, or per few batches, and not per epoch."""
    n, said = train.logged, train.meaning.grain
    if said:
        return said == "batch"
    if epochs:
        return n > DENSE_PER_EPOCH * epochs
    if val is None:
        told = stated() if n < MANY else None
        return n >= MANY or (told is not None and n > DENSE_PER_EPOCH * told)
    steps = train.curve.steps
    # At least every second point is more than a step apart: the median is.
    apart = 2 * np.count_nonzero(steps[1:] - steps[:-1] > 1) >= max(len(steps) - 1, 1)
    return n > (DENSE_STRIDED if apart else DENSE) * val.logged


def _any_same(candidate: Candidate, others: Sequence[Candidate]) -> bool:
    return any(same_curve(candidate.curve, other.curve) for other in others)


def _term(meaning: Meaning) -> Words:
    return meaning.term
