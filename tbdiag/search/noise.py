"""How much the results of a family vary by chance."""

from __future__ import annotations

from collections.abc import Sequence

from tbdiag.model.role import Role
from tbdiag.search.entrant import Entrant, Objective, grouped, identity, samples_of, values
from tbdiag.signals.repeats import Noise, pooled, standard_error

_REWARDS = (Role.REWARD, Role.VAL_REWARD)
_TRIED = 3  # runs whose accuracies are asked for the size of the validation set


def assumed_sd(objective: Objective, value: float, *, metric_sd: float, loss_sd: float) -> float:
    """The seed-to-seed deviation to assume around ``value``, in its own unit.

    ``metric_sd`` for a metric that lies between 0 and 1, a hundred times as much for one in percent;
    ``loss_sd`` of the value for everything else.
    """
    unit = percent(objective, value)
    return abs(value) * loss_sd if unit is None else metric_sd * unit


def noise(
    entrants: Sequence[Entrant],
    *,
    metric_sd: float,
    loss_sd: float,
    weight: float,
    repeats: Sequence[Sequence[Entrant]] | None = None,
) -> Noise | None:
    """The noise of the best values of comparable runs, None where it is not known.

    It is not where all runs failed, and for rewards without repeats, whose deviation may be anything.
    From repeats where there are some, else as `assumed_sd`, which counts like ``weight`` degrees of
    freedom beside them; the error of the validation set where its size is known. ``repeats`` are the
    groups of repeats among them where that is known, else those with the same settings are.
    """
    alive = [each for each in entrants if each.level is not None]
    if not alive:
        return None
    objective = alive[0].objective
    sign = -1 if objective.higher else 1
    ranked = sorted(alive, key=lambda each: sign * each.value)
    best = ranked[0].value
    usual = assumed_sd(objective, best, metric_sd=metric_sd, loss_sd=loss_sd)
    weight = 0.0 if objective.role in _REWARDS else weight
    kept = set(map(id, alive))
    groups = (
        grouped(alive) if repeats is None else [[e for e in g if id(e) in kept] for g in repeats]
    )
    sd, counted = pooled((values(_distinct(group)) for group in groups), usual, weight)
    if objective.role in _REWARDS and not counted:
        return None
    samples = _samples(objective, ranked)
    unit = percent(objective, best) or 1
    return Noise(
        seed_sd=sd,
        error=unit * standard_error(best / unit, samples) if samples else 0.0,
        repeats=counted,
        samples=samples,
    )


def percent(objective: Objective, value: float) -> int | None:
    """1 for a share, 100 for percent, None where the objective is neither."""
    if not objective.higher or not 0 <= value <= 100:
        return None
    return 1 if value <= 1 else 100


def _distinct(group: Sequence[Entrant]) -> list[Entrant]:
    """The repeats without those that are but another's copy: no other seed, and the same result."""
    return list({(identity(each.seeds), each.value): each for each in group}.values())


def _samples(objective: Objective, ranked: Sequence[Entrant]) -> int | None:
    """The number of validation samples at most, by the accuracies of the best runs."""
    if objective.role is not Role.VAL_METRIC or objective.quantity != "accuracy":
        return None
    sizes = (samples_of(each.run) for each in ranked[:_TRIED])
    return next((size.most for size in sizes if size is not None), None)
