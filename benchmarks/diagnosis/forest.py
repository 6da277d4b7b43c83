"""A yardstick for the rules about the rate: a random forest on 16 features of the curves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from tbdiag.case import Case
from tbdiag.model.role import Role
from tbdiag.model.series import Floats
from tbdiag.signals.trend import mann_kendall

NAMES = (
    "regained", "ready", "tau", "tau_whole", "drop", "sure_drop", "noise", "quarter", "half", "over",
    "blow_up", "batch_spread", "not_finite", "val_over", "val_tau", "val_best_at",
)  # fmt: skip
_FEW = 8


def features(case: Case) -> list[float]:
    """The features of a run in the order of ``NAMES``; NaN where a curve is too short or broken.

    All are of the shape of the curves: levels of a loss differ between problems, and with them the
    forest does worse on problems that it did not see.
    """
    train = case.curve(Role.TRAIN_LOSS)
    if train is None or len(train) < _FEW:
        return [np.nan] * len(NAMES)
    seen, values = case.progress, case.course(Role.TRAIN_LOSS).values
    fall = seen.first - seen.best
    return [
        seen.regained,
        seen.ready,
        seen.trend.tau,
        mann_kendall(values).tau,
        seen.drop,
        seen.sure_drop,
        seen.noise,
        *((seen.first - float(values[len(values) * n // 4])) / (fall or np.nan) for n in (1, 2)),
        seen.last / (seen.best or np.nan),
        *_batches(case),
        *_validation(case),
    ]


def _batches(case: Case) -> tuple[float, float, float]:
    """The highest of the first 200 batches over the first, the spread of the last, the broken."""
    batch = case.curve(Role.BATCH_LOSS)
    if batch is None or len(batch) < _FEW:
        return np.nan, np.nan, np.nan
    late = batch.values[-1000:]
    return (
        float(batch.values[:200].max() / np.median(batch.values[:3])),
        float(late.std() / max(abs(late.mean()), 1e-12)),
        float(len(batch.nonfinite)),
    )


def _validation(case: Case) -> tuple[float, float, float]:
    """The last over the best, the trend of the second half, and where in the run the best stands."""
    val = case.curve(Role.VAL_LOSS)
    if val is None or len(val) < _FEW:
        return np.nan, np.nan, np.nan
    values = val.values
    return (
        float(np.median(values[-5:]) / values.min()),
        mann_kendall(values[len(values) // 2 :]).tau,
        float(values.argmin() / len(values)),
    )


def forest(known: Floats, labels: NDArray[np.str_], asked: Floats, seed: int) -> NDArray[np.str_]:
    """What a forest that learnt ``known`` (n, 16) with ``labels`` (n,) says of ``asked`` (m, 16)."""
    trees = RandomForestClassifier(
        n_estimators=300, min_samples_leaf=3, random_state=seed, n_jobs=1
    )
    trees.fit(_tame(known), labels)
    called: NDArray[np.str_] = trees.predict(_tame(asked)).astype(str)
    return called


def _tame(values: Floats) -> Floats:
    """The features with what is missing or beyond all bounds at one odd value each."""
    return np.nan_to_num(np.clip(values, -1e6, 1e6), nan=-1e6)
