"""The journal's file: JSON lines that are only ever added, each whole or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tbdiag.errors import JournalError
from tbdiag.journal.entry import SCHEMA, Diagnosed, Entry, Kind, Verified, line, parsed
from tbdiag.journal.lock import Busy, locked
from tbdiag.journal.payload import plain
from tbdiag.model.proposal import Proposal, Trial, Verdict

FOLDER, NAME = ".tbdiag", "journal.jsonl"

_PATIENCE = 30.0  # seconds to wait for a lock that is held for milliseconds
_WINDOW = 1 << 16  # bytes of the end that are looked at first


@dataclass(frozen=True, slots=True)
class Pages:
    """What stands in a journal: ``entries`` in order, and (line, reason) of what cannot be read."""

    entries: tuple[Entry, ...] = ()
    unread: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal at ``path``; ``clock`` gives seconds since the epoch.

    Any number of processes may add to it at once. A line that a writer did not end, because it was
    killed or the disk was full, is never taken for true and never runs into the next one. An entry
    that `append` has returned is on the disk.
    """

    path: Path
    clock: Callable[[], float] = time.time

    @classmethod
    def beside(cls, logdir: Path, clock: Callable[[], float] = time.time) -> Journal:
        """The journal of the follow-up runs of a log folder."""
        return cls(logdir / FOLDER / NAME, clock)

    @classmethod
    def above(cls, folder: Path) -> Journal:
        """The journal of a log folder or, for a run in it, of the nearest folder above that has one."""
        around = (folder, *folder.resolve().parents)
        return next((j for j in map(cls.beside, around) if j.path.exists()), cls.beside(folder))

    def diagnosed(self, seen: Diagnosed) -> Entry:
        """Notes what was seen in the runs that there are."""
        return self.append(Kind.DIAGNOSED, plain(seen))

    def proposed(self, proposal: Proposal) -> Entry:
        """Notes that a follow-up run was decided on."""
        return self.append(Kind.PROPOSED, plain(proposal))

    def launched(self, trial: Trial) -> Entry:
        """Notes, before it is done, that a follow-up run is started."""
        return self.append(Kind.LAUNCHED, plain(trial))

    def finished(self, trial: Trial) -> Entry:
        """Notes that a follow-up run is over."""
        return self.append(Kind.FINISHED, plain(trial))

    def verified(self, proposal: str, verdict: Verdict) -> Entry:
        """Notes what became clear about the trial of the proposal of that id."""
        return self.append(Kind.VERIFIED, plain(Verified(proposal=proposal, verdict=verdict)))

    def append(self, kind: Kind, payload: Mapping[str, Any]) -> Entry:
        """Adds one entry and returns it when it is on the disk; raises JournalError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.path.with_suffix(".lock"), _PATIENCE):
                return self._append(kind, payload)
        except Busy:
            reason = f"another process has held its lock for {_PATIENCE:.0f} s"
        except OSError as error:
            reason = error.strerror or str(error)
        raise JournalError(f"the journal {self.path} cannot be written: {reason}")

    def entries(self) -> tuple[Entry, ...]:
        """All entries that are whole, in order; none where there is no file. Raises JournalError."""
        return self.read().entries

    def read(self) -> Pages:
        """All that stands in the file; nothing where there is no file.

        Raises JournalError where it cannot be read, or was written by a later version: to act on a
        part of it could start a run twice.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return Pages()
        except OSError as error:
            raise JournalError(
                f"the journal {self.path} cannot be read: {error.strerror}"
            ) from None
        entries, unread = [], []
        for number, text in enumerate(content.split(b"\n"), 1):
            if not text.strip():
                continue
            try:
                entry = parsed(text)
            except ValueError as error:
                unread.append((number, str(error)))
                continue
            self._refuse_later(entry)
            entries.append(entry)
        return Pages(tuple(entries), tuple(unread))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within it no other process is the one that starts runs for this journal.

        Raises JournalError where another one is, which it remains until it ends.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.path.with_name("controller.lock")):
                yield
        except Busy:
            raise JournalError(
                f"another tbdiag is training in {self.path.parent.parent}; wait for it or end it"
            ) from None

    def _append(self, kind: Kind, payload: Mapping[str, Any]) -> Entry:
        new = not self.path.exists()
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            size = os.fstat(file).st_size
            last, ended = self._last(file, size)
            now = round(self.clock(), 3)
            entry = Entry(seq=last + 1, at=now, kind=kind, payload=payload)
            _write(file, size, (b"" if ended else b"\n") + line(entry))
        finally:
            os.close(file)
        if new:
            _keep_name(self.path.parent)
        return entry

    def _last(self, file: int, size: int) -> tuple[int, bool]:
        """The number of the last whole entry, 0 without one; whether the last line is ended."""
        window = _WINDOW
        while True:
            os.lseek(file, start := max(size - window, 0), os.SEEK_SET)
            end = b""
            while len(end) < size - start and (part := os.read(file, size - start - len(end))):
                end += part
            lines = end.split(b"\n")
            ended = not lines[-1]
            for text in reversed(lines if start == 0 else lines[1:]):
                with suppress(ValueError):
                    entry = parsed(text)
                    self._refuse_later(entry)
                    return entry.seq, ended
            if start == 0:
                return 0, ended
            window *= 4

    def _refuse_later(self, entry: Entry) -> None:
        if entry.schema > SCHEMA:
            raise JournalError(
                f"the journal {self.path} was written by a later version of tbdiag; update this one"
            )


def _write(file: int, size: int, data: bytes) -> None:
    """Adds ``data`` behind ``size`` bytes: all of it, safely on the disk, or nothing."""
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    except OSError:
        with suppress(OSError):  # then the next writer ends the torn line
            os.ftruncate(file, size)
        raise


def _keep_name(folder: Path) -> None:
    """Sees to it that the name of a new file outlives a power failure, where the system can."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
