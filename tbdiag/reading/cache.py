"""Runs as they were read before, as long as nothing that they were read from has changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from tbdiag.model.role import Override, Role
from tbdiag.model.run import Run
from tbdiag.reading.bundle import pack, unpack
from tbdiag.reading.discover import RunFiles, is_event_file
from tbdiag.reading.plain import plain
from tbdiag.reading.runs import load
from tbdiag.reading.store import RUN, Store

# Folders beside the events in which settings are looked for.
_SETTINGS = re.compile(r"\.hydra|vis_data|checkpoint-\d+")

Overrides = Mapping[Role, Override]
Seen = dict[Path, list[list[Any]]]


def cached(
    store: Store, files: RunFiles, overrides: Overrides | None, seen: Seen
) -> tuple[tuple[Run, ...], str]:
    """What `load` reads, out of ``store`` where nothing changed, and the key of that state.

    The key covers path, inode, size and modification time of every event file and of the settings
    beside them, the overrides and tbdiag's own code. It is empty where a file cannot be looked at:
    then nothing is stored. ``seen`` keeps what stands in the folders for the runs of one scan.
    """
    key = state(files, overrides, seen)
    name = _name(files)
    content = store.get(name) if key else None
    if content is not None:
        try:
            found = unpack(content, key)
        except (ValueError, TypeError, KeyError, IndexError):
            found = None
        if found is not None:
            return found, key
    runs = load(files, overrides)
    if key:
        try:
            packed = pack(runs, key)
        except TypeError:
            packed = None
        if packed is not None:
            store.put(name, packed)
    return runs, key


def state(files: RunFiles, overrides: Overrides | None, seen: Seen) -> str:
    """A digest of all that the runs in ``files`` depend on; empty where a file is out of reach."""
    told: list[Any] = [code(), files.id, str(files.path), str(files.root), plain(overrides or {})]
    try:
        for file in files.files:
            status = file.path.stat()
            told.append([str(file.path), file.prefix, file.key, file.hparams_only])
            told.append([status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns])
        folders = [files.path]
        if files.root in files.path.parents:
            above = files.path.parents
            folders += [each for each in above if each == files.root or files.root in each.parents]
        for folder in folders:
            if folder not in seen:
                seen[folder] = _beside(folder)
            told.append(seen[folder])
    except OSError:
        return ""
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@lru_cache(maxsize=1)
def code() -> str:
    """A digest of the package's own source: whoever edits it never sees an old answer."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.suffix in (".py", ".toml"):
            digest.update(f"{path.relative_to(package)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _beside(folder: Path) -> list[list[Any]]:
    """Name, size and time of change of what stands in a folder beside the event files."""
    found: list[list[Any]] = []
    with os.scandir(folder) as listing:
        for entry in listing:
            if is_event_file(entry.name, folder.name):
                continue
            if entry.is_dir():
                if _SETTINGS.fullmatch(entry.name):
                    found.append([entry.name, _beside(Path(entry.path))])
            else:
                status = os.stat(entry.path) if entry.is_symlink() else entry.stat()  # noqa: PTH116
                found.append([entry.name, status.st_ino, status.st_size, status.st_mtime_ns])
    return sorted(found, key=lambda each: str(each[0]))


def _name(files: RunFiles) -> str:
    place = json.dumps([str(files.path), str(files.root), files.id])
    return hashlib.sha256(place.encode()).hexdigest()[:32] + RUN
