"""Text from files within Markdown: whatever it holds, it stays text."""

from __future__ import annotations

import re

from tbdiag.views.text import printable

# What Markdown, or the HTML within it, could take for more than text.
_MARKS = re.compile(r"([\\`*_\[\]<>|~&$#@{}])")


def plain(text: str) -> str:
    """``text`` so that Markdown shows it as it is, on one line."""
    return _MARKS.sub(r"\\\1", printable(text))


def code(text: str) -> str:
    """``text`` as code on one line, whatever backticks stand in it."""
    shown = printable(text) or " "
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{ticks}{space}{shown}{space}{ticks}"
