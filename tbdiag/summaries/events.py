"""Summaries as records of event files, and back: TensorBoard's protobufs have their doorway here."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tbdiag.model.run import Scalar
from tbdiag.reading.checksums import masked

PLUGIN = "tbdiag"  # the plugin whose tab reads the documents; also the name of the writer

_LENGTH, _CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")
_SIZE = struct.Struct(">II")  # width and height, where a PNG's first chunk has them
_SIZE_AT = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a summary as it stands in a file: ``payload`` is the serialised ``Event``.

    ``plugin`` is the dashboard that shows it, ``content`` what that keeps beside the value.
    """

    tag: str
    plugin: str
    step: int
    wall: float
    payload: bytes
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was the case: at the training's ``step``, at ``wall`` seconds since the epoch."""

    step: int
    wall: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of the custom-scalars dashboard: every curve whose tag matches one of the ``patterns``."""

    title: str
    patterns: tuple[str, ...]


def scalar(at: Moment, tag: str, value: float, about: str) -> Entry:
    """A number, which SCALARS draws over the steps; ``about`` explains it, as Markdown."""
    from tensorboard.compat.proto import tensor_shape_pb2, types_pb2
    from tensorboard.plugins.scalar import metadata

    tensor = _tensor(types_pb2.DT_FLOAT, tensor_shape_pb2.TensorShapeProto())
    tensor.float_val.append(value)
    described = metadata.create_summary_metadata(display_name="", description=about)
    return _entry(at, tag, described, tensor, "DATA_CLASS_SCALAR")


def text(at: Moment, tag: str, markdown: str) -> Entry:
    """A text, which TEXT shows."""
    from tensorboard.plugins.text import metadata

    described = metadata.create_summary_metadata(display_name="", description="")
    return _entry(at, tag, described, _strings(markdown.encode()), "DATA_CLASS_TENSOR")


def image(at: Moment, tag: str, png: bytes, about: str) -> Entry:
    """A picture, which IMAGES shows; ``about`` explains it, as Markdown."""
    from tensorboard.plugins.image import metadata

    width, height = _SIZE.unpack_from(png, _SIZE_AT)
    told = [str(width).encode(), str(height).encode(), png]
    described = metadata.create_summary_metadata(display_name="", description=about)
    return _entry(at, tag, described, _strings(*told, listed=True), "DATA_CLASS_BLOB_SEQUENCE")


def document(at: Moment, tag: str, json: str, key: str = "") -> Entry:
    """A JSON text for tbdiag's own tab, which lists tensors and so finds it.

    ``key`` tells on what it and its companions were based: equal keys, equal summaries.
    """
    from tensorboard.compat.proto import summary_pb2

    described = summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=PLUGIN, content=key.encode())
    )
    return _entry(at, tag, described, _strings(json.encode()), "DATA_CLASS_TENSOR")


def layout(at: Moment, title: str, charts: Sequence[Chart]) -> Entry:
    """A category of charts, which CUSTOM SCALARS shows beside those of other layouts."""
    from tensorboard.plugins.custom_scalar import layout_pb2, metadata

    drawn = [
        layout_pb2.Chart(
            title=chart.title, multiline=layout_pb2.MultilineChartContent(tag=chart.patterns)
        )
        for chart in charts
    ]
    whole = layout_pb2.Layout(category=[layout_pb2.Category(title=title, chart=drawn)])
    tensor = _strings(whole.SerializeToString(deterministic=True))
    described = metadata.create_summary_metadata()
    return _entry(at, metadata.CONFIG_SUMMARY_TAG, described, tensor, "DATA_CLASS_TENSOR")


def session(
    params: Mapping[str, Scalar], started: float, ended: float | None, *, succeeded: bool
) -> list[Entry]:
    """The start and the end of a run for HPARAMS, with its hyperparameters; those unset are left out.

    The description of an experiment, of which TensorBoard heeds only one, is never among them.
    """
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    start = plugin_data_pb2.SessionStartInfo(start_time_secs=started)
    for name, value in params.items():
        if value is not None:
            _set(start.hparams[name], value)
    told = [(metadata.SESSION_START_INFO_TAG, {"session_start_info": start})]
    if ended is not None:
        status = api_pb2.STATUS_SUCCESS if succeeded else api_pb2.STATUS_FAILURE
        end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=ended)
        told.append((metadata.SESSION_END_INFO_TAG, {"session_end_info": end}))
    entries = []
    for tag, info in told:
        data = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, **info)
        described = metadata.create_summary_metadata(data)
        described.plugin_data.content = data.SerializeToString(deterministic=True)
        entries.append(_entry(Moment(0, started), tag, described, metadata.NULL_TENSOR, ""))
    return entries


@cache
def header() -> bytes:
    """The record that every event file begins with, signed by its writer."""
    from tensorboard.compat.proto import event_pb2

    return _record(
        event_pb2.Event(
            file_version="brain.Event:2", source_metadata=event_pb2.SourceMetadata(writer=PLUGIN)
        ).SerializeToString(deterministic=True)
    )


def packed(entries: Iterable[Entry], *, anew: bool = True) -> bytes:
    """An event file of these entries; equal entries give equal bytes.

    With ``anew``, a TensorBoard that runs forgets what earlier files of the folder held, which these
    entries repeat: so it may be said only in folders that are tbdiag's own.
    """
    told = list(entries)
    parts = [header()]
    if anew and told:
        parts.append(_record(_beginning(min(0, *(each.step for each in told)))))
    return b"".join([*parts, *(_record(each.payload) for each in told)])


def unpacked(data: bytes) -> list[Entry]:
    """The entries of an event file of tbdiag's own, as far as its records are sound."""
    return [entry for payload in _payloads(data) if (entry := _parsed(payload)) is not None]


def is_own(data: bytes) -> bool:
    """Whether a file that begins with ``data`` was written by tbdiag."""
    return data.startswith(header())


def string(entry: Entry) -> str:
    """The text of an entry that holds one; raises ValueError where it does not."""
    from tensorboard.compat.proto import event_pb2

    (value,) = event_pb2.Event.FromString(entry.payload).summary.value
    (only,) = value.tensor.string_val
    return bytes(only).decode()


def _entry(at: Moment, tag: str, described: Any, tensor: Any, kind: str) -> Entry:
    from tensorboard.compat.proto import event_pb2, summary_pb2

    if kind:
        described.data_class = summary_pb2.DataClass.Value(kind)
    value = summary_pb2.Summary.Value(tag=tag, metadata=described, tensor=tensor)
    event = event_pb2.Event(
        wall_time=at.wall, step=at.step, summary=summary_pb2.Summary(value=[value])
    )
    payload: bytes = event.SerializeToString(deterministic=True)
    data = described.plugin_data
    return Entry(tag, data.plugin_name, at.step, at.wall, payload, data.content)


def _parsed(payload: bytes) -> Entry | None:
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto import event_pb2

    try:
        event = event_pb2.Event.FromString(payload)
    except DecodeError:
        return None
    if len(event.summary.value) != 1:
        return None
    (value,) = event.summary.value
    data = value.metadata.plugin_data
    return Entry(value.tag, data.plugin_name, event.step, event.wall_time, payload, data.content)


def _beginning(step: int) -> bytes:
    """The start of a session: what TensorBoard read before at this step or a later one is void."""
    from tensorboard.compat.proto import event_pb2

    log = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    begun: bytes = event_pb2.Event(step=step, session_log=log).SerializeToString(deterministic=True)
    return begun


def _tensor(kind: int, shape: Any) -> Any:
    from tensorboard.compat.proto import tensor_pb2

    return tensor_pb2.TensorProto(dtype=kind, tensor_shape=shape)


def _strings(*values: bytes, listed: bool = False) -> Any:
    from tensorboard.compat.proto import tensor_shape_pb2, types_pb2

    shape = tensor_shape_pb2.TensorShapeProto()
    if listed:
        shape.dim.add(size=len(values))
    tensor = _tensor(types_pb2.DT_STRING, shape)
    tensor.string_val.extend(values)
    return tensor


def _set(into: Any, value: Scalar) -> None:
    if isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int | float):
        into.number_value = value
    else:
        into.string_value = str(value)


def _record(payload: bytes) -> bytes:
    length = _LENGTH.pack(len(payload))
    sums = [_CHECKSUM.pack(masked(each)) for each in (length, payload)]
    return b"".join((length, sums[0], payload, sums[1]))


def _payloads(data: bytes) -> Iterator[bytes]:
    """The records up to the first that is not whole or not sound."""
    at, head = 0, _LENGTH.size + _CHECKSUM.size
    while at + head <= len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        start, end = at + head, at + head + length
        payload = data[start:end]
        if end + _CHECKSUM.size > len(data):
            return
        (told,) = _CHECKSUM.unpack_from(data, end)
        if told != masked(payload):
            return
        yield payload
        at = end + _CHECKSUM.size
