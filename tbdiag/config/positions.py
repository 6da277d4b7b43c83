"""Where each key of a TOML file stands: line numbers, which the standard parser does not keep."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

Key = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_STRING = re.compile(
    r"""
      "{3} (?: \\. | [^\\] )*? "{3,5}   # the longest form first
    | ''' .*? '{3,5}
    | " (?: \\. | [^"\\] )* "
    | ' [^']* '
    """,
    re.DOTALL | re.VERBOSE,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}\r\n#]+")


def positions(text: str) -> dict[Key, int]:
    """Key path → line, counted from 1, for every key, table and array element of a TOML document.

    ``text`` must be valid TOML: what `tomllib` has accepted.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.found


def line(found: Mapping[Key, int], key: Key) -> int:
    """The line of ``key``, else of the nearest table around it, else 1."""
    while key and key not in found:
        key = key[:-1]
    return found.get(key, 1)


class _Scanner:
    """Walks over a document and skips values; remembers where keys were."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Key, int] = {}

    def document(self) -> None:
        table: Key = ()
        counts: dict[Key, int] = {}
        while self.peek():
            if self.accept("[["):
                table = self.key(())
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
                self.note(table)
                self.accept("]]")
            elif self.accept("["):
                table = self.key(())
                self.accept("]")
            else:
                self.pair(table)

    def pair(self, table: Key) -> None:
        key = self.key(table)
        self.accept("=")
        self.value(key)

    def value(self, key: Key) -> None:
        if self.accept("{"):
            while not self.accept("}"):
                self.pair(key)
                self.accept(",")
        elif self.accept("["):
            index = 0
            while not self.accept("]"):
                self.peek()
                self.note((*key, index))
                self.value((*key, index))
                self.accept(",")
                index += 1
        else:
            self.peek()
            if not self.take(_STRING):
                self.take(_BARE_VALUE)

    def key(self, table: Key) -> Key:
        """Reads a dotted key below ``table``; every part of it is found where it first stands."""
        key = table
        while True:
            self.peek()
            quoted = self.take(_STRING)
            part = tomllib.loads(f"k={quoted}")["k"] if quoted else self.take(_BARE_KEY)
            key = (*key, part)
            self.note(key)
            if not self.accept("."):
                return key

    def note(self, key: Key) -> None:
        self.found.setdefault(key, self.text.count("\n", 0, self.at) + 1)

    def peek(self) -> str:
        """The next character that is neither blank nor comment; empty at the end."""
        self.take(_BLANK)
        return self.text[self.at : self.at + 1]

    def accept(self, token: str) -> bool:
        self.peek()
        if found := self.text.startswith(token, self.at):
            self.at += len(token)
        return found

    def take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match.group() if match else ""
