"""Curves in memory: diagnose and plot them, with no TensorBoard at all."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol, TypeGuard

import numpy as np

from tbdiag import __version__
from tbdiag.api.report import Report
from tbdiag.api.settings import Place, configured, strings
from tbdiag.config import Config
from tbdiag.diagnosis.examine import examine, examine_search
from tbdiag.diagnosis.select import select as select_rules
from tbdiag.errors import RequestError
from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Series
from tbdiag.naming.roles import bind
from tbdiag.search import Search

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    class HasHistory(Protocol):
        """What Keras' ``fit`` returns."""

        history: Mapping[str, Sequence[float]]

    History = Mapping[str, Sequence[float]] | HasHistory | pd.DataFrame | Run


def diagnose(
    history: History,
    *,
    name: str = "history",
    select: str | Sequence[str] = (),
    ignore: str | Sequence[str] = (),
    config: Config | Place | None = None,
) -> Report:
    """Every rule's answer for curves that no TensorBoard ever saw.

    ``history`` maps names to curves, one number per epoch, the first epoch being step 1: what
    Keras' ``fit`` returns, its ``.history``, or a DataFrame with a column per curve. An index that
    is called ``step`` or ``epoch`` gives the steps of a DataFrame; in a frame with gaps, as
    `Run.history` makes them, an empty cell is a step that was not logged, elsewhere it is a NaN that
    the training produced. Raises RequestError where there is no curve in it.
    """
    settings = configured(config)
    selection = select_rules(settings, strings(select), strings(ignore))
    if not isinstance(history, Run):
        series = {curve.tag: curve for curve in _curves(history)}
        if not series:
            raise RequestError("the history holds no curve: it maps names to one number per epoch")
        roles = bind(series, settings.roles)
        history = Run(id=name, path=PurePath(name), series=series, roles=roles)
    outcomes, _ = examine_search(Search([history]), selection.search)
    return Report(
        version=__version__,
        digest=selection.digest,
        runs=(examine(history, selection),),
        search_outcomes=outcomes,
    )


def plot_training_curves(history: History) -> Figure:
    """Loss and accuracy, training beside validation, over epochs: a matplotlib Figure, not shown.

    Takes what `diagnose` takes. A missing curve leaves its line out, a missing pair its panel.
    """
    from tbdiag.views.figures import training_curves

    return training_curves(_plain(history))


def _plain(history: History) -> Mapping[str, Sequence[float]] | pd.DataFrame | Run:
    """The curves themselves, also where they are an attribute, as in what Keras returns."""
    if isinstance(history, Mapping | Run) or _is_frame(history):
        return history
    inner = getattr(history, "history", None)
    if isinstance(inner, Mapping):
        return inner
    kind = type(history).__name__
    raise RequestError(f"a history is a mapping or a DataFrame of curves, not {kind}")


def _is_frame(history: object) -> TypeGuard[pd.DataFrame]:
    pandas = sys.modules.get("pandas")  # whoever has a frame has imported it
    return pandas is not None and isinstance(history, pandas.DataFrame)


def _curves(history: History) -> Iterator[Series]:
    plain = _plain(history)
    if _is_frame(plain):
        yield from _columns(plain)
    elif isinstance(plain, Mapping):
        for name, numbers in plain.items():
            try:
                values = np.asarray(numbers, dtype=np.float64)
            except (TypeError, ValueError):
                raise RequestError(f"the curve {str(name)!r} is not a list of numbers") from None
            if values.ndim != 1:
                raise RequestError(f"the curve {str(name)!r} is not a list of numbers")
            yield Series.of(str(name), np.arange(1, len(values) + 1), values)


def _columns(frame: pd.DataFrame) -> Iterator[Series]:
    numbers = frame.select_dtypes("number")
    own_steps = frame.index.name in ("step", "epoch")
    steps = frame.index.to_numpy() if own_steps else np.arange(1, len(frame) + 1)
    if own_steps and not (frame.index.is_monotonic_increasing and frame.index.is_unique):
        raise RequestError(f"the {frame.index.name}s in the index do not increase")
    columns = {str(name): numbers[name].to_numpy(np.float64) for name in numbers.columns}
    gappy = frame.index.name == "step" or any(_has_gaps(each) for each in columns.values())
    for name, values in columns.items():
        logged = ~np.isnan(values) if gappy else np.full(len(values), True)
        yield Series.of(name, steps[logged], values[logged])


def _has_gaps(values: Floats) -> bool:
    """Whether a number follows upon a NaN."""
    missing = np.isnan(values)
    return bool(np.any(missing[:-1] & ~missing[1:]))
