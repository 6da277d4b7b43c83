"""What stands below the given paths: event files and files of settings, and how they looked."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tbdiag.errors import NoRunsError
from tbdiag.model.place import Place, UrlPath, is_url
from tbdiag.reading.beside import settings_files, tells_settings
from tbdiag.reading.folders import Folders

OWN_FOLDER, OWN_SUFFIX = "tbdiag", ".tbdiag"  # of the summaries that tbdiag itself writes
_OWN_NAME = re.compile(r"events\.out\.tfevents\.\d{10,12}\.tbdiag\.[0-9a-f]{16}\.tbdiag")
_WORDS, _DIGITS = re.compile(r"[0-9]+|[^0-9]+"), "0123456789"
SKIPPED = frozenset({".tbdiag", ".git", "__pycache__"})


@dataclass(slots=True)
class Listing:
    """What stands below the given paths, in the order of a walk.

    ``settings`` holds the looks of files that may hold settings, by folder, as text, where there are no
    event files beside them; else they stand with these. ``unread`` lists (path, reason) of files and folders that could not be looked into.
    """

    folders: Folders = field(default_factory=Folders)
    settings: dict[str, str] = field(default_factory=dict)
    unread: list[tuple[str, str]] = field(default_factory=list)

    def line(self, folder: str) -> str:
        """All that reading a folder depends on, as text: equal lines, equal contents."""
        known = self.folders.inside(folder)
        settings = known and known.settings
        if settings is None:
            settings = self.settings.get(folder)
            if settings is None:
                settings = self.settings[folder] = _settings_in(folder)
        files = [f"{name}\0{look}" for name, look in known.looks.items()] if known else []
        return "\0".join([*files, settings])

    def note(self, folder: str, settings: str) -> None:
        """Notes how the files of settings in a folder look, of whose event files the last was added."""
        if not self.folders.note(folder, settings):
            self.settings[folder] = settings


def walk(
    paths: Collection[Place], follow_symlinks: bool = True, *, settings: bool = True
) -> Listing:
    """What stands below ``paths``, each an event file or a folder that is searched to its depths.

    A folder or file that is reached twice counts once, under its own name rather than a link's, so
    links may form loops. What a URL names is listed at once. How files of settings on disk look is noted
    where ``settings`` are wanted. Raises NoRunsError where a path does not exist or is a file that is
    not an event file.
    """
    walk = _Walk(follow_symlinks, settings)
    for path in paths:
        if isinstance(path, UrlPath):
            from tbdiag.reading.remote_listing import list_below

            list_below(path, walk.found)
        else:
            walk.start(path)
    walk.follow_links()
    return walk.found


def is_event_file(name: str, folder: str = "") -> bool:
    """Whether a file of this name in a folder of that name was written by a training run."""
    if "tfevents" not in name or name.startswith("._") or name.endswith(".profile-empty"):
        return False
    return not (name.endswith(OWN_SUFFIX) and (folder == OWN_FOLDER or is_own_name(name)))


def is_own_name(name: str) -> bool:
    """Whether tbdiag gives this name to the event files that it writes, and nobody else does."""
    return _OWN_NAME.fullmatch(name) is not None


@dataclass(slots=True)
class _Walk:
    """A walk under way: what it found, and where it has been."""

    follow: bool
    settings: bool
    found: Listing = field(default_factory=Listing)
    seen: dict[int, set[int]] = field(default_factory=dict)  # inodes of each device
    links: list[tuple[str, str]] = field(default_factory=list)

    def start(self, path: Path) -> None:
        given = os.path.abspath(path)  # noqa: PTH100 - resolve() would lose the name of a link
        try:
            is_folder = stat.S_ISDIR(os.stat(given).st_mode)  # noqa: PTH116 - names may be bytes
        except OSError as error:
            missing = isinstance(error, FileNotFoundError | NotADirectoryError)
            reason = "does not exist" if missing else f"cannot be read: {error.strerror}"
            raise NoRunsError(f"{path} {reason}") from error
        folder, name = os.path.split(given)
        if is_folder:
            self._folder(given, given)
        elif is_event_file(name, os.path.basename(folder)):  # noqa: PTH119 - a str, not a Path
            self._file(given, folder, name, folder)
        elif is_own_name(name):
            raise NoRunsError(f"{path} holds what tbdiag found in a run, and no run of its own")
        else:
            raise NoRunsError(f"{path} is not an event file: its name does not hold 'tfevents'")

    def follow_links(self) -> None:
        """Visit the links last, so that what they point to has its own name where it can."""
        while self.links and self.follow:
            links, self.links = self.links, []
            for path, root in sorted(links, key=lambda link: natural(link[0])):
                folder, name = os.path.split(path)
                if os.path.isdir(path):  # noqa: PTH112 - a str, not a Path
                    self._folder(path, root)
                elif is_event_file(name, os.path.basename(folder)):  # noqa: PTH119 - a str, not a Path
                    self._file(path, folder, name, root)

    def _folder(self, top: str, root: str) -> None:
        pending = [top]
        while pending:
            folder = pending.pop()
            try:
                if not self._first_visit(os.stat(folder)):  # noqa: PTH116 - a str, not a Path
                    continue
                with os.scandir(folder) as listing:
                    entries = list(listing)
            except OSError as error:
                self._unread(folder, error.strerror or str(error))
                continue
            if len(entries) > 1:
                entries.sort(key=lambda entry: natural(entry.name))
            below, aside = [], []
            own = folder.rpartition(os.sep)[2]
            for entry in entries:
                name = entry.name
                if self.settings and tells_settings(name):
                    aside.append(name)
                if entry.is_symlink():
                    self.links.append((entry.path, root))
                elif entry.is_dir():
                    if name not in SKIPPED:
                        below.append(entry.path)
                elif is_event_file(name, own):
                    self._file(entry.path, folder, name, root, entry)
            if self.settings:
                self.found.note(folder, _looks(settings_files(folder, aside)) if aside else "")
            pending.extend(reversed(below))

    def _file(
        self, path: str, folder: str, name: str, root: str, entry: os.DirEntry[str] | None = None
    ) -> None:
        try:
            status = entry.stat() if entry else os.stat(path)  # noqa: PTH116 - a str, not a Path
        except OSError as error:
            self._unread(path, error.strerror or str(error))
            return
        if not stat.S_ISREG(status.st_mode):
            self._unread(path, "not a regular file")
        elif not os.access(path, os.R_OK):
            self._unread(path, "Permission denied")
        elif self._first_visit(status):
            look = (status.st_ino, status.st_size, status.st_mtime_ns)
            self.found.folders.add(folder, name, look, root)

    def _first_visit(self, status: os.stat_result) -> bool:
        seen = self.seen.setdefault(status.st_dev, set())
        if status.st_ino in seen:
            return False
        seen.add(status.st_ino)
        return True

    def _unread(self, path: str, reason: str) -> None:
        self.found.unread.append((printable(path), reason))


def _settings_in(folder: str) -> str:
    """The looks of the files of settings in a folder that the walk did not pass."""
    if is_url(folder):  # all of them were listed
        return ""
    try:
        with os.scandir(folder) as listing:
            names = [entry.name for entry in listing if tells_settings(entry.name)]
    except OSError:
        return ""
    return _looks(settings_files(folder, names))


def _looks(paths: Iterator[str]) -> str:
    looks = []
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - a str, not a Path
        except OSError:
            continue
        looks.append(f"{path}\0{status.st_ino} {status.st_size} {status.st_mtime_ns}")
    return "\0".join(looks)


def natural(name: str) -> bytes:
    """A sort key by which ``run_2`` stands before ``run_10``; names that differ have keys that do.

    Bytes, since there may be many thousands: they compare like (number, as it is written) and text.
    """
    key = bytearray()
    for word in _WORDS.findall(name):
        if word[0] in _DIGITS:
            digits = word.lstrip("0") or "0"
            key += b"\1%c%c" % divmod(len(digits), 256)
            key += f"{digits}{word}\0".encode()
        else:
            text = word.encode("utf-8", "surrogatepass")
            key += b"\2%b\0\0" % text.replace(b"\0", b"\0\1")
    return bytes(key)


def printable(name: str) -> str:
    """A file name as text that any encoding of Unicode can write."""
    if name.isascii():
        return name
    return os.fsencode(name).decode("utf-8", "backslashreplace")
