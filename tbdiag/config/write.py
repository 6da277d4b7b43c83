"""A configuration file as text: what `read` reads."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence

from tbdiag.config.training import Choices, Dimension, Value

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDEST = 96


def written(
    *,
    command: Sequence[str],
    space: Mapping[str, Dimension],
    objective: str,
    logdir: str = "",
    budget: str | None = None,
    comments: Mapping[str, str] | None = None,
    head: Sequence[str] = (),
) -> str:
    """A whole `tbdiag.toml`; ``head`` are comments at its top, ``comments`` those beside the knobs."""
    lines = [f"# {_comment(each)}".rstrip() for each in head]
    if logdir:
        lines.append(f"logdir = {_string(logdir)}")
    lines += ["", "[train]", f"command = {_command(command)}", f"objective = {_string(objective)}"]
    if budget is not None:
        lines.append(f"budget = {_string(budget)}")
    lines += ["", "[space]"]
    pairs = [f"{_key(name)} = {_dimension(each)}" for name, each in space.items()]
    said = comments or {}
    column = min(max(map(len, pairs), default=0), _WIDEST // 2)
    for name, pair in zip(space, pairs, strict=True):
        comment = _comment(said.get(name, ""))
        lines.append(f"{pair:<{column}}  # {comment}" if comment else pair)
    return "\n".join(lines) + "\n"


def quoted(word: str) -> str:
    """A word of a command as it is written there, with placeholders as they stand."""
    return word if re.fullmatch(r"[\w@%+=:,./{}-]+", word, re.ASCII) else shlex.quote(word)


def _command(words: Sequence[str]) -> str:
    """Lines of a string of several, an option and its value on the same one."""
    rows: list[str] = []
    for word in map(quoted, words):
        begins = not rows or word.startswith(("-", "{-"))
        if rows and len(rows[-1]) + 1 + len(word) <= (_WIDEST if not begins else _WIDEST - 24):
            rows[-1] += f" {word}"
        else:
            rows.append(word)
    if len(rows) == 1:
        return _string(rows[0])
    inner = "\n".join((rows[0], *(f"  {row}" for row in rows[1:])))
    return f'"""\n{_escaped(inner)}\n"""'


def _dimension(each: Dimension) -> str:
    if isinstance(each, Choices):
        return f"[{', '.join(map(_value, each.values))}]"
    parts = [f"low = {_value(each.low)}", f"high = {_value(each.high)}"]
    if each.log:
        parts.append("log = true")
    if each.step is not None:
        parts.append(f"step = {_value(each.step)}")
    return f"{{ {', '.join(parts)} }}"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    return repr(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    return f'"{_escaped(text)}"'.replace("\n", "\\n")


def _escaped(text: str) -> str:
    """The inside of a basic string; line ends stay as they are."""
    inner = (
        json.dumps(text, ensure_ascii=False)[1:-1].replace("\\n", "\n").replace("\x7f", "\\u007f")
    )
    return inner.encode("utf-8", "replace").decode()


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
