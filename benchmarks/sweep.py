"""The labelled learning-rate sweep in ``../shared/curves`` as runs that rules can examine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from tbdiag.model.role import Better, Binding, Role, RoleMap
from tbdiag.model.run import HParam, Provenance, Run
from tbdiag.model.series import Floats, Series

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "curves"
PROBLEMS = ("cifar10_3c3d", "fmnist_2c2d", "mnist_vae", "tolstoi_char_rnn")
# Batches in an epoch of each problem: the size of its training set over its batch size.
_BATCHES = {"cifar10_3c3d": 312, "fmnist_2c2d": 468, "mnist_vae": 937, "tolstoi_char_rnn": 1062}
_TAGS = {
    Role.TRAIN_LOSS: ("train", "loss/train"),
    Role.VAL_LOSS: ("test", "loss/val"),
    Role.TRAIN_METRIC: ("tracc", "accuracy/train"),
    Role.VAL_METRIC: ("teacc", "accuracy/val"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A run of the sweep with its label: ``rate`` is ``ok``, ``high`` or ``low``."""

    run: Run
    problem: str
    optimizer: str
    rate: str
    quality_lost: float


def sweep() -> Iterator[Labelled]:
    """All runs of the sweep, steps in optimizer steps, with losses per epoch and per batch."""
    entries = json.loads((FOLDER / "learning-rate-sweep.json").read_text())
    with np.load(FOLDER / "learning-rate-sweep.npz", allow_pickle=False) as arrays:
        for entry in entries:
            curves = {
                name: np.asarray(arrays[f"{entry['run']}_{name}"], dtype=np.float64)
                for name in ("train", "test", "tracc", "teacc", "mb_head", "mb_tail")
            }
            yield Labelled(
                run=_run(entry["run"], entry["problem"], curves, entry),
                problem=entry["problem"],
                optimizer=entry["optimizer"].removesuffix("Optimizer"),
                rate=entry["learning_rate"],
                quality_lost=entry["quality_lost"],
            )


def _run(name: str, problem: str, curves: dict[str, Floats], entry: dict[str, object]) -> Run:
    batches = _BATCHES[problem]
    series, bound = {}, {}
    for role, (key, tag) in _TAGS.items():
        values = curves[key]
        if len(values):
            series[tag] = Series.of(tag, batches * np.arange(len(values)), values)
            metric = role in (Role.TRAIN_METRIC, Role.VAL_METRIC)
            better = Better.HIGHER if metric else Better.LOWER
            bound[role] = Binding(tag, "pattern", "accuracy" if metric else "loss", better)
    head, last = curves["mb_head"], batches * (len(curves["train"]) - 1)
    steps = np.arange(len(head))
    values = head
    late = curves["mb_tail"][: max(last - len(head), 0)]
    steps = np.concatenate([steps, np.arange(last - len(late), last)])
    series["batch/loss"] = Series.of("batch/loss", steps, np.concatenate([values, late]))
    bound[Role.BATCH_LOSS] = Binding("batch/loss", "pattern", "loss")
    hparams = {
        key: HParam(str(entry[key]) if key == "optimizer" else float(str(entry[key])), "sweep")
        for key in ("lr", "optimizer", "batch_size", "epochs")
    }
    return Run(
        id=name,
        path=PurePosixPath(name),
        series=series,
        hparams=hparams,
        roles=RoleMap(bound=bound),
        provenance=Provenance(points=sum(each.logged for each in series.values())),
    )
