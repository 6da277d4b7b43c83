"""Values as JSON text that any reader takes, whatever stands in the logs."""

from __future__ import annotations

import json
import math
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

_encoded = json.JSONEncoder(allow_nan=False).encode


def text(value: Any) -> str:
    """``value`` as indented JSON, pure ASCII, ended by a newline; equal values give equal bytes.

    NaN and infinities become the strings ``NaN``, ``Infinity`` and ``-Infinity``.
    """
    return json.dumps(_plain(value), indent=2, allow_nan=False) + "\n"


def line(value: Any) -> str:
    """What `text` gives, on one line."""
    return json.dumps(_plain(value), allow_nan=False, separators=(",", ":"))


def indented(value: Any, margin: str = "\n") -> str:
    """What `json.dumps` writes with an indent of 2, several times as fast: it does that in Python.

    Keys are text. Raises ValueError for NaN and infinities.
    """
    if isinstance(value, str):
        return _quoted(value)
    inner = margin + "  "
    if isinstance(value, dict):
        parts = [
            f"{inner}{_quoted(key)}: {_quoted(each) if type(each) is str else indented(each, inner)}"
            for key, each in value.items()
        ]
        return f"{{{','.join(parts)}{margin}}}" if parts else "{}"
    if isinstance(value, list | tuple):
        parts = [inner + indented(each, inner) for each in value]
        return f"[{','.join(parts)}{margin}]" if parts else "[]"
    return _encoded(value)


def _plain(value: Any) -> Any:
    """``value`` with what JSON lacks as text: NaN, infinities, lone surrogates."""
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
