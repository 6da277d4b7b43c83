"""Builders of event files, record by record, as the frameworks write them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.plugins.hparams import plugin_data_pb2

Event = event_pb2.Event
NAME = "events.out.tfevents.1700000000.host.1.0"


def record(payload: bytes) -> bytes:
    """A TFRecord: length, its checksum, the payload, its checksum."""
    length = struct.pack("<Q", len(payload))
    checksums = struct.pack("<I", masked_crc32c(length)), struct.pack("<I", masked_crc32c(payload))
    return length + checksums[0] + payload + checksums[1]


def data(*events: Any) -> bytes:
    return b"".join(record(event.SerializeToString()) for event in events)


def write(path: Path, *events: Any, version: bool = True) -> Path:
    """An event file of these events, with the ``file_version`` event before them or not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = [Event(wall_time=events[0].wall_time if events else 1.0, file_version="brain.Event:2")]
    path.write_bytes(data(*(head if version else []), *events))
    return path


def event(step: int, *values: Any, at: float | None = None) -> Any:
    wall_time = 1000.0 + step if at is None else at
    return Event(step=step, wall_time=wall_time, summary=summary_pb2.Summary(value=values))


def value(tag: str, number: float) -> Any:
    return summary_pb2.Summary.Value(tag=tag, simple_value=number)


def scalar(tag: str, step: int, number: float = 1.0, at: float | None = None) -> Any:
    return event(step, value(tag, number), at=at)


def scalars(tag: str, steps: Sequence[int], at: float = 1000.0) -> list[Any]:
    """Points whose value is their place, so that tests see which ones are left; one a second."""
    return [scalar(tag, step, float(i), at=at + i) for i, step in enumerate(steps)]


def start(step: int, at: float = 5000.0) -> Any:
    return Event(
        step=step,
        wall_time=at,
        session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START),
    )


def metadata(plugin: str, content: bytes = b"") -> Any:
    return summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin, content=content)
    )


def tensor(tag: str, proto: Any, plugin: str | None = "scalars") -> Any:
    """A value that holds a tensor; without a plugin it carries no metadata."""
    made = summary_pb2.Summary.Value(tag=tag, tensor=proto)
    if plugin is not None:
        made.metadata.CopyFrom(metadata(plugin))
    return made


def proto(array: Any, *, packed: bool = False) -> Any:
    """A tensor in the typed fields of the protobuf, or ``packed`` as its bytes."""
    from tensorboard.util import tensor_util

    array = np.asarray(array)
    if not packed:
        return tensor_util.make_tensor_proto(array, dtype=array.dtype)
    made = tensor_util.make_tensor_proto(np.zeros(array.shape, array.dtype), dtype=array.dtype)
    shape = made.tensor_shape
    return tensor_pb2.TensorProto(
        dtype=made.dtype, tensor_shape=shape, tensor_content=array.tobytes()
    )


def text(tag: str, words: str, step: int = 0) -> Any:
    made = tensor_pb2.TensorProto(dtype=7, string_val=[words.encode()])
    made.tensor_shape.dim.add(size=1)
    return event(step, tensor(tag, made, "text"))


def hparams(values: Mapping[str, Any], at: float = 1000.0) -> Any:
    """What torch's ``add_hparams`` writes: metadata without any value."""
    content = plugin_data_pb2.HParamsPluginData()
    for name, setting in values.items():
        field = {bool: "bool_value", str: "string_value"}.get(type(setting), "number_value")
        setattr(content.session_start_info.hparams[name], field, setting)
    made = summary_pb2.Summary.Value(
        tag="_hparams_/session_start_info",
        metadata=metadata("hparams", content.SerializeToString()),
    )
    return event(0, made, at=at)


def histo(tag: str, limits: Sequence[float], counts: Sequence[float], **moments: float) -> Any:
    """A legacy histogram; ``moments`` are min, max, num, sum and sum_squares."""
    return summary_pb2.Summary.Value(
        tag=tag,
        histo=summary_pb2.HistogramProto(bucket_limit=limits, bucket=counts, **moments),
    )
