"""Which settings decide whether a run is among the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from tbdiag.advisor.storages import silence
from tbdiag.model.series import Floats
from tbdiag.signals.ranks import ranks

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study

Value = float | str

_TOP = 0.25  # of the runs: what is asked is which settings lead among them


def importances(
    trials: Sequence[Mapping[str, Value]],
    losses: Floats,
    *,
    by_ratio: frozenset[str] = frozenset(),
    draws: int = 39,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """For each setting its share of what decides whether a run is among the best quarter, and a p.

    ``trials`` are the settings of n runs, all under the same names and none constant; ``losses`` (n,),
    lower is better, infinite for runs that failed. Settings in ``by_ratio`` that are positive
    throughout are taken on a logarithmic scale. The shares are those of PED-ANOVA (Watanabe, Bansal,
    Hutter, 2023) and add up to 1, also where nothing matters at all: p is the share of ``draws``
    shuffles of the losses, and of the runs as they are, in which the setting seems to matter as much.
    """
    with silence():
        study = _study(trials, by_ratio)
        order = ranks(losses)
        seen = _scores(study, order)
        rng = np.random.default_rng(seed)
        by_chance = [_scores(study, rng.permutation(order)) for _ in range(draws)]
    total = sum(seen.values()) or 1.0
    return {
        name: (
            score / total,
            (1 + sum(each[name] >= score for each in by_chance)) / (1 + draws),
        )
        for name, score in sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    }


def _distribution(values: Sequence[Value], by_ratio: bool) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if any(isinstance(each, str) for each in values):
        return CategoricalDistribution(sorted({str(each) for each in values}))
    numbers = [float(each) for each in values]
    log = by_ratio and min(numbers) > 0
    return FloatDistribution(min(numbers), max(numbers), log=log)


def _study(trials: Sequence[Mapping[str, Value]], by_ratio: frozenset[str]) -> Study:
    """The runs as trials that are numbered in their order, without a value that counts."""
    import optuna
    from optuna.distributions import CategoricalDistribution

    space = {
        name: _distribution([each[name] for each in trials], name in by_ratio) for name in trials[0]
    }
    study = optuna.create_study(direction="minimize")
    for settings in trials:
        params: dict[str, Any] = {
            name: str(value) if isinstance(space[name], CategoricalDistribution) else float(value)
            for name, value in settings.items()
        }
        study.add_trial(optuna.trial.create_trial(params=params, distributions=space, value=0.0))
    return study


def _scores(study: Study, order: Floats) -> dict[str, float]:
    """The importances of PED-ANOVA where the trials' ranks are ``order`` (n,), not normalised."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    make: Callable[..., PedAnovaImportanceEvaluator] = PedAnovaImportanceEvaluator
    newer = "target_quantile" in signature(make).parameters  # the older name went with Optuna 5
    evaluator = make(**{"target_quantile" if newer else "baseline_quantile": _TOP})
    return dict(
        get_param_importances(
            study,
            evaluator=evaluator,
            target=lambda trial: float(order[trial.number]),
            normalize=False,
        )
    )
