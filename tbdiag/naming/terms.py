"""Which losses are the penalty on the weights, and which the loss without it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tbdiag.model.role import Role
from tbdiag.naming.candidates import Candidate, Choice, choose

_DETECTION = frozenset({"cls", "box", "bbox", "classification", "rpn"})


def penalties(losses: Sequence[Candidate]) -> list[Candidate]:
    """The losses that penalise weights; ``reg`` beside boxes and classes is a regression."""
    words = {word for c in losses for word in c.meaning.term}
    detection = not _DETECTION.isdisjoint(words)
    return [
        c
        for c in losses
        if c.meaning.role is Role.REGULARIZATION_LOSS
        and not (detection and "reg" in c.meaning.words)
    ]


def choose_terms(
    losses: Sequence[Candidate], train: Candidate | None, taken: Collection[str]
) -> dict[Role, Choice]:
    """The regularisation loss, and the data loss where ``train`` is the total beside it.

    ``taken`` are the tags that play another role. Penalties logged layer by layer are none.
    """
    pool = [c for c in losses if c.meaning.split in ("train", "") and c.tag not in taken]
    weights = penalties(pool)
    plain = [c for c in weights if not c.meaning.family] or (weights if len(weights) == 1 else [])
    found = {
        Role.REGULARIZATION_LOSS: choose(
            plain, lambda c: (not c.meaning.total, c.meaning.smooth, c.grain)
        )
    }
    if train is None or train.meaning.term:
        return found
    others = [c for c in pool if c not in weights and not all(map(str.isdigit, c.meaning.term))]
    data = [c for c in others if c.meaning.main]
    if weights and train.meaning.total:
        data += [c for c in pool if not c.meaning.term and not c.meaning.total]
    if all(c.meaning.main for c in others):
        found[Role.DATA_LOSS] = choose(
            data,
            lambda c: (
                not c.meaning.main,
                abs(c.grain - train.grain),
                c.meaning.smooth,
                any(map(str.isdigit, c.meaning.term)),
            ),
        )
    return found
