"""Runs that a scheduler starts, on whatever machine it likes: Ray and Slurm behind one launcher."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from tbdiag.errors import LaunchError
from tbdiag.launch import handed as notes
from tbdiag.launch import record as records
from tbdiag.launch.base import GRACE, Exit, How, Job
from tbdiag.launch.handed import Handed
from tbdiag.launch.node import Page
from tbdiag.launch.record import Record

_PAUSE = 0.1  # seconds between two looks while nothing else is to be done
_EVERY = 0.5  # seconds between two looks at the record of a run, which may be on a slow disk
_LAG = 10.0  # seconds within which what was written on a node is seen here
_SLACK = 10.0  # seconds after the grace until the scheduler is asked to end it by force
_PATIENCE = 30.0  # seconds after that until a run counts as lost


class Stage(Enum):
    """Where a run is, as its scheduler tells."""

    WAITING = "waiting"  # for resources
    RUNNING = "running"
    GONE = "gone"  # the scheduler has nothing of it any more


@dataclass(frozen=True, slots=True)
class Seen:
    """What a scheduler tells of a run: ``page`` is its record where that is not on a shared disk.

    ``note`` says why it is gone.
    """

    stage: Stage
    page: Page | None = None
    note: str = ""


class Scheduler(Protocol):
    """Who starts runs on a cluster. Nothing here waits longer than a call to it takes."""

    name: str  # as `--launcher` takes it
    label: str  # as people call it

    def submit(self, job: Job, handed: Handed) -> str:
        """Hands a run over and returns what it is called there; raises LaunchError."""

    def see(self, job: Job, handle: str) -> Seen:
        """Where a run is; brings back what it wrote where no disk is shared."""

    def waits(self, job: Job, handle: str) -> bool:
        """Whether a run has not begun, as far as can be told within a second."""

    def ask(self, job: Job, handle: str, grace: float) -> None:
        """Asks a run that has begun to end within ``grace`` seconds."""

    def cancel(self, handle: str) -> None:
        """Ends a run, or takes it out of the queue, at once."""

    def release(self, handle: str) -> None:
        """What was told of the run is known: nothing of it is needed any more."""


@dataclass(slots=True)
class _Run:
    job: Job
    handle: str
    since: float  # wall time
    asked: bool = False
    kill_at: float | None = None  # when the scheduler is asked to end it by force
    gone_at: float | None = None
    look_at: float = 0.0  # when its record is looked at again
    stage: Stage = Stage.WAITING


@dataclass(slots=True)
class ClusterLauncher:
    """What `Launcher` promises, by a scheduler; slots are runs that it was handed at a time."""

    scheduler: Scheduler
    slots: int = 1
    wall: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _runs: dict[str, _Run] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.slots < 1:
            raise ValueError("at least one slot")

    @property
    def running(self) -> tuple[str, ...]:
        """The ids of the jobs whose end `poll` has not told."""
        return tuple(self._runs)

    def start(self, job: Job) -> None:
        """Hands a job over; raises LaunchError where it cannot be, or was started before."""
        if len(self._runs) >= self.slots:
            raise ValueError("no slot is free")
        if records.place(job).exists():
            raise LaunchError(_twice(job))
        try:
            handed = notes.claim(job, self.scheduler.name, self.wall())
        except FileExistsError:
            raise LaunchError(_twice(job)) from None
        except OSError as error:
            raise LaunchError(f"{job.id} cannot be handed over: {error.strerror}") from None
        try:
            handle = self.scheduler.submit(job, handed)
        except LaunchError:
            notes.place(job).unlink(missing_ok=True)
            raise
        notes.keep(job, replace(handed, handle=handle))
        self._runs[job.id] = _Run(job=job, handle=handle, since=handed.at)

    def adopt(self, job: Job) -> bool:
        """Takes over what an earlier launcher handed over as this job; False where none did.

        Raises LaunchError where another kind of launcher may still be at it.
        """
        handed, record = notes.read(job), records.read(records.place(job))
        over = record is not None and record.how is not None
        if handed is None:
            if record is None:
                return False
            if not over:
                raise LaunchError(
                    f"{job.id} was started on {record.host} without {self.scheduler.label}: "
                    "go on with --launcher local there"
                )
        elif handed.launcher not in ("", self.scheduler.name) and not over:
            raise LaunchError(
                f"{job.id} was handed to {handed.launcher}: go on with --launcher {handed.launcher}"
            )
        handle = "" if handed is None else handed.handle
        since = self.wall() if handed is None else handed.at
        if handed is not None and not handle and not over:
            handle = _withdrawn(job, since)
        self._runs[job.id] = _Run(job=job, handle=handle, since=since)
        return True

    def poll(self) -> list[tuple[str, Exit]]:
        """(id, end) of the jobs that ended since the last time, each told once."""
        ended = []
        for name, run in list(self._runs.items()):
            if run.kill_at is not None and self.clock() >= run.kill_at and run.handle:
                self.scheduler.cancel(run.handle)
                run.kill_at = None
            if (end := self._end(run)) is not None:
                del self._runs[name]
                if run.handle:
                    self.scheduler.release(run.handle)
                ended.append((name, end))
        return ended

    def stop(self, id: str, grace: float = GRACE) -> None:  # noqa: A002 - the field of the job
        """Asks a run to end; one that still waits for resources is taken out of the queue."""
        if (run := self._runs.get(id)) is None:
            return
        run.asked = True
        run.kill_at = self.clock() + grace + _SLACK
        if not run.handle:
            with suppress(OSError):
                notes.ask(run.job, grace)
            return
        begun = run.stage is not Stage.WAITING or records.place(run.job).exists()
        if not begun and self.scheduler.waits(run.job, run.handle):
            self.scheduler.cancel(run.handle)
        else:
            self.scheduler.ask(run.job, run.handle, grace)

    def close(self, grace: float = GRACE) -> list[tuple[str, Exit]]:
        """Stops all runs and waits for their ends, which it returns."""
        for name in self._runs:
            self.stop(name, grace)
        until = self.clock() + grace + _SLACK + _PATIENCE
        ended = self.poll()
        while self._runs and self.clock() < until:
            self.sleep(_PAUSE)
            ended += self.poll()
        for name, run in self._runs.items():
            ended.append((name, self._gone(run, How.LOST, "it could not be ended")))
        self._runs.clear()
        return ended

    def _end(self, run: _Run) -> Exit | None:
        if self.clock() < run.look_at:
            return None
        run.look_at = self.clock() + _EVERY
        record = records.read(records.place(run.job))
        if record is not None and record.how is not None:
            return self._ending(run, record)
        if not run.handle:
            return None  # on a node that is known by its record alone
        seen = self.scheduler.see(run.job, run.handle)
        run.stage = seen.stage
        if seen.page is not None:
            _write(run.job, seen.page)
            if (record := records.of(seen.page)) is not None and record.how is not None:
                return self._ending(run, record)
            return self._gone(run, How.LOST, str(seen.page.get("note") or "nobody saw its end"))
        if seen.stage is not Stage.GONE:
            run.gone_at = None
            return None
        now = self.clock()
        run.gone_at = now if run.gone_at is None else run.gone_at
        if record is not None and now - run.gone_at < _LAG:
            return None  # its end may be on its way
        if run.asked:
            return self._gone(run, How.STOPPED, "it was stopped")
        return self._gone(run, How.LOST, seen.note or f"{self.scheduler.label} lost it")

    def _ending(self, run: _Run, record: Record) -> Exit:
        end = records.ending(record, run.job)
        if end.how is How.LOST and run.asked:
            return replace(end, how=How.STOPPED, reason="it was stopped")
        if end.how is How.STOPPED and not run.asked:
            why = (
                f"{self.scheduler.label} ended it: cancelled, out of time, or its place was needed"
            )
            return replace(end, reason=why)
        return end

    def _gone(self, run: _Run, how: How, reason: str) -> Exit:
        now = self.wall()
        return Exit(how=how, code=None, reason=reason, started=min(run.since, now), ended=now)


def _twice(job: Job) -> str:
    return f"{job.id} was started before: {notes.place(job)} tells of it"


def _write(job: Job, page: Page) -> None:
    """Keeps the record of a run whose disk is not shared, so that a later launcher finds it."""
    path = records.place(job)
    if not path.exists():
        draft = path.with_name(path.name + ".new")
        draft.write_text(json.dumps(page), "ascii")
        draft.replace(path)


def _withdrawn(job: Job, since: float) -> str:
    """The handle of a run of which nobody noted whether the scheduler took it, "" where none did.

    Where it has not begun, its place is taken, so that it never will.
    """
    page = {"host": "", "boot": "", "slot": 0, "supervisor": [0, None], "started": since}
    page |= {"child": None, "how": "lost", "code": None, "ended": since, "handle": ""}
    page["note"] = "tbdiag was killed while it handed it over, so it was withdrawn"
    try:
        file = os.open(records.place(job), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        record = records.read(records.place(job))
        return "" if record is None else record.handle
    with open(file, "w", encoding="ascii") as page_file:  # noqa: PTH123 - a file that is open
        page_file.write(json.dumps(page))
    return ""
