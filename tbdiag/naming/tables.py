"""The word tables of `patterns.toml`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tbdiag.model.role import Better

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """The phrases that name a thing; ``without`` voids a match, ``filing`` words add no meaning."""

    name: str
    phrases: tuple[Phrase, ...]
    without: frozenset[str]
    filing: frozenset[str]
    better: Better
    evaluated: bool


@cache
def raw() -> dict[str, Any]:
    """The tables as they stand in the file."""
    import tomllib

    return tomllib.loads(Path(__file__).with_name("patterns.toml").read_text("utf-8"))


@cache
def words(kind: str) -> frozenset[str]:
    """The words listed under ``[words]`` as ``kind``."""
    return frozenset(raw()["words"][kind])


@cache
def patterns(table: str) -> tuple[Pattern, ...]:
    """The patterns of a table (``roles``, ``metrics``, ``balanced``), in the order of the file."""
    return tuple(
        Pattern(
            name=name,
            phrases=phrases(entry["phrases"]),
            without=frozenset(entry.get("without", ())),
            filing=frozenset(entry.get("filing", ())),
            better=Better(entry.get("better", "lower")),
            evaluated=bool(entry.get("evaluated", False)),
        )
        for name, entry in raw()[table].items()
    )


def phrases(entries: Iterable[str]) -> tuple[Phrase, ...]:
    """Each entry as its words, the longest first."""
    return tuple(sorted((tuple(entry.split()) for entry in entries), key=len, reverse=True))
