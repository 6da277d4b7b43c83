"""A run in a search: its settings, what it is ranked by, and how it stands."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tbdiag.case import Case
from tbdiag.model.knob import Knob
from tbdiag.model.role import Better, Override, Role
from tbdiag.model.run import Run, Scalar
from tbdiag.model.series import Floats, Series
from tbdiag.naming.settings import About, about, canonical
from tbdiag.signals.level import Level, level
from tbdiag.signals.samples import SetSize

_JUDGED = (Role.VAL_METRIC, Role.VAL_LOSS)


@dataclass(frozen=True, slots=True)
class Objective:
    """What runs are ranked by: the curve ``tag``, which measures ``quantity``; ``role`` if it has one."""

    tag: str
    quantity: str
    better: Better
    role: Role | None = None

    @property
    def higher(self) -> bool:
        """Whether higher is better."""
        return self.better is Better.HIGHER

    @property
    def phrase(self) -> str:
        """The objective in words: ``validation accuracy``."""
        if self.role is Role.VAL_METRIC:
            return f"validation {self.quantity.replace('_', ' ')}"
        return self.tag if self.role is None else self.role.phrase


@dataclass(frozen=True, slots=True)
class Standing:
    """All that a run's curves tell of its place in a search, so that they need not be looked at again.

    ``rate`` is the peak of the learning rate where no rate is among the settings.
    """

    objective: Objective | None = None
    level: Level | None = None
    rate: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Entrant:
    """A run in a search: its ``settings`` without seeds and bookkeeping, and its ``seeds``.

    Its curves are looked at only when somebody asks how it stands: they may have to be read for it.
    """

    run: Run
    settings: Mapping[str, Scalar]
    seeds: Mapping[str, Scalar]
    objective: Objective
    standing: Standing | None = None

    @cached_property
    def level(self) -> Level | None:
        """Where the objective stands, None where it was never finite: the run failed."""
        if self.standing is not None:
            return self.standing.level
        return level(self.curve, higher=self.objective.higher)

    @property
    def curve(self) -> Series:
        """The curve of the objective."""
        return self.run.series[self.objective.tag]

    @property
    def value(self) -> float:
        """The best value of the objective, the worst there is for a run that failed."""
        if self.level is not None:
            return self.level.best
        return -math.inf if self.objective.higher else math.inf

    def number(self, name: str) -> float | None:
        """The setting as a finite number, None where it is none."""
        return numeric(self.settings.get(name))


def entrant(
    run: Run, wanted: Override | None = None, standing: Standing | None = None
) -> Entrant | None:
    """The run with its settings, None where it has no curve to be ranked by."""
    objective = _objective(run, wanted) if standing is None else standing.objective
    if objective is None:
        return None
    settings, seeds = settings_of(run, standing)
    return Entrant(run=run, settings=settings, seeds=seeds, objective=objective, standing=standing)


def standing(run: Run, wanted: Override | None = None) -> Standing:
    """The place of a run, told by its curves."""
    each = entrant(run, wanted)
    if each is None:
        return Standing()
    rate = each.settings.get(Knob.LR.value) if Knob.LR.value not in _told(run)[0] else None
    return Standing(each.objective, each.level, rate if isinstance(rate, float) else None)


def needed(run: Run, wanted: Override | None = None) -> frozenset[str]:
    """The tags of the curves that a run's place in a search is told by."""
    objective, rate = _objective(run, wanted), run.roles.bound.get(Role.LEARNING_RATE)
    known = (None if objective is None else objective.tag, None if rate is None else rate.tag)
    return frozenset(tag for tag in known if tag is not None)


def settings_of(
    run: Run, standing: Standing | None = None
) -> tuple[dict[str, Scalar], dict[str, Scalar]]:
    """The settings of a run by canonical name without mere bookkeeping, and apart its seeds.

    The peak of the learning rate's curve stands in where no rate is among them.
    """
    settings, seeds = _told(run)
    if settings and Knob.LR.value not in settings:
        if standing is None:
            rate = Case(run).schedule
            peak = None if rate is None else float(f"{rate.peak:.4g}")
        else:
            peak = standing.rate
        if peak is not None:
            settings[Knob.LR.value] = peak
    return settings, seeds


def _told(run: Run) -> tuple[dict[str, Scalar], dict[str, Scalar]]:
    """The settings and the seeds that the run tells."""
    settings: dict[str, Scalar] = {}
    seeds: dict[str, Scalar] = {}
    for name, hparam in run.hparams.items():
        kind = about(name)
        if kind is not About.BOOKKEEPING:
            into = seeds if kind is About.SEED else settings
            short = canonical(name)
            into[name if short in into else short] = hparam.value
    return settings, seeds


def samples_of(run: Run) -> SetSize | None:
    """How many validation samples there are, stated or read off the accuracies; None where untold."""
    return Case(run).validation_size()


def numeric(value: Scalar | None) -> float | None:
    """``value`` as a finite number, also where it was kept as text; None where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def differing(settings: Sequence[Mapping[str, Scalar]]) -> tuple[str, ...]:
    """The names whose values are not the same in all of ``settings``, or missing in some."""
    names = sorted({name for each in settings for name in each})
    return tuple(name for name in names if len({_key(each, name) for each in settings}) > 1)


def grouped(entrants: Sequence[Entrant]) -> tuple[tuple[Entrant, ...], ...]:
    """Those with the same settings together, in the order of the first of each group.

    Of a run without known settings nobody knows whose repeat it is: it stands alone.
    """
    groups: dict[object, list[Entrant]] = defaultdict(list)
    for each in entrants:
        groups[identity(each.settings) or id(each)].append(each)
    return tuple(tuple(group) for group in groups.values())


def values(entrants: Sequence[Entrant]) -> Floats:
    """The best values of the objective, shape (n,); infinite for runs that failed."""
    return np.array([each.value for each in entrants], dtype=np.float64)


def _objective(run: Run, wanted: Override | None) -> Objective | None:
    roles: Sequence[Role] = _JUDGED
    if wanted is not None:
        try:
            roles = (Role(wanted.tag),)
        except ValueError:
            return _by_tag(run, wanted)
    for role in roles:
        binding = run.roles.bound.get(role)
        if binding is not None:
            better = (wanted.better if wanted is not None else None) or binding.better
            return Objective(binding.tag, binding.quantity, better, role)
    return None


def _by_tag(run: Run, wanted: Override) -> Objective | None:
    if wanted.tag not in run.series:
        return None
    for role, binding in run.roles.bound.items():
        if binding.tag == wanted.tag:
            return Objective(wanted.tag, binding.quantity, wanted.better or binding.better, role)
    return Objective(wanted.tag, wanted.tag, wanted.better or Better.LOWER)


def identity(settings: Mapping[str, Scalar]) -> tuple[object, ...]:
    """The settings as a key that is equal where all of them are."""
    return tuple((name, _key(settings, name)) for name in sorted(settings))


def _key(settings: Mapping[str, Scalar], name: str) -> tuple[bool, object]:
    """A value that can be told from others: numbers by value, all else by its text."""
    if name not in settings:
        return False, None
    value = settings[name]
    number = numeric(value)
    return True, str(value) if number is None else number
