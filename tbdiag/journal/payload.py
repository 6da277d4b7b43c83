"""What a line of the journal carries: frozen dataclasses as JSON objects with named fields, and back.

Names stay where positions would not: a journal is read by later versions of tbdiag, and by people.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

Reader = Callable[[Any], Any]

_ODD = "$float"  # the one key of an object that stands for NaN or an infinity


def plain(value: object) -> Any:
    """The value as JSON has it; a dataclass becomes an object of its fields.

    NaN and infinities become ``{"$float": "nan"}`` and the like. Raises TypeError for anything that
    could not come back.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return {_ODD: repr(float(value))}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"the key {odd[0]!r} is no string")
        return {key: plain(each) for key, each in value.items()}
    if dataclasses.is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    raise TypeError(f"a {type(value).__name__} cannot be kept in the journal")


def restored(kind: type[T], data: Any) -> T:
    """The value of type ``kind`` of which `plain` made ``data``; raises ValueError.

    A field that is missing has its default, one that is not known is left out.
    """
    key: Any = kind
    value: T = _reader(key)(data)
    return value


@lru_cache(maxsize=256)
def _reader(kind: Any) -> Reader:
    """How a type is read, found out once."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _union(arguments)
    if origin is tuple:  # of one type, as long as it likes
        return _tuple(_reader(arguments[0]))
    if origin is collections.abc.Mapping:
        return _mapping(_reader(arguments[1]))
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _leaf((kind,))


def _tuple(item: Reader) -> Reader:
    def read(data: Any) -> Any:
        return tuple([item(each) for each in _expected(data, list, "a list")])

    return read


def _mapping(item: Reader) -> Reader:
    def read(data: Any) -> Any:
        return {key: item(each) for key, each in _expected(data, dict, "an object").items()}

    return read


def _dataclass(kind: Any) -> Reader:
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    readers = {each.name: _reader(hints[each.name]) for each in fields}
    none = dataclasses.MISSING
    needed = [each.name for each in fields if each.default is each.default_factory is none]

    def read(data: Any) -> Any:
        given = _expected(data, dict, "an object")
        if missing := [name for name in needed if name not in given]:
            raise ValueError(f"a {kind.__name__} lacks {', '.join(missing)}")
        return kind(**{name: read(given[name]) for name, read in readers.items() if name in given})

    return read


def _union(kinds: tuple[Any, ...]) -> Reader:
    """One of several plain types, or a value that may be None."""
    others = [kind for kind in kinds if kind is not type(None)]
    read = _reader(others[0]) if len(others) == 1 else _leaf(tuple(others))
    optional = len(others) < len(kinds)
    return lambda data: None if data is None and optional else read(data)


def _leaf(kinds: tuple[Any, ...]) -> Reader:
    def read(data: Any) -> Any:
        if isinstance(data, dict) and data.keys() == {_ODD} and float in kinds:
            return float(str(data[_ODD]))
        if type(data) in kinds:
            return data
        if type(data) is int and float in kinds:
            return float(data)
        raise ValueError(f"{data!r:.60} is no {' or '.join(kind.__name__ for kind in kinds)}")

    return read


def _expected(data: Any, kind: type[Any], name: str) -> Any:
    if not isinstance(data, kind):
        raise ValueError(f"{data!r:.60} is not {name}")
    return data
