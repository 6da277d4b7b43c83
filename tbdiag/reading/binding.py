"""The pages of an index as a scan makes them, one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tbdiag.reading.discover import order
from tbdiag.reading.earlier import folders, where
from tbdiag.reading.listing import Listing
from tbdiag.reading.pages import Entry, Page
from tbdiag.reading.shelf import Leaf, Shelf

FULL = 1000  # folders of a page; so many stand in the index itself
_MOST, _LEAST = 3 / 2, 1 / 4  # of a full page: for one between others


class Binding:
    """Takes the runs in their order, and writes a page when it is full; one that is the same stays.

    Pages end where they ended ``before``, as long as they are neither too large nor too small: so a run that
    came or went changes one page.
    """

    def __init__(self, shelf: Shelf, before: Sequence[Leaf], listing: Listing) -> None:
        self._shelf, self._before, self._listing = shelf, before, listing
        self._leaves: list[Leaf] = []
        self._entries: list[Entry] = []
        self._at = 0  # the number of the page before in which the last run stood
        self._same = True  # all entries are those of that page
        self._last: bytes | None = None
        self.whole = True  # every run has an entry
        self.passed = 0  # bytes that were kept of runs that went, and of pages that were replaced
        self._claimed = 0
        self.each = 0.0  # bytes that a folder takes in a page

    def put(self, told: bytes, leaf: int, before: int, entry: Entry | None, *, same: bool) -> bool:
        """Puts a folder behind the others; ``entry`` is what is kept of it, if anything.

        True where a new page begins with it.

        It stands, or would, in the old page number ``leaf``, where ``before`` bytes of columns were kept.
        """
        if leaf != self._at:
            self._turn(leaf)
        last = self._at >= len(self._before) - 1
        if len(self._entries) >= (FULL if last else FULL * _MOST):
            self._write()
        self._claimed += before
        self._same = self._same and same and entry is not None
        if entry is None:
            self.whole = False
        else:
            self._entries.append(entry)
        self._last = told
        return len(self._entries) == 1

    def so_far(self) -> list[Leaf]:
        """The pages, and those of the runs that are to come as they were before."""
        if self._last is None:
            return [*self._before]
        rest = [*self._before[self._at :]]
        if rest:
            beyond = _key(self._last) + b"\0"  # what stands before is not asked for there
            rest[0] = replace(rest[0], first=beyond)
        return [*self._leaves, *self._rest(), *rest]

    def bound(self) -> list[Leaf]:
        """The pages after the last run."""
        if self._at == len(self._before) - 1 and self._unchanged():
            return [*self._leaves, self._before[self._at]]
        return [*self._leaves, *self._rest()]

    def forget(self) -> None:
        """Holds nothing of the last page: all is written."""
        self._entries = []

    def _unchanged(self) -> bool:
        return self._same and len(self._entries) == self._before[self._at].count

    def _turn(self, leaf: int) -> None:
        """Goes on to another page."""
        old = self._before[self._at]
        if self._unchanged() and not isinstance(old.where, bytes):
            self._leaves.append(old)
            self._entries = []
        else:
            self.passed += old.length
            if len(self._entries) >= FULL * _LEAST:
                self._write()
        self.passed += sum(old.sizes.values()) - self._claimed
        self.passed += sum(each.size for each in self._before[self._at + 1 : leaf])
        self._at, self._same, self._claimed = leaf, not self._entries, 0

    def _write(self) -> None:
        leaf = self._page(inline=False)
        if leaf is None:
            self.whole = False
        else:
            self._leaves.append(leaf)
            self.passed -= leaf.length
            self.each = leaf.length / leaf.count
        self._entries, self._same = [], False

    def _rest(self) -> list[Leaf]:
        leaf = self._page(inline=True) if self._entries else None
        return [leaf] if leaf else []

    def _page(self, *, inline: bool) -> Leaf | None:
        needed = {folder for entry in self._entries for folder in folders(entry.files)}
        lines = {folder: self._listing.line(folder) for folder in sorted(needed)}
        first = _key(self._entries[0].files)
        return self._shelf.leaf(first, Page(self._entries, lines), inline=inline)


def _key(told: bytes) -> bytes:
    return order(*where(told))
