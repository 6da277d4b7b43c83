"""What is kept of one request: an index in pages, and segments of columns and of full pages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tbdiag.reading.checksums import crc32c
from tbdiag.reading.pages import Page, parsed, written
from tbdiag.reading.segments import Place, Segment
from tbdiag.reading.store import SEGMENT, Store, remove

_MOST_SEGMENTS = 8
_SLACK = 1 << 20
_MOVED = 32  # bytes that a place may take more when it is another one
_WRONG = ValueError, TypeError, KeyError, IndexError  # what parsing raises for what is none


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A page as the index names it: of ``count`` folders, from the key ``first`` on up to the next page.

    ``where`` is its place in a segment, or its bytes where they stand in the index itself. ``sizes``
    are the bytes of its records in each segment.
    """

    first: bytes
    count: int
    where: Place | bytes
    sizes: Mapping[Segment, int]

    @property
    def there(self) -> bool:
        """Whether it was written, as far as is known."""
        return isinstance(self.where, bytes) or self.where.there

    @property
    def length(self) -> int:
        """Its own bytes."""
        return len(self.where) if isinstance(self.where, bytes) else self.where.length

    @property
    def size(self) -> int:
        """The bytes of it and of its records."""
        return self.length + sum(self.sizes.values())

    @property
    def segments(self) -> list[Segment]:
        """Those that it needs."""
        own = () if isinstance(self.where, bytes) else (self.where.segment,)
        return [*self.sizes, *own]

    @property
    def sound(self) -> bool:
        """Whether it can be read; where it is gone or damaged the segment goes, too."""
        if isinstance(self.where, bytes):
            return True
        found = self.where.record() is not None
        self.where.unused()
        return found

    def content(self) -> bytes | None:
        """Its bytes; None where they are gone or damaged."""
        if isinstance(self.where, bytes):
            return self.where
        record = self.where.record()
        found = None if record is None else bytes(record)
        self.where.unused()
        return found


@dataclass(slots=True, eq=False)
class Shelf:
    """The index of a request: its ``leaves``, of which none is held as a page.

    ``code`` names the code that made it; ``shape`` is a digest of what made up the runs, empty where
    they are to be discovered again. The folders whose numbers are ``glanced`` were glanced into for that,
    and ``glimpse`` is a digest of how they looked.
    """

    store: Store
    name: str
    code: str
    shape: str = ""
    glanced: Sequence[int] = ()
    glimpse: str = ""
    leaves: list[Leaf] = field(default_factory=list)
    _writing: Segment | None = None
    _named: dict[str, Segment] = field(default_factory=dict)  # by the stems of their names
    _loaded: set[Path] = field(default_factory=set)

    @classmethod
    def opened(cls, store: Store, name: str, code: str) -> Shelf:
        """The shelf as it was written; empty where there is none, or by other code."""
        shelf, content = cls(store, name, code), store.get(name)
        if content is not None:
            try:
                shelf._open(content)
            except _WRONG:
                return cls(store, name, code)
        return shelf

    def _open(self, content: bytes) -> None:
        at = 8 + int.from_bytes(content[:8], "little")
        outline: dict[str, Any] = json.loads(content[8:at])
        segments = [Segment(self.store.folder / n, size, size) for n, size in outline["segments"]]
        self._loaded = {segment.path for segment in segments}
        if outline["code"] != self.code:
            return
        whole = True
        for segment in segments:
            self._named[segment.path.stem] = segment
            if not segment.there:
                whole, segment.size = False, 0
        for first, count, where, sizes in outline["pages"]:
            place: Place | bytes
            if isinstance(where, int):
                place, at = content[at : at + where], at + where
                if len(place) != where:
                    raise ValueError("the pages of an index do not fill it")
            else:
                place = Place(segments[where[0]], *where[1:])
            held = {segments[number]: size for number, size in sizes if segments[number].size}
            leaf = Leaf(first.encode("latin-1"), count, place, held)
            if leaf.sound:
                self.leaves.append(leaf)
            else:
                whole = False
        if whole:
            self.shape, self.glimpse = outline["shape"], outline["glimpse"]
            self.glanced = outline["glanced"]

    @property
    def size(self) -> int:
        """The bytes of all pages and records."""
        return sum(leaf.size for leaf in self.leaves)

    def read(self, leaf: Leaf) -> Page:
        """A page; an empty one where it is gone or damaged."""
        content = leaf.content()
        try:
            return Page() if content is None else parsed(content, self._named)
        except _WRONG:
            return Page()

    def leaf(self, first: bytes, page: Page, *, inline: bool) -> Leaf | None:
        """A new page, written into the segment under way or, ``inline``, with the index.

        None where it cannot be written.
        """
        sizes: Counter[Segment] = Counter()
        for entry in page.entries:
            if entry.place and not entry.place.there:  # the disk is full
                entry.place = None
            if entry.place:
                sizes[entry.place.segment] += entry.place.length
        content = written(page)
        where = content if inline else self.write(content)
        return None if where is None else Leaf(first, len(page.entries), where, dict(sizes))

    def write(self, record: bytes | memoryview, checksum: int | None = None) -> Place | None:
        """Puts a record into the segment under way; None where it cannot be written."""
        try:
            if self._writing is None:
                file = self.store.draft(self.name)
                self._writing = Segment(Path(file.name), 0, file=file)
                self._named[self._writing.path.stem] = self._writing
            segment = self._writing
            segment.write(record)
        except OSError:
            self._stop()
            return None
        if checksum is None:
            checksum = crc32c()(record)
        return Place(segment, segment.size - len(record), len(record), checksum)

    def commit(self, leaves: Iterable[Leaf], *, whole: bool, last: bool) -> None:
        """Writes an index of ``leaves``, after what they need; drops what it no longer names.

        ``whole`` says that there is an entry for every run: else they are to be discovered again. With
        the ``last`` one of a scan, what became untidy is tidied up.
        """
        self._publish()
        given = list(leaves)
        kept = [leaf for leaf in given if leaf.there]
        whole = whole and len(kept) == len(given)
        if last:
            if self._untidy(kept):
                tidied = self._compacted(kept)
                whole = whole and sum(e.count for e in kept) == sum(e.count for e in tidied)
                kept = tidied
            if self._writing is not None:
                self._writing.close()
                self._writing = None
        self.leaves = kept
        if self.store.put(self.name, self._written(kept, whole)):
            paths = {segment.path for segment in _segments(kept)}
            for path, old in self.store.segments(self.name):
                if path not in paths and (old or path in self._loaded):
                    remove(path)
            self._loaded = paths

    def _written(self, leaves: Sequence[Leaf], whole: bool) -> bytes:
        """The index as bytes: an outline in JSON, and the pages that stand with it."""
        segments = _segments(leaves)
        number = {segment: place for place, segment in enumerate(segments)}
        pages, inline = [], []
        for leaf in leaves:
            where: Any
            if isinstance(leaf.where, bytes):
                where = len(leaf.where)
                inline.append(leaf.where)
            else:
                place = leaf.where
                where = [number[place.segment], place.offset, place.length, place.checksum]
            sizes = [[number[segment], size] for segment, size in leaf.sizes.items()]
            pages.append([leaf.first.decode("latin-1"), leaf.count, where, sizes])
        outline = {
            "code": self.code,
            "shape": self.shape if whole else "",
            "glanced": list(self.glanced) if whole else [],
            "glimpse": self.glimpse if whole else "",
            "segments": [[segment.path.name, segment.size] for segment in segments],
            "pages": pages,
        }
        head = json.dumps(outline, separators=(",", ":")).encode()
        return b"".join([len(head).to_bytes(8, "little"), head, *inline])

    def _untidy(self, leaves: Sequence[Leaf]) -> bool:
        """Whether too much is out of date, or too large, or somebody removed a file."""
        segments, live = _segments(leaves), sum(leaf.size for leaf in leaves)
        size = self._length(leaves) + sum(segment.size for segment in segments)
        return (
            len(segments) > _MOST_SEGMENTS
            or size > 2 * live + _SLACK
            or size > self.store.limit
            or not all(segment.path.exists() for segment in segments)
        )

    def _length(self, leaves: Sequence[Leaf]) -> int:
        """The bytes of the index in its file, at most, wherever pages and records are moved to."""
        return len(self._written(leaves, whole=True)) + _MOVED * (1 + len(leaves))

    def _compacted(self, leaves: Sequence[Leaf]) -> list[Leaf]:
        """All pages and records in one new segment, page by page; as they were where it cannot be written.

        Beyond the limit the last records are given up. What is damaged is left out.
        """
        if self._writing is not None:
            self._writing.close()
            self._writing = None
        pages = sum(leaf.length for leaf in leaves if isinstance(leaf.where, Place))
        room = self.store.limit - self._length(leaves) - pages
        moved = []
        for leaf in leaves:
            page = self.read(leaf)
            whole, page.entries = page.entries, []
            for entry in whole:
                place = entry.place
                if place is not None and place.length > room:
                    room, entry.place = 0, None  # the last ones are given up
                elif place is not None:
                    record = place.record()
                    if record is None:
                        continue
                    entry.place = self.write(record, place.checksum)
                    place.unused()
                    if entry.place is None:
                        return list(leaves)
                    room -= place.length
                page.entries.append(entry)
            new = self.leaf(leaf.first, page, inline=isinstance(leaf.where, bytes))
            if new is None:
                return list(leaves)
            moved.append(new)
        self._publish()
        return moved if all(leaf.there for leaf in moved) else list(leaves)

    def _publish(self) -> None:
        """Makes the segment under way one that an index may name; what cannot be written is given up."""
        segment = self._writing
        if segment is None or segment.safe == segment.size:
            return
        assert segment.file is not None
        try:
            segment.file.flush()
        except OSError:
            self._stop()
            return
        if not segment.there:  # mapped before somebody may remove it
            self._stop()
        elif segment.safe:  # it has its name
            segment.safe = segment.size
        else:
            name = f"{segment.path.stem}{SEGMENT}"
            if self.store.publish(segment.file, name):
                segment.path, segment.safe = self.store.folder / name, segment.size
                self._loaded.add(segment.path)
            else:
                self._stop()

    def _stop(self) -> None:
        """Gives up the segment under way as far as it is not safe."""
        if self._writing is not None:
            self._writing.give_up()
            self._writing = None


def _segments(leaves: Iterable[Leaf]) -> list[Segment]:
    """The segments that pages stand in, and their records."""
    return [*dict.fromkeys(segment for leaf in leaves for segment in leaf.segments)]
