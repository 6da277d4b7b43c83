"""Every logged point as one row of a table, written run by run."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tbdiag.errors import RequestError
from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Ints, Series

COLUMNS = ("run", "tag", "step", "wall_time", "value")
SUFFIXES = (".csv", ".parquet", ".feather")

_Append = Callable[[str, str, Ints, Floats, Floats], None]


def write(runs: Iterable[Run], file: Path) -> int:
    """Writes the points of the runs into ``file``, by its suffix, and returns how many.

    A row is run, tag, step, wall_time, value; rows of a curve stand in the order of their steps, NaN
    and Inf among them, of which the wall time is not known: there it is NaN, in CSV empty. Points
    that a restart superseded are left out. Only one run is held at a time. Raises RequestError where
    Parquet or Feather is asked for and pyarrow is missing, OSError where the file cannot be written.
    """
    kind = file.suffix.lower()
    points = 0
    with ExitStack() as stack:
        append = _csv(file, stack) if kind == ".csv" else _arrow(file, kind, stack)
        for run in runs:
            for tag, curve in run.series.items():
                steps, walls, values = rows(curve)
                append(run.id, tag, steps, walls, values)
                points += len(steps)
    return points


def rows(curve: Series) -> tuple[Ints, Floats, Floats]:
    """Steps, wall times and values (n,) of all points of a curve in the order of their steps."""
    bad = curve.nonfinite
    steps = np.concatenate([curve.steps, bad.steps])
    order = np.argsort(steps, kind="stable")
    walls = np.concatenate([curve.wall_times, np.full(len(bad), np.nan)])
    return steps[order], walls[order], np.concatenate([curve.values, bad.values])[order]


def _csv(path: Path, stack: ExitStack) -> _Append:
    # Names of runs and tags may hold what no encoding can write.
    file = stack.enter_context(path.open("w", newline="", encoding="utf-8", errors="replace"))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)

    def append(run: str, tag: str, steps: Ints, walls: Floats, values: Floats) -> None:
        times = [wall if wall == wall else "" for wall in walls.tolist()]
        writer.writerows(
            (run, tag, step, wall, value)
            for step, wall, value in zip(steps.tolist(), times, values.tolist(), strict=True)
        )

    return append


def _arrow(path: Path, kind: str, stack: ExitStack) -> _Append:
    try:
        arrow = import_module("pyarrow")
        module = import_module("pyarrow.parquet" if kind == ".parquet" else "pyarrow.ipc")
    except ImportError:
        raise RequestError(
            f"a {kind} file needs pyarrow: pip install 'tbdiag[parquet]', or name a .csv file"
        ) from None
    types = (arrow.string(), arrow.string(), arrow.int64(), arrow.float64(), arrow.float64())
    schema = arrow.schema(list(zip(COLUMNS, types, strict=True)))
    writer: Any = stack.enter_context(
        module.ParquetWriter(str(path), schema)
        if kind == ".parquet"
        else module.new_file(str(path), schema)
    )

    def append(run: str, tag: str, steps: Ints, walls: Floats, values: Floats) -> None:
        names = [[name] * len(steps) for name in (run, tag)]
        writer.write(arrow.table([*names, steps, walls, values], schema=schema))

    return append
