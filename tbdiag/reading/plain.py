"""Frozen dataclasses to plain JSON values and back, by their type hints."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

Reader = Callable[[Any], Any]


def plain(value: object) -> Any:
    """The value as lists, dicts, strings and numbers; a dataclass is led by the name of its class.

    Raises TypeError for anything else, so that nothing is ever stored that cannot come back.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Mapping):
        return [[plain(key), plain(each)] for key, each in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(each) for each in value]
    if dataclasses.is_dataclass(value):
        kind: Any = type(value)
        return [kind.__name__, *(plain(getattr(value, name)) for name in _names(kind))]
    raise TypeError(f"a {type(value).__name__} cannot be stored")


@lru_cache(maxsize=256)
def _names(kind: Any) -> tuple[str, ...]:
    """The names of the fields of a dataclass."""
    return tuple(each.name for each in dataclasses.fields(kind))


def restored(kind: type[T] | Any, data: Any) -> Any:
    """The value of type ``kind`` of which `plain` made ``data``; raises ValueError or TypeError."""
    key: Any = kind
    return _reader(key)(data)


@lru_cache(maxsize=256)
def _reader(kind: Any) -> Reader:
    """How a type is read, found out once."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _union(arguments)
    if origin is collections.abc.Sequence or (origin is tuple and arguments[1:] == (...,)):
        item = _reader(arguments[0])
        return lambda data: tuple([item(each) for each in data])
    if origin is tuple:
        items = [_reader(each) for each in arguments]
        return lambda data: tuple([i(each) for i, each in zip(items, data, strict=True)])
    if origin is collections.abc.Mapping:
        key, value = map(_reader, arguments)
        return lambda data: {key(k): value(v) for k, v in data}
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return lambda data: data


def _dataclass(kind: Any) -> Reader:
    hints = typing.get_type_hints(kind)
    fields = [(each.name, _reader(hints[each.name])) for each in dataclasses.fields(kind)]

    def read(data: Any) -> Any:
        name, *items = data
        if name != kind.__name__:
            raise ValueError(f"{name!r} is no {kind.__name__}")
        return kind(**{f: each(item) for (f, each), item in zip(fields, items, strict=True)})

    return read


def _union(kinds: tuple[Any, ...]) -> Reader:
    """A member of a union: one of its dataclasses by name, an enumeration, or a plain value."""
    classes: dict[str, Reader] = {
        kind.__name__: _reader(kind)
        for kind in kinds
        if isinstance(kind, type) and dataclasses.is_dataclass(kind)
    }
    others = [k for k in kinds if k is not type(None) and not dataclasses.is_dataclass(k)]
    other = _reader(others[0]) if len(others) == 1 else lambda data: data

    def read(data: Any) -> Any:
        if data is None:
            return None
        return classes[data[0]](data) if classes and isinstance(data, list) else other(data)

    return read
