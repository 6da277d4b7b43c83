"""Text that is safe to show: hostile characters escaped, widths counted in terminal cells."""

from __future__ import annotations

import math

LONGEST = 4000  # characters of one piece of text; a hostile name may have millions

_PLAIN = str.maketrans(
    {"×": "x", "÷": "/", "–": "-", "—": "-", "…": "...", "→": "->", "·": "-", "≥": ">=", "≤": "<="}
    | {"’": "'", "‘": "'", "“": '"', "”": '"', "≈": "~", "±": "+-", "√": "sqrt ", "−": "-"}
)
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def printable(text: str, *, only_ascii: bool = False) -> str:
    r"""``text`` on one line, with nothing in it that could move the cursor or turn the direction.

    Control characters, escapes, direction marks, surrogates and other invisible characters become
    ``\x1b``, ``\u202e`` and the like, odd spaces plain ones, and what is too long is cut in the
    middle. With ``only_ascii`` every other character beyond ASCII is escaped too.
    """
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]}…{text[-LONGEST // 2 :]}"
    if only_ascii:
        text = text.translate(_PLAIN)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char, only_ascii) for char in text)


def _shown(char: str, only_ascii: bool) -> str:
    if char.isprintable() and (char.isascii() or not only_ascii) and char != "\ufe0f":
        return char
    if char.isspace() and ord(char) > 0x85 and char not in "\u2028\u2029":
        return " "
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def cells(text: str) -> int:
    """How many terminal columns a printable ``text`` fills."""
    from rich.cells import cell_len

    return cell_len(text)


def _head(text: str, room: int) -> str:
    used = 0
    for at, char in enumerate(text):
        used += cells(char)
        if used > room:
            return text[:at]
    return text


def shorten(text: str, room: int, ellipsis: str = "…") -> str:
    """``text`` in at most ``room`` columns: what does not fit is cut out of the middle."""
    if cells(text) <= room:
        return text
    left = room - cells(ellipsis)
    if left < 2:
        return _head(text, room)
    tail = _head(text[::-1], left // 2)[::-1]
    return _head(text, left - cells(tail)) + ellipsis + tail


def wrap(text: str, room: int) -> list[str]:
    """``text`` broken at spaces into lines of at most ``room`` columns; longer words are split."""
    lines = [""]
    for word in text.split():
        gap = " " if lines[-1] else ""
        if cells(lines[-1]) + len(gap) + cells(word) <= room:
            lines[-1] += gap + word
            continue
        if lines[-1]:
            lines.append("")
        while cells(word) > room:
            lines[-1] = _head(word, room) or word[0]
            word = word[len(lines[-1]) :]
            lines.append("")
        lines[-1] = word
    return lines if lines[-1] or len(lines) == 1 else lines[:-1]


def number(value: float) -> str:
    """``value`` with three significant digits, whole numbers in full."""
    if not math.isfinite(value):
        return {math.inf: "Inf", -math.inf: "-Inf"}.get(value, "NaN")
    if float(value).is_integer() and abs(value) < 1e9:
        return str(int(value))
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    mantissa, exponent = f"{value:.3g}".partition("e")[::2]
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def result(value: float) -> str:
    """``value`` with four significant digits, as results of runs are compared."""
    return f"{value:.4g}" if 1e-3 <= abs(value) < 1e4 else number(value)


def count(n: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def duration(seconds: float) -> str:
    """``12 s``, ``2.5 min``, ``3.1 h``, ``2.4 d``."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
