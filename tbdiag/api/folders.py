"""Runs on disk: load them, examine them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from tbdiag import __version__
from tbdiag.api.settings import Place, configured, strings
from tbdiag.config import Config, shown
from tbdiag.errors import NoRunsError
from tbdiag.model.run import Run
from tbdiag.reading import runs as reading
from tbdiag.reading.discover import discover

if TYPE_CHECKING:  # loading needs no rules, and reading all anew no cache
    from tbdiag.api.report import Report
    from tbdiag.reading.store import Store

Progress = Callable[[int, int], object]
Unread = tuple[str, str]

DEFAULT_FOLDERS = ("logs", "runs", "lightning_logs", "tb_logs")


def load(
    path: Place | Sequence[Place],
    *,
    config: Config | Place | None = None,
    cache: bool = True,
    follow_symlinks: bool = True,
) -> list[Run]:
    """Every run below the paths that holds at least one curve, with its roles bound.

    With ``cache``, a run of which no file changed comes from the user's cache.
    ``config`` is a configuration or its file; without it the nearest one upward from the working
    directory counts. Raises NoRunsError where nothing can be read.
    """
    return list(each_run(path, config=config, cache=cache, follow_symlinks=follow_symlinks))


def each_run(
    path: Place | Sequence[Place],
    *,
    config: Config | Place | None = None,
    cache: bool = True,
    follow_symlinks: bool = True,
    progress: Progress | None = None,
) -> Iterator[Run]:
    """What `load` gives, one run at a time; ``progress`` as in `scan`."""
    paths, unread, none = _paths(path), list[Unread](), True
    store = _store(cache)
    for run, _ in _runs(paths, configured(config), unread, progress, store, follow_symlinks):
        none = False
        yield run
    if none:
        _nothing(paths, unread)


def scan(
    path: Place | Sequence[Place] | None = None,
    *,
    select: str | Sequence[str] = (),
    ignore: str | Sequence[str] = (),
    config: Config | Place | None = None,
    progress: Progress | None = None,
    cache: bool = True,
    follow_symlinks: bool = True,
) -> Report:
    """Every rule's answer for every run below the paths.

    Without a path, the ``logdir`` of the configuration, else the first of ``logs``, ``runs``,
    ``lightning_logs``, ``tb_logs`` that exists. ``select`` and ``ignore`` take rule codes, names and
    families (``"OPT"``). With ``cache``, runs and answers come from the user's cache where neither
    files nor rules changed; the report is the same. ``progress`` is called with the bytes done so far and in total. A file that
    cannot be read, and a run without curves, stand in the report's ``unread``. Paths below the
    working directory are relative to it. Raises NoRunsError where nothing at all could be examined,
    UnknownRuleError and ConfigError.
    """
    from tbdiag.api.report import Report
    from tbdiag.diagnosis.examine import examine
    from tbdiag.diagnosis.remember import remembered
    from tbdiag.diagnosis.select import select as select_rules

    settings = configured(config)
    selection = select_rules(settings, strings(select), strings(ignore))
    paths, unread = [_default(settings)] if path is None else _paths(path), list[Unread]()
    store, reports = _store(cache), []
    for found, key in _runs(paths, settings, unread, progress, store, follow_symlinks):
        run = replace(found, path=Path(shown(Path(found.path))))
        reports.append(remembered(store, run, selection, key) if store else examine(run, selection))
    if not reports:
        _nothing(paths, unread)
    return Report(
        version=__version__, digest=selection.digest, runs=tuple(reports), unread=tuple(unread)
    )


def _store(wanted: bool) -> Store | None:
    if not wanted:
        return None
    from tbdiag.reading.store import default_store

    return default_store()


def _runs(
    paths: Sequence[Path],
    settings: Config,
    unread: list[Unread],
    progress: Progress | None,
    store: Store | None,
    follow_symlinks: bool,
) -> Iterator[tuple[Run, str]]:
    """The runs below the paths one by one, each with the key of its state in the ``store``.

    What cannot be examined is added to ``unread``.
    """
    if store:
        from tbdiag.reading.cache import cached
    found = discover(paths, follow_symlinks)
    unread += [(shown(Path(path)), reason) for path, reason in found.unread]
    done, seen = 0, dict[Path, list[list[Any]]]()
    for files in found.runs:
        runs, key = (
            cached(store, files, settings.roles, seen)
            if store
            else (reading.load(files, settings.roles), "")
        )
        for run in runs:
            if run.series or run.histograms:
                yield run, key
            else:
                unread.append((shown(Path(run.path)), _why_empty(run)))
        done += files.bytes
        if progress:
            progress(done, found.bytes)
    if store:
        store.trim()


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
