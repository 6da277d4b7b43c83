"""Runs as they were read before, as far as nothing that they were read from has changed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from tbdiag import __version__
from tbdiag.model.place import Place, UrlPath
from tbdiag.model.run import Run
from tbdiag.reading.binding import Binding
from tbdiag.reading.bundle import Part, pack
from tbdiag.reading.discover import RunFiles, discovered
from tbdiag.reading.earlier import Earlier
from tbdiag.reading.folders import Look
from tbdiag.reading.heads import Told, head_of
from tbdiag.reading.kept import KeptSlot, KeptSlots
from tbdiag.reading.listing import Listing, walk
from tbdiag.reading.pages import Entry
from tbdiag.reading.plain import plain
from tbdiag.reading.shelf import Shelf
from tbdiag.reading.slots import Overrides
from tbdiag.reading.store import Store

_EVERY = 5.0  # seconds after which what was read so far is made safe
_SHORT = 160  # bytes
_SHARE = 20  # times as long as that took the last time


class Cache:
    """What is kept of one request, and what has to be read for it.

    A folder of runs counts as it was kept where path, inode, size and time of change of its event
    files and of the settings beside and above them are the same, and tbdiag's own code is. The ``slots``
    are passed in their order; what is kept of each is held until a page is full of them.
    """

    def __init__(
        self,
        store: Store,
        paths: Sequence[Place],
        overrides: Overrides | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        self.overrides = overrides
        self.listing = walk(paths, follow_symlinks)
        given = [
            str(path) if isinstance(path, UrlPath) else os.path.abspath(path)  # noqa: PTH100 - as `walk` does
            for path in paths
        ]
        asked = json.dumps([given, follow_symlinks, plain(overrides or {})])
        self._shelf = shelf = Shelf.opened(store, _digest(asked), code())
        self.earlier = Earlier(shelf, self.listing)
        self._binding = Binding(shelf, self.earlier.leaves, self.listing)
        self._room = store.limit - shelf.size
        self._saved, self._pause = time.monotonic(), _EVERY
        self._texts: dict[bytes, bytes] = {}
        shape, runs = _shape(self.listing), None
        glimpse = _glimpse(self.listing, shelf.glanced)
        self._changed = (shape, glimpse) != (shelf.shape, shelf.glimpse)
        if self._changed:
            shelf.shape, runs = shape, self.discovered()
        self.listing.folders.fold()
        self.slots = KeptSlots(self, runs)

    def discovered(self) -> Sequence[RunFiles]:
        """The runs as they are told by what stands below the paths."""
        found, shelf = discovered(self.listing), self._shelf
        glanced = set(found.glanced)
        shelf.glanced = [n for n, each in enumerate(self.listing.folders) if each in glanced]
        shelf.glimpse = _glimpse(self.listing, shelf.glanced)
        return found.runs

    def keep(self, slot: KeptSlot, parts: Mapping[str, Part], found: Sequence[Run]) -> Entry | None:
        """Keeps what was read of a folder; None where that cannot come back."""
        try:
            record = pack(parts, found)
            heads = tuple(head_of(run) for run in found)
        except TypeError:
            return None
        return self.keep_told(slot, Told(heads, record=record))

    def keep_told(self, slot: KeptSlot, found: Told) -> Entry:
        """Keeps what was found out about a folder, here or elsewhere."""
        heads = tuple(each._replace(roles=self.shared(each.roles)) for each in found.heads)
        answers = {
            asked: [each and (self.shared(each[0]), each[1]) for each in several]
            for asked, several in found.answers.items()
        }
        files = slot.files
        entry = Entry(slot.told, files.bytes, len(files.files), heads, answers=answers)
        self._room += slot.was.length if slot.was else 0
        if found.record is not None and len(found.record) <= self._free:
            self._room -= len(found.record)
            entry.place = self._shelf.write(found.record)
        return entry

    @property
    def _free(self) -> float:
        """The bytes that there are for columns: pages are written of all runs."""
        to_come = len(self.slots) - self.slots.done
        return self._room + self._binding.passed - self._binding.each * to_come

    def shared(self, text: bytes) -> bytes:
        """A text that runs of a page may have in common, held once; short ones are as small as a note of them."""
        return text if len(text) < _SHORT else self._texts.setdefault(text, text)

    def look(self, path: str) -> Look:
        """How an event file looked when it was listed."""
        folder, _, name = path.rpartition(os.sep)
        return self.listing.folders[folder][name]

    def passed(self, slot: KeptSlot) -> None:
        """All was told of the next slot; what was read so far is made safe now and then."""
        self._put(slot)
        if self._changed and time.monotonic() > self._saved + self._pause:
            started = time.monotonic()
            self._commit(last=False)
            self._saved = time.monotonic()
            self._pause = max(_EVERY, _SHARE * (self._saved - started))

    def save(self) -> None:
        """Writes what is to be kept, if there is anything new: the scan is over, or was interrupted."""
        under_way = self.slots.under_way
        if under_way is not None and under_way.entry is not None:
            self._put(under_way)
        if self._changed:
            self._commit(last=True)
        self.earlier.forget()
        self._binding.forget()
        self._texts = {}

    def _put(self, slot: KeptSlot) -> None:
        entry, was = None if slot.spoilt else slot.entry, slot.was
        self._changed = self._changed or entry is None or not slot.same
        held = was.length if was else 0
        if self._binding.put(slot.told, slot.leaf, held, entry, same=slot.same):
            self._texts = {}  # of another page
        self.slots.pass_by(entry.place if entry else None)

    def _commit(self, *, last: bool) -> None:
        over = self.slots.done == len(self.slots)
        leaves = self._binding.bound() if over else self._binding.so_far()
        self._shelf.commit(leaves, whole=over and self._binding.whole, last=last)
        if last:
            self._changed = False
            self._shelf.store.trim()


@lru_cache(maxsize=1)
def code() -> str:
    """A digest of the version and of how the package's files look: an edit makes all be read anew."""
    looks = [__version__]
    pending = [str(Path(__file__).parents[1])]
    while pending:
        with os.scandir(pending.pop()) as listing:
            for entry in sorted(listing, key=lambda entry: entry.name):
                if entry.name.endswith((".py", ".toml")):
                    status = entry.stat()
                    looks.append(f"{entry.path}\0{status.st_size} {status.st_mtime_ns}")
                elif entry.is_dir() and entry.name != "__pycache__":
                    pending.append(entry.path)
    return _digest("\0".join(looks))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _shape(listing: Listing) -> str:
    """The names of which it depends what the runs are, and what could not be looked into."""
    digest = hashlib.sha256()
    for folder, files in listing.folders.items():
        text = "\0".join([folder, listing.folders.root(folder), *files])
        digest.update(f"{text}\n".encode("utf-8", "surrogateescape"))
    digest.update("\n".join(map(str, listing.unread)).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def _glimpse(listing: Listing, numbers: Sequence[int]) -> str:
    """How the folders of these numbers look."""
    if not numbers:
        return ""
    names = list(listing.folders)
    lines = [listing.line(names[number]) for number in numbers if number < len(names)]
    return _digest("\n".join(lines))
