"""Runs on this machine, each watched by a supervisor that outlives the launcher."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tbdiag.errors import LaunchError
from tbdiag.launch import handed as notes
from tbdiag.launch import record as records
from tbdiag.launch import supervise
from tbdiag.launch.base import GRACE, Exit, How, Job
from tbdiag.launch.gpus import VISIBLE, gpus, share
from tbdiag.launch.program import program, search_path
from tbdiag.launch.record import Record

_PAUSE = 0.05  # seconds between two looks while nothing else is to be done
_BIRTH = 20.0  # seconds within which a supervisor has said its first words, also on a busy machine
_PATIENCE = 15.0  # seconds after the grace until a run counts as lost

Clock = Callable[[], float]
Sleep = Callable[[float], None]


@dataclass(slots=True)
class _Run:
    """A job that was started here or taken over; ``process`` is its supervisor where it is a child."""

    job: Job
    slot: int
    started: float
    process: subprocess.Popen[bytes] | None
    record: Record | None = None
    kill_at: float | None = None  # when its grace is over


@dataclass(slots=True)
class LocalLauncher:
    """What `Launcher` promises, by processes of this machine; POSIX only.

    Where there are several slots and GPUs, each slot sees its own. ``wall`` and ``clock`` give seconds
    since the epoch and since anything.
    """

    slots: int = 1
    wall: Clock = time.time
    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep
    gpus: tuple[str, ...] | None = None  # None: look for them
    _runs: dict[str, _Run] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if os.name != "posix":
            raise LaunchError("runs can be started on Linux and macOS only")
        if self.slots < 1:
            raise ValueError("at least one slot")
        if self.gpus is None:
            self.gpus = gpus() if self.slots > 1 else ()

    @property
    def running(self) -> tuple[str, ...]:
        """The ids of the jobs whose end `poll` has not told."""
        return tuple(self._runs)

    def start(self, job: Job) -> None:
        """Starts a job; raises LaunchError where it cannot be, or was started before."""
        if len(self._runs) >= self.slots:
            raise ValueError("no slot is free")
        if records.place(job).exists() or notes.place(job).exists():
            raise LaunchError(_twice(job))
        slot = self._free()
        environment = {**os.environ, "PATH": search_path(os.environ), **job.env}
        environment.setdefault("PYTHONUNBUFFERED", "1")  # the last words of a run that is killed
        if self.slots > 1 and self.gpus:
            environment[VISIBLE] = ",".join(share(self.gpus, slot, self.slots))
        first = program(job.argv[0], job.cwd, environment)
        started = self.wall()
        try:
            process = _supervised(job, slot, (first, *job.argv[1:]), environment)
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise LaunchError(f"{job.id} cannot be started in {job.cwd}: {reason}") from None
        self._runs[job.id] = _Run(job=job, slot=slot, started=started, process=process)

    def adopt(self, job: Job) -> bool:
        """Takes over what an earlier launcher started as this job; False where none did.

        Raises LaunchError where another machine may still be at it.
        """
        path = records.place(job)
        until = self.clock() + _BIRTH
        record = records.read(path)
        handed = notes.read(job)
        if handed is not None and (record is None or record.how is None):
            to = handed.launcher or "a cluster"
            raise LaunchError(f"{job.id} was handed to {to}: go on with --launcher {to}")
        while path.exists() and (record is None or record.unborn) and self.clock() < until:
            self.sleep(_PAUSE)
            record = records.read(path)
        if record is None:  # claimed by a supervisor that died of it: nothing was started
            path.unlink(missing_ok=True)
            return False
        if record.how is None and record.elsewhere:
            raise LaunchError(
                f"{job.id} was started on {record.host} and may still run there; "
                f"go on there, or end it and remove {path}"
            )
        self._runs[job.id] = _Run(
            job=job, slot=record.slot, started=record.started, process=None, record=record
        )
        return True

    def poll(self) -> list[tuple[str, Exit]]:
        """(id, end) of the jobs that ended since the last time, each told once."""
        ended = []
        for name, run in list(self._runs.items()):
            if run.kill_at is not None and self.clock() >= run.kill_at:
                self._signal(run, signal.SIGUSR1)
            if (end := self._end(run)) is not None:
                del self._runs[name]
                ended.append((name, end))
        return ended

    def stop(self, id: str, grace: float = GRACE) -> None:  # noqa: A002 - the field of the job
        """Asks a run to end; the first `poll` that is ``grace`` seconds later ends it."""
        if (run := self._runs.get(id)) is None:
            return
        if run.kill_at is None:
            self._signal(run, signal.SIGTERM)
        run.kill_at = self.clock() + grace

    def close(self, grace: float = GRACE) -> list[tuple[str, Exit]]:
        """Stops all runs and waits for their ends, which it returns."""
        for name in self._runs:
            self.stop(name, grace)
        until = self.clock() + grace + _PATIENCE
        ended = self.poll()
        while self._runs and self.clock() < until:
            self.sleep(_PAUSE)
            ended += self.poll()
        for name, run in self._runs.items():
            ended.append((name, self._lost(run, "it could not be ended")))
        self._runs.clear()
        return ended

    def _free(self) -> int:
        taken = {run.slot for run in self._runs.values()}
        return next(slot for slot in range(self.slots) if slot not in taken)

    def _signal(self, run: _Run, number: int) -> None:
        """Tells the supervisor, if it is there, and is what it was."""
        if run.process is not None:
            if run.process.poll() is None:
                run.process.send_signal(number)
        elif run.record is not None and run.record.watched:
            supervise.kill(run.record.supervisor[0], number)

    def _end(self, run: _Run) -> Exit | None:
        if run.process is not None:
            if run.process.poll() is None:
                return None
        elif run.record is not None and run.record.how is None and run.record.watched:
            return None
        record = records.read(records.place(run.job))
        if record is not None and record.how is not None:
            return records.ending(record, run.job)
        code = run.process.returncode if run.process is not None else None
        if record is not None:
            _sweep(record)
        if run.kill_at is not None:
            return self._gone(run, How.STOPPED, "it was stopped")
        if code == supervise.UNTOLD:
            return self._lost(run, "its end could not be written down, maybe as the disk is full")
        if code is None or code < 0:
            return self._lost(run, "its supervisor was killed")
        words = records.last_words(run.job.output)
        return self._lost(run, f"its supervisor failed with exit code {code}: {words}")

    def _lost(self, run: _Run, reason: str) -> Exit:
        return self._gone(run, How.LOST, reason)

    def _gone(self, run: _Run, how: How, reason: str) -> Exit:
        return Exit(how=how, code=None, reason=reason, started=run.started, ended=self.wall())


def _supervised(
    job: Job, slot: int, argv: Sequence[str], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """The supervisor of a run that has begun; raises LaunchError, OSError, ValueError."""
    interpreter = [sys.executable, "-I", "-S", str(Path(supervise.__file__))]
    limit = "inf" if job.timeout is None else repr(float(job.timeout))
    facts = json.dumps({"id": job.id, "slot": slot})
    path = records.place(job)
    path.parent.mkdir(parents=True, exist_ok=True)
    claimed, answer = os.pipe()
    try:
        with job.output.open("ab") as output:
            process = subprocess.Popen(
                [*interpreter, str(path), facts, limit, repr(GRACE), str(answer), *argv],
                cwd=job.cwd,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(answer,),
            )
        os.close(answer)
        answer = -1
        _begin(process, claimed, job)
    finally:
        os.close(claimed)
        if answer >= 0:
            os.close(answer)
    return process


def _begin(process: subprocess.Popen[bytes], claimed: int, job: Job) -> None:
    """Lets a run begin once its supervisor has claimed it; raises LaunchError where it does not."""
    ready, _, _ = select.select([claimed], [], [], _BIRTH)
    assert process.stdin is not None
    with process.stdin as go:
        if ready and os.read(claimed, 1):
            go.write(b".")
            return
        process.kill()
    code = process.wait()
    if code == supervise.CLAIMED:
        raise LaunchError(_twice(job))
    why = records.last_words(job.output) or f"exit code {code}"
    raise LaunchError(f"{job.id} cannot be watched, so it was not started: {why}")


def _twice(job: Job) -> str:
    return f"{job.id} was started before: {records.place(job)} tells of it"


def _sweep(record: Record) -> None:
    """Ends what a run has left whose supervisor was killed."""
    if record.child is None or record.boot != supervise.boot():
        return
    pid, birth = record.child
    if (now := supervise.born(pid)) not in (None, birth):
        return  # the number is somebody else's; while there is a group of it, it is given to nobody
    rest = [] if now is None else supervise.family(pid)
    supervise.kill(pid, signal.SIGKILL, group=True)
    for each in rest:
        supervise.kill(each, signal.SIGKILL)
