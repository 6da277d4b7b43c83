"""Which curves of a history belong in which panel, whatever form the history has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Series
from tbdiag.views.text import printable, shorten

if TYPE_CHECKING:
    import pandas as pd

TRAINING, VALIDATION, BATCH = "training", "validation", "per batch"

_PARTS = dict.fromkeys(("val", "valid", "validation", "eval", "test"), VALIDATION)
_PARTS |= {"train": TRAINING, "training": TRAINING, "batch": BATCH}
_RATES = ("lr", "learning_rate")
_METRICS = ("accuracy", "f1", "auc", "precision", "recall", "iou", "dice", "bleu")
_OTHER_AXIS = 4.0  # ends that differ by more are not of one axis: batches here, epochs there


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One curve to draw: ``x``, ``y`` (n,) finite; ``bad`` (m,) where it was NaN or infinite.

    ``stretch`` is what its own steps were multiplied with to lie on the axis of the others.
    """

    tag: str
    part: str
    x: Floats
    y: Floats
    bad: Floats
    stretch: float = 1.0

    @property
    def end(self) -> float:
        """The last x, NaN and infinite points included."""
        return float(max(array.max() for array in (self.x, self.bad) if len(array)))

    def on(self, end: float) -> Line:
        """The same line, stretched to ``end`` where its steps count something else."""
        ratio = end / self.end if self.end > 0 and end > 0 else 1.0
        if 1 / _OTHER_AXIS <= ratio <= _OTHER_AXIS:
            return self
        return replace(self, x=self.x * ratio, bad=self.bad * ratio, stretch=ratio)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Lines that share a pair of axes; ``quantity`` is what they measure."""

    quantity: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """All there is to draw; ``unit`` is what the x axis counts."""

    panels: tuple[Panel, ...]
    rate: Line | None
    unit: str


def curves(history: Mapping[str, Any] | pd.DataFrame | Run) -> Curves:
    """The loss and metric panels of ``history``, and its learning rate.

    A mapping holds values by name, one per epoch from 1, as Keras' ``fit`` returns it. A frame's
    index is the x axis if it is named ``step`` or ``epoch``; with steps, NaN means "not logged
    there". A run's curves are taken by their roles. Raises ValueError where no curve is known.
    """
    if isinstance(history, Run):
        found, unit, names = _of_run(history), "step", list(history.series)
    elif isinstance(history, Mapping):
        named = {str(name): _line(str(name), values) for name, values in history.items()}
        found, unit, names = _by_name(named), "epoch", list(named)
    elif hasattr(history, "columns") and hasattr(history, "index"):
        unit, named = _of_frame(history)
        found, names = _by_name(named), list(named)
    else:
        raise ValueError(f"a history is a mapping, a DataFrame or a Run, not {type(history)}")
    rate = found.pop("", {}).get(TRAINING)
    panels = [
        Panel(quantity=quantity, lines=tuple(lines[part] for part in _ORDER if part in lines))
        for quantity, lines in found.items()
        if lines
    ]
    if not panels:
        shown = ", ".join(shorten(printable(name), 40) for name in names[:8]) or "nothing"
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        raise ValueError(
            f"no known curve to plot: found {shown}{more}; known are loss, val_loss, …"
        )
    end = panels[0].lines[0].end
    if panels[0].lines[0].part == BATCH and len(panels[0].lines) > 1:
        end = panels[0].lines[1].end
    return Curves(
        panels=tuple(replace(p, lines=tuple(line.on(end) for line in p.lines)) for p in panels),
        rate=None if rate is None else rate.on(end),
        unit=unit,
    )


_ORDER = (BATCH, TRAINING, VALIDATION)
_Found = dict[str, dict[str, Line]]  # quantity ("" for the learning rate) → part → line


def _of_run(run: Run) -> _Found:
    def lines(roles: Mapping[str, Role]) -> dict[str, Line]:
        series = {part: run.curve(role) for part, role in roles.items()}
        return {
            part: _of_series(each, part) for part, each in series.items() if each and each.logged
        }

    metrics = {TRAINING: Role.TRAIN_METRIC, VALIDATION: Role.VAL_METRIC}
    bound = [run.roles.bound[role] for role in metrics.values() if role in run.roles.bound]
    losses = {BATCH: Role.BATCH_LOSS, TRAINING: Role.TRAIN_LOSS, VALIDATION: Role.VAL_LOSS}
    return {
        "loss": lines(losses),
        bound[0].quantity if bound else "metric": lines(metrics),
        "": lines({TRAINING: Role.LEARNING_RATE}),
    }


def _of_series(series: Series, part: str) -> Line:
    return Line(
        tag=series.tag,
        part=part,
        x=series.steps.astype(np.float64),
        y=series.values,
        bad=series.nonfinite.steps.astype(np.float64),
    )


def _of_frame(frame: pd.DataFrame) -> tuple[str, dict[str, Line]]:
    name = str(frame.index.name).lower().rstrip("s")
    x = _numbers("the index", frame.index) if name in ("step", "epoch") else None
    named = {}
    for column in frame.columns:
        named[str(column)] = _line(str(column), frame[column], x, gaps=name == "step")
    return (name if x is not None else "epoch"), named


def _numbers(name: str, values: Any) -> Floats:
    try:
        return np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise ValueError(f"{shorten(printable(name), 40)} does not hold numbers") from None


def _line(name: str, values: Any, x: Floats | None = None, *, gaps: bool = False) -> Line:
    quantity, part = _reading(name)
    try:
        y = _numbers(name, values)
    except ValueError:
        if quantity in ("loss", "") or _is_metric(quantity):
            raise
        y = np.empty(0)  # something that no panel wants anyway
    x = np.arange(1.0, len(y) + 1) if x is None else x[: len(y)]
    fine = np.isfinite(y)
    bad = ~fine & ~np.isnan(y) if gaps else ~fine
    return Line(tag=name, part=part, x=x[fine], y=y[fine], bad=x[bad])


def _reading(name: str) -> tuple[str, str]:
    """``val_acc`` → ("accuracy", validation); the learning rate is ("", training)."""
    if name.lower() in _RATES:
        return "", TRAINING
    words = [word for word in re.split(r"[\W_]+", name.lower()) if word]
    part = next((_PARTS[word] for word in words if word in _PARTS), TRAINING)
    rest = ["accuracy" if word == "acc" else word for word in words if word not in _PARTS]
    return "_".join(rest) or name, part


def _is_metric(quantity: str) -> bool:
    return any(word in _METRICS for word in quantity.split("_"))


def _by_name(named: Mapping[str, Line]) -> _Found:
    """The loss, and the first metric: accuracy, else one known by name, else any with validation."""
    found: _Found = {"loss": {}, "": {}}
    metrics: _Found = {}
    for name, line in named.items():
        if len(line.x) or len(line.bad):
            quantity, part = _reading(name)
            into = found if quantity in found else metrics
            into.setdefault(quantity, {}).setdefault(part, line)
    candidates = [q for q, lines in metrics.items() if _is_metric(q) or VALIDATION in lines]
    if candidates:
        best = min(candidates, key=lambda q: (q != "accuracy", not _is_metric(q)))
        found = {"loss": found["loss"], best: metrics[best], "": found[""]}
    return found
