"""From a file to a `Config`, with every mistake on the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbdiag.config.settings import Config, Problem, did_you_mean, shown
from tbdiag.errors import ConfigError

if TYPE_CHECKING:
    from tbdiag.config.schema import ConfigTable

OWN_NAME = "tbdiag.toml"
SHARED_NAME = "pyproject.toml"


def find(start: Path) -> Path | None:
    """The nearest `tbdiag.toml` from ``start`` upward, or `pyproject.toml` with ``[tool.tbdiag]``."""
    folder = start.resolve()
    for each in (folder, *folder.parents):
        if (own := each / OWN_NAME).is_file():
            return own
        if (shared := each / SHARED_NAME).is_file() and _concerns_us(shared):
            return shared
    return None


def load(path: Path) -> Config:
    """The configuration in ``path``; raises ConfigError with all problems.

    Rule names and thresholds are not judged here but where the rules are known, in
    `tbdiag.diagnosis.select`.
    """
    config, problems = read(path)
    if problems:
        raise ConfigError([str(each) for each in sorted(problems)])
    return config


def read(path: Path) -> tuple[Config, list[Problem]]:
    """The configuration without its wrong entries, and all problems but those of the rules.

    Raises ConfigError where the file cannot be read at all, or is not TOML.
    """
    import tomllib

    from tbdiag.config.positions import positions

    text = _text(path)
    try:
        document: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax(path, text, str(error))]) from None
    except RecursionError:
        raise ConfigError([f"{shown(path)}:1: not valid TOML: nested too deeply"]) from None
    prefix: tuple[str, ...] = ("tool", "tbdiag") if path.name == SHARED_NAME else ()
    lines = {
        key[len(prefix) :]: number
        for key, number in positions(text).items()
        if key[: len(prefix)] == prefix
    }
    place = Config(path=path, root=path.resolve().parent, lines=lines)
    for name in prefix:
        document = document.get(name, {})
        if not isinstance(document, dict):
            return place, [place.problem((), "[tool.tbdiag] must be a table")]

    from tbdiag.config.filled import filled
    from tbdiag.config.schema import check

    table, found = check(document)
    problems = [place.problem(key, sentence) for key, sentence in found]
    problems += _crosswise(place, table, document)
    return filled(place, table), problems


def _crosswise(place: Config, table: ConfigTable, document: Mapping[str, Any]) -> list[Problem]:
    """Mistakes that no table shows by itself; a wrong range is still a name in [space]."""
    from tbdiag.config.command import OWN, mistakes

    space = document.get("space")
    knobs = [*space] if isinstance(space, dict) else []
    problems = [
        place.problem(
            ("space", name), f'"{name}" is a name of tbdiag\'s own; call the knob otherwise'
        )
        for name in knobs
        if name in OWN
    ]
    if table.train is None:
        return problems
    problems += [
        place.problem(("train", "command"), sentence)
        for sentence in mistakes(table.train.command, knobs)
    ]
    budget = table.train.budget
    known = [*knobs, *_taken(table.train.command)]
    if budget is not None and budget not in known:
        hint = did_you_mean(budget, known)
        sentence = f'the budget "{budget}" is neither in [space] nor in the command{hint}'
        problems.append(place.problem(("train", "budget"), sentence))
    return problems


def _taken(command: str) -> list[str]:
    """The parameters that a command takes, none where it is wrong."""
    from tbdiag.config.command import slots, words

    try:
        return [slot.name for slot in slots(words(command))]
    except ValueError:  # said elsewhere
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError([f"{shown(path)} cannot be read: {reason}"]) from None
    except UnicodeDecodeError as error:
        before = error.object[: error.start].count(b"\n")
        raise ConfigError([f"{shown(path)}:{before + 1}: not valid UTF-8"]) from None


def _syntax(path: Path, text: str, message: str) -> str:
    at = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    number = at[1] if at and at[1] else text.rstrip("\n").count("\n") + 1
    sentence = message[: at.start()] if at else message
    return f"{shown(path)}:{number}: not valid TOML: {sentence[:1].lower()}{sentence[1:]}"


def _concerns_us(shared: Path) -> bool:
    """Whether a pyproject.toml has our table; other tools' mistakes in it are not our business."""
    try:
        text = shared.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    if "tbdiag" not in text and "\\" not in text:  # nor can an escape spell it
        return False
    import tomllib

    try:
        tool = tomllib.loads(text).get("tool")
    except (tomllib.TOMLDecodeError, RecursionError):
        return re.search(r"^\s*\[tool\.tbdiag[].]", text, re.MULTILINE) is not None
    return isinstance(tool, dict) and "tbdiag" in tool
