"""What is kept of one request: an index of its runs, and segments in which their columns stand."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from tbdiag.reading.checksums import crc32c
from tbdiag.reading.heads import Answer, Head
from tbdiag.reading.store import SEGMENT, Store, remove

_MOST_SEGMENTS = 8
_MOST_SELECTIONS = 8  # of which answers are kept
_SLACK = 1 << 20


@dataclass(slots=True, eq=False)
class Segment:
    """A file of records one behind the other, of which ``size`` bytes are written."""

    path: Path
    size: int
    file: BinaryIO | None = None  # as long as it is written
    lost: bool = False
    _map: mmap.mmap | None = None

    def view(self, offset: int, length: int) -> memoryview | None:
        """The bytes of a record; None where they are not there."""
        if self.lost:
            return None
        if self._map is None or len(self._map) < offset + length:
            try:
                self._open()
            except (OSError, ValueError):
                return None
        assert self._map is not None
        whole = memoryview(self._map)
        return whole[offset : offset + length] if offset + length <= len(whole) else None

    def lose(self) -> None:
        """Gives up what was written."""
        self.lost = True
        remove(self.path)
        if self.file is not None:
            with suppress(OSError):
                self.file.close()

    def unused(self, offset: int, length: int) -> None:
        """The memory of a record may be had by others; it comes back where it is used after all."""
        first, last = -(-offset // mmap.PAGESIZE), (offset + length) // mmap.PAGESIZE
        if self._map is not None and first < last and hasattr(mmap, "MADV_DONTNEED"):
            size = (last - first) * mmap.PAGESIZE
            self._map.madvise(mmap.MADV_DONTNEED, first * mmap.PAGESIZE, size)

    def _open(self) -> None:
        if self.file is not None:
            self.file.flush()
            self._map = mmap.mmap(self.file.fileno(), self.size, access=mmap.ACCESS_READ)
            return
        with self.path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @property
    def there(self) -> bool:
        """Whether all of it can be read: it is mapped from then on, whoever removes the file."""
        return not self.size or self.view(0, self.size) is not None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands."""

    segment: Segment
    offset: int
    length: int
    checksum: int

    def record(self) -> memoryview | None:
        """The record; None where it is gone or damaged, and then its segment goes, too."""
        found = self.segment.view(self.offset, self.length)
        if found is not None and crc32c()(found) == self.checksum:
            return found
        remove(self.segment.path)
        return None


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


@dataclass(slots=True, eq=False)
class Shelf:
    """The index of a request in memory.

    ``code`` names the code that made it; ``looks`` is a digest of all that the runs depend on, and
    ``lines`` says how each folder looked, in JSON, those ``aside`` of the event files as well;
    ``shape`` is a digest of what made up the runs, for which the folders ``glanced`` were glanced into.
    """

    store: Store
    name: str
    code: str
    shape: str = ""
    looks: str = ""
    lines: bytes = b"{}"
    aside: tuple[str, ...] = ()
    glanced: tuple[str, ...] = ()
    entries: list[Entry] = field(default_factory=list)
    _writing: Segment | None = None
    _loaded: set[Path] = field(default_factory=set)

    @classmethod
    def opened(cls, store: Store, name: str, code: str) -> Shelf:
        """The shelf as it was written; empty where there is none, or by other code."""
        content = store.get(name)
        if content is not None:
            try:
                return _parsed(store, name, code, content)
            except (ValueError, TypeError, KeyError, IndexError):
                pass
        return cls(store, name, code)

    @property
    def size(self) -> int:
        """The bytes of all records."""
        return sum(entry.place.length for entry in self.entries if entry.place)

    def write(self, record: bytes | memoryview, checksum: int | None = None) -> Place | None:
        """Puts a record into the segment under way; None where it cannot be written."""
        try:
            if self._writing is None:
                file = self.store.draft(self.name)
                self._writing = Segment(Path(file.name), 0, file)
            segment = self._writing
            assert segment.file is not None
            segment.file.write(record)
        except OSError:
            if self._writing is not None:
                self._writing.lose()
            self._writing = None
            return None
        if checksum is None:
            checksum = crc32c()(record)
        place = Place(segment, segment.size, len(record), checksum)
        segment.size += len(record)
        return place

    def commit(self, whole: bool) -> None:
        """Writes the index, after the segment that is under way; drops what it no longer names.

        ``whole`` says that all runs have an entry: else they are to be discovered again.
        """
        self._publish()
        segments, content = self._segments(), b""
        size = sum(segment.size for segment in segments)
        if len(segments) <= _MOST_SEGMENTS and size <= 2 * self.size + _SLACK:
            content = _written(self, segments, whole)
        if not content or len(content) + size > self.store.limit:
            index = len(content or _written(self, segments, whole))
            self._drop(index + self.size - self.store.limit)
            self._compact()
            segments = self._segments()
            content = _written(self, segments, whole)
        if self.store.put(self.name, content):
            kept = {segment.path for segment in segments}
            for path, old in self.store.segments(self.name):
                if path not in kept and (old or path in self._loaded):
                    remove(path)
            self._loaded = kept

    def _segments(self) -> list[Segment]:
        """The segments that hold records."""
        return [*dict.fromkeys(entry.place.segment for entry in self.entries if entry.place)]

    def _drop(self, excess: int) -> None:
        """Gives up the last records, as many as hold ``excess`` bytes."""
        for entry in reversed(self.entries):
            if excess <= 0:
                break
            if entry.place:
                excess -= entry.place.length
                entry.place = None

    def _compact(self) -> None:
        """All records in one new segment."""
        moved: list[tuple[Entry, Place | None]] = []
        for entry in self.entries:
            if entry.place:
                record = entry.place.segment.view(entry.place.offset, entry.place.length)
                new = None if record is None else self.write(record, entry.place.checksum)
                moved.append((entry, new))
        for entry, new in moved:
            entry.place = new
        self._publish()

    def _publish(self) -> None:
        """Gives the segment under way its name; what cannot be written is lost."""
        segment, self._writing = self._writing, None
        if segment is not None:
            assert segment.file is not None
            try:
                segment.file.flush()
            except OSError:
                segment.lose()
            else:  # mapped before somebody may remove it
                name = f"{segment.path.stem}{SEGMENT}"
                if segment.there and self.store.publish(segment.file, name):
                    segment.file.close()
                    segment.file, segment.path = None, self.store.folder / name
                    self._loaded.add(segment.path)
                else:
                    segment.lose()
        for entry in self.entries:
            if entry.place and entry.place.segment.lost:
                entry.place = None


class _Texts:
    """Texts by number, each once."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}

    def number(self, text: bytes) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def _written(shelf: Shelf, segments: list[Segment], whole: bool) -> bytes:
    """The index of a shelf: an outline in JSON, and the texts that it numbers."""
    texts, number = _Texts(), {segment: place for place, segment in enumerate(segments)}
    selections: dict[str, int] = {}
    entries = []
    for entry in shelf.entries:
        place = entry.place
        heads = [
            [h.id, h.path, int(h.filled), *map(texts.number, (h.roles, h.provenance, h.hparams))]
            for h in entry.heads
        ]
        answers = [
            [
                selections.setdefault(digest, len(selections)),
                [answer and [*map(texts.number, answer)] for answer in each],
            ]
            for digest, each in list(entry.answers.items())[-_MOST_SELECTIONS:]
        ]
        where = [number[place.segment], place.offset, place.length, place.checksum] if place else 0
        files = texts.number(entry.files)
        entries.append([files, entry.bytes, entry.count, heads, where, answers])
    outline = {
        "code": shelf.code,
        "shape": shelf.shape if whole else "",
        "looks": shelf.looks if whole else "",
        "lines": texts.number(shelf.lines),
        "aside": shelf.aside,
        "glanced": shelf.glanced,
        "segments": [[segment.path.name, segment.size] for segment in segments],
        "selections": list(selections),
        "entries": entries,
        "texts": [len(text) for text in texts.numbers],
    }
    head = json.dumps(outline, separators=(",", ":")).encode()
    return b"".join([len(head).to_bytes(8, "little"), head, *texts.numbers])


def _parsed(store: Store, name: str, code: str, content: bytes) -> Shelf:
    end = 8 + int.from_bytes(content[:8], "little")
    outline: dict[str, Any] = json.loads(content[8:end])
    segments = [Segment(store.folder / file, size) for file, size in outline["segments"]]
    shelf = Shelf(store, name, code, _loaded={segment.path for segment in segments})
    if outline["code"] != code:
        return shelf
    texts = list(_cut(content, end, outline["texts"]))
    there = [segment.there for segment in segments]
    selections = outline["selections"]
    for files, size, count, heads, where, answers in outline["entries"]:
        place = None
        if where:
            if not there[where[0]]:
                continue  # as good as never read
            place = Place(segments[where[0]], *where[1:])
        shelf.entries.append(
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
    if all(there):
        shelf.shape, shelf.looks = outline["shape"], outline["looks"]
    shelf.lines = texts[outline["lines"]]
    shelf.aside, shelf.glanced = tuple(outline["aside"]), tuple(outline["glanced"])
    return shelf


def _cut(content: bytes, start: int, lengths: list[int]) -> Iterator[bytes]:
    for length in lengths:
        yield content[start : start + length]
        start += length
    if start != len(content):
        raise ValueError("the texts of an index do not fill it")
