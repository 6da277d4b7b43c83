"""A training command with its placeholders filled: words for a process, never for a shell."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tbdiag.config.command import OWN, placeholders
from tbdiag.errors import LaunchError
from tbdiag.model.proposal import Params
from tbdiag.model.run import Scalar

PARAMS, LOGDIR, TRIAL = "TBDIAG_PARAMS", "TBDIAG_LOGDIR", "TBDIAG_TRIAL"

# What may stand bare after the sign of equality in Hydra's grammar, and is no number or word of it.
_BARE = re.compile(r"[A-Za-z_][\w./-]*", re.ASCII)
_TELLING = frozenset({"true", "false", "null", "none", "nan", "inf"})


@dataclass(frozen=True, slots=True)
class Filled:
    """What is run: its words, and what is added to the environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


def filled(
    command: Sequence[str], params: Params, logdir: Path, place: Path, *, trial: str = ""
) -> Filled:
    """The words of ``command`` with the values of ``params`` in place of their names in braces.

    A value is never more than one word, whatever stands in it; only ``{overrides}``, which must be a
    word of its own, becomes as many ``name=value`` as there are parameters without a place of their
    own. ``{params_json}`` and ``{params_yaml}`` are the paths of files in the folder ``place``, written
    only where they are asked for. Beside that every run finds its parameters (JSON), log folder and
    id in the environment. Raises LaunchError for a parameter that is missing or no word can hold.
    """
    files: dict[str, str] = {}
    named = {name for word in command for name in placeholders(word)}
    rest = {name: value for name, value in params.items() if name not in named}
    argv: list[str] = []
    for word in command:
        if placeholders(word) == ("overrides",) and word == "{overrides}":
            argv += [f"{name}={_hydra(value)}" for name, value in rest.items()]
            continue
        argv.append(_word(word, params, logdir, place, files))
    env = {PARAMS: _json(params), LOGDIR: str(logdir), TRIAL: trial}
    for text in (*argv, *env.values()):
        _holdable(text)
    return Filled(tuple(argv), env)


def text(value: Scalar) -> str:
    """A value as it stands in a word: numbers so that they come back exactly, true and false so."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int | float) else str(value)


def _word(word: str, params: Params, logdir: Path, place: Path, files: dict[str, str]) -> str:
    import string

    pieces = []
    for literal, name, _, _ in string.Formatter().parse(word):
        pieces.append(literal)
        if name is None:
            continue
        if name == "logdir":
            pieces.append(str(logdir))
        elif name in ("params_json", "params_yaml"):
            if name not in files:
                files[name] = _file(name.removeprefix("params_"), params, place)
            pieces.append(files[name])
        elif name in OWN:
            raise LaunchError("{" + name + "} must be a word of its own in the command")
        elif params.get(name) is None:
            raise LaunchError(f'the command needs a value for "{name}", and there is none')
        else:
            pieces.append(text(params[name]))
    return "".join(pieces)


def _file(form: str, params: Params, place: Path) -> str:
    path = place / f"params.{form}"
    content = _json(params, indent=2) + "\n" if form == "json" else _yaml(params)
    try:
        place.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    except OSError as error:
        raise LaunchError(f"{path} cannot be written: {error.strerror}") from None
    return str(path)


def _json(params: Params, indent: int | None = None) -> str:
    try:
        return json.dumps(dict(params), allow_nan=False, indent=indent)
    except ValueError:
        odd = next(n for n, v in params.items() if isinstance(v, float) and not math.isfinite(v))
        raise LaunchError(f'"{odd}" is {params[odd]}, which no run can be given') from None


def _yaml(params: Params) -> str:
    import yaml

    # its numbers have the point without which YAML takes 1e-05 for a string
    return str(yaml.safe_dump(dict(params), sort_keys=False, allow_unicode=False))


def _hydra(value: Scalar) -> str:
    if value is None:
        return "null"
    if not isinstance(value, str):
        return text(value)
    if _BARE.fullmatch(value) and value.lower() not in _TELLING:
        return value
    # a quote is escaped, and so are the backslashes before a quote, the closing one too
    inside = re.sub(r"(\\*)('|\Z)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value)
    return f"'{inside}'"


def _holdable(text: str) -> None:
    """Raises LaunchError where the system cannot hand a text to a process."""
    try:
        fits = b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise LaunchError(f"{text[:60]!r} holds a character that no command can be given")
