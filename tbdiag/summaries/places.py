"""Where the summaries of each run lie, and of each folder that was scanned."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from tbdiag.model.report import RunReport
from tbdiag.reading.listing import OWN_FOLDER
from tbdiag.summaries.contents import moment

_SESSION = re.compile(r" \[(.+)\]", re.DOTALL)  # in the id of one of several trainings in a folder
_UNSAFE = re.compile(r"[^\w.-]+|\.\.+", re.ASCII)


def whole(path: PurePath, here: Path) -> PurePath:
    """A path, relative to ``here``, in full; a URL as it is."""
    return path if _is_url(path) else Path(os.path.normpath(here / path))


def bases(roots: Sequence[PurePath], out: Path | None) -> dict[PurePath, PurePath]:
    """Maps each root to the folder that stands for it: itself, or one below ``out``."""
    if out is None:
        return {root: root for root in roots}
    if len(roots) == 1:
        return {roots[0]: out}
    found: dict[PurePath, PurePath] = {}
    taken: set[str] = set()
    for root in roots:
        name = _free(root.name or "root", taken)
        found[root] = out / name
    return found


def places(
    runs: Sequence[tuple[RunReport, PurePath]],
    stands: Mapping[PurePath, PurePath],
    out: Path | None,
) -> list[PurePath]:
    """The folder of the summaries of each of ``runs``, which come with their own folders.

    It is ``tbdiag`` below the run's own. Where several trainings share that, the newest has this one,
    and each of the others one below it.
    """
    found = [_below(folder, stands, out) / OWN_FOLDER for _, folder in runs]
    several: dict[PurePath, list[int]] = defaultdict(list)
    for at, place in enumerate(found):
        several[place].append(at)
    for place, members in several.items():
        newest = max(members, key=lambda at: (moment(runs[at][0].run).wall, at))
        taken: set[str] = set()
        for at in members:
            if at != newest:
                told = _SESSION.findall(runs[at][0].run.id)
                found[at] = place / _free(told[-1] if told else "training", taken)
    return found


def beneath(path: str, here: Path, roots: Sequence[PurePath]) -> str:
    """``path``, relative to ``here``, as it is told below the root that it lies in."""
    given = path if "://" in path else os.path.normpath(here / path)
    for root in roots:
        if given == str(root):
            return "."
        if given.startswith(above := str(root).rstrip(os.sep) + os.sep):
            return given.removeprefix(above).replace(os.sep, "/")
    return path


def _below(folder: PurePath, stands: Mapping[PurePath, PurePath], out: Path | None) -> PurePath:
    for root, base in stands.items():
        if folder.is_relative_to(root):
            return base / folder.relative_to(root)
    return folder if out is None else out / _free(folder.name, set())


def _is_url(path: PurePath) -> bool:
    return "://" in str(path)


def _free(name: str, taken: set[str]) -> str:
    """A name for a folder, safe on every system and not ``taken``; adds it to those."""
    stem = _UNSAFE.sub("_", name).strip("._-")[:80] or "training"
    found, turn = stem, 1
    while found.lower() in taken or found == OWN_FOLDER:
        turn += 1
        found = f"{stem}-{turn}"
    taken.add(found.lower())
    return found
