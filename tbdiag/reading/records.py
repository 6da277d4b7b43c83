"""Event files read, and what is unusual in them by TensorBoard's classes: their one doorway."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from tbdiag.model.run import Scalar
from tbdiag.reading import texts
from tbdiag.reading.eventfile import read

_MOST_NUMBERS = 1 << 20  # in one tensor; a hostile shape must not claim more memory
__all__ = [
    "event_of",
    "is_start",
    "number",
    "numbers",
    "read",
    "session_hparams",
    "text",
    "value_of",
]


def event_of(payload: bytes) -> Any:
    """The ``Event`` that stands on the wire as ``payload``; None if it is none."""
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto import event_pb2

    try:
        return event_pb2.Event.FromString(payload)
    except DecodeError:
        return None


def is_start(session_log: Any) -> bool:
    """Whether a session log tells of a start."""
    return bool(session_log.status == session_log.START)


def value_of(record: bytes) -> Any:
    """The ``Summary.Value`` that stands on the wire as ``record``; None if it is none."""
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto import summary_pb2

    try:
        return summary_pb2.Summary.Value.FromString(record)
    except DecodeError:
        return None


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


def number(tensor: Any) -> float | None:
    """The number of a tensor that holds exactly one."""
    if tensor.dtype == 1 and not tensor.tensor_shape.dim and len(tensor.float_val) == 1:
        return float(tensor.float_val[0])
    found = numbers(tensor)
    return float(found.reshape(-1)[0]) if found is not None and found.size == 1 else None


def text(tensor: Any) -> str:
    """The strings of a tensor as one text; a tensor of two columns as a Markdown table."""
    return texts.joined(tensor.string_val, [each.size for each in tensor.tensor_shape.dim])


def session_hparams(content: bytes) -> dict[str, Scalar]:
    """The hyperparameters in the metadata of a session's start; none where it is malformed."""
    from google.protobuf.message import DecodeError
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
