"""Runs as an Optuna study, the ledger of what was tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tbdiag.advisor.colleagues import Told
from tbdiag.advisor.storages import MEMORY, opened, silence, told
from tbdiag.config.training import Choices, Dimension
from tbdiag.errors import RequestError
from tbdiag.model.proposal import Params, State
from tbdiag.model.run import Scalar

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial, TrialState


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A run as it stands in the ledger.

    ``key`` names it there; ``value`` is the objective in its own units, None where there is none;
    ``curve`` maps steps to what was measured on the way, ``told`` is what is worth reading beside it.
    ``span`` are the wall times between which it ran.
    """

    key: str
    params: Params
    value: float | None
    state: State = State.FINISHED
    curve: Mapping[int, float] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    span: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A run that a controller claimed and did not make to its end: its settings, and why in words."""

    params: Params
    origin: str
    reason: str


class Ledger:
    """The Optuna study ``name`` in a file of a folder, at any URL that Optuna knows, or in memory alone.

    Only runs that are over stand in it, each once: a killed controller leaves nothing behind. The
    dimensions are those of ``space``; a value that they do not allow is written at its nearest allowed
    place, with the true one beside it. Raises RequestError where the storage cannot be used.
    """

    owner = ""  # of the runs in it, where there are several

    def __init__(
        self, storage: Path | str | None, name: str, space: Mapping[str, Dimension], *, higher: bool
    ) -> None:
        self.name, self.space = name, space
        self._place = MEMORY if storage is None else storage
        with silence(), told(self._place):
            self._study = self._opened(higher)
            kept = self._study.get_trials(deepcopy=False)
        self._keys = {str(each.user_attrs.get("run", "")) for each in kept}

    def _opened(self, higher: bool) -> Study:
        import optuna

        study = optuna.create_study(
            storage=opened(self._place),
            study_name=self.name,
            direction="maximize" if higher else "minimize",
            load_if_exists=True,
        )
        if (study.direction is optuna.study.StudyDirection.MAXIMIZE) is not higher:
            raise RequestError(
                f'the study "{self.name}" looks for the {"lowest" if higher else "highest"} value, '
                "and this objective is better the other way: give it another name by --study"
            )
        return study

    def measures(self, phrase: str) -> None:
        """Names the objective, for who looks at the study: ``validation loss``."""
        with silence(), told(self._place):
            if self._study.metric_names is None:
                self._study.set_metric_names([phrase])

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def add(self, page: Page) -> None:
        """Writes the run down, unless it stands there already."""
        if page.key in self:
            return
        trial = self._trial(page)
        with silence(), told(self._place):
            self._study.add_trial(trial)
        self._keys.add(page.key)

    def ask(
        self,
        pending: Sequence[Params],
        *,
        seed: int = 0,
        within: Mapping[str, Dimension] | None = None,
    ) -> dict[str, Scalar]:
        """What Optuna's sampler would try next, while ``pending`` settings are being tried.

        ``within`` are the dimensions to search, by default all of the space; of numbers that lie beyond
        it takes the nearest that does not, runs with other words it does not know. Nothing is written:
        it is asked on a copy, in which the pending ones run.
        """
        import optuna

        space = self.space if within is None else within
        with silence():
            copy = optuna.create_study(
                direction=self._study.direction,
                sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True),
            )
            kept = self._known()
            if within is not None:
                kept = [again for each in kept if (again := _retold(each, space)) is not None]
            copy.add_trials(kept)
            for params in pending:
                page = Page(key="", params=params, value=None, state=State.RUNNING)
                running = self._trial(page)
                trial = running if within is None else _retold(running, space)
                if trial is not None:
                    copy.add_trial(trial)
            asked = copy.ask({name: _allowed(each) for name, each in space.items()})
        return dict(asked.params)

    def _known(self) -> list[FrozenTrial]:
        """The trials that the sampler learns from."""
        return self._study.get_trials(deepcopy=False)

    def claim(self, page: Page) -> bool:
        """Whether the run of a page may be made: no other controller is at it. Nobody else is here."""
        del page
        return True

    def elsewhere(self) -> list[Params]:
        """The settings that other controllers try or have tried: none."""
        return []

    def others(self) -> list[Told]:
        """The runs of other controllers that can be built on: none."""
        return []

    def orphans(self) -> list[Orphan]:
        """Runs whose controllers were lost, to be made by somebody else: none."""
        return []

    def give_up(self, key: str, reason: str) -> None:
        """Tells others that a run that was claimed was not made to its end."""

    def close(self) -> None:
        """Nothing more is claimed or written."""

    def __len__(self) -> int:
        return len(self._keys)

    def _trial(self, page: Page) -> FrozenTrial:
        import optuna

        params: dict[str, Any] = {}
        distributions: dict[str, BaseDistribution] = {}
        off: dict[str, Scalar] = {}
        for name, dimension in self.space.items():
            value, distribution = page.params.get(name), _allowed(dimension)
            inner = _inside(distribution, value)
            if inner is None:
                off[name] = value
                continue
            if inner != value and str(inner) != str(value):
                off[name] = value
            params[name], distributions[name] = inner, distribution
        state = _state_of(page)
        beside = dict(page.told) | ({"not as written": off} if off else {})
        known = page.value if state is optuna.trial.TrialState.COMPLETE else None
        trial = optuna.trial.create_trial(
            state=state,
            value=known,
            params=params,
            distributions=distributions,
            user_attrs={"run": page.key, **beside},
            intermediate_values={step: float(value) for step, value in page.curve.items()},
        )
        if page.span is not None and state.is_finished():
            begun, ended = map(_moment, page.span)
            if begun is not None and ended is not None:
                trial.datetime_start, trial.datetime_complete = begun, ended
        return trial


def _moment(wall_time: float) -> datetime | None:
    """A wall time as Optuna notes times: local, and without a zone. None where it is none."""
    try:
        return datetime.fromtimestamp(wall_time)  # noqa: DTZ006 - as Optuna's own
    except (OverflowError, OSError, ValueError):
        return None


def _retold(trial: FrozenTrial, space: Mapping[str, Dimension]) -> FrozenTrial | None:
    """The trial in other dimensions, None where it has no place in them."""
    import optuna

    distributions = {name: _allowed(each) for name, each in space.items()}
    params = {n: _inside(each, trial.params.get(n)) for n, each in distributions.items()}
    if any(value is None for value in params.values()):
        return None
    return optuna.trial.create_trial(
        state=trial.state,
        value=trial.value,
        params=params,
        distributions=distributions,
        user_attrs=trial.user_attrs,
    )


def _state_of(page: Page) -> TrialState:
    from optuna.trial import TrialState

    if page.state is State.RUNNING:
        return TrialState.RUNNING
    if page.state is State.KILLED:
        return TrialState.PRUNED
    done = page.state is State.FINISHED and page.value is not None
    return TrialState.COMPLETE if done and np.isfinite(page.value or 0.0) else TrialState.FAIL


def _allowed(dimension: Dimension) -> BaseDistribution:
    """The dimension as Optuna's."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.values)
    low, high, step = dimension.low, dimension.high, dimension.step
    if isinstance(low, int) and isinstance(high, int) and not isinstance(step, float):
        return IntDistribution(low, high, log=dimension.log, step=step or 1)
    return FloatDistribution(low, high, log=dimension.log, step=step)


def _inside(distribution: BaseDistribution, value: Scalar) -> Scalar:
    """The value as the distribution takes it: a number at its nearest place; None where it has none."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        # Text and doubles for what was a number, as event files keep it.
        return next((each for each in distribution.choices if _alike(each, value)), None)
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]  # None and words raise
    except (TypeError, ValueError):
        return None
    number = min(max(number, distribution.low), distribution.high)
    if distribution.step is not None:
        steps = round((number - distribution.low) / distribution.step)
        number = min(distribution.low + steps * distribution.step, distribution.high)
    return round(number) if isinstance(distribution, IntDistribution) else number


def _alike(one: Scalar, other: Scalar) -> bool:
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    try:
        return float(one) == float(other)
    except ValueError:
        return str(one) == str(other)
