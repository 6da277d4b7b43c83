"""Changes of a run that no rule may mind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from tbdiag.model.histogram import Histograms
from tbdiag.model.role import Binding, Role
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.naming.roles import bind

LOSSES = frozenset(
    {
        Role.TRAIN_LOSS,
        Role.BATCH_LOSS,
        Role.VAL_LOSS,
        Role.DATA_LOSS,
        Role.REGULARIZATION_LOSS,
        Role.D_LOSS,
        Role.G_LOSS,
        Role.POLICY_LOSS,
        Role.VALUE_LOSS,
    }
)

# What frameworks call these curves; a role that a convention does not name keeps its tag.
CONVENTIONS: Mapping[str, Mapping[Role, str]] = {
    "Lightning's": {
        Role.TRAIN_LOSS: "train_loss_epoch",
        Role.BATCH_LOSS: "train_loss_step",
        Role.VAL_LOSS: "val_loss",
        Role.TRAIN_METRIC: "train_acc",
        Role.VAL_METRIC: "val_acc",
        Role.LEARNING_RATE: "lr-SGD",
    },
    "Hugging Face's": {
        Role.TRAIN_LOSS: "train/loss",
        Role.VAL_LOSS: "eval/loss",
        Role.VAL_METRIC: "eval/accuracy",
        Role.LEARNING_RATE: "train/learning_rate",
        Role.GRAD_NORM: "train/grad_norm",
    },
    "handwritten": {
        Role.TRAIN_LOSS: "Epoch Loss/Train",
        Role.BATCH_LOSS: "Batch Loss/Train",
        Role.VAL_LOSS: "Epoch Loss/Validation",
        Role.TRAIN_METRIC: "Epoch Accuracy/Train",
        Role.VAL_METRIC: "Epoch Accuracy/Validation",
        Role.LEARNING_RATE: "Learning Rate",
    },
}
_METRICS = {Role.TRAIN_METRIC, Role.VAL_METRIC}


def changes(scale_free: bool) -> Iterator[tuple[str, Callable[[Run], Run]]]:
    """A phrase and the change for each of them; the scale changes only for rules that claim it."""
    yield "with scattered NaNs", with_scattered_nans
    yield "with 100 times the steps", with_steps_times_100
    yield "in float32", in_float32
    if scale_free:
        yield "with 1000 times the loss", with_loss_times_1000
    for name in CONVENTIONS:
        yield f"under {name} names", lambda run, name=name: under_names_of(run, name)


def with_scattered_nans(run: Run) -> Run:
    """A few ordinary points of every longer curve are NaN."""

    def spoiled(series: Series) -> Series:
        values, n = series.values.copy(), len(series)
        for share in (0.21, 0.52, 0.83) if n >= 40 else ():
            near = np.arange(int(share * n), int(share * n) + n // 20 + 1)
            bend = np.abs(values[near] - (values[near - 1] + values[near + 1]) / 2)
            values[near[bend.argmin()]] = np.nan  # the plainest point: no feature is lost with it
        return _with_points(series, series.steps, values)

    return _each(run, spoiled)


def with_loss_times_1000(run: Run) -> Run:
    """Every loss is in another unit."""
    bindings = [run.roles.bound, *run.roles.parts]
    tags = {each[role].tag for each in bindings for role in LOSSES & each.keys()}
    return _each(
        run,
        lambda series: (
            _with_points(series, series.steps, 1000 * series.values)
            if series.tag in tags
            else series
        ),
    )


def with_steps_times_100(run: Run) -> Run:
    """The writer counted samples, not batches."""
    slow = _each(run, lambda series: _with_points(series, 100 * series.steps, series.values, 100))
    restarts = tuple(
        replace(each, step=100 * each.step, reached=100 * each.reached)
        for each in run.provenance.restarts
    )
    return replace(
        slow,
        histograms={
            tag: Histograms(tag, 100 * each.steps, each.records)
            for tag, each in run.histograms.items()
        },
        provenance=replace(run.provenance, restarts=restarts),
    )


def in_float32(run: Run) -> Run:
    """The values as TensorBoard stores them."""
    with np.errstate(over="ignore"):
        return _each(
            run,
            lambda series: _with_points(series, series.steps, series.values.astype(np.float32)),
        )


def under_names_of(run: Run, convention: str) -> Run:
    """The run as another framework would have named its curves, bound by their names alone."""
    names = {
        binding.tag: name
        for role, name in CONVENTIONS[convention].items()
        if (binding := run.roles.bound.get(role)) is not None and _is_named(role, binding)
    }
    series = {
        names.get(tag, tag): replace(each, tag=names.get(tag, tag))
        for tag, each in run.series.items()
    }
    found = bind({tag: series[tag] for tag in names.values()})
    kept = {role: each for role, each in run.roles.bound.items() if each.tag not in names}
    roles = replace(run.roles, bound={**kept, **found.bound})
    return replace(run, series=series, roles=roles)


def until(run: Run, step: int) -> Run:
    """The run as it stood just before ``step``."""
    cut = _each(run, lambda series: series.between(-np.inf, step - 1))
    kept = {}
    for tag, each in run.histograms.items():
        n = int(np.searchsorted(each.steps, step))
        kept[tag] = Histograms(tag, each.steps[:n], each.records[:n])
    restarts = tuple(each for each in run.provenance.restarts if each.reached < step)
    return replace(cut, histograms=kept, provenance=replace(run.provenance, restarts=restarts))


def without(run: Run, roles: tuple[Role, ...]) -> Run:
    """The run without the curves in these roles."""
    bound = {role: each for role, each in run.roles.bound.items() if role not in roles}
    return run.with_roles(replace(run.roles, bound=bound, parts=()))


def _is_named(role: Role, binding: Binding) -> bool:
    return role not in _METRICS or binding.quantity == "accuracy"


def _each(run: Run, change: Callable[[Series], Series]) -> Run:
    return replace(run, series={tag: change(each) for tag, each in run.series.items()})


def _with_points(series: Series, steps: np.ndarray, values: np.ndarray, stretch: int = 1) -> Series:
    """The series with other finite points, and its non-finite points where they were."""
    bad = series.nonfinite
    steps = np.concatenate([steps, stretch * bad.steps])
    values = np.concatenate([values, bad.values])
    walls = np.concatenate([series.wall_times, _walls(series)])
    order = np.argsort(steps)
    return Series.of(series.tag, steps[order], values[order], walls[order])


def _walls(series: Series) -> np.ndarray:
    """Wall times for the non-finite points, which do not keep their own."""
    steps = series.nonfinite.steps
    return np.interp(steps, series.steps, series.wall_times) if len(series) else steps.astype(float)
