"""Which metric stands for a run, as a pair on training and validation where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tbdiag.naming import tables
from tbdiag.naming.candidates import Candidate, coarsest, unnumbered
from tbdiag.naming.losses import validating
from tbdiag.naming.meaning import Meaning, Words


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metric of a run on either split; tags that were in doubt stand in ``tied``."""

    quantity: str = ""
    train: Candidate | None = None
    val: Candidate | None = None
    tied_train: tuple[str, ...] = ()
    tied_val: tuple[str, ...] = ()


def choose_metrics(candidates: Sequence[Candidate]) -> Metrics:
    """The first of: a pair on both splits, one on validation, one on training.

    Within each, a metric under its plain name comes before one with words added (``end_acc``), then
    the order of the table decides. A metric that weighs all classes alike comes last.
    """
    if not candidates:
        return Metrics()
    pool = unnumbered([c for c in candidates if c.meaning.quantity != "map"], _stem)
    pool += [c for c in candidates if c.meaning.quantity == "map"]
    order = [
        *(p.name for p in tables.patterns("metrics")),
        *(p.name for p in tables.patterns("balanced")),
    ]
    found = []
    for at, name in enumerate(order):
        same = [c for c in pool if (c.meaning.balanced or c.meaning.quantity) == name]
        if same:
            metrics = _of_quantity(name, same)
            found.append((_rank(metrics), at, metrics))
    return min(found, key=lambda entry: entry[:2])[2] if found else Metrics()


def _of_quantity(name: str, pool: Sequence[Candidate]) -> Metrics:
    training = [c for c in pool if c.meaning.split in ("train", "")]
    validation = validating(pool)
    shared = {c.meaning.stem for c in training} & {c.meaning.stem for c in validation}
    val_pool, val_tied = _whole(validation, shared, name)
    near = {c.meaning.stem for c in val_pool} or shared
    train_pool, train_tied = _whole(training, near, name)
    if val_pool:
        train_pool = [c for c in train_pool if c.meaning.stem in near]
    val = coarsest(val_pool, None, validation=True)
    twin = val.chosen.logged if val.chosen else None
    train = coarsest(train_pool, twin, validation=False)
    return Metrics(
        name,
        train=train.chosen,
        val=val.chosen,
        tied_train=train.tied or train_tied,
        tied_val=val.tied or val_tied,
    )


def _whole(
    pool: Sequence[Candidate], shared: set[Words], name: str
) -> tuple[list[Candidate], tuple[str, ...]]:
    balanced = any(c.meaning.balanced for c in pool)
    plain = [c for c in pool if not c.meaning.stem or balanced]
    if plain:
        return plain, ()
    stems = {c.meaning.stem for c in pool}
    if len(stems) > 1 and len(stems & shared) == 1:
        stems &= shared
    if len(stems) == 1:
        return [c for c in pool if c.meaning.stem in stems], ()
    if name == "map" and stems:  # the looser threshold is what a single number means
        loosest = min(stems, key=lambda stem: (tuple(w for w in stem if not w.isdigit()), stem))
        return [c for c in pool if c.meaning.stem == loosest], ()
    if any(c.meaning.component for c in pool):
        return [], ()
    return [], tuple(sorted(c.tag for c in pool))


def _rank(metrics: Metrics) -> int:
    """0 for a plain pair, 1 for a qualified one, then validation alone, then training alone."""
    train, val = metrics.train, metrics.val
    doubtful = bool(metrics.tied_train or metrics.tied_val)
    qualified = any(c.meaning.stem for c in (train, val) if c)
    if train and val:
        return 0 + qualified
    if val:
        return 2 + qualified
    if train:
        return 4 + qualified
    return 6 if doubtful else 7


def _stem(meaning: Meaning) -> Words:
    return meaning.stem
