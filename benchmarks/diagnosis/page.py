"""The results as data, and the data as Markdown: `docs/accuracy.json` → `docs/accuracy.md`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLACE = Path(__file__).resolve().parents[2] / "docs" / "accuracy.json"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts below a head of as many columns."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
        """A table of anything that has a text. Raises ValueError where a row has a wrong length."""
        texts = tuple(tuple(map(str, row)) for row in rows)
        if any(len(row) != len(head) for row in texts):
            raise ValueError(f"a row below {head} has more or fewer cells")
        return cls(tuple(head), texts)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with paragraphs and tables."""

    title: str
    parts: tuple[str | Table, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that was measured; ``short`` is the table for the README."""

    short: Table
    sections: tuple[Section, ...]


def dump(results: Results) -> str:
    """The results as JSON, one row of a table in a line."""
    return json.dumps(
        {
            "short": _data(results.short),
            "sections": [
                {"title": each.title, "parts": [_data(part) for part in each.parts]}
                for each in results.sections
            ],
        },
        ensure_ascii=False,
        indent=1,
    )


def load(text: str) -> Results:
    """The results that `dump` wrote."""
    data = json.loads(text)
    short = _part(data["short"])
    assert isinstance(short, Table)
    return Results(
        short,
        tuple(
            Section(each["title"], tuple(_part(part) for part in each["parts"]))
            for each in data["sections"]
        ),
    )


def _data(part: str | Table) -> object:
    return part if isinstance(part, str) else {"head": part.head, "rows": part.rows}


def _part(data: Any) -> str | Table:
    return data if isinstance(data, str) else Table.of(data["head"], data["rows"])


def markdown(results: Results) -> str:
    """The page `docs/accuracy.md`."""
    lines = [
        "<!-- Generated from `docs/accuracy.json`, which `make bench` writes. -->\n",
        "# How often it is right\n",
        "Measured by `python -m benchmarks.diagnosis`; every number here is from that command.\n",
    ]
    for section in results.sections:
        lines += section_lines(section)
    return "\n".join(lines).rstrip("\n") + "\n"


def section_lines(section: Section) -> Iterator[str]:
    """A section as lines of Markdown."""
    yield f"## {section.title}\n"
    for part in section.parts:
        yield (table(part) if isinstance(part, Table) else part) + "\n"


def table(given: Table) -> str:
    """A table in Markdown, without a line's end after the last row."""
    rows = [given.head, ("---",) * len(given.head), *given.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def short() -> str:
    """The table for the README, from what was measured last."""
    return table(load(PLACE.read_text("utf-8")).short) + "\n"
