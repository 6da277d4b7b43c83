"""A vocabulary of curves, for the samples of the rules, the tests and the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import ArrayLike

from tbdiag.model.histogram import Histogram, Histograms
from tbdiag.model.role import Better, Binding, Role, RoleMap
from tbdiag.model.run import HParam, Provenance, Run, Scalar
from tbdiag.model.series import Floats, Series

TAGS: Mapping[Role, str] = {
    Role.TRAIN_LOSS: "loss/train",
    Role.BATCH_LOSS: "batch/loss",
    Role.VAL_LOSS: "loss/val",
    Role.TRAIN_METRIC: "accuracy/train",
    Role.VAL_METRIC: "accuracy/val",
    Role.BALANCED_METRIC: "balanced_accuracy/val",
    Role.LEARNING_RATE: "lr",
    Role.GRAD_NORM: "grad_norm",
    Role.LOSS_SCALE: "amp/loss_scale",
    Role.EPOCH: "epoch",
    Role.REWARD: "rollout/ep_rew_mean",
    Role.VAL_REWARD: "eval/mean_reward",
    Role.KL: "train/approx_kl",
    Role.ENTROPY: "train/entropy",
    Role.CLIP_FRACTION: "train/clip_fraction",
    Role.EXPLAINED_VARIANCE: "train/explained_variance",
    Role.POLICY_LOSS: "train/policy_loss",
    Role.VALUE_LOSS: "train/value_loss",
    Role.D_LOSS: "loss/d",
    Role.G_LOSS: "loss/g",
}
_HIGHER = {
    Role.TRAIN_METRIC,
    Role.VAL_METRIC,
    Role.BALANCED_METRIC,
    Role.REWARD,
    Role.VAL_REWARD,
    Role.EXPLAINED_VARIANCE,
}
_QUANTITIES = {
    Role.TRAIN_METRIC: "accuracy",
    Role.VAL_METRIC: "accuracy",
    Role.BALANCED_METRIC: "balanced_accuracy",
}


def decay(n: int, start: float, floor: float, rate: float = 6.0) -> Floats:
    """``n`` values that fall exponentially from ``start`` towards ``floor``, e^-rate of it left."""
    return floor + (start - floor) * np.exp(-rate * np.linspace(0, 1, n))


def u_turn(n: int, start: float, bottom: float, end: float, turn: float = 0.35) -> Floats:
    """``n`` values that fall to ``bottom`` at ``turn`` of the way, then climb to ``end``."""
    at = np.linspace(0, 1, n)
    down = bottom + (start - bottom) * np.exp(-6 * at / turn)
    up = (end - bottom) * np.clip((at - turn) / (1 - turn), 0, None) ** 1.2
    return down + up


def flat(n: int, level: float) -> Floats:
    """``n`` times ``level``."""
    return np.full(n, float(level))


def jitter(n: int, size: float, seed: int = 0) -> Floats:
    """``n`` independent normal values of standard deviation ``size``; the seed fixes them."""
    return np.random.default_rng(seed).normal(0, size, n)


def noisy(values: ArrayLike, size: float, seed: int = 0) -> Floats:
    """``values`` with independent multiplicative noise of relative ``size``."""
    array = np.asarray(values, dtype=np.float64)
    return array * np.exp(jitter(len(array), size, seed))


def cosine(n: int, peak: float, floor: float = 0.0) -> Floats:
    """A cosine schedule of ``n`` values from ``peak`` to ``floor``."""
    return floor + (peak - floor) * (1 + np.cos(np.pi * np.linspace(0, 1, n))) / 2


def counted(shares: ArrayLike, size: int) -> Floats:
    """Accuracies as a set of ``size`` samples gives them: rounded to k/size, in float32."""
    array = np.asarray(shares, dtype=np.float64)
    return (np.round(array * size) / size).astype(np.float32).astype(np.float64)


def at_times(role: Role, values: ArrayLike, walls: ArrayLike, every: int = 1) -> Series:
    """A curve in this role whose points were logged at the wall times ``walls``, in seconds."""
    array = np.asarray(values, dtype=np.float64)
    return Series.of(TAGS[role], every * np.arange(1, len(array) + 1), array, walls)


def a_histogram(values: ArrayLike, bins: int = 30) -> Histogram:
    """The exact histogram of some numbers, as a writer would log it."""
    array = np.asarray(values, dtype=np.float64).ravel()
    counts, edges = np.histogram(array, bins=bins)
    return Histogram(
        edges=edges,
        counts=counts.astype(np.float64),
        low=float(array.min()),
        high=float(array.max()),
        total=float(array.sum()),
        squares=float((array**2).sum()),
    )


def some_histograms(tag: str, records: Mapping[int, ArrayLike]) -> Histograms:
    """Histograms of the numbers given for each step."""
    steps = np.array(sorted(records), dtype=np.int64)
    return Histograms(tag, steps, tuple(a_histogram(records[int(step)]) for step in steps))


def a_stack(
    tag: str, sizes: ArrayLike, steps: ArrayLike, *, numbers: int = 600
) -> dict[str, dict[int, Floats]]:
    """Normal numbers for each layer and step: ``sizes`` (l, m) are their standard deviations.

    The ``{}`` in ``tag`` becomes the number of the layer, from 1; ``steps`` (m,).
    """
    table, at = np.atleast_2d(np.asarray(sizes, dtype=np.float64)), np.asarray(steps, dtype=int)
    return {
        tag.format(layer + 1): {
            int(step): jitter(numbers, float(size), 97 * layer + place)
            for place, (step, size) in enumerate(zip(at, row, strict=True))
        }
        for layer, row in enumerate(table)
    }


def rectified(zeros: ArrayLike, steps: ArrayLike, *, numbers: int = 2000) -> dict[int, Floats]:
    """Activations of rectified units at each step, a share of which is ``zeros`` (m,)."""
    found = {}
    for place, (share, step) in enumerate(
        zip(np.asarray(zeros, dtype=np.float64), np.asarray(steps, dtype=int), strict=True)
    ):
        values = np.abs(jitter(numbers, 1.0, place))
        values[: round(float(share) * numbers)] = 0
        found[int(step)] = values
    return found


def a_run(
    curves: Mapping[Role, ArrayLike | Series],
    *,
    every: int = 1,
    hparams: Mapping[str, Scalar] | None = None,
    histograms: Mapping[str, Mapping[int, ArrayLike]] | None = None,
    provenance: Provenance | None = None,
    extra: Mapping[str, ArrayLike] | None = None,
) -> Run:
    """A run with these curves in these roles, a point every ``every`` steps, counted from ``every``.

    A `Series` brings its own steps and tag. ``extra`` are curves by tag that play no role.
    """
    series: dict[str, Series] = {}
    bound = {}
    for role, curve in curves.items():
        if isinstance(curve, Series):
            each = curve
        else:
            values = np.asarray(curve, dtype=np.float64)
            each = Series.of(TAGS[role], every * np.arange(1, len(values) + 1), values)
        series[each.tag] = each
        better = Better.HIGHER if role in _HIGHER else Better.LOWER
        bound[role] = Binding(each.tag, "configured", _QUANTITIES.get(role, "loss"), better)
    for tag, plain in (extra or {}).items():
        array = np.asarray(plain, dtype=np.float64)
        series[tag] = Series.of(tag, every * np.arange(1, len(array) + 1), array)
    points = sum(each.logged for each in series.values())
    return Run(
        id="sample",
        path=PurePosixPath("sample"),
        series=series,
        histograms={tag: some_histograms(tag, each) for tag, each in (histograms or {}).items()},
        hparams={name: HParam(value, "sample") for name, value in (hparams or {}).items()},
        roles=RoleMap(bound=bound),
        provenance=provenance or Provenance(files=("sample",), points=points),
    )


def a_search(
    settings: Sequence[Mapping[str, Scalar]],
    losses: ArrayLike,
    *,
    accuracies: ArrayLike | None = None,
    samples: int = 5003,
    folder: str = "logs",
    noise: float = 0.002,
    seed: int = 0,
    epochs: int = 40,
) -> tuple[Run, ...]:
    """One run for each of the ``settings``, whose validation loss falls to the one of ``losses``.

    With ``accuracies`` the runs log those, too, as ``samples`` samples give them. A loss that is not
    finite is NaN throughout.
    """
    floors = np.asarray(losses, dtype=np.float64)
    tops = [None] * len(floors) if accuracies is None else list(np.asarray(accuracies))
    made = []
    for at, (each, floor, top) in enumerate(zip(settings, floors, tops, strict=True)):
        own = seed + 2 * at
        curves: dict[Role, ArrayLike | Series] = {
            Role.TRAIN_LOSS: noisy(decay(epochs, 2.3, 0.9 * floor, 8), noise, own),
            Role.VAL_LOSS: noisy(decay(epochs, 2.3, floor, 8), noise, own + 1),
        }
        if top is not None:
            climb = top - decay(epochs, 0.9 * top, 0.0, 8) + jitter(epochs, noise * top, own)
            curves[Role.VAL_METRIC] = counted(climb.clip(0, 1), samples)
        name = f"run{at:02}"
        run = a_run(curves, every=25, hparams={**each})
        made.append(replace(run, id=name, path=PurePosixPath(folder, name)))
    return tuple(made)
