"""What was kept of the runs before, looked up page by page."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from tbdiag.reading.beside import upward
from tbdiag.reading.discover import EventFile, RunFiles, order
from tbdiag.reading.listing import Listing
from tbdiag.reading.pages import Entry, Page
from tbdiag.reading.shelf import Leaf, Shelf

_FEW = 32  # changed folders whose names are looked for in each path
_PAGES = 2  # that are held: one for who reads ahead


class Known(NamedTuple):
    """A folder of runs as it is told to the cache, and what was kept of it in a page.

    ``entry`` still holds; ``before`` does not any more. ``leaf`` is the number of the page where it
    stands or would stand.
    """

    told: bytes
    entry: Entry | None
    before: Entry | None
    leaf: int


class Earlier:
    """The pages of a shelf as it was opened, of which few are held at a time."""

    def __init__(self, shelf: Shelf, listing: Listing) -> None:
        self.leaves: tuple[Leaf, ...] = tuple(shelf.leaves)
        self._shelf, self._listing = shelf, listing
        self._ends = list(accumulate(leaf.count for leaf in self.leaves))
        self._firsts = [leaf.first for leaf in self.leaves]
        self._held: dict[int, _Looked] = {}

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def at(self, number: int) -> Known | None:
        """The run of that number, where they are the same as before; None where its page is damaged."""
        leaf = bisect_right(self._ends, number)
        page = self._page(leaf)
        if len(page.entries) != self.leaves[leaf].count:
            return None
        entry = page.entries[number - self._ends[leaf]]  # from the end of the page backwards
        return page.known(entry.files, entry, leaf)

    def of(self, files: RunFiles) -> Known:
        """A run that was discovered."""
        told = told_of(files)
        if not self.leaves:
            return Known(told, None, None, 0)
        leaf = max(bisect_right(self._firsts, order(files.folder, files.top)) - 1, 0)
        page = self._page(leaf)
        entry = page.same.get(told)
        if entry is None:
            return Known(told, None, page.owners.get(files.folder), leaf)
        return page.known(told, entry, leaf)

    def forget(self) -> None:
        """Holds no page until somebody asks."""
        self._held.clear()

    def _page(self, leaf: int) -> _Looked:
        found = self._held.pop(leaf, None)
        if found is None:
            found = _Looked(self._shelf.read(self.leaves[leaf]), self._listing)
        self._held[leaf] = found
        if len(self._held) > _PAGES:
            del self._held[next(iter(self._held))]
        return found


class _Looked:
    """A page, and what changed since it was written."""

    def __init__(self, page: Page, listing: Listing) -> None:
        self.entries = page.entries
        self._changed = [
            folder for folder, line in page.lines.items() if listing.line(folder) != line
        ]
        self._named = [json.dumps(each)[1:-1].encode() for each in self._changed]
        self._same: dict[bytes, Entry] | None = None
        self._owners: dict[str, Entry] | None = None

    @property
    def same(self) -> Mapping[bytes, Entry]:
        """The entries by what they are made of."""
        if self._same is None:
            self._same = {entry.files: entry for entry in self.entries}
        return self._same

    @property
    def owners(self) -> Mapping[str, Entry]:
        """The entries by their folders."""
        if self._owners is None:
            self._owners = {where(entry.files)[0]: entry for entry in self.entries}
        return self._owners

    def known(self, told: bytes, entry: Entry, leaf: int) -> Known:
        """An entry, and whether it holds."""
        # Whatever the files depend on stands in their paths; of few, most are told by that alone.
        if (len(self._named) > _FEW or any(name in told for name in self._named)) and (
            not folders(told).isdisjoint(self._changed)
        ):
            return Known(told, None, entry, leaf)
        return Known(told, entry, None, leaf)


def told_of(files: RunFiles) -> bytes:
    """All that is told of the files of a run, as it is kept."""
    listed = [[each.where, each.prefix, each.key, each.hparams_only] for each in files.files]
    return json.dumps([files.id, files.folder, files.top, listed]).encode()


def listed(told: bytes) -> tuple[str, str, str, tuple[EventFile, ...]]:
    """Name and folder of the runs, the folder that was scanned, and their event files."""
    name, folder, root, files = json.loads(told)
    return name, folder, root, tuple([EventFile(*each) for each in files])


def where(told: bytes) -> tuple[str, str]:
    """The folder of the runs, and the one that was scanned."""
    _, folder, root, _ = json.loads(told)
    return folder, root


def folders(told: bytes) -> set[str]:
    """The folders on which it depends what is read of these files: theirs, and those of settings."""
    _, path, root, listed = json.loads(told)
    return {file.rpartition(os.sep)[0] for file, *_ in listed}.union(upward(path, root))
