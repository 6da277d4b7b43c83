"""The way back: every file that tbdiag wrote among the logs, and nothing else, is removed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tbdiag.errors import NoRunsError, SummaryError
from tbdiag.journal.lock import Busy, locked
from tbdiag.reading.listing import OWN_FOLDER, is_own_name
from tbdiag.summaries import own

_PATIENCE = 60.0  # seconds to wait for a scan that is writing


def clean(path: Path, *, dry_run: bool = False) -> list[Path]:
    """Removes the summaries below ``path`` and the folders that hold nothing else; returns the files.

    A file counts as tbdiag's only where both its name and its first record say so. Links are not
    followed. With ``dry_run`` nothing is removed. Raises NoRunsError where there is no such folder,
    SummaryError where a file cannot be removed.
    """
    if not path.is_dir():
        raise NoRunsError(f"{path} is not a folder" if path.exists() else f"{path} does not exist")
    removed = []
    for folder, files in list(_found(path)):
        removed += files
        if not dry_run:
            _remove(folder, files)
    return removed


def _found(path: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Folders and what of tbdiag's lies in them, the deepest first."""
    for folder, _, names in os.walk(path, topdown=False):
        wanted = sorted(name for name in names if is_own_name(name) or own.is_draft(name))
        files = [Path(folder, name) for name in wanted if _is_own(Path(folder, name))]
        if files:
            yield Path(folder), files


def _is_own(path: Path) -> bool:
    return not path.is_symlink() and (own.is_draft(path.name) or own.is_own(path))


def _remove(folder: Path, files: list[Path]) -> None:
    ours = OWN_FOLDER in (folder.name, folder.parent.name)
    above = (
        folder if not ours else folder.parent if folder.name == OWN_FOLDER else folder.parents[1]
    )
    try:
        with locked(above, _PATIENCE):
            for each in files:
                each.unlink(missing_ok=True)
            if ours:
                _forget(folder)
    except Busy:
        raise SummaryError(
            f"another process has been writing in {folder} for {_PATIENCE:.0f} s"
        ) from None
    except OSError as error:
        raise SummaryError(f"{folder} cannot be cleaned: {error.strerror or error}") from None


def _forget(folder: Path) -> None:
    """Removes the folder if it is empty, and that of which it was a part."""
    with suppress(OSError):  # somebody else's file is in it
        folder.rmdir()
        if folder.name != OWN_FOLDER:
            folder.parent.rmdir()
