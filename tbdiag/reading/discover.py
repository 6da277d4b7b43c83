"""From paths to runs and their event files, by the names of folders and a glance into some files."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tbdiag.errors import NoRunsError
from tbdiag.reading.layout import Part, parts_of

_SKIPPED_FOLDERS = frozenset({".tbdiag", ".git", "__pycache__"})


@dataclass(frozen=True, slots=True)
class EventFile:
    """An event file of a run, and how its tags are called there.

    A tag becomes ``prefix + tag``, and with a ``key`` ``prefix + tag + "/" + key``. Of a file that is
    ``hparams_only`` nothing but the hyperparameters belongs to the run.
    """

    path: Path
    prefix: str = ""
    key: str = ""
    hparams_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """A run and its event ``files``, in the order in which they are read; ``bytes`` in all.

    ``id`` is unique within a discovery and printable; ``root`` is the folder that was scanned.
    """

    id: str
    path: Path
    root: Path
    files: tuple[EventFile, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found below the given paths: runs in natural order of their names.

    ``unread`` lists (path, reason) of files and folders that could not be looked into.
    """

    runs: tuple[RunFiles, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def bytes(self) -> int:
        """The size of all event files together."""
        return sum(run.bytes for run in self.runs)


def discover(paths: Sequence[Path], follow_symlinks: bool = True) -> Discovery:
    """The runs below ``paths``, each an event file or a folder that is searched to its depths.

    A folder or file that is reached twice counts once, under its own name rather than a link's, so
    links may form loops. What tbdiag wrote itself is left out. The result may hold no run. Raises
    NoRunsError where a path does not exist or is a file that is not an event file.
    """
    walk = _Walk(follow_symlinks)
    for path in paths:
        walk.start(path)
    walk.follow_links()
    parts = parts_of({folder: list(files) for folder, files in walk.folders.items()})
    owners: dict[str, list[Part]] = {}
    for part in parts:
        owners.setdefault(part.owner, []).append(part)
    runs = [_run(owner, members, walk) for owner, members in owners.items()]
    return Discovery(tuple(_named(runs)), tuple(walk.unread))


def is_event_file(name: str, folder: str = "") -> bool:
    """Whether a file of this name in a folder of that name was written by a training run."""
    if "tfevents" not in name or name.startswith("._") or name.endswith(".profile-empty"):
        return False
    return not (folder == "tbdiag" and name.endswith(".tbdiag"))


@dataclass(slots=True)
class _Walk:
    """Folders with event files below the given paths: folder → file → size, and folder → root."""

    follow: bool
    folders: dict[str, dict[str, int]] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    unread: list[tuple[str, str]] = field(default_factory=list)
    seen: set[tuple[int, int]] = field(default_factory=set)
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
            self._file(given, folder)
        else:
            raise NoRunsError(f"{path} is not an event file: its name does not hold 'tfevents'")

    def follow_links(self) -> None:
        """Visit the links last, so that what they point to has its own name where it can."""
        while self.links:
            links, self.links = self.links, []
            for path, root in sorted(links, key=lambda link: natural(link[0])):
                if os.path.isdir(path):  # noqa: PTH112 - a str, not a Path
                    self._folder(path, root)
                elif is_event_file(*reversed(os.path.split(path))):
                    self._file(path, root)

    def _folder(self, top: str, root: str) -> None:
        pending = [top]
        while pending:
            folder = pending.pop()
            try:
                if not self._first_visit(os.stat(folder)):  # noqa: PTH116 - a str, not a Path
                    continue
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: natural(entry.name))
            except OSError as error:
                self._unread(folder, error.strerror or str(error))
                continue
            below = []
            own = os.path.basename(folder)  # noqa: PTH119 - a str, not a Path
            for entry in entries:
                if entry.is_symlink():
                    if self.follow:
                        self.links.append((entry.path, root))
                elif entry.is_dir():
                    if entry.name not in _SKIPPED_FOLDERS:
                        below.append(entry.path)
                elif is_event_file(entry.name, own):
                    self._file(entry.path, root)
            pending.extend(reversed(below))

    def _file(self, path: str, root: str) -> None:
        try:
            status = os.stat(path)  # noqa: PTH116 - a str, not a Path
        except OSError as error:
            self._unread(path, error.strerror or str(error))
            return
        if not stat.S_ISREG(status.st_mode):
            self._unread(path, "not a regular file")
        elif not os.access(path, os.R_OK):
            self._unread(path, "Permission denied")
        elif self._first_visit(status):
            folder, name = os.path.split(path)
            self.folders.setdefault(folder, {})[name] = status.st_size
            self.roots.setdefault(folder, root)

    def _first_visit(self, status: os.stat_result) -> bool:
        identity = (status.st_dev, status.st_ino)
        if identity in self.seen:
            return False
        self.seen.add(identity)
        return True

    def _unread(self, path: str, reason: str) -> None:
        self.unread.append((printable(path), reason))


def _run(owner: str, members: Iterable[Part], walk: _Walk) -> RunFiles:
    members = list(members)
    files = [
        EventFile(Path(part.folder, name), part.prefix, part.key, part.hparams_only)
        for part in members
        for name in sorted(walk.folders[part.folder])
    ]
    root = walk.roots[members[0].folder]
    inside = os.path.relpath(owner, root)
    if inside == os.curdir or inside.startswith(os.pardir):
        inside = os.path.basename(owner) or owner  # noqa: PTH119 - a str, not a Path
    size = sum(sum(walk.folders[part.folder].values()) for part in members)
    return RunFiles(
        id=printable(inside.replace(os.sep, "/")),
        path=Path(owner),
        root=Path(root),
        files=tuple(files),
        bytes=size,
    )


def _named(runs: Sequence[RunFiles]) -> list[RunFiles]:
    """The runs in natural order, with ids that tell runs of several roots apart."""
    taken = Counter(run.id for run in runs)
    named = []
    used: set[str] = set()
    for run in sorted(runs, key=lambda run: (natural(run.id), natural(str(run.path)))):
        name = run.id if taken[run.id] == 1 else printable(f"{run.root.name}/{run.id}")
        if name in used or (name != run.id and name in taken):
            name = printable(run.path.as_posix())
        used.add(name)
        named.append(
            RunFiles(id=name, path=run.path, root=run.root, files=run.files, bytes=run.bytes)
        )
    return named


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key by which ``run_2`` stands before ``run_10``."""
    return [
        (0, int(word), word) if word.isdecimal() else (1, 0, word)
        for word in re.split(r"([0-9]+)", name)
        if word
    ]


def printable(name: str) -> str:
    """A file name as text that any encoding of Unicode can write."""
    if name.isascii():
        return name
    return os.fsencode(name).decode("utf-8", "backslashreplace")
