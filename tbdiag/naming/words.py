"""Names split into the words they are made of."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 1000  # characters; a longer name is no name, and costs nothing

_SETTING = re.compile(r"(?<![\w.])[A-Za-z_][\w.]*\s*=\s*[^\s,;/()\[\]]+")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


@lru_cache(maxsize=16384)
def _split(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(_SETTING.sub(" ", name)))


def split(name: str) -> tuple[str, ...]:
    """The words of ``name`` in lower case, in order.

    Everything but letters and digits parts words, and so do camel case and the border between
    letters and digits. Settings inside a name (``lr = 0.01``) are left out. A name of more than
    `LONGEST` characters has no words.
    """
    return _split(name) if len(name) <= LONGEST else ()


def contains(words: tuple[str, ...], phrase: tuple[str, ...]) -> int:
    """Where ``phrase`` last stands in ``words``, as the index of its last word; -1 if nowhere."""
    size = len(phrase)
    for start in range(len(words) - size, -1, -1):
        if words[start : start + size] == phrase:
            return start + size - 1
    return -1


def shown(tag: str, most: int = 50) -> str:
    """The tag as a sentence can hold it: on one line, of at most ``most`` characters."""
    plain = "".join(each if each.isprintable() else "?" for each in tag)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
