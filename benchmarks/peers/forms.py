"""A run in the forms that other tools read: its event files, or a table under favourite names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util.tensor_util import make_ndarray

from tbdiag.config import Config
from tbdiag.model.role import Role
from tbdiag.reading import runs
from tbdiag.reading.discover import EventFile, discover

# The names that every one of the tools understands.
_NAMES = {
    Role.VAL_LOSS: "eval_loss",
    Role.LEARNING_RATE: "lr",
    Role.GRAD_NORM: "grad_norm",
    Role.STEP_TIME: "step_time",
}


class Form(StrEnum):
    """How a run is handed over."""

    EVENTS = "event files"
    EPOCHS = "table, loss per epoch"
    BATCHES = "table, loss per batch"


def handed_over(folder: Path, form: Form, place: Path) -> Path:
    """The run in this folder in the given form, below ``place``, where it is written once.

    Event files are copied, so that nothing that lies beside them is read.
    """
    made = place / ("run" if form is Form.EVENTS else "metrics.jsonl")
    if made.exists():
        return made
    half = place / "half"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    if form is Form.EVENTS:
        shutil.copytree(folder, half / made.name, ignore=_no_events)
    else:
        lines = (json.dumps(row) + "\n" for row in rows(folder, form))
        (half / made.name).write_text("".join(lines), encoding="utf-8")
    return (half / made.name).rename(made)


def _no_events(folder: str, names: list[str]) -> list[str]:
    return [n for n in names if not Path(folder, n).is_dir() and "tfevents" not in n]


def rows(folder: Path, form: Form) -> Iterator[dict[str, float]]:
    """The scalars in the order in which they were written, those of one step in a row.

    Abandoned branches, NaN and Inf stay in: a tool may have something to say about them.
    """
    found = discover([folder])
    files = [file for each in found.runs for file in each.files]
    called = names(folder, form)
    points = [point for file in files for point in _points(file)]
    points.sort(key=lambda point: point[0])  # stable: of one time in the order of the file
    row: dict[str, float] = {}
    for _, step, tag, value in points:
        name = called.get(tag, tag)
        if row and (row["step"] != step or name in row):
            yield row
            row = {}
        row.setdefault("step", step)
        row[name] = value
    if row:
        yield row


def _points(file: EventFile) -> Iterator[tuple[float, int, str, float]]:
    """(wall time, step, tag as tbdiag calls it, value) of a file that may be damaged."""
    try:
        for event in EventFileLoader(str(file.path)).Load():
            for value in event.summary.value:
                if not value.HasField("tensor") or value.tensor.tensor_shape.dim:
                    continue  # a histogram or an image
                array = make_ndarray(value.tensor)
                if np.issubdtype(array.dtype, np.number):
                    tag = f"{file.prefix}{value.tag}" + (f"/{file.key}" if file.key else "")
                    yield event.wall_time, event.step, tag, float(array.reshape(()))
    except Exception as error:  # TensorBoard's own, of several kinds
        if "DataLoss" not in type(error).__name__ and "orrupt" not in str(error):
            raise


def names(folder: Path, form: Form) -> Mapping[str, str]:
    """By tag the name that the tools like best."""
    found = discover([folder])
    run = next(run for each in found.runs for run in runs.load(each, Config().roles))
    bound = {role: binding.tag for role, binding in run.roles.bound.items()}
    chosen = {bound[role]: name for role, name in _NAMES.items() if role in bound}
    either = [Role.TRAIN_LOSS, Role.BATCH_LOSS]
    if form is Form.BATCHES:
        either.reverse()
    for role in either:
        if role in bound:
            return {bound[role]: "loss", **chosen}
    return chosen
