"""Texts that stand in tensors."""

from __future__ import annotations

from collections.abc import Sequence

from tbdiag.reading.wire import BYTES, OddError, fields, number, once

_STRING = 7  # tensorflow.DataType
_MOST = 4 << 20


def text(value: bytes) -> str | None:
    """The text in a ``Summary.Value`` on the wire; None where only its full decoding tells it."""
    try:
        kind, start, end = once(value, 0, len(value))[8]
        strings, shape, string = [], list[int](), False
        for key, wire, at, stop in fields(value, start, end) if kind == BYTES else ():
            if key == 1:
                string = number(value, (wire, at, stop)) == _STRING
            elif key == 2 and wire == BYTES:
                shape += _sizes(value, at, stop)
            elif key == 8 and wire == BYTES:
                strings.append(value[at:stop])
            else:
                return None
    except (OddError, KeyError):
        return None
    return joined(strings, shape) if string else None


def _sizes(value: bytes, at: int, end: int) -> list[int]:
    """The dimensions of a tensor's shape, none of them named."""
    sizes = []
    for key, wire, start, stop in fields(value, at, end):
        dimension = once(value, start, stop) if (key, wire) == (2, BYTES) else {}
        if dimension.keys() - {1}:
            raise OddError
        sizes.append(number(value, dimension[1]) if dimension else 0)
    return sizes


def joined(strings: Sequence[bytes], shape: Sequence[int]) -> str:
    """The strings as one text; those of a tensor of two columns as a Markdown table."""
    words = [string[:_MOST].decode("utf-8", "replace") for string in strings]
    if len(shape) == 2 and shape[1] == 2 and len(words) == 2 * shape[0]:
        rows = zip(words[::2], words[1::2], strict=True)
        return "\n".join(["| name | value |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows)])
    return "\n".join(words)[:_MOST]
