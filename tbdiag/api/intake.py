"""The runs that a call asks for, one after the other, and what cannot be had of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn
from weakref import WeakValueDictionary

from tbdiag.config import Config, shown
from tbdiag.errors import NoRunsError
from tbdiag.model.place import Place, UrlPath, is_url
from tbdiag.model.run import Run
from tbdiag.reading.ahead import read_ahead
from tbdiag.reading.discover import RunFiles, discover
from tbdiag.reading.slots import SMALL, Overrides, Slot, Slots

if TYPE_CHECKING:  # reading all anew needs no cache
    from tbdiag.reading.cache import Cache

_TOGETHER = 16  # folders, at most, whose runs are examined together
_SHARE = 4  # of the machine's memory, one part is for curves
_FALLBACK = 2 << 30  # bytes, where the machine does not tell how much it has


class At(NamedTuple):
    """How far reading has come: bytes and event files, of so many in all."""

    bytes: int
    all_bytes: int
    files: int
    all_files: int


Progress = Callable[[At], object]
Ahead = Callable[[Slots], Iterator[Slot]]  # the slots in their order, each read


class FoundSlots(Slots):
    """A slot for each of the ``folders``, made when somebody asks; the same while it is in use."""

    def __init__(self, folders: Sequence[RunFiles], overrides: Overrides, *, verify: bool) -> None:
        self._folders, self._overrides, self._verify = folders, overrides, verify
        self._used: WeakValueDictionary[int, Slot] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._folders)

    def item(self, number: int) -> Slot:
        """The slot of the folder."""
        slot = self._used.get(number)
        if slot is None:
            slot = Slot(self._folders[number], self._overrides, verify=self._verify)
            self._used[number] = slot
        return slot

    def totals(self) -> tuple[int, int]:
        """Bytes and number of all event files."""
        size = count = 0
        for folder in self._folders:
            size, count = size + folder.bytes, count + len(folder.files)
        return size, count

    def pending(self) -> tuple[int, int]:
        """The bytes of all folders, and their number: nothing is known of them."""
        return self.totals()[0], len(self)


class Taken(NamedTuple):
    """A run with its number in its ``slot``, which is that of the folder number ``at``."""

    slot: Slot
    number: int
    run: Run
    at: int


class Intake:
    """The runs below ``paths`` that can be examined, one by one or in `groups`.

    ``slots`` are those of all folders. Iterated once; with ``verify``, the checksums of all records are compared, and nothing is taken from
    the cache; with ``relative``, paths of runs are as users read them. ``ahead`` is who reads the slots,
    by default ``jobs`` threads. What cannot be examined is added to ``unread`` as (path, reason); with ``cache``,
    what was read is kept in the end. Raises NoRunsError where a path does not exist.
    """

    def __init__(
        self,
        paths: Sequence[Place],
        settings: Config,
        cache: bool,
        follow_symlinks: bool,
        jobs: int | None,
        progress: Progress | None,
        relative: bool = False,
        verify: bool = False,
        ahead: Ahead | None = None,
    ) -> None:
        self.any, self._relative = False, relative
        self._paths, self._progress = paths, progress
        self._ahead = ahead or partial(read_ahead, jobs=jobs)
        self._here = os.getcwd()  # noqa: PTH109 - compared as text
        self._above = self._here.rstrip(os.sep) + os.sep
        if any(isinstance(path, UrlPath) for path in paths):
            from tbdiag.reading import remote

            remote.use(settings.storage)
        self._cache: Cache | None = None
        self.slots: Slots
        if cache and not verify:  # what was kept was read once and not checked again
            from tbdiag.reading.cache import Cache
            from tbdiag.reading.store import default_store

            self._cache = Cache(default_store(), paths, settings.roles, follow_symlinks)
            self.slots, unread = self._cache.slots, self._cache.listing.unread
        else:
            found = discover(paths, follow_symlinks)
            self.slots = FoundSlots(found.runs, settings.roles, verify=verify)
            unread = list(found.unread)
        self.unread = [
            (path if is_url(path) else shown(Path(path)), reason) for path, reason in unread
        ]

    def __iter__(self) -> Iterator[Taken]:
        for group in self._groups(1):
            yield from group

    def groups(self) -> Iterator[list[Taken]]:
        """The runs of a few folders at a time, as long as these are small and were read anew."""
        return self._groups(_TOGETHER)

    def _groups(self, most: int) -> Iterator[list[Taken]]:
        at = At(0, 0, 0, 0)
        if self._progress:
            size, count = self.slots.totals()
            at = At(0, size, 0, count)
        lost: dict[str, str] = {}
        try:
            for slots in self._together(most):
                group = [each for place, slot in slots for each in self._filled(slot, place)]
                if group:
                    self.any = True
                    yield group
                for _, slot in slots:
                    lost |= slot.lost
                    if self._progress:
                        done, files = at.bytes + slot.bytes, at.files + slot.count
                        at = At(done, at.all_bytes, files, at.all_files)
                        self._progress(at)
                    slot.finish()
            self.unread += lost.items()
        finally:  # what was read before an interruption is not read again
            if self._cache:
                self._cache.save()

    def _together(self, most: int) -> Iterator[list[tuple[int, Slot]]]:
        """The slots with their numbers, up to ``most`` of them at a time where they are small."""
        group: list[tuple[int, Slot]] = []
        size = 0
        for each in enumerate(self._ahead(self.slots)):
            group.append(each)
            size += each[1].bytes
            if len(group) >= most or size > SMALL or not each[1].fresh:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _filled(self, slot: Slot, at: int) -> Iterator[Taken]:
        """The runs of a slot that hold anything to be examined."""
        for number in range(len(slot)):
            run = slot.run(number, self.shown if self._relative else None)
            if slot.filled(number, run):
                yield Taken(slot, number, run, at)
            else:
                self.unread.append((self.shown(str(run.path)), _why_empty(run)))

    def shown(self, path: str) -> str:
        """An absolute path as users read it: relative to the working directory where it lies below."""
        return path.removeprefix(self._above) if path != self._here else os.curdir

    def refuse(self) -> NoReturn:
        """Says in one sentence why there is nothing to examine."""
        where = " and ".join(str(path) for path in self._paths)
        if not self.unread:
            raise NoRunsError(
                f'no event files below {where}: no file there has "tfevents" in its name'
            )
        (first, reason), more = self.unread[0], len(self.unread) - 1
        rest = f", and {more} more could not be examined either" if more else ""
        raise NoRunsError(f"nothing to examine below {where}: {first}: {reason}{rest}")


def repeated() -> int:
    """How many requests for far files were repeated so far, since they were not answered."""
    remote = sys.modules.get("tbdiag.reading.remote")  # imported where a URL was read
    return 0 if remote is None else int(remote.repeated())


def quarter() -> int:
    """A quarter of the machine's memory, in bytes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _SHARE
    except (AttributeError, OSError, ValueError):
        return _FALLBACK


def _why_empty(run: Run) -> str:
    damages = run.provenance.damages
    return damages[0].reason if damages else "it holds no scalars and no histograms"
