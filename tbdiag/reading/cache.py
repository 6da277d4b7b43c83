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
from tbdiag.errors import ReadError
from tbdiag.model.histogram import Histograms
from tbdiag.model.place import Place, UrlPath
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.reading import follow
from tbdiag.reading.bundle import Bundle, Part, pack
from tbdiag.reading.columns import Columns
from tbdiag.reading.discover import EventFile, RunFiles, discovered
from tbdiag.reading.heads import Answer, Head, Told, head_of
from tbdiag.reading.hparams import upward
from tbdiag.reading.listing import Listing, Look, walk
from tbdiag.reading.plain import plain
from tbdiag.reading.shelf import Entry, Shelf
from tbdiag.reading.slots import Overrides, Show, Slot, looked_into
from tbdiag.reading.store import Store

_FEW = 32  # changed folders whose names are looked for in each path
_EVERY = 5.0  # seconds after which what was read so far is made safe
_SHORT = 160  # bytes
_SHARE = 20  # times as long as that took the last time, for all of it is written again


class Cache:
    """What is kept of one request, and what has to be read for it.

    A folder of runs counts as it was kept where path, inode, size and time of change of its event
    files and of the settings beside and above them are the same, and tbdiag's own code is.
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
        self.shelf = Shelf.opened(store, _digest(asked), code())
        self.slots = self._slots()
        kept = sum(
            slot.entry.place.length for slot in self.slots if slot.entry and slot.entry.place
        )
        self._room = store.limit - kept
        self._saved, self._pause = time.monotonic(), _EVERY
        self._texts: dict[bytes, bytes] = {}

    def _slots(self) -> tuple[KeptSlot, ...]:
        shelf, listing = self.shelf, self.listing
        before, shape = shelf.entries, _shape(listing)
        self._old = frozenset(before)
        lines = {each: listing.line(each) for each in (*listing.folders, *shelf.aside)}
        self._changed = (shape, _looks(lines)) != (shelf.shape, shelf.looks)
        if not self._changed:
            return tuple([KeptSlot(self, entry.files, entry, None) for entry in before])
        was: dict[str, str] = json.loads(shelf.lines)
        if shape == shelf.shape and all(lines[each] == was[each] for each in shelf.glanced):
            files = [entry.files for entry in before]
        else:
            found = discovered(listing)
            files = [_told(each) for each in found.runs]
            shelf.shape, shelf.glanced, shelf.aside = shape, found.glanced, ()
        changed = {each for each in {**lines, **was} if lines.get(each) != was.get(each)}
        named = [json.dumps(each)[1:-1].encode() for each in changed]
        known = {entry.files: entry for entry in before}
        owners = {} if known.keys() >= set(files) else {_owner(e.files): e for e in before}
        slots = []
        for each in files:
            entry = known.get(each)
            if entry is None:
                slots.append(KeptSlot(self, each, None, owners.get(_owner(each))))
            # Whatever the files depend on stands in their paths; of few, most are told by that alone.
            elif (len(named) > _FEW or any(name in each for name in named)) and (
                not changed.isdisjoint(_folders(each))
            ):
                slots.append(KeptSlot(self, each, None, entry))
            else:
                slots.append(KeptSlot(self, each, entry, None))
        return tuple(slots)

    def keep(
        self, files: RunFiles, told: bytes, parts: Mapping[str, Part], found: Sequence[Run]
    ) -> Entry | None:
        """Keeps what was read of a folder; None where that cannot come back."""
        try:
            record = pack(parts, found)
            heads = tuple(head_of(run) for run in found)
        except TypeError:
            return None
        return self.keep_told(files, told, Told(heads, record=record))

    def keep_told(self, files: RunFiles, told: bytes, found: Told) -> Entry:
        """Keeps what was found out about a folder, here or elsewhere."""
        self.changed()
        heads = tuple(each._replace(roles=self.shared(each.roles)) for each in found.heads)
        answers = {
            asked: [each and (self.shared(each[0]), each[1]) for each in several]
            for asked, several in found.answers.items()
        }
        entry = Entry(told, files.bytes, len(files.files), heads, answers=answers)
        if found.record is not None and len(found.record) <= self._room:
            self._room -= len(found.record)
            entry.place = self.shelf.write(found.record)
        return entry

    def shared(self, text: bytes) -> bytes:
        """A text that many runs may have in common, held once; short ones are as small as a note of them."""
        return text if len(text) < _SHORT else self._texts.setdefault(text, text)

    def look(self, path: str) -> Look:
        """How an event file looked when it was listed."""
        folder, _, name = path.rpartition(os.sep)
        return self.listing.folders[folder][name]

    def changed(self) -> None:
        """Something is to be kept; what was read so far is made safe now and then."""
        if self._changed and time.monotonic() > self._saved + self._pause:
            self.save()
        self._changed = True

    def save(self) -> None:
        """Writes what is to be kept, if there is anything new."""
        if self._changed:
            started = time.monotonic()
            self._save()
            self._saved = time.monotonic()
            self._pause = max(_EVERY, _SHARE * (self._saved - started))

    def _save(self) -> None:
        shelf, self._changed = self.shelf, False
        shelf.entries = [slot.entry for slot in self.slots if slot.entry is not None]
        new = shelf.entries if not shelf.aside else [e for e in shelf.entries if e not in self._old]
        needed = {folder for entry in new for folder in _folders(entry.files)}
        shelf.aside = tuple(sorted({*shelf.aside, *needed} - self.listing.folders.keys()))
        folders = (*self.listing.folders, *shelf.aside)
        lines = {folder: self.listing.line(folder) for folder in folders}
        shelf.lines, shelf.looks = json.dumps(lines).encode(), _looks(lines)
        shelf.commit(whole=len(shelf.entries) == len(self.slots))
        shelf.store.trim()


class KeptSlot(Slot):
    """A folder of runs that was kept in ``entry``, or is read: a file that only grew, from its end on.

    ``before`` is what was kept of the folder, where it does not hold any more.
    """

    def __init__(
        self, cache: Cache, told: bytes, entry: Entry | None, before: Entry | None
    ) -> None:
        super().__init__(None, cache.overrides)
        self._cache, self._told = cache, told
        self.entry, self._before = entry, before
        self._parts: dict[str, Part] = {}
        self._bundle: Bundle | None = None
        self._fleeting = False

    @property
    def files(self) -> RunFiles:
        if self._files is None:
            name, path, root, listed = json.loads(self._told)
            files = tuple(EventFile(*each) for each in listed)
            size = sum(self._look(file)[1] for file in files)
            self._files = RunFiles(id=name, folder=path, top=root, files=files, bytes=size)
        return self._files

    @property
    def bytes(self) -> int:
        if self.entry is not None:
            return self.entry.bytes
        return sum(self._cache.look(each)[1] for each, *_ in json.loads(self._told)[3])

    @property
    def count(self) -> int:
        return self.entry.count if self.entry else len(json.loads(self._told)[3])

    @property
    def waiting(self) -> bool:
        return self.entry is None and super().waiting

    @property
    def unknown(self) -> bool:
        if not self.waiting or self._before is not None:
            return False
        self._remember_settings()
        return True

    @property
    def looks(self) -> tuple[Look, ...]:
        """How its event files look."""
        return tuple(self._look(file) for file in self.files.files)

    def take(self, told: Told) -> None:
        if told.record is None:  # a file could not be read: next time it may be
            super().take(told)
        else:
            self.entry = self._cache.keep_told(self.files, self._told, told)

    def begin(self) -> None:
        if self._before is None:  # else most of it may be known
            super().begin()

    def read(self) -> None:
        if self.waiting:
            self._remember_settings()
            self._found = self._loaded()

    def _remember_settings(self) -> None:
        """Files of settings count as they are before they are read."""
        for folder in _folders(self._told):
            self._cache.listing.line(folder)

    def __len__(self) -> int:
        return len(self.entry.heads) if self.entry else super().__len__()

    def run(self, number: int, show: Show | None = None) -> Run:
        if self._found is None and self.entry is not None:
            return self._of_head(number, self.entry.heads[number], show)
        return super().run(number, show)

    @property
    def _runs(self) -> tuple[Run, ...]:
        found = super()._runs
        if self.entry is None:
            if not (self._fleeting or self.lost):
                self.entry = self._cache.keep(self.files, self._told, self._parts, found)
            self._parts, self._before, self._bundle = {}, None, None
        return found

    def answer(self, selection: str, number: int) -> Answer | None:
        if self.entry is None:
            return super().answer(selection, number)
        kept = self.entry.answers.get(selection)
        return kept[number] if kept else None

    def head(self, number: int) -> Head:
        return super().head(number) if self.entry is None else self.entry.heads[number]

    @property
    def keeps(self) -> bool:
        return self.entry is not None

    def keep_answer(self, selection: str, number: int, answer: Answer) -> None:
        if self.entry is not None:
            nothing: list[Answer | None] = [None] * len(self.entry.heads)
            kept = self._cache.shared(answer[0]), answer[1]
            self.entry.answers.setdefault(selection, nothing)[number] = kept
            self._cache.changed()

    def filled(self, number: int, run: Run) -> bool:
        return (
            super().filled(number, run) if self.entry is None else self.entry.heads[number].filled
        )

    def close(self) -> None:
        super().close()
        if self._bundle is not None and self.entry is not None and self.entry.place is not None:
            place = self.entry.place
            place.segment.unused(place.offset, place.length)
        self._parts, self._before, self._bundle, self._files = {}, None, None, None

    def series(self, number: int, points: int) -> Mapping[str, Series]:
        bundle = self._kept_bundle()
        return super().series(number, points) if bundle is None else bundle.series(number)

    def histograms(self, number: int, points: int) -> Mapping[str, Histograms]:
        bundle = self._kept_bundle()
        return super().histograms(number, points) if bundle is None else bundle.histograms(number)

    def texts(self, number: int, points: int) -> Mapping[str, str]:
        """The texts of a run, as `series`."""
        bundle = self._kept_bundle()
        return self._again(number, points).texts if bundle is None else bundle.texts(number)

    def _kept_bundle(self) -> Bundle | None:
        """What was kept of the folder; None where it is gone or damaged."""
        if self._bundle is None and self.entry is not None:
            self._bundle = _bundle(self.entry)
            looked_into(self)
        return self._bundle

    def _columns(self, file: EventFile) -> Columns:
        look, known = self._look(file), self._known(str(file.path))
        if known is not None and known.look == look:
            part = known
        else:
            try:
                if known is None:
                    part = Part(look, *follow.whole(file.path, self._started(file.path)))
                else:
                    part = Part(look, *follow.resume(file.path, known.columns, known.state))
            except ReadError:
                self._fleeting = True  # next time it may be read
                raise
        self._parts[str(file.path)] = part
        return part.columns

    def _known(self, path: str) -> Part | None:
        if self._bundle is None and self._before is not None:
            self._bundle = _bundle(self._before)
            self._before = None
        return None if self._bundle is None else self._bundle.parts.get(path)

    def _look(self, file: EventFile) -> Look:
        return self._cache.look(file.where)


def _bundle(entry: Entry) -> Bundle | None:
    record = entry.place.record() if entry.place else None
    if record is None:
        entry.place = None
        return None
    return Bundle(record)


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
    folders = [
        "\0".join([folder, listing.folders.root(folder), *files])
        for folder, files in listing.folders.items()
    ]
    return _digest("\n".join([*folders, *map(str, listing.unread)]))


def _looks(lines: Mapping[str, str]) -> str:
    return _digest("\n".join([f"{folder}\0{line}" for folder, line in lines.items()]))


def _owner(told: bytes) -> str:
    path: str = json.loads(told)[1]
    return path


def _folders(told: bytes) -> set[str]:
    """The folders on which it depends what is read of these files: theirs, and those of settings."""
    _, path, root, listed = json.loads(told)
    return {file.rpartition(os.sep)[0] for file, *_ in listed}.union(upward(path, root))


def _told(files: RunFiles) -> bytes:
    listed = [[each.where, each.prefix, each.key, each.hparams_only] for each in files.files]
    return json.dumps([files.id, files.folder, files.top, listed]).encode()
