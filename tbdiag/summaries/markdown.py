"""Text from files in TensorBoard's dialect of Markdown: whatever it holds, it stays text."""

from __future__ import annotations

import re
from urllib.parse import quote

from tbdiag.views.text import printable

LONGEST = 600  # characters of a message
NAME = 120  # characters of a name or a tag

# What Python-Markdown takes for more than text, and takes a backslash before it back.
_MARKS = re.compile(r"([\\`*_{}\[\]()|!])")
_LEADING = re.compile(r"^(?:[#~]|[+-](?=\s|-|$)|\d(?=\d*[.)](?:\s|$))|=(?==*\s*$))")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def plain(text: str, room: int = LONGEST) -> str:
    """``text`` on one line of at most about ``room`` characters, as it is: no mark and no tag counts."""
    shown = _MARKS.sub(r"\\\1", _cut(text, room).translate(_HTML))
    return _LEADING.sub(lambda match: f"&#{ord(match[0])};", shown)


def code(text: str, room: int = NAME) -> str:
    """``text`` in the type of code, or as `plain` text where that could be ended by it."""
    shown = _cut(text, room).strip()
    return plain(text, room) if not shown or set(shown) & set("`|\\") else f"`{shown}`"


def link(words: str, run: str) -> str:
    """A link to tbdiag's own tab, opened at a run; without one, at all runs."""
    place = f"&p.tbdiag.run={quote(run, safe='', errors='backslashreplace')}" if run else ""
    return f"[{words}](#tbdiag{place})"


def _cut(text: str, room: int) -> str:
    if len(text) > room:
        text = f"{text[: room * 2 // 3]}…{text[-(room // 3) :]}"
    return printable(text)
