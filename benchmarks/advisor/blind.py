"""Searches that do not look at curves: random, and Optuna's samplers, from the same bad run on."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.advisor.arena import Arena, rounded
from benchmarks.advisor.starts import Params, Space
from benchmarks.advisor.training import Task
from tbdiag.config.training import Choices, Range
from tbdiag.model.run import Scalar

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

Seen = tuple[dict[str, Scalar], float]


@dataclass(slots=True)
class Blind:
    """Runs of a task by settings over ``fixed`` ones, each with its loss."""

    arena: Arena
    task: Task
    fixed: Params
    runs: list[Seen] = field(default_factory=list)

    def train(self, params: Params) -> float:
        """Trains one more."""
        full = rounded({**self.fixed, **params})
        value = self.arena.value(self.task, full)
        self.runs.append((full, value))
        return value


def drawn(dimensions: Space, rng: np.random.Generator) -> dict[str, Scalar]:
    """Settings drawn evenly from their ranges, on a logarithmic scale where they have one."""
    found: dict[str, Scalar] = {}
    for name, each in dimensions.items():
        if name == "seed":
            continue
        if isinstance(each, Choices):
            found[name] = each.values[int(rng.integers(len(each.values)))]
        elif each.log:
            found[name] = float(np.exp(rng.uniform(math.log(each.low), math.log(each.high))))
        else:
            found[name] = float(rng.uniform(each.low, each.high))
    return found


def tpe(blind: Blind, dimensions: Space, n: int, seed: int) -> None:
    """``n`` runs by Optuna's TPE as it comes, which knows all runs of ``blind``."""
    import optuna

    _sampled(blind, dimensions, n, optuna.samplers.TPESampler(seed=seed))


def gp(blind: Blind, dimensions: Space, n: int, seed: int) -> None:
    """``n`` runs by Optuna's Gaussian process, which needs PyTorch."""
    import optuna

    _sampled(blind, dimensions, n, optuna.samplers.GPSampler(seed=seed))


def _sampled(blind: Blind, dimensions: Space, n: int, sampler: BaseSampler) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = {name: _distribution(each) for name, each in dimensions.items() if name != "seed"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is experimental
        study = optuna.create_study(sampler=sampler)
        for params, value in blind.runs:
            _import(study, space, params, value)
        for _ in range(n):
            trial = study.ask(space)
            value = blind.train(trial.params)
            if math.isfinite(value):
                study.tell(trial, value)
            else:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)


def _import(
    study: object, space: dict[str, BaseDistribution], params: Params, value: float
) -> None:
    """The run as a trial, where it lies within the space."""
    from optuna.study import Study
    from optuna.trial import TrialState, create_trial

    assert isinstance(study, Study)
    told = {name: params[name] for name in space}
    inside = all(
        each._contains(each.to_internal_repr(told[name]))  # as Optuna itself looks
        for name, each in space.items()
        if _known(each, told[name])
    ) and all(_known(each, told[name]) for name, each in space.items())
    if not inside:
        return
    done = math.isfinite(value)
    study.add_trial(
        create_trial(
            state=TrialState.COMPLETE if done else TrialState.FAIL,
            value=value if done else None,
            params=told,
            distributions=space,
        )
    )


def _known(distribution: BaseDistribution, value: Scalar) -> bool:
    choices: Sequence[Scalar] | None = getattr(distribution, "choices", None)
    return choices is None or value in choices


def _distribution(dimension: Choices | Range) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.values)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
