"""Which script a training command runs, and by which Python."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tbdiag.config.command import placeholders
from tbdiag.launch.program import search_path

_PYTHON = re.compile(r"(python|pypy)(\d+(\.\d+)*)?t?(\.exe)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A Python program: ``python`` are the words that start its interpreter.

    ``script`` is its file; ``module`` its name where it is run by that, else empty. ``words`` are the
    first words after it that are no options, such as a subcommand.
    """

    python: tuple[str, ...]
    script: Path
    module: str = ""
    words: tuple[str, ...] = ()


def program_of(command: Sequence[str], root: Path) -> Program | str:
    """The program that ``command`` runs in the folder ``root``; a sentence where none can be told."""
    if not command:
        return "there is no command"
    for place, word in enumerate(command):
        if placeholders(word):
            break
        before = command[:place]
        if word == "-m" and place + 1 < len(command):
            module = command[place + 1]
            if (script := _module(module, root)) is None:
                return f"the module {module} is not below {root}"
            python = _interpreter(before, root)
            words = _plain(command[place + 2 :])
            return Program(python=python, script=script, module=module, words=words)
        if word.endswith(".py") and (root / word).is_file():
            python = _interpreter(before, root)
            return Program(python=python, script=root / word, words=_plain(command[place + 1 :]))
    first = _which(command[0]) if os.sep not in command[0] else str(root / command[0])
    if first is not None and (shebang := _shebang(Path(first))):
        return Program(python=shebang, script=Path(first), words=_plain(command[1:]))
    missing = next((word for word in command if word.endswith(".py")), None)
    if missing is not None:
        return f"there is no {missing} in {root}"
    return f"the command starts {command[0]!r}, which is no Python script"


def _which(word: str) -> str | None:
    return shutil.which(word, path=search_path(os.environ))


def _plain(words: Sequence[str]) -> tuple[str, ...]:
    plain = []
    for word in words:
        if word.startswith(("-", "{")) or not word.isidentifier():
            break
        plain.append(word)
    return tuple(plain)


def _module(name: str, root: Path) -> Path | None:
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    place = root.joinpath(*parts)
    for path in (place.with_suffix(".py"), place / "__main__.py"):
        if path.is_file():
            return path
    return None


def _interpreter(before: Sequence[str], root: Path) -> tuple[str, ...]:
    """The words before a script as far as a Python, else the one that belongs to the launcher."""
    for place, word in enumerate(before):
        if _PYTHON.fullmatch(Path(word).name):
            if os.sep in word:
                word = str(root / word)
            elif _which(word) is None:
                word = sys.executable
            return (*before[:place], word)
    if before[:2] == ("uv", "run") and _which("uv"):
        return ("uv", "run", "python")
    launcher = _which(before[0]) if before else None
    if launcher is not None and (shebang := _shebang(Path(launcher))):
        return shebang
    return (sys.executable,)


def _shebang(path: Path) -> tuple[str, ...]:
    """The Python that a script names in its first line; empty where it is none."""
    try:
        with path.open("rb") as file:
            head = file.readline(300)
    except OSError:
        return ()
    if not head.startswith(b"#!"):
        return ()
    words = head[2:].decode("utf-8", "replace").split()
    for word in words[:3]:
        if _PYTHON.fullmatch(Path(word).name):
            found = word if os.sep in word else _which(word)
            return (found or sys.executable,)
    return ()
