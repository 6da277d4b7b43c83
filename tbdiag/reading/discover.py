"""From paths to runs and their event files, by the names of folders and a glance into some files."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tbdiag.model.place import Place, back
from tbdiag.reading.layout import Layout, Part
from tbdiag.reading.listing import Listing, natural, printable, walk
from tbdiag.reading.spool import HELD, Chosen, Spooled

_TOGETHER = 512  # folders that are glanced into together where they are far away


class EventFile(NamedTuple):
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


class RunFiles(NamedTuple):
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

    Of more than a thousand the others are put aside, and made anew when somebody asks. ``unread`` lists (path, reason) of files and folders that could not be looked into. ``glanced``
    are the folders of which a file was glanced into to tell what the runs are.
    """

    runs: Sequence[RunFiles] = ()
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
    return discovered(walk(paths, follow_symlinks, settings=False))


def discovered(listing: Listing) -> Discovery:
    """The runs in what was found below the given paths."""
    layout = Layout(listing.folders)
    runs: Spooled[RunFiles] = Spooled(_dumped, _loaded)
    keys: list[bytes] = []
    for owner, members in _owned(layout, list(listing.folders)):
        parts = [Part(each, each) if each == owner else layout.part(each) for each in members]
        run = _run(owner, parts, listing)
        runs.append(run)
        keys.append(natural(run.id))
    return Discovery(_named(runs, keys), tuple(listing.unread), layout.glanced)


def _owned(layout: Layout, folders: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each folder that is a run, and the folders with its files in the order of the listing."""
    alone = array("Q")  # most are: a number of each is all that is held
    parts: dict[str, list[int]] = {}
    for number, folder in enumerate(folders):
        if number % _TOGETHER == 0:
            layout.warm(folders[number : number + _TOGETHER])
        owner = layout.part(folder).owner
        if owner == folder:
            alone.append(number)
        else:
            parts.setdefault(owner, []).append(number)
    for number in alone:
        members = sorted([number, *parts.pop(folders[number], ())])
        yield folders[number], [folders[each] for each in members]
    for owner, numbers in parts.items():
        yield owner, [folders[each] for each in numbers]


def _run(owner: str, members: Sequence[Part], listing: Listing) -> RunFiles:
    found = [listing.folders[part.folder] for part in members]
    files = [
        EventFile(f"{part.folder}{os.sep}{name}", part.prefix, part.key, part.hparams_only)
        for part, looks in zip(members, found, strict=True)
        for name in sorted(looks)
    ]
    root = listing.folders.root(members[0].folder)
    return RunFiles(
        id=_inside(owner, root),
        folder=owner,
        top=root,
        files=tuple(files),
        bytes=sum(size for looks in found for _, size, _ in looks.values()),
    )


def _inside(folder: str, root: str) -> str:
    """The name of a folder of runs below the one that was scanned."""
    inside = os.path.relpath(folder, root)
    if inside == os.curdir or inside.startswith(os.pardir):
        inside = os.path.basename(folder) or folder  # noqa: PTH119 - a str, not a Path
    return printable(inside.replace(os.sep, "/"))


def order(folder: str, root: str) -> bytes:
    """A key by which runs stand in the order of a discovery, whatever else is found there."""
    return b"%b\0%b" % (natural(_inside(folder, root)), natural(folder))


def _named(runs: Spooled[RunFiles], keys: Sequence[bytes]) -> Sequence[RunFiles]:
    """The runs in natural order, with ids that tell runs of several roots apart.

    ``keys`` are the natural ones of their ids, in the order of the runs; those that need another name
    are added to them.
    """
    order = sorted(range(len(runs)), key=keys.__getitem__)
    places = array("Q", order)
    taken: list[bytes] = []  # the keys in order, where they are asked for
    used: set[str] = set()
    at = 0
    while at < len(order):
        end = at + 1
        while end < len(order) and keys[order[end]] == keys[order[at]]:
            end += 1
        if end > at + 1:
            taken = taken or [keys[each] for each in order]
            alike = sorted(order[at:end], key=lambda each: natural(runs[each].folder))
            for place, number in enumerate(alike, at):
                run = runs[number]
                name = printable(f"{run.root.name}/{run.id}")
                if name in used or _among(natural(name), taken):
                    name = printable(run.path.as_posix())
                used.add(name)
                places[place] = len(runs)
                runs.append(run._replace(id=name))
        at = end
    found = Chosen(runs, places)
    return tuple(found) if len(found) <= HELD else found


def _among(key: bytes, keys: Sequence[bytes]) -> bool:
    at = bisect_left(keys, key)
    return at < len(keys) and keys[at] == key


def _dumped(run: RunFiles) -> bytes:
    import json  # only where there are thousands

    files = [[each.where, each.prefix, each.key, each.hparams_only] for each in run.files]
    return json.dumps([run.id, run.folder, run.top, files, run.bytes]).encode()


def _loaded(text: bytes) -> RunFiles:
    import json

    name, folder, top, files, size = json.loads(text)
    found = tuple([EventFile(*each) for each in files])
    return RunFiles(id=name, folder=folder, top=top, files=found, bytes=size)
