"""Runs side by side: in which settings they differ, how they stand, and whether that is noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tbdiag.detectors.search.difference_within_noise import DifferenceWithinNoise
from tbdiag.errors import RequestError
from tbdiag.model.knob import Knob
from tbdiag.model.role import Override, Role
from tbdiag.model.run import Run
from tbdiag.naming.settings import About, about
from tbdiag.search.entrant import Entrant, Objective, differing, entrant, numeric, values
from tbdiag.search.lead import Lead, lead
from tbdiag.search.noise import noise
from tbdiag.signals.medians import median
from tbdiag.signals.ranks import Correlation, spearman
from tbdiag.signals.repeats import Noise

_JUDGED = (
    Role.VAL_METRIC, Role.VAL_LOSS, Role.VAL_REWARD, Role.REWARD, Role.TRAIN_METRIC, Role.TRAIN_LOSS,
)  # fmt: skip
_FEW = 6  # runs: with fewer no correlation is told
_COMMON = 0.5  # of the runs that share the commonest curve: so many prefer one that tells more
_LISTED = 4  # runs named in an error


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How much a setting matters among ``runs`` runs.

    ``correlation``: of its value with good results by rank, None for one that is no number.
    ``importance`` is its share of what decides whether a run is among the best quarter, ``chance`` how
    probable so much would be if nothing mattered; both None with too few runs. ``values`` are (value,
    median of the objective, runs) of a setting that is no number, the best first.
    """

    name: str
    runs: int
    correlation: Correlation | None = None
    importance: float | None = None
    chance: float | None = None
    values: tuple[tuple[str, float, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """A run among others: its entry, how long it ran, and how many validation samples it counts."""

    entrant: Entrant
    epochs: float | None
    steps: int
    seconds: float

    @property
    def run(self) -> Run:
        """The run itself."""
        return self.entrant.run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Runs side by side, the best first.

    ``differing`` are the settings that are not the same in all runs, seeds included, ``same`` how many
    are. ``lead`` is that of the best over the others, None where none can be told. ``effects`` say
    which setting matters, ``why_no_effects`` why that cannot be said, ``why_no_importance`` why only
    correlations are. ``left_out`` lists (run, reason);
    ``caveats`` are sentences about what makes the runs less comparable.
    """

    version: str
    objective: Objective
    standings: tuple[Standing, ...]
    differing: tuple[str, ...]
    same: int
    noise: Noise | None
    lead: Lead | None
    effects: tuple[Effect, ...] = ()
    why_no_effects: str = ""
    why_no_importance: str = ""
    left_out: tuple[tuple[str, str], ...] = ()
    caveats: tuple[str, ...] = field(default=())


def compared(
    runs: Sequence[Run],
    *,
    version: str = "",
    objective: Override | None = None,
    rule: DifferenceWithinNoise | None = None,
) -> Comparison:
    """The runs side by side, by the ``objective`` or else by what most of them logged for validation.

    ``rule`` holds the thresholds by which a difference is noise. Raises RequestError with fewer than two
    runs, or where no two of them have a curve in common to be compared by.
    """
    if len(runs) < 2:
        found = f"found {runs[0].id} only" if runs else "found none"
        raise RequestError(f"two runs or more are needed to compare: {found}")
    entrants, left_out = _entrants(runs, objective)
    entrants.sort(key=lambda each: (each.run.id, each.run.path.as_posix()))
    sign = -1 if entrants[0].objective.higher else 1
    ranked = sorted(entrants, key=lambda each: sign * each.value)
    rule = rule or DifferenceWithinNoise()
    chance = noise(entrants, metric_sd=rule.metric_sd, loss_sd=rule.loss_sd, weight=rule.weight)
    known = [{**each.settings, **each.seeds} for each in ranked]
    differ = differing(known)
    effects, why = _effects(ranked)
    return Comparison(
        version=version,
        objective=ranked[0].objective,
        standings=tuple(_standing(each) for each in ranked),
        differing=differ,
        same=len({name for each in known for name in each}) - len(differ),
        noise=chance,
        lead=None if chance is None else lead(entrants, chance, rule.factor),
        effects=effects,
        why_no_effects=why,
        left_out=left_out,
        caveats=_caveats(ranked),
    )


def numbers(entrants: Sequence[Entrant], name: str) -> list[float] | None:
    """The values of a setting as numbers, truth as 0 and 1; None where a run has no number for it."""
    found = []
    for each in entrants:
        value = each.settings.get(name)
        number = float(value) if isinstance(value, bool) else numeric(value)
        if number is None:
            return None
        found.append(number)
    return found


def _entrants(
    runs: Sequence[Run], wanted: Override | None
) -> tuple[list[Entrant], tuple[tuple[str, str], ...]]:
    """The runs by what most of them can be judged by, and why others are left out."""
    overrides = [wanted] if wanted is not None else [Override(role.value) for role in _JUDGED]
    choices = [[entrant(run, override) for run in runs] for override in overrides]
    kinds: Counter[tuple[int, str]] = Counter()
    for place, row in enumerate(choices):
        kinds.update((place, each.objective.quantity) for each in row if each is not None)
    enough = {kind: n for kind, n in kinds.items() if n > 1}
    if not enough:
        raise RequestError(_nothing_in_common(runs, wanted))
    most = max(enough.values())
    common = [kind for kind, n in enough.items() if n >= _COMMON * most]
    place, quantity = min(common, key=lambda kind: (kind[0], -enough[kind], kind[1]))
    row = choices[place]
    chosen = [each for each in row if each is not None and each.objective.quantity == quantity]
    phrase = chosen[0].objective.phrase
    kept = {id(each.run) for each in chosen}
    return chosen, tuple((run.id, f"no {phrase} was logged") for run in runs if id(run) not in kept)


def _nothing_in_common(runs: Sequence[Run], wanted: Override | None) -> str:
    if wanted is not None:
        return f"fewer than two of the runs logged {wanted.tag}, the objective"
    told = [f"{run.id} {_logs(run)}" for run in runs[:_LISTED]]
    more = f", and so on for {len(runs) - _LISTED} more" if len(runs) > _LISTED else ""
    return f"the runs have no curve in common to compare them by: {', '.join(told)}{more}"


def _logs(run: Run) -> str:
    tags = [each.tag for each in run.roles.bound.values()][:2] or list(run.series)[:2]
    return f"logged {' and '.join(tags)}" if tags else "logged no curve"


def _standing(each: Entrant) -> Standing:
    run = each.run
    curves = [curve for curve in run.series.values() if len(curve)]
    times = [float(t) for curve in curves for t in curve.wall_times[[0, -1]]]
    epoch = run.curve(Role.EPOCH)
    stated = numeric(each.settings.get(Knob.EPOCHS.value))
    epochs = float(epoch.values.max()) if epoch is not None and len(epoch) else None
    if epochs is None and stated == each.curve.logged:
        epochs = stated
    return Standing(
        entrant=each,
        epochs=epochs,
        steps=max((int(curve.steps[-1]) for curve in curves), default=0),
        seconds=max(times) - min(times) if times else 0.0,
    )


def _caveats(entrants: Sequence[Entrant]) -> tuple[str, ...]:
    settings = [each.settings for each in entrants]
    told = []
    data = [name for name in differing(settings) if about(name) is About.DATA]
    if data and all(settings):
        told.append(f"the runs differ in {', '.join(data)}: they may not have seen the same data")
    measures = [name for name in differing(settings) if about(name) is About.MEASURE]
    if measures and not entrants[0].objective.higher:
        told.append(f"the runs differ in {', '.join(measures)}: their losses may not mean the same")
    if blind := sum(not each for each in settings):
        of = "any run" if blind == len(settings) else f"{blind} of {len(settings)} runs"
        told.append(f"no hyperparameters are known of {of}")
    if entrants[0].objective.role in (Role.TRAIN_LOSS, Role.TRAIN_METRIC):
        told.append("validation was not logged: the comparison is by training alone")
    tags = sorted({each.objective.tag for each in entrants})
    if len(tags) > 1:
        told.append(f"the objective is logged under several tags: {', '.join(tags)}")
    return tuple(told)


def _effects(entrants: Sequence[Entrant]) -> tuple[tuple[Effect, ...], str]:
    """Which setting goes with good results, and why that cannot be told."""
    entrants = [each for each in entrants if each.settings]
    names = differing([each.settings for each in entrants])
    if not entrants:
        return (), "which setting matters cannot be told: no hyperparameters are known"
    if not names:
        return (), "the runs do not differ in any setting but the seed"
    if len(entrants) < _FEW:
        return (
            (),
            f"{len(entrants)} runs are too few to tell which setting matters; {_FEW} are needed",
        )
    found = [each for each in (_effect(entrants, name) for name in names) if each is not None]
    found.sort(key=lambda each: -abs(each.correlation.rho) if each.correlation else 0.0)
    return tuple(found), ""


def _effect(entrants: Sequence[Entrant], name: str) -> Effect | None:
    there = [each for each in entrants if name in each.settings]
    if len(there) < _FEW or about(name) is About.DATA:
        return None
    good = values(there) if there[0].objective.higher else -values(there)
    given = numbers(there, name)
    if given is not None and len(set(given)) < 2:
        return None
    if given is not None:
        return Effect(name=name, runs=len(there), correlation=spearman(np.array(given), good))
    groups: dict[str, list[float]] = {}
    for each in there:
        groups.setdefault(str(each.settings[name]), []).append(each.value)
    medians = [(value, median(group), len(group)) for value, group in groups.items()]
    sign = -1 if there[0].objective.higher else 1
    ranked = sorted(medians, key=lambda row: (sign * row[1], row[0]))
    return Effect(name=name, runs=len(there), values=tuple(ranked)) if len(ranked) > 1 else None
