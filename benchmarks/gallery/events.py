"""Sessions → event files, with the records that tensorboardX makes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tensorboardX import summary as summaries
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData
from tensorboardX.record_writer import RecordWriter

from benchmarks.gallery.conventions import DETAIL, Convention
from benchmarks.gallery.log import Point, Session

_CLASSES = {"sgd": "SGD", "momentum": "SGD", "adam": "Adam", "adamw": "AdamW"}
logging.getLogger("tensorboardX.x2num").setLevel(logging.ERROR)  # NaNs are among the faults
Hparams = Mapping[str, bool | int | float | str]


def write(
    folder: Path, sessions: Sequence[Session], convention: Convention, detail: str, hparams: Hparams
) -> None:
    """One event file a session and sub-folder; hyperparameters as the convention keeps them."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {convention.names.get(key, key): value for key, value in hparams.items()}
    if detail == "sparse" or detail == "curve-only":
        known = {}
    optimizer = _CLASSES.get(str(hparams.get("optimizer")), "Adam")
    for number, session in enumerate(sessions):
        events: dict[str, list[tuple[float, int, Any]]] = {}
        for place, wall, step, summary in _records(session, convention, detail):
            for value in summary.value:
                value.tag = value.tag.replace("OPTIMIZER", optimizer)
            events.setdefault(place, []).append((wall, step, summary))
        for place, records in events.items():
            records.sort(key=lambda record: record[0])  # stable: as logged where walls are equal
            first = records[0][0]
            if known and number == 0 and convention.hparams in ("plugin", "text"):
                records[:0] = [(first, 0, each) for each in _known(convention, known)]
            name = f"events.out.tfevents.{int(first)}.gallery.{4000 + number}.0"
            _write(folder / place / name, first, records)
    if known and convention.hparams == "yaml":
        lines = [f"{key}: {json.dumps(value)}\n" for key, value in known.items()]
        (folder / "hparams.yaml").write_text("".join(lines), encoding="utf-8")
    if known and convention.hparams == "json":
        text = json.dumps(known, indent=1)
        (folder / "config.json").write_text(text, encoding="utf-8")


def _records(
    session: Session, convention: Convention, detail: str
) -> Iterator[tuple[str, float, int, Any]]:
    kept = DETAIL[detail]
    if kept is not None and kept.isdisjoint(convention.tags):
        kept = frozenset({"batch_loss"})  # the least that such a loop logs
    for point in session.points:
        tag = convention.tags.get(point.curve, "")
        if tag and (kept is None or point.curve in kept):
            place, _, name = tag.replace("{optimizer}", "OPTIMIZER").rpartition("::")
            step, value = _axis(point, convention), _value(point, convention)
            yield place, point.wall, step, summaries.scalar(name, value)
    if kept is not None:
        return
    for spread in session.spreads:
        kind, _, layer = spread.name.partition("/")
        form = convention.sizes.get(kind, "")
        if form:
            place, _, name = form.format(name=layer).rpartition("::")
            size = (
                np.linalg.norm(spread.values)
                if kind == "gradients"
                else (spread.values == 0).mean()
            )
            yield place, spread.wall, spread.step, summaries.scalar(name, float(size))
    if detail != "full":
        return
    for spread in session.spreads:
        kind, _, layer = spread.name.partition("/")
        form = convention.tensors.get(kind, "")
        if form:
            place, _, name = form.format(name=layer).rpartition("::")
            record = summaries.histogram(name, spread.values, _BINS)
            yield place, spread.wall, spread.step, record


def _axis(point: Point, convention: Convention) -> int:
    if point.epoch is None or not convention.epochs:
        return point.step
    return point.epoch - 1 + convention.first_epoch


def _value(point: Point, convention: Convention) -> float:
    if convention.percent and "metric" in point.curve:
        return 100.0 * point.value
    if convention.decimals is not None and "loss" in point.curve:
        return round(point.value, convention.decimals)
    return point.value


def _known(convention: Convention, known: Hparams) -> Iterator[Any]:
    if convention.hparams == "text":
        yield summaries.text("args", json.dumps(dict(known), indent=2))
        return
    experiment, start, _ = summaries.hparams(dict(known), {})
    for summary in (experiment, start):
        data = summary.value[0].metadata.plugin_data
        data.content = HParamsPluginData.FromString(data.content).SerializeToString(
            deterministic=True  # else the order of the map's entries changes from run to run
        )
        yield summary


def _write(path: Path, first: float, records: Sequence[tuple[float, int, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    writer = RecordWriter(str(path))
    writer.write(Event(wall_time=first, file_version="brain.Event:2").SerializeToString())
    for wall, step, summary in records:
        event = Event(wall_time=wall, step=step, summary=summary)
        writer.write(event.SerializeToString(deterministic=True))
    writer.close()


def _default_bins() -> list[float]:
    """The bucket limits that SummaryWriter uses unless told otherwise."""
    positive, value = [], 1e-12
    while value < 1e20:
        positive.append(value)
        value *= 1.1
    return [-each for each in reversed(positive)] + [0.0] + positive


_BINS = _default_bins()
