"""Files that URLs name: how they were listed, and their bytes, of which only ranges are fetched."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tbdiag.errors import ReadError
from tbdiag.model.place import UrlPath
from tbdiag.reading.storage import Info, Range, Storage

Ends = tuple[bytes, int, bytes]  # the head; where the tail begins, and the tail


WHOLE = 1 << 18  # bytes of a file that is fetched whole
FIRST = 1 << 13  # bytes that are fetched first of a larger one

_FILES = 512  # files of which they are
_LARGEST_SETTINGS = 4 << 20
_RECORDS = 16  # blobs that are fetched together when one is asked for
_BLOBS = 32 << 20  # bytes of them that are kept
_BLOCKS = 64 << 20  # bytes that were fetched in advance


K = TypeVar("K")


class Shelf(Generic[K]):
    """Bytes by key, the longest unused of which go when there are more than ``limit``."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._kept: OrderedDict[K, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> bytes | None:
        """What is kept; None where there is nothing."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: K, data: bytes) -> None:
        """Keeps the bytes for a while."""
        with self._lock:
            self._size += len(data) - len(self._kept.pop(key, b""))
            self._kept[key] = data
            while self._size > self._limit and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1])


class Mount:
    """The files of one host as they were listed, and what of them is in memory for a while.

    ``settings`` names the files of settings of each folder that has some.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.infos: dict[str, Info] = {}
        self.settings: dict[str, tuple[str, ...]] = {}
        self.forget()

    def forget(self) -> None:
        """Keeps nothing of the content of files: they may have changed."""
        self.blocks: Shelf[str] = Shelf(_BLOCKS)
        self.texts: Shelf[str] = Shelf(_BLOBS)
        self.blobs: Shelf[tuple[str, int]] = Shelf(_BLOBS)
        self._ends: OrderedDict[str, Ends] = OrderedDict()
        self.lost: dict[str, str] = {}  # files of settings that could not be read, and why

    def block(self, url: str) -> bytes:
        """The first bytes of a file that were fetched in advance, maybe none."""
        return self.blocks.get(url) or b""

    def keep_ends(self, url: str, ends: Ends) -> None:
        """Keeps both ends of what was read of a file for a while."""
        self._ends[url] = ends
        while len(self._ends) > _FILES:
            with suppress(KeyError):  # another thread was faster
                self._ends.popitem(last=False)

    def ends(self, url: str) -> Ends | None:
        """What was kept of the ends of a file."""
        return self._ends.get(url)

    def one(self, url: str, start: int, end: int) -> bytes:
        """A range of a file; raises ReadError."""
        (found,) = self.storage.ranges([(url, start, end)])
        if isinstance(found, ReadError):
            raise found
        return found


@dataclass(frozen=True, slots=True)
class Known:
    """What a process that did not list needs to know of some folders, fit for pickle."""

    infos: Mapping[str, Info]
    settings: Mapping[str, tuple[str, ...]]


_mounts: dict[str, Mount] = {}
_options: dict[str, Mapping[str, Any]] = {}
_passwords: dict[str, str] = {}


def use(options: Mapping[str, Mapping[str, Any]]) -> None:
    """The options of each kind of storage, by scheme, from now on."""
    if options != _options:
        _options.clear()
        _options.update(options)
        _mounts.clear()


def remember(host: str, password: str) -> None:
    """The password of a host, as it stood in a URL."""
    if _passwords.get(host) != password:
        _passwords[host] = password
        _mounts.pop(host, None)


def repeated() -> int:
    """How many requests were repeated so far, since a storage did not answer them."""
    return sum(mount.storage.repeated for mount in _mounts.values())


def mounted(url: UrlPath | str) -> Mount:
    """What is known of the host of a URL."""
    host = UrlPath(url).host if isinstance(url, str) else url.host
    mount = _mounts.get(host)
    if mount is None:
        options = dict(_options.get(host.partition(":")[0], {}))
        if host in _passwords:
            options["password"] = _passwords[host]
        mount = _mounts[host] = Mount(Storage(host, options))
    return mount


def size_of(url: UrlPath) -> int:
    """The bytes of a file as it was listed, 0 where it was not."""
    found = mounted(url).infos.get(str(url))
    return found.size if found else 0


def known(folders: Iterable[str], files: Iterable[str]) -> Known:
    """What was listed of the settings of some folders and of some files."""
    infos, settings = {}, {}
    for folder in folders:
        mount = mounted(folder)
        if folder in mount.settings:
            settings[folder] = mount.settings[folder]
            infos.update({each: mount.infos[each] for each in settings[folder]})
    for url in files:
        if url in mounted(url).infos:
            infos[url] = mounted(url).infos[url]
    return Known(infos, settings)


def adopt(told: Known) -> None:
    """Takes what another process has listed."""
    for url, info in told.infos.items():
        mounted(url).infos[url] = info
    for folder, paths in told.settings.items():
        mounted(folder).settings[folder] = paths


def warm(files: Iterable[UrlPath], folders: Iterable[str] = (), *, heads: bool = False) -> None:
    """Fetches side by side small files whole, the settings of folders, and with ``heads`` first bytes.

    What cannot be fetched is met again when it is read.
    """
    wanted: dict[str, int] = {}
    texts = set()
    for url in files:
        size, text = size_of(url), str(url)
        if size and (size <= WHOLE or heads) and not mounted(url).block(text):
            wanted[text] = size if size <= WHOLE else FIRST
    for folder in dict.fromkeys(folders):
        mount = mounted(folder)
        for path in mount.settings.get(folder, ()):
            size = mount.infos[path].size
            if mount.texts.get(path) is None and 0 < size <= _LARGEST_SETTINGS:
                wanted[path] = size
                texts.add(path)
    hosts: dict[str, list[Range]] = {}
    for text, size in wanted.items():
        hosts.setdefault(UrlPath(text).host, []).append((text, 0, size))
    for ranges in hosts.values():
        mount = mounted(ranges[0][0])
        for (text, _, _), found in zip(ranges, mount.storage.ranges(ranges), strict=True):
            if isinstance(found, bytes):
                (mount.texts if text in texts else mount.blocks).put(text, found)


def settings_in(folder: str) -> tuple[UrlPath, ...]:
    """The files of settings in a folder, the first to count first."""
    return tuple(UrlPath(each) for each in mounted(folder).settings.get(folder, ()))


def text_of(url: UrlPath) -> tuple[Info, bytes] | None:
    """A small file and how it looked; None where it is too large or cannot be read."""
    mount, text = mounted(url), str(url)
    info = mount.infos.get(text)
    if info is None or info.size > _LARGEST_SETTINGS:
        return None
    found = mount.texts.get(text)
    if found is None:
        try:
            found = mount.one(text, 0, info.size)
        except ReadError as error:
            mount.lost[text] = str(error).rpartition(": ")[2]
            mount.texts.put(text, b"")  # each run asks for those above it
            return None
        mount.texts.put(text, found)
    return info, found


def lost(folders: Iterable[str]) -> dict[str, str]:
    """The files of settings in the folders that could not be read, and why."""
    found = {}
    for folder in folders:
        mount = mounted(folder)
        for path in mount.settings.get(folder, ()) if mount.lost else ():
            if path in mount.lost:
                found[path] = mount.lost[path]
    return found


def ends(url: UrlPath, offset: int, count: int) -> tuple[bytes, bytes]:
    """The first ``count`` bytes of a file, and as many before ``offset``; raises ReadError."""
    mount, text = mounted(url), str(url)
    first = max(offset - count, 0)
    kept = mount.ends(text)
    if kept is not None:
        head, start, tail = kept
        if len(head) >= count and start <= first and offset <= start + len(tail):
            return head[:count], tail[first - start : offset - start]
    found = mount.storage.ranges([(text, 0, count), (text, first, offset)])
    for each in found:
        if isinstance(each, ReadError):
            raise each
    head, tail = (each for each in found if isinstance(each, bytes))
    mount.keep_ends(text, (head, first, tail))
    return head, tail


def record(url: str, wanted: Sequence[tuple[int, int]]) -> bytes:
    """The bytes at the first of the ``wanted`` (offset, length), with the others fetched beside it.

    Empty where they are not there.
    """
    mount = mounted(url)
    first = mount.blobs.get((url, wanted[0][0]))
    if first is not None:
        return first
    some = [each for each in wanted[:_RECORDS] if mount.blobs.get((url, each[0])) is None]
    found = mount.storage.ranges([(url, at, at + length) for at, length in some])
    contents = [data if isinstance(data, bytes) else b"" for data in found]
    for (at, _), data in zip(some, contents, strict=True):
        mount.blobs.put((url, at), data)
    return contents[0]
