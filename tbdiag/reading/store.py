"""A bounded folder of shelves: checksummed indices, each with the segments of columns behind it."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tbdiag.reading.checksums import crc32c

INDEX, SEGMENT, DRAFT = ".index", ".columns", ".draft"

_MAGIC = b"tbdiag2\n"
_HEAD = struct.Struct("<8sQII")  # magic, length of the content, checksum, zero
_ABANDONED = 3600.0  # seconds after which a file that no index names is nobody's any more
_DEFAULT_MB = 1024


@dataclass(frozen=True, slots=True)
class Store:
    """Shelves by name below ``folder``, ``limit`` bytes at most after `trim`.

    A shelf is ``name.index`` and any number of ``name-token.columns``. Files are whole or not at all:
    written beside and renamed into place; an index is checked as it is read. What cannot be read or
    written is as good as missing: no method raises for it but `draft`.
    """

    folder: Path
    limit: int

    def get(self, name: str) -> bytes | None:
        """The content of a shelf's index, which counts as used; None where there is no sound one."""
        path = self.folder / (name + INDEX)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        if len(data) < _HEAD.size:
            return None
        magic, length, checksum, zero = _HEAD.unpack_from(data)
        content = data[_HEAD.size :]
        sound = magic == _MAGIC and length == len(content) and zero == 0
        return content if sound and crc32c()(content) == checksum else None

    def put(self, name: str, content: bytes) -> bool:
        """Stores an index in the place of an earlier one; returns whether that worked."""
        head = _HEAD.pack(_MAGIC, len(content), crc32c()(content), 0)
        try:
            file = self.draft(name)
        except OSError:
            return False
        try:
            with file:
                file.write(head)
                file.write(content)
        except OSError:
            remove(Path(file.name))
            return False
        return self.publish(file, name + INDEX)

    def draft(self, name: str) -> BinaryIO:
        """A new file for a shelf, to be written and read; raises OSError where that is not possible."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{name}-{os.urandom(8).hex()}{DRAFT}"
        return path.open("x+b")

    def publish(self, draft: BinaryIO, name: str) -> bool:
        """Gives a draft that is written its name; returns whether that worked."""
        try:
            Path(draft.name).replace(self.folder / name)
        except OSError:
            remove(Path(draft.name))
            return False
        return True

    def shelves(self) -> list[tuple[float, int, str]]:
        """(time of last use, bytes, name) of each shelf, the longest unused first."""
        used: dict[str, float] = {}
        size: dict[str, int] = {}
        for path, status in self._own():
            if path.suffix != DRAFT:
                name = _shelf(path)
                size[name] = size.get(name, 0) + status.st_size
                if path.suffix == INDEX:
                    used[name] = status.st_mtime
        return sorted((when, size[name], name) for name, when in used.items())

    def trim(self) -> None:
        """Drops the longest unused shelves beyond the limit, and files that were abandoned."""
        shelves = self.shelves()
        excess = sum(size for _, size, _ in shelves) - self.limit
        dropped = set()
        for _, size, name in shelves:
            if excess <= 0:
                break
            dropped.add(name)
            excess -= size
        known = {name for _, _, name in shelves}
        for path, status in list(self._own()):
            homeless = path.suffix == DRAFT or _shelf(path) not in known
            if _shelf(path) in dropped or (_old(status) and homeless):
                remove(path)

    def clear(self) -> int:
        """Removes everything that a store writes, and nothing else; returns the bytes freed."""
        freed = 0
        for path, status in list(self._own()):
            remove(path)
            freed += status.st_size
        with suppress(OSError):  # somebody else's file is in it, or it is not there
            self.folder.rmdir()
        return freed

    def segments(self, name: str) -> list[tuple[Path, bool]]:
        """The segments of a shelf, and whether they are so old that an index must name them."""
        return [
            (path, _old(status))
            for path, status in self._own()
            if path.suffix == SEGMENT and _shelf(path) == name
        ]

    def _own(self) -> Iterator[tuple[Path, os.stat_result]]:
        try:
            paths = list(self.folder.iterdir())
        except OSError:
            return
        for path in paths:
            if path.suffix in (INDEX, SEGMENT, DRAFT):
                try:
                    yield path, path.lstat()
                except OSError:
                    continue


def default_store() -> Store:
    """The user's own: below ``TBDIAG_CACHE_DIR`` or their cache folder, ``TBDIAG_CACHE_MB`` large."""
    from platformdirs import user_cache_path

    given = os.environ.get("TBDIAG_CACHE_DIR")
    folder = Path(given) if given else user_cache_path("tbdiag", appauthor=False)
    asked = os.environ.get("TBDIAG_CACHE_MB", "")
    megabytes = int(asked) if asked.isdecimal() else _DEFAULT_MB
    return Store(folder / "v2", megabytes << 20)


def remove(path: Path) -> None:
    """Removes a file that may be gone already."""
    with suppress(OSError):
        path.unlink()


def _old(status: os.stat_result) -> bool:
    return status.st_mtime < time.time() - _ABANDONED


def _shelf(path: Path) -> str:
    return path.name.partition(".")[0].partition("-")[0]
