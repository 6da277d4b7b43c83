"""What stands below a URL: one listing of all of it, and what it tells like a walk through folders."""

from __future__ import annotations

from tbdiag.errors import NoRunsError
from tbdiag.model.place import UrlPath
from tbdiag.reading import remote
from tbdiag.reading.beside import settings_files, tells_settings
from tbdiag.reading.listing import SKIPPED, Listing, is_event_file, natural, printable
from tbdiag.reading.storage import Info


def list_below(url: UrlPath, found: Listing) -> None:
    """Adds what stands below ``url``, an event file or a folder, in the order of a walk.

    Raises NoRunsError where there is nothing, or a file that is no event file.
    """
    mount = remote.mounted(url)
    mount.forget()
    below = mount.storage.below(url)
    top = str(url)
    if "" in below:
        folder, name = str(url.parent), url.name
        if not is_event_file(name, url.parent.name):
            raise NoRunsError(f"{url} is not an event file: its name does not hold 'tfevents'")
        _add(found, folder, name, below[""], folder)
        return
    folders: dict[str, dict[str, Info]] = {}
    inner: dict[str, set[str]] = {}
    for path, info in below.items():
        *above, name = path.split("/")
        if not all((*above, name)) or {".", ".."} & {*above, name}:
            if name:  # else it only stands for a folder
                reason = "its name cannot be told from another one as a path"
                found.unread.append((printable(f"{top}/{path}"), reason))
            continue
        for depth in range(len(above)):
            inner.setdefault("/".join(above[:depth]), set()).add(above[depth])
        folders.setdefault("/".join(above), {})[name] = info
    for inside in sorted({*folders, *inner}, key=_order):
        parts = inside.split("/") if inside else []
        folder = "/".join([top, *parts])
        files = folders.get(inside, {})
        if SKIPPED.isdisjoint(parts):
            for name in sorted(files, key=natural):
                if is_event_file(name, folder.rpartition("/")[2]):
                    _add(found, folder, name, files[name], top)
        aside = [n for n in (*files, *inner.get(inside, ())) if tells_settings(n)]
        if aside:
            _settings(found, mount, folder, aside, below, len(top) + 1)


def _order(inside: str) -> list[bytes]:
    return [natural(part) for part in inside.split("/")] if inside else []


def _add(found: Listing, folder: str, name: str, info: Info, root: str) -> None:
    path = f"{folder}/{name}"
    if folder in found.folders and name in found.folders[folder]:
        return  # given twice
    remote.mounted(path).infos[path] = info
    found.folders.add(folder, name, (info.mark, info.size, info.changed), root)


def _settings(
    found: Listing,
    mount: remote.Mount,
    folder: str,
    names: list[str],
    below: dict[str, Info],
    start: int,
) -> None:
    """Notes the files of settings in a folder, in which ``names`` stand."""
    there = [path for path in settings_files(folder, names) if path[start:] in below]
    looks = []
    for path in there:
        info = mount.infos[path] = below[path[start:]]
        looks.append(f"{path}\0{info.mark} {info.size} {info.changed}")
    if there:
        mount.settings[folder] = tuple(there)
        found.note(folder, "\0".join(looks))
