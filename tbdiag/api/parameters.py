"""The parameters of a training script, as the one who started it wants them."""

from __future__ import annotations

import os
from typing import Any

from tbdiag.errors import RequestError

VARIABLE = "TBDIAG_PARAMS"


class Params(dict[str, Any]):
    """Parameters by name, also as attributes: ``params["lr"]`` is ``params.lr``."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f'there is no parameter "{name}"') from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def params(**defaults: Any) -> Params:
    """The ``defaults``, overridden by the JSON object in the environment variable TBDIAG_PARAMS.

    A follow-up run that tbdiag starts finds its parameters there; without it the defaults hold. Each
    value keeps the type of its default: 64.0 becomes 64 where that is an int. null keeps the default.
    Raises RequestError, with all problems in one sentence each, where the object has a name that is
    no default or a value that does not fit.
    """
    found = Params(defaults)
    problems = []
    for name, value in _told().items():
        if name not in defaults:
            problems.append(f'{VARIABLE} sets "{name}", {_unknown(name, defaults)}')
        elif value is not None:
            try:
                found[name] = _like(defaults[name], value)
            except (TypeError, ValueError, OverflowError):
                wanted = _KINDS.get(type(defaults[name]), type(defaults[name]).__name__)
                problems.append(f'{VARIABLE} sets "{name}" to {value!r}, but it takes {wanted}')
    if problems:
        raise RequestError("\n".join(problems))
    return found


_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    tuple: "a list",
    dict: "a table",
}
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _told() -> dict[str, Any]:
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return {}
    import json

    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{VARIABLE} is not valid JSON: {error}") from None
    if not isinstance(told, dict):
        raise RequestError(f"{VARIABLE} must be a JSON object, not {text[:40]}")
    return told


def _unknown(name: str, defaults: dict[str, Any]) -> str:
    from tbdiag.config.settings import did_you_mean

    hint = did_you_mean(name, defaults)
    if hint or not defaults:
        return f"which the script does not take{hint}"
    return f"which the script does not take; it takes {', '.join(defaults)}"


def _like(default: Any, value: Any) -> Any:
    """The value as what its default is; raises ValueError or TypeError where it cannot be that."""
    if default is None:
        return value
    if isinstance(default, bool):
        return _truth(value)
    if isinstance(value, bool) and not isinstance(default, str):
        raise TypeError
    if isinstance(default, int):
        number = float(value)
        if not number.is_integer():
            raise ValueError
        return value if isinstance(value, int) else int(number)
    if isinstance(default, float):
        return float(value)
    if isinstance(default, str):
        return _word(value)
    if isinstance(default, list | tuple):
        return type(default)(_items(default, value))
    if isinstance(default, dict):
        return dict(value)
    return type(default)(value)  # a Path, an enum


def _truth(value: Any) -> bool:
    word = str(value).lower().removesuffix(".0")  # 1.0, as torch logs true
    if word not in _TRUTHS:
        raise ValueError
    return _TRUTHS[word]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        raise TypeError
    return str(value)


def _items(default: Any, value: Any) -> list[Any]:
    """A list, or text such as ``64,32`` or ``[64, 32]``, with items like the first of the default."""
    if isinstance(value, str):
        value = [item.strip() for item in value.strip(" []()").split(",") if item.strip()]
    elif not isinstance(value, list):
        value = [value]
    return [_like(default[0], item) if default else item for item in value]
