"""Pages of an index: runs that stand one behind the other in their order, as bytes and in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tbdiag.reading.heads import Answer, Head
from tbdiag.reading.segments import Place, Segment

_MOST_SELECTIONS = 8  # of which answers are kept


@dataclass(slots=True, eq=False)
class Entry:
    """The runs of one folder, made of ``files``, of ``count`` and size ``bytes``.

    ``place`` is where their columns stand, None where there was no room. ``answers`` holds outcomes
    and findings of each run under the digest of a selection of rules.
    """

    files: bytes
    bytes: int
    count: int
    heads: tuple[Head, ...]
    place: Place | None = None
    answers: dict[str, list[Answer | None]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The bytes of their columns."""
        return self.place.length if self.place else 0


@dataclass(slots=True, eq=False)
class Page:
    """Folders of runs in their order; ``lines`` says how each folder looked on which they depend."""

    entries: list[Entry] = field(default_factory=list)
    lines: dict[str, str] = field(default_factory=dict)


def written(page: Page) -> bytes:
    """A page as bytes: an outline in JSON, and the texts that it numbers, each once."""
    texts: dict[bytes, int] = {}
    selections: dict[str, int] = {}
    segments: dict[Segment, int] = {}

    def number(text: bytes) -> int:
        return texts.setdefault(text, len(texts))

    entries = []
    for entry in page.entries:
        place = entry.place
        heads = [
            [h.id, h.path, int(h.filled), *map(number, (h.roles, h.provenance, h.hparams))]
            for h in entry.heads
        ]
        answers = [
            [
                selections.setdefault(digest, len(selections)),
                [answer and [*map(number, answer)] for answer in each],
            ]
            for digest, each in list(entry.answers.items())[-_MOST_SELECTIONS:]
        ]
        where: Any = 0
        if place is not None:
            segment = segments.setdefault(place.segment, len(segments))
            where = [segment, place.offset, place.length, place.checksum]
        entries.append([number(entry.files), entry.bytes, entry.count, heads, where, answers])
    outline = {
        "lines": page.lines,
        "segments": [segment.path.stem for segment in segments],
        "selections": list(selections),
        "entries": entries,
        "texts": [len(text) for text in texts],
    }
    head = json.dumps(outline, separators=(",", ":")).encode()
    return b"".join([len(head).to_bytes(8, "little"), head, *texts])


def parsed(content: bytes, segments: Mapping[str, Segment]) -> Page:
    """The page of such bytes, where ``segments`` are known by the stems of their names.

    An entry whose columns are gone is left out: it is as good as never read. Raises ValueError,
    TypeError, KeyError or IndexError for anything else.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    outline: dict[str, Any] = json.loads(content[8:end])
    texts = list(_cut(content, end, outline["texts"]))
    named = [segments.get(stem) for stem in outline["segments"]]
    selections = outline["selections"]
    page = Page(lines=outline["lines"])
    for files, size, count, heads, where, answers in outline["entries"]:
        place = None
        if where:
            segment = named[where[0]]
            place = Place(segment, *where[1:]) if segment else None
            if place is None or not place.there:
                continue
        page.entries.append(
            Entry(
                texts[files],
                size,
                count,
                tuple(
                    [Head(i, p, f == 1, texts[r], texts[o], texts[h]) for i, p, f, r, o, h in heads]
                ),
                place,
                {
                    selections[number]: [a and (texts[a[0]], texts[a[1]]) for a in each]
                    for number, each in answers
                },
            )
        )
    return page


def _cut(content: bytes, start: int, lengths: list[int]) -> Iterator[bytes]:
    for length in lengths:
        yield content[start : start + length]
        start += length
    if start != len(content):
        raise ValueError("the texts of a page do not fill it")
