"""Runs on disk: load them, examine them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from tbdiag import __version__
from tbdiag.api.report import Report
from tbdiag.api.settings import Place, configured, strings
from tbdiag.config import Config, shown
from tbdiag.diagnosis.examine import examine
from tbdiag.diagnosis.select import select as select_rules
from tbdiag.errors import NoRunsError
from tbdiag.model.run import Run
from tbdiag.reading.discover import discover
from tbdiag.reading.runs import read_all

Progress = Callable[[int, int], object]
Unread = tuple[str, str]

DEFAULT_FOLDERS = ("logs", "runs", "lightning_logs", "tb_logs")


def load(path: Place | Sequence[Place], *, config: Config | Place | None = None) -> list[Run]:
    """Every run below the paths that holds at least one curve, with its roles bound.

    ``config`` is a configuration or its file; without it the nearest one upward from the working
    directory counts. Raises NoRunsError where nothing can be read.
    """
    paths, unread = _paths(path), list[Unread]()
    return list(_runs(paths, configured(config), unread)) or _nothing(paths, unread)


def scan(
    path: Place | Sequence[Place] | None = None,
    *,
    select: str | Sequence[str] = (),
    ignore: str | Sequence[str] = (),
    config: Config | Place | None = None,
    progress: Progress | None = None,
) -> Report:
    """Every rule's answer for every run below the paths.

    Without a path, the ``logdir`` of the configuration, else the first of ``logs``, ``runs``,
    ``lightning_logs``, ``tb_logs`` that exists. ``select`` and ``ignore`` take rule codes, names and
    families (``"OPT"``). ``progress`` is called with the bytes done so far and in total. A file that
    cannot be read, and a run without curves, stand in the report's ``unread``. Paths below the
    working directory are relative to it. Raises NoRunsError where nothing at all could be examined,
    UnknownRuleError and ConfigError.
    """
    settings = configured(config)
    selection = select_rules(settings, strings(select), strings(ignore))
    paths, unread = [_default(settings)] if path is None else _paths(path), list[Unread]()
    reports = tuple(
        examine(replace(run, path=Path(shown(Path(run.path)))), selection)
        for run in _runs(paths, settings, unread, progress)
    )
    if not reports:
        _nothing(paths, unread)
    return Report(version=__version__, digest=selection.digest, runs=reports, unread=tuple(unread))


def _runs(
    paths: Sequence[Path], settings: Config, unread: list[Unread], progress: Progress | None = None
) -> Iterator[Run]:
    """The runs below the paths one by one; what cannot be examined is added to ``unread``."""
    found = discover(paths)
    unread += [(shown(Path(path)), reason) for path, reason in found.unread]
    done = 0
    for files, runs in read_all(found, settings.roles):
        for run in runs:
            if run.series or run.histograms:
                yield run
            else:
                unread.append((shown(Path(run.path)), _why_empty(run)))
        done += files.bytes
        if progress:
            progress(done, found.bytes)


def _why_empty(run: Run) -> str:
    damages = run.provenance.damages
    return damages[0].reason if damages else "it holds no scalars and no histograms"


def _nothing(paths: Sequence[Path], unread: Sequence[Unread]) -> NoReturn:
    """Says in one sentence why there is nothing to examine."""
    where = " and ".join(str(path) for path in paths)
    if not unread:
        raise NoRunsError(f'no event files below {where}: no file there has "tfevents" in its name')
    (first, reason), more = unread[0], len(unread) - 1
    rest = f", and {more} more could not be examined either" if more else ""
    raise NoRunsError(f"nothing to examine below {where}: {first}: {reason}{rest}")


def _default(settings: Config) -> Path:
    if settings.logdir is not None:
        return settings.root / settings.logdir
    for name in DEFAULT_FOLDERS:
        if Path(name).is_dir():
            return Path(name)
    names = ", ".join(f"{name}/" for name in DEFAULT_FOLDERS)
    raise NoRunsError(f"no path was given, no logdir is configured, and there is none of {names}")


def _paths(given: Place | Sequence[Place]) -> list[Path]:
    several = [given] if isinstance(given, str | os.PathLike) else given
    return [Path(each) for each in several]
