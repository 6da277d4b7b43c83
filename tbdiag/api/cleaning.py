"""Summaries taken away again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tbdiag.api.folders import default_folder, folders
from tbdiag.api.settings import Place, configured
from tbdiag.config import Config
from tbdiag.errors import NoRunsError
from tbdiag.summaries import cleaning


def clean(
    path: Place | Sequence[Place] | None = None,
    *,
    dry_run: bool = False,
    config: Config | Place | None = None,
) -> list[Path]:
    """Removes every summary that tbdiag wrote below the paths, and nothing else; returns the files.

    Without a path: where `scan` would look. Folders named ``tbdiag`` that hold nothing else are
    removed with them. With ``dry_run`` all stays. Raises NoRunsError where a path is no folder,
    SummaryError where a file cannot be removed.
    """
    paths = [default_folder(configured(config))] if path is None else folders(path)
    removed: dict[Path, None] = {}
    for each in paths:
        if not isinstance(each, Path):
            raise NoRunsError(f"{each} is not on this machine, and nothing was written there")
        removed |= dict.fromkeys(cleaning.clean(each, dry_run=dry_run))
    return list(removed)
