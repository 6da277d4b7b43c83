"""The reader as plain as can be, one protobuf message after another: an oracle for the real one."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from tensorboard.compat.proto import event_pb2, summary_pb2

from tbdiag.model.run import Restart, Scalar
from tbdiag.reading.columns import Columns, Points, RawHistograms
from tests.reading.plain_frames import Frames

_SESSION_INFO = "_hparams_/session_start_info"
_START = event_pb2.SessionLog.START
_MOST_NUMBERS = 1 << 20  # in one tensor; a hostile shape must not claim more memory
_MOST_TEXT = 4 << 20


def read(path: Path, limit: int | None = None) -> Columns:
    """Everything in an event file that tbdiag looks at, in file order and unsampled.

    Scalars are those that TensorBoard's EventAccumulator keeps with nothing dropped, of both
    dialects (``simple_value`` and tensors of one number). ``limit`` reads only so many bytes.
    Damage is told in the result; raises ReadError only where the file cannot be opened.
    """
    frames = Frames(path, limit)
    gathered = _Gathered()
    for payload in frames:
        try:
            event = event_pb2.Event.FromString(payload)
        except DecodeError:
            frames.reject("a record is not an event")
            break
        gathered.add(event)
    return gathered.columns(frames)


class _Gathered:
    """The columns of a file while its events come in."""

    def __init__(self) -> None:
        self.scalars: dict[str, tuple[array[int], array[float], array[float]]] = {}
        self.histograms: dict[str, tuple[array[int], array[float], list[bytes]]] = {}
        self.texts: dict[str, str] = {}
        self.hparams: dict[str, Scalar] = {}
        self.plugins: dict[str, tuple[str, int]] = {}
        self.started: float | None = None
        self.sessions = False
        self.voids: int | None = None
        self.purges: list[Restart] = []

    def add(self, event: Any) -> None:
        if self.started is None:
            self.started = event.wall_time
        what = event.WhichOneof("what")
        if what == "summary":
            for value in event.summary.value:
                self._value(value, event.step, event.wall_time)
        elif what == "file_version":
            # Writers before version 2 told a restart by nothing but the step.
            self.sessions = _version(event.file_version) >= 2
        elif what == "session_log" and self.sessions and event.session_log.status == _START:
            self._purge(event.step, event.wall_time)

    def _value(self, value: Any, step: int, wall_time: float) -> None:
        kind = value.WhichOneof("value")
        tag = value.tag or (value.node_name if kind == "tensor" else "")
        plugin, data_class = self._plugin(tag, value)
        if plugin == "hparams":
            if tag == _SESSION_INFO:
                self.hparams.update(_session_hparams(value.metadata.plugin_data.content))
        elif kind == "simple_value":
            self._point(tag, step, wall_time, value.simple_value)
        elif kind == "histo":
            self._histogram(tag, step, wall_time, value)
        elif kind == "tensor":
            if plugin == "histograms":
                self._histogram(tag, step, wall_time, value)
            elif plugin == "text":
                self.texts[tag] = _text(value.tensor)
            elif plugin in ("", "scalars") or data_class == summary_pb2.DATA_CLASS_SCALAR:
                number = _number(value.tensor)
                if number is not None:
                    self._point(tag, step, wall_time, number)

    def _plugin(self, tag: str, value: Any) -> tuple[str, int]:
        """The plugin of a tag and its data class; writers may tell them in its first event only."""
        known = self.plugins.get(tag)
        if known is None or not known[0]:
            metadata = value.metadata
            known = (metadata.plugin_data.plugin_name, metadata.data_class)
            self.plugins[tag] = known
        return known

    def _point(self, tag: str, step: int, wall_time: float, number: float) -> None:
        column = self.scalars.get(tag)
        if column is None:
            column = self.scalars[tag] = (array("q"), array("d"), array("d"))
        column[0].append(step)
        column[1].append(number)
        column[2].append(wall_time)

    def _histogram(self, tag: str, step: int, wall_time: float, value: Any) -> None:
        column = self.histograms.setdefault(tag, (array("q"), array("d"), []))
        column[0].append(step)
        column[1].append(wall_time)
        column[2].append(value.SerializeToString())

    def _purge(self, step: int, wall_time: float) -> None:
        """Forget what was logged at ``step`` and after, as EventAccumulator does."""
        dropped, reached = 0, step
        for tag, (steps, values, walls) in self.scalars.items():
            keep = [i for i, logged in enumerate(steps) if logged < step]
            if len(keep) < len(steps):
                dropped += len(steps) - len(keep)
                reached = max(reached, *steps)
                self.scalars[tag] = (
                    array("q", (steps[i] for i in keep)),
                    array("d", (values[i] for i in keep)),
                    array("d", (walls[i] for i in keep)),
                )
        for tag, (steps, walls, records) in self.histograms.items():
            keep = [i for i, logged in enumerate(steps) if logged < step]
            self.histograms[tag] = (
                array("q", (steps[i] for i in keep)),
                array("d", (walls[i] for i in keep)),
                [records[i] for i in keep],
            )
        self.voids = step if self.voids is None else min(self.voids, step)
        if dropped:
            self.purges.append(
                Restart(step=step, reached=reached, dropped=dropped, wall_time=wall_time)
            )

    def columns(self, frames: Frames) -> Columns:
        return Columns(
            scalars={
                tag: Points(_ints(steps), _floats(values), _floats(walls))
                for tag, (steps, values, walls) in self.scalars.items()
                if steps
            },
            histograms={
                tag: RawHistograms(_ints(steps), _floats(walls), records)
                for tag, (steps, walls, records) in self.histograms.items()
                if steps
            },
            texts=self.texts,
            hparams=self.hparams,
            started=self.started,
            voids=self.voids,
            purges=tuple(self.purges),
            damage=frames.damage,
        )


def _version(file_version: str) -> float:
    try:
        return float(file_version.rpartition(":")[2])
    except ValueError:
        return 0.0


def _ints(numbers: array[int]) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def _floats(numbers: array[float]) -> NDArray[np.float64]:
    return np.array(numbers, dtype=np.float64)


def value_of(record: bytes) -> Any:
    """The ``Summary.Value`` that stands on the wire as ``record``."""
    return summary_pb2.Summary.Value.FromString(record)


def numbers(tensor: Any) -> NDArray[Any] | None:
    """The numbers of a ``TensorProto`` in its own shape and type; None where it holds none."""
    from tensorboard.util import tensor_util

    size = 1
    for dimension in tensor.tensor_shape.dim:
        size *= max(dimension.size, 0)
    if size > _MOST_NUMBERS:
        return None
    try:
        found = tensor_util.make_ndarray(tensor)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.dtype.kind in "biuf" or found.dtype.name == "bfloat16" else None


def _number(tensor: Any) -> float | None:
    if tensor.dtype == 1 and not tensor.tensor_shape.dim and len(tensor.float_val) == 1:
        return float(tensor.float_val[0])
    found = numbers(tensor)
    return float(found.reshape(-1)[0]) if found is not None and found.size == 1 else None


def _text(tensor: Any) -> str:
    """The strings of a tensor as one text; a tensor of two columns as a Markdown table."""
    strings: Sequence[bytes] = tensor.string_val
    shape = [dimension.size for dimension in tensor.tensor_shape.dim]
    words = [string[:_MOST_TEXT].decode("utf-8", "replace") for string in strings]
    if len(shape) == 2 and shape[1] == 2 and len(words) == 2 * shape[0]:
        rows = zip(words[::2], words[1::2], strict=True)
        return "\n".join(["| name | value |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows)])
    return "\n".join(words)[:_MOST_TEXT]


def _session_hparams(content: bytes) -> dict[str, Scalar]:
    from tensorboard.plugins.hparams import plugin_data_pb2

    try:
        session = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
    except DecodeError:
        return {}
    return {name: _scalar(value) for name, value in sorted(session.hparams.items())}


def _scalar(value: Any) -> Scalar:
    """A ``google.protobuf.Value``; a whole number, which its doubles cannot tell apart, as an int."""
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        number: float = value.number_value
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "bool_value":
        return bool(value.bool_value)
    if kind == "string_value":
        return str(value.string_value)
    if kind == "list_value":
        return str([_scalar(item) for item in value.list_value.values])
    return None
