"""What a classifier sees of a run: its curves in some forty numbers, none of which depends on a scale.

Nothing here knows how large a loss or a rate is, how long the run was or what was trained, for of that the
gallery's small networks tell nothing about others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain

import numpy as np

from tbdiag.case import Case
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.descent import kept_promise
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise, spread
from tbdiag.signals.schedule import Shape
from tbdiag.signals.smoothing import running_median, tail
from tbdiag.signals.stated import Family

FEWEST = 8  # points of a loss
_BATCHES = 50  # losses per batch
_TINY = 1e-9

_COURSE = {
    "fall": "how far the {loss} loss fell",
    "tenth": "how soon the {loss} loss fell",
    "quarter": "how far the {loss} loss fell in its first quarter",
    "end": "how far the {loss} loss fell in its last quarter",
    "bends": "how evenly the {loss} loss moves",
    "early": "how much the {loss} loss wavers in its first half",
    "late": "how much the {loss} loss wavers in its second half",
    "rises": "how often the {loss} loss rose in its first half",
    "late_rises": "how often the {loss} loss rose in its second half",
    "peak": "how far the {loss} loss rose above its start",
    "above": "how far the {loss} loss ends above its best",
}
# Each feature with what it tells, as a message says it.
FEATURES = {
    **{f"train_{name}": text.format(loss="training") for name, text in _COURSE.items()},
    **{f"val_{name}": text.format(loss="validation") for name, text in _COURSE.items()},
    "unlearned": "how much is left to learn",
    "ready": "how late most of the fall was done",
    "tau": "how steadily the training loss falls at the end",
    "gap": "how far validation ends above training",
    "first_gap": "how far validation began above training",
    "train_metric": "the accuracy in training",
    "val_metric": "the accuracy in validation",
    "train_metric_gain": "what training gained in accuracy in the second half",
    "val_metric_gain": "what validation gained in accuracy in the second half",
    "constant": "whether the rate is constant",
    "annealed": "how far the rate was lowered",
    "idle": "how long the rate was spent",
    "adaptive": "the kind of optimizer",
    "dropout": "the dropout",
    "batch_early": "how much batches scatter at first",
    "batch_late": "how much batches scatter at the end",
    "batch_peak": "how far the loss per batch rose at first",
    "batch_fall": "how far the loss per batch fell at once",
    "norm_trend": "how the gradients grew",
    "norm_noise": "how much the gradients scatter",
    "promise": "how much of the promised fall came true",
}
NAMES = tuple(FEATURES)
_PLACES = {name: at for at, name in enumerate(NAMES)}


def features(case: Case) -> Floats:
    """The numbers in the order of `NAMES`, NaN where the run does not tell; shape (n,)."""
    values: Floats = np.full(len(NAMES), math.nan)
    for prefix, role in (("train_", Role.TRAIN_LOSS), ("val_", Role.VAL_LOSS)):
        curve = case.curve(role)
        if curve is not None and len(curve) >= FEWEST:
            for name, value in _course(case, role):
                values[_PLACES[prefix + name]] = value
    for name, value in chain(_progress(case), _accuracies(case), _settings(case), _batches(case)):
        values[_PLACES[name]] = value
    values[np.isinf(values)] = math.nan
    return values


def _course(case: Case, role: Role) -> Iterator[tuple[str, float]]:
    """Of a loss of eight points or more, by the way that the rate allowed, on the log scale."""
    whole = case.training if role is Role.TRAIN_LOSS else case.the(role)
    plain = case.thinned(whole).values
    half = len(plain) // 2
    ups = plain[1:] > plain[:-1]
    yield "rises", np.count_nonzero(ups[: half - 1]) / (half - 1)
    yield "late_rises", np.count_nonzero(ups[half:]) / (len(ups) - half)
    even = case.paced(role)
    n = len(even)
    if n < FEWEST or even.min() <= 0:
        return
    logs = np.log(even)
    first, last = float(logs[0]), median(tail(logs))
    most = max(first - float(logs.min()), _TINY)
    yield "fall", first - last
    yield "tenth", max((first - float(logs[max(n // 10, 1)])) / most, -1.0)
    yield "quarter", max((first - float(logs[n // 4])) / most, -1.0)
    yield "end", float(logs[3 * n // 4] - logs[-1])
    yield "peak", float(logs.max()) - first
    yield "above", last - float(running_median(logs, 5).min())
    yield from _unrest(logs)


def _unrest(logs: Floats) -> Iterator[tuple[str, float]]:
    """Of the first three differences of a logarithm (n,): how it bends and wavers."""
    n, later = len(logs), len(logs) // 3
    moves = logs[1:] - logs[:-1]
    turns = moves[1:] - moves[:-1]
    bends = turns[1:] - turns[:-1]
    yield "bends", _log(median(np.abs(bends[later:])) / max(median(np.abs(moves[later:])), _TINY))
    yield "early", _log(spread(turns[: n // 2 - 2]))
    yield "late", _log(spread(turns[n // 2 :]))


def _progress(case: Case) -> Iterator[tuple[str, float]]:
    """Of what is left, and how the two losses stand to each other."""
    train, val = case.curve(Role.TRAIN_LOSS), case.curve(Role.VAL_LOSS)
    if train is None or len(train) < FEWEST:
        return
    yield "unlearned", case.unlearned
    yield "ready", case.headway.ready
    yield "tau", case.headway.trend.tau
    if val is None or len(val) < FEWEST or val.values.min() <= 0:
        return
    beside = case.train_level_at_validation
    if beside.min() > 0:
        yield "gap", _log(median(tail(val.values) / tail(beside)))
        yield "first_gap", _log(float(val.values[0] / beside[0]))


def _accuracies(case: Case) -> Iterator[tuple[str, float]]:
    for name, role in (("train", Role.TRAIN_METRIC), ("val", Role.VAL_METRIC)):
        accuracy = case.accuracy(role)
        if accuracy is not None and len(accuracy) >= FEWEST:
            middle = len(accuracy) // 2
            end = median(tail(accuracy.values))
            yield f"{name}_metric", end
            yield f"{name}_metric_gain", end - median(accuracy.values[middle - 1 : middle + 2])


def _settings(case: Case) -> Iterator[tuple[str, float]]:
    course = case.schedule
    if course is not None:
        yield "constant", float(course.shape is Shape.CONSTANT)
        yield "annealed", _log(course.last / course.peak) if course.peak > 0 else math.nan
        yield "idle", course.idle
    if case.optimizer is not None:
        yield "adaptive", float(case.optimizer is Family.ADAM)
    yield "dropout", case.number(Knob.DROPOUT) or 0.0


def _batches(case: Case) -> Iterator[tuple[str, float]]:
    """Of the loss per batch and the norm of its gradients."""
    batches, norm = case.curve(Role.BATCH_LOSS), case.curve(Role.GRAD_NORM)
    if batches is not None and len(batches) >= _BATCHES and batches.values.min() > 0:
        logs = np.log(batches.values)
        n = len(logs)
        yield "batch_early", _log(noise(logs[: n // 4]))
        yield "batch_late", _log(noise(logs[-n // 4 :]))
        yield "batch_peak", float(running_median(logs[:200], 3).max() - median(logs[:3]))
        fall = median(logs[:3]) - median(tail(logs))
        yield (
            "batch_fall",
            (median(logs[:3]) - median(logs[n // 10 : n // 10 + 9])) / max(fall, 0.01),
        )
    if norm is not None and len(norm) >= _BATCHES and norm.values.min() > 0:
        logs = np.log(norm.values)
        n = len(logs)
        yield "norm_trend", median(logs[n // 2 :]) - median(logs[: max(n // 20, 5)])
        yield "norm_noise", _log(noise(logs))
        yield from _promise(case, norm)


def _promise(case: Case, norm: Series) -> Iterator[tuple[str, float]]:
    """How much of the fall that plain gradients promise came true; steps of Adam promise none."""
    rate, train = case.curve(Role.LEARNING_RATE), case.curve(Role.TRAIN_LOSS)
    if rate is None or train is None or not len(train) or case.optimizer is Family.ADAM:
        return
    fall = float(train.values[0] - median(tail(train.values)))
    kept = kept_promise(fall, rate, norm, 0.0, None)
    if kept is not None:
        yield "promise", _log(kept)


def _log(value: float) -> float:
    return math.log(max(value, _TINY))
