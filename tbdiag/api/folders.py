"""Runs on disk: load them, examine them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from tbdiag import __version__
from tbdiag.api.intake import Intake, Progress, quarter
from tbdiag.api.settings import Place, configured, strings
from tbdiag.config import Config
from tbdiag.errors import NoRunsError
from tbdiag.model.place import Place as Where
from tbdiag.model.place import UrlPath, place, secret
from tbdiag.model.run import Run

if TYPE_CHECKING:  # loading needs no rules
    from tbdiag.api.report import Report
    from tbdiag.scale.base import Pool

DEFAULT_FOLDERS = ("logs", "runs", "lightning_logs", "tb_logs")
FOLLOW_UPS = DEFAULT_FOLDERS[0]  # where those of runs that lie far away are logged
_POINT = 24  # bytes of a point in memory
_ROOM = 64 << 20  # bytes of curves that a report holds at most where nothing else is said
_WHOLE = 1000  # runs of a report after which the others are put aside as text


def load(
    path: Place | Sequence[Place],
    *,
    config: Config | Place | None = None,
    cache: bool = True,
    follow_symlinks: bool = True,
    jobs: int | None = None,
    verify: bool = False,
) -> list[Run]:
    """Every run below the paths that holds at least one curve, with its roles bound.

    With ``cache``, a run of which no file changed comes from the user's cache, and looks for its
    curves there when it is asked for them. ``config`` is a configuration or its file; without it the
    nearest one upward from the working directory counts. ``jobs`` folders are read at a time, by
    default one; with ``verify``, the checksums of images and histograms are compared as well, and
    nothing comes from the cache. Raises NoRunsError where nothing can be read.
    """
    return list(
        each_run(
            path,
            config=config,
            cache=cache,
            follow_symlinks=follow_symlinks,
            jobs=jobs,
            verify=verify,
        )
    )


def each_run(
    path: Place | Sequence[Place],
    *,
    config: Config | Place | None = None,
    cache: bool = True,
    follow_symlinks: bool = True,
    jobs: int | None = None,
    verify: bool = False,
    progress: Progress | None = None,
) -> Iterator[Run]:
    """What `load` gives, one run at a time; ``progress`` as in `scan`."""
    settings = configured(config)
    intake = Intake(folders(path), settings, cache, follow_symlinks, jobs, progress, verify=verify)
    for each in intake:
        yield each.run
    if not intake.any:
        intake.refuse()


def scan(
    path: Place | Sequence[Place] | None = None,
    *,
    select: str | Sequence[str] = (),
    ignore: str | Sequence[str] = (),
    config: Config | Place | None = None,
    progress: Progress | None = None,
    cache: bool = True,
    follow_symlinks: bool = True,
    jobs: int | None = None,
    memory: int | None = None,
    verify: bool = False,
    now: float | None = None,
    pool: Pool | None = None,
) -> Report:
    """Every rule's answer for every run below the paths, and for all of them together.

    Without a path, the ``logdir`` of the configuration, else the first of ``logs``, ``runs``,
    ``lightning_logs``, ``tb_logs`` that exists. ``select`` and ``ignore`` take rule codes, names and
    families (``"OPT"``). With ``cache``, runs and answers come from the user's cache where neither
    files nor rules changed; the report is the same. ``progress`` is called with an `At` after each
    folder. ``jobs`` folders are read at a time, by default one, or diagnosed by the workers of a
    ``pool``; ``verify`` as in `load`. Beyond ``memory`` bytes
    of curves, by default 64 MB, runs of the report keep only the curves that
    their findings speak of and look for the others when they are asked for them. A file that cannot
    be read, and a run without curves, stand in the report's ``unread``. Paths below the working
    directory are relative to it. Whether a live run stands still is judged at the wall time ``now``, in
    seconds; without it that is the time of the call. Raises NoRunsError where nothing at all could be
    examined, UnknownRuleError and ConfigError.
    """
    from tbdiag.api.report import Report
    from tbdiag.diagnosis.examine import examine_search
    from tbdiag.diagnosis.remember import placed, remembered
    from tbdiag.diagnosis.reports import Reports
    from tbdiag.diagnosis.select import select as select_rules
    from tbdiag.scale.batches import Job
    from tbdiag.scale.stream import stream
    from tbdiag.search import Search
    from tbdiag.search.entrant import needed

    settings = configured(config)
    selection = select_rules(settings, strings(select), strings(ignore))
    paths = [default_folder(settings)] if path is None else folders(path)
    at = time.time() if now is None else now
    objective = settings.train.objective if settings.train else None
    ahead = None
    if pool is not None:
        job = Job(
            selection=selection,
            roles=settings.roles,
            objective=objective,
            now=at,
            verify=verify,
            jobs=jobs,
            storage=settings.storage,
        )
        ahead = partial(stream, pool=pool, job=job)
    intake = Intake(
        paths,
        settings,
        cache,
        follow_symlinks,
        jobs,
        progress,
        relative=True,
        verify=verify,
        ahead=ahead,
    )
    room = min(quarter(), _ROOM) if memory is None else memory
    reports = Reports(intake.slots, _WHOLE)
    for group in intake.groups():
        answers = remembered([(slot, number, run) for slot, number, run, _ in group], selection, at)
        for (slot, number, run, where), report in zip(group, answers, strict=True):
            if slot.fresh:
                room -= _POINT * sum(map(len, run.series.values()))
                if room < 0 and not reports.full:
                    tags = {each.tag for finding in report.findings for each in finding.evidence}
                    tags |= needed(run, objective)
                    report = replace(report, run=slot.let_go(number, report.run, tags))
            place = placed(slot, number, run, objective, make=reports.full)
            reports.add(report, place, where, slot, number)
    if not reports:
        intake.refuse()
    search = Search(reports.runs, objective, reports.standings)
    outcomes, findings = examine_search(search, selection.search)
    return Report(
        version=__version__,
        digest=selection.digest,
        runs=tuple(reports) if len(reports) <= _WHOLE else reports,
        search=findings,
        search_outcomes=outcomes,
        unread=tuple(intake.unread),
        roots=tuple(dict.fromkeys(_root(each) for each in paths)),
        here=Path.cwd(),
    )


def default_folder(settings: Config) -> Where:
    """The log folder that is meant where none is named; raises NoRunsError."""
    if settings.logdir is not None:
        logdir = place(settings.logdir)
        return logdir if isinstance(logdir, UrlPath) else settings.root / logdir
    for name in DEFAULT_FOLDERS:
        if Path(name).is_dir():
            return Path(name)
    names = ", ".join(f"{name}/" for name in DEFAULT_FOLDERS)
    raise NoRunsError(f"no path was given, no logdir is configured, and there is none of {names}")


def _root(where: Where) -> PurePath:
    """The folder that a path is, or the one of the event file that it is."""
    if isinstance(where, UrlPath):
        return where.parent if "tfevents" in where.name else where
    whole = Path(os.path.abspath(where))  # noqa: PTH100 - resolve() would lose the name of a link
    return whole if whole.is_dir() else whole.parent


def folders(given: Place | Sequence[Place]) -> list[Where]:
    """The paths that are meant, one or several."""
    several = [given] if isinstance(given, str | os.PathLike) else given
    places = [place(each) for each in several]
    for each, where in zip(several, places, strict=True):
        if isinstance(where, UrlPath) and (told := secret(each)) is not None:
            from tbdiag.reading import remote

            remote.remember(*told)
    return places
