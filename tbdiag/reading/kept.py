"""Folders of runs that were kept, or are read and then kept."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from tbdiag.errors import ReadError
from tbdiag.model.histogram import Histograms
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.reading import follow
from tbdiag.reading.bundle import Bundle, Part
from tbdiag.reading.columns import Columns
from tbdiag.reading.discover import EventFile, RunFiles
from tbdiag.reading.earlier import Known, folders, listed, told_of
from tbdiag.reading.folders import Look
from tbdiag.reading.heads import Answer, Head, Told
from tbdiag.reading.pages import Entry
from tbdiag.reading.segments import Place, Segment
from tbdiag.reading.slots import Show, Slot, Slots, looked_into

if TYPE_CHECKING:
    from tbdiag.reading.cache import Cache


class KeptSlots(Slots):
    """A slot for each folder of runs, made when somebody asks; the same while it is in use.

    ``done`` of them were passed by the scan. Of these it is held where their columns stand, 22 bytes each.
    """

    def __init__(self, cache: Cache, runs: Sequence[RunFiles] | None) -> None:
        self._cache, self._runs = cache, runs
        self._count = len(cache.earlier if runs is None else runs)
        self._used: WeakValueDictionary[int, KeptSlot] = WeakValueDictionary()
        self._offsets, self._lengths = array("Q"), array("Q")
        self._checksums, self._segments = array("I"), array("H")
        self._numbers: dict[Segment, int] = {}

    def __len__(self) -> int:
        return self._count

    def item(self, number: int) -> KeptSlot:
        """The slot of the folder."""
        slot = self._used.get(number)
        if slot is None:
            known = self.known(number) if number >= self.done else None
            slot = self._used[number] = KeptSlot(self._cache, number, known)
        return slot

    def known(self, number: int) -> Known:
        """What was kept of the folder before."""
        if self._runs is None:
            found = self._cache.earlier.at(number)
            if found is not None:
                return found
            self._runs = self._cache.discovered()  # a page was damaged a moment ago
        return self._cache.earlier.of(self._runs[number])

    def told(self, number: int) -> bytes:
        """All that is told of the files of a folder."""
        return self.known(number).told if self._runs is None else told_of(self._runs[number])

    def totals(self) -> tuple[int, int]:
        """Bytes and number of all event files."""
        found = self._cache.listing.folders
        return found.bytes, found.files

    def pending(self) -> tuple[int, int]:
        """About how many bytes of how many folders are new."""
        size, _ = self.totals()
        new = max(len(self) - len(self._cache.earlier), 0)
        return size * new // max(len(self), 1), new

    @property
    def done(self) -> int:
        """How many were passed by the scan."""
        return len(self._offsets)

    @property
    def under_way(self) -> KeptSlot | None:
        """The first that was not passed, if it is in use."""
        return self._used.get(self.done)

    def pass_by(self, place: Place | None) -> None:
        """The scan is done with the next one, whose columns stand at ``place``."""
        segment = 0
        if place is not None:
            segment = self._numbers.setdefault(place.segment, len(self._numbers))
        self._segments.append(segment)
        self._offsets.append(place.offset if place else 0)
        self._lengths.append(place.length if place else 0)
        self._checksums.append(place.checksum if place else 0)

    def place(self, number: int) -> Place | None:
        """Where the columns of a folder stand that was passed."""
        if not self._lengths[number]:
            return None
        segment = [*self._numbers][self._segments[number]]
        columns = self._offsets, self._lengths, self._checksums
        return Place(segment, *(column[number] for column in columns))


class KeptSlot(Slot):
    """A folder of runs that was kept in ``entry``, or is read: a file that only grew, from its end on.

    ``before`` is what was kept of the folder, where it does not hold any more.
    """

    def __init__(self, cache: Cache, number: int, known: Known | None) -> None:
        super().__init__(None, cache.overrides)
        self._cache, self._number, self._passed = cache, number, known is None
        self._told: bytes | None = known.told if known else None
        self.entry: Entry | None = known.entry if known else None
        self._before: Entry | None = known.before if known else None
        self.leaf = known.leaf if known else 0
        self._place = cache.slots.place(number) if known is None else None
        was = self.entry or self._before
        self.was = was.place if was else None  # where what was kept before stands
        self.same = was is not None  # what is kept of it did not change
        self._parts: dict[str, Part] = {}
        self._bundle: Bundle | None = None
        self._fleeting = self.spoilt = False

    @property
    def told(self) -> bytes:
        """All that is told of its files, as it is kept."""
        if self._told is None:
            self._told = self._cache.slots.told(self._number)
        return self._told

    @property
    def files(self) -> RunFiles:
        if self._files is None:
            name, path, root, files = listed(self.told)
            size = sum(self._look(file)[1] for file in files)
            self._files = RunFiles(id=name, folder=path, top=root, files=files, bytes=size)
        return self._files

    @property
    def far(self) -> bool:
        return b"://" in self.told and super().far  # most are told without making their files

    @property
    def bytes(self) -> int:
        return self.files.bytes if self.entry is None else self.entry.bytes

    @property
    def count(self) -> int:
        return len(self.files.files) if self.entry is None else self.entry.count

    @property
    def waiting(self) -> bool:
        return self.entry is None and not self._passed and super().waiting

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
            self.entry = self._cache.keep_told(self, told)
            self.same = False

    def begin(self) -> None:
        if self._before is None:  # else most of it may be known
            super().begin()

    def read(self) -> None:
        if self.waiting:
            self._remember_settings()
            self._found = self._loaded()

    def _remember_settings(self) -> None:
        """Files of settings count as they are before they are read."""
        for folder in folders(self.told):
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
                self.entry = self._cache.keep(self, self._parts, found)
            self.same = False
            self._parts, self._before, self._bundle = {}, None, None
            if self.was is not None:
                self.was.unused()
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
            self.same = False

    def filled(self, number: int, run: Run) -> bool:
        return (
            super().filled(number, run) if self.entry is None else self.entry.heads[number].filled
        )

    def finish(self) -> None:
        self._cache.passed(self)
        if self.entry is not None:
            self._place = self.entry.place
        self.entry, self.was, self._passed = None, None, True
        super().finish()

    def close(self) -> None:
        super().close()
        if self._bundle is not None and self.place is not None:
            self.place.unused()
        self._parts, self._before, self._bundle, self._files = {}, None, None, None

    @property
    def place(self) -> Place | None:
        """Where its columns stand, if they do."""
        return self._place if self.entry is None else self.entry.place

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
        if self._bundle is None:
            place = self.place
            if place is None:
                return None
            self._bundle = _bundle(place)
            if self._bundle is None:
                self._spoil()
            looked_into(self)
        return self._bundle

    def _spoil(self) -> None:
        """Its columns are damaged: what else was kept holds in this scan, and is not kept any more."""
        if self.entry is not None:
            self.entry.place, self.spoilt = None, True
        self._place = None

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
            place, self._before = self._before.place, None
            self._bundle = _bundle(place) if place else None
        return None if self._bundle is None else self._bundle.parts.get(path)

    def _look(self, file: EventFile) -> Look:
        return self._cache.look(file.where)


def _bundle(place: Place) -> Bundle | None:
    record = place.record()
    return None if record is None else Bundle(record)
