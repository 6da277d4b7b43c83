"""A bounded folder of checksummed entries, of which the longest unused are dropped."""

from __future__ import annotations

import os
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import crc32c

RUN, ANSWERS = ".run", ".answers"

_DRAFT = ".draft"
_MAGIC = b"tbdiag1\n"
_HEAD = struct.Struct("<8sQII")  # magic, length of the content, checksum, zero
_ABANDONED = 3600.0  # seconds after which a draft is nobody's any more
_DEFAULT_MB = 1024


@dataclass(frozen=True, slots=True)
class Store:
    """Entries by name below ``folder``, ``limit`` bytes at most after `trim`.

    Entries are whole or not at all: written beside and renamed into place, and checked as they are
    read. What cannot be read or written is as good as missing: no method raises for it.
    """

    folder: Path
    limit: int

    def get(self, name: str) -> memoryview | None:
        """The content of an entry, which counts as used; None where there is no sound one."""
        path = self.folder / name
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        if len(data) < _HEAD.size:
            return None
        magic, length, checksum, zero = _HEAD.unpack_from(data)
        content = memoryview(data)[_HEAD.size :]
        sound = magic == _MAGIC and length == len(content) and zero == 0
        return content if sound and crc32c.crc32c(content) == checksum else None

    def put(self, name: str, content: bytes) -> None:
        """Stores an entry in the place of an earlier one."""
        draft = None
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(_DRAFT, dir=self.folder)
            with os.fdopen(handle, "wb") as file:
                file.write(_HEAD.pack(_MAGIC, len(content), crc32c.crc32c(content), 0))
                file.write(content)
            Path(draft).replace(self.folder / name)
        except OSError:
            if draft is not None:
                _remove(Path(draft))

    def entries(self, suffix: str = "") -> list[tuple[float, int, Path]]:
        """(time of last use, bytes, path) of each entry, the longest unused first."""
        return sorted(
            each for each in self._own() if each[2].name.endswith(suffix or (RUN, ANSWERS))
        )

    def trim(self) -> None:
        """Drops the longest unused entries beyond the limit, and drafts that were abandoned."""
        entries = self.entries()
        excess = sum(size for _, size, _ in entries) - self.limit
        for _, size, path in entries:
            if excess <= 0:
                break
            _remove(path)
            excess -= size
        for used, _, path in self._own():
            if path.suffix == _DRAFT and used < time.time() - _ABANDONED:
                _remove(path)

    def clear(self) -> int:
        """Removes everything that a store writes, and nothing else; returns the bytes freed."""
        freed = 0
        for _, size, path in list(self._own()):
            _remove(path)
            freed += size
        with suppress(OSError):  # somebody else's file is in it, or it is not there
            self.folder.rmdir()
        return freed

    def _own(self) -> Iterator[tuple[float, int, Path]]:
        try:
            paths = list(self.folder.iterdir())
        except OSError:
            return
        for path in paths:
            if path.suffix in (RUN, ANSWERS, _DRAFT):
                try:
                    status = path.lstat()
                except OSError:
                    continue
                yield status.st_mtime, status.st_size, path


def default_store() -> Store:
    """The user's own: below ``TBDIAG_CACHE_DIR`` or their cache folder, ``TBDIAG_CACHE_MB`` large."""
    from platformdirs import user_cache_path

    given = os.environ.get("TBDIAG_CACHE_DIR")
    folder = Path(given) if given else user_cache_path("tbdiag", appauthor=False)
    asked = os.environ.get("TBDIAG_CACHE_MB", "")
    megabytes = int(asked) if asked.isdecimal() else _DEFAULT_MB
    return Store(folder / "v1", megabytes << 20)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
