"""From paths to runs and their event files, by the names of folders and a glance into some files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tbdiag.model.place import Place, back
from tbdiag.reading.layout import Layout, Part
from tbdiag.reading.listing import Listing, natural, printable, walk

_TOGETHER = 512  # folders that are glanced into together where they are far away


@dataclass(frozen=True, slots=True)
class EventFile:
    """An event file of a run, and how its tags are called there.

    ``where`` is its absolute path, or its URL, as text: there may be many thousands. A tag becomes ``prefix + tag``, and with a ``key`` ``prefix + tag + "/" + key``. Of a file that is
    ``hparams_only`` nothing but the hyperparameters belongs to the run.
    """

    where: str
    prefix: str = ""
    key: str = ""
    hparams_only: bool = False

    @property
    def path(self) -> Place:
        """Where it stands."""
        return back(self.where)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """A run and its event ``files``, in the order in which they are read; ``bytes`` in all.

    ``id`` is unique within a discovery and printable; ``top`` is the folder that was scanned. Both are
    text, since there may be many thousands.
    """

    id: str
    folder: str
    top: str
    files: tuple[EventFile, ...]
    bytes: int

    @property
    def path(self) -> Place:
        """The folder of the run."""
        return back(self.folder)

    @property
    def root(self) -> Place:
        """The folder that was scanned."""
        return back(self.top)


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found below the given paths: runs in natural order of their names.

    ``unread`` lists (path, reason) of files and folders that could not be looked into. ``glanced``
    are the folders of which a file was glanced into to tell what the runs are.
    """

    runs: tuple[RunFiles, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    glanced: tuple[str, ...] = field(default=(), compare=False)

    @property
    def bytes(self) -> int:
        """The size of all event files together."""
        return sum(run.bytes for run in self.runs)


def discover(paths: Sequence[Place], follow_symlinks: bool = True) -> Discovery:
    """The runs below ``paths``, each an event file or a folder that is searched to its depths.

    A folder or file that is reached twice counts once, under its own name rather than a link's, so
    links may form loops. What tbdiag wrote itself is left out. The result may hold no run. Raises
    NoRunsError where a path does not exist or is a file that is not an event file.
    """
    return discovered(walk(paths, follow_symlinks))


def discovered(listing: Listing) -> Discovery:
    """The runs in what was found below the given paths."""
    layout = Layout({folder: list(files) for folder, files in listing.folders.items()})
    owners: dict[str, list[Part]] = {}
    folders = list(listing.folders)
    for number, folder in enumerate(folders):
        if number % _TOGETHER == 0:
            layout.warm(folders[number : number + _TOGETHER])
        part = layout.part(folder)
        owners.setdefault(part.owner, []).append(part)
    runs = [_run(owner, members, listing) for owner, members in owners.items()]
    return Discovery(tuple(_named(runs)), tuple(listing.unread), layout.glanced)


def _run(owner: str, members: Sequence[Part], listing: Listing) -> RunFiles:
    files = [
        EventFile(f"{part.folder}{os.sep}{name}", part.prefix, part.key, part.hparams_only)
        for part in members
        for name in sorted(listing.folders[part.folder])
    ]
    root = listing.roots[members[0].folder]
    inside = os.path.relpath(owner, root)
    if inside == os.curdir or inside.startswith(os.pardir):
        inside = os.path.basename(owner) or owner  # noqa: PTH119 - a str, not a Path
    looks = (look for part in members for look in listing.folders[part.folder].values())
    return RunFiles(
        id=printable(inside.replace(os.sep, "/")),
        folder=owner,
        top=root,
        files=tuple(files),
        bytes=sum(size for _, size, _ in looks),
    )


def _named(runs: Sequence[RunFiles]) -> list[RunFiles]:
    """The runs in natural order, with ids that tell runs of several roots apart."""
    taken = Counter(run.id for run in runs)
    named = []
    used: set[str] = set()

    def order(run: RunFiles) -> tuple[list[tuple[int, int, str]], ...]:
        own = natural(run.id)
        return (own, natural(run.folder)) if taken[run.id] > 1 else (own,)

    for run in sorted(runs, key=order):
        name = run.id if taken[run.id] == 1 else printable(f"{run.root.name}/{run.id}")
        if name in used or (name != run.id and name in taken):
            name = printable(run.path.as_posix())
        used.add(name)
        named.append(
            RunFiles(id=name, folder=run.folder, top=run.top, files=run.files, bytes=run.bytes)
        )
    return named
