"""Runs of a Python function, each in a child process, so that it can be timed out and be stopped."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from tbdiag.errors import LaunchError
from tbdiag.launch import supervise
from tbdiag.launch.base import GRACE, Exit, How, Job
from tbdiag.launch.command import PARAMS
from tbdiag.launch.function import Training, lost, went_down
from tbdiag.launch.gpus import VISIBLE, gpus, share
from tbdiag.launch.record import last_words

_PAUSE = 0.05  # seconds between two looks while nothing else is to be done
_ORPHAN = 0.5  # seconds between two looks of a child at whether its parent still is there
_FAILED = 1


@dataclass(slots=True)
class _Child:
    job: Job
    pid: int
    slot: int
    started: float
    until: float | None  # when its time is up, by the clock
    how: How | None = None  # why it is being ended
    kill_at: float | None = None  # when its grace is over


@dataclass(slots=True)
class ForkedLauncher:
    """Calls ``train(params, logdir)`` for each job in a fork of this process; POSIX only.

    A child has the state that this process has, such as data that is loaded, and what it changes is lost
    with it. What it prints goes to the job's output. Accelerators must not be in use here yet, and no
    thread may hold a lock: neither survives a fork. A child ends itself soon after its parent is killed.
    """

    train: Training
    slots: int = 1
    wall: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    gpus: tuple[str, ...] | None = None  # None: look for them
    _children: dict[str, _Child] = field(default_factory=dict)
    _ended: list[tuple[str, Exit]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not hasattr(os, "fork"):
            raise LaunchError("a function can be called in a child process on Linux and macOS only")
        if self.slots < 1:
            raise ValueError("at least one slot")
        if self.gpus is None:
            self.gpus = gpus() if self.slots > 1 else ()

    @property
    def running(self) -> tuple[str, ...]:
        """The ids of the jobs whose end `poll` has not told."""
        return (*self._children, *(name for name, _ in self._ended))

    def start(self, job: Job) -> None:
        """Begins a child; raises LaunchError where there can be none."""
        if len(self._children) >= self.slots:
            raise ValueError("no slot is free")
        slot = self._free()
        job.output.parent.mkdir(parents=True, exist_ok=True)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # or the child would print it once more
        started, parent = self.wall(), os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            raise LaunchError(f"{job.id} cannot be started: {error.strerror}") from None
        if pid == 0:
            self._be_child(job, slot, parent)
        until = None if job.timeout is None else self.clock() + job.timeout
        self._children[job.id] = _Child(job, pid, slot, started, until)

    def adopt(self, job: Job) -> bool:
        """Takes over a run that a killed process began: it went down with it."""
        self._ended.append((job.id, went_down(self.wall())))
        return True

    def poll(self) -> list[tuple[str, Exit]]:
        """(id, end) of the runs that ended since the last time, each told once."""
        for name, child in list(self._children.items()):
            now = self.clock()
            if child.kill_at is None and child.until is not None and now >= child.until:
                self._ask(child, How.TIMED_OUT, GRACE)
            if child.kill_at is not None and now >= child.kill_at:
                self._signal(child, signal.SIGKILL)
            if (end := self._end(child)) is not None:
                del self._children[name]
                self._ended.append((name, end))
        ended, self._ended = self._ended, []
        return ended

    def stop(self, id: str, grace: float = GRACE) -> None:  # noqa: A002 - the field of the job
        """Asks a run to end; the first `poll` that is ``grace`` seconds later ends it."""
        if (child := self._children.get(id)) is not None:
            self._ask(child, How.STOPPED, grace)

    def close(self, grace: float = GRACE) -> list[tuple[str, Exit]]:
        """Stops all runs and waits for their ends, which it returns."""
        for name in self._children:
            self.stop(name, grace)
        ended = self.poll()
        while self._children:
            self.sleep(_PAUSE)
            ended += self.poll()
        return ended

    def _free(self) -> int:
        taken = {child.slot for child in self._children.values()}
        return next(slot for slot in range(self.slots) if slot not in taken)

    def _ask(self, child: _Child, how: How, grace: float) -> None:
        if child.kill_at is None:
            self._signal(child, signal.SIGTERM)
            child.how = how
        child.kill_at = self.clock() + grace

    @staticmethod
    def _signal(child: _Child, number: int) -> None:
        """To the child and its group, which it may not have yet."""
        if not supervise.kill(child.pid, number, group=True):
            supervise.kill(child.pid, number)

    def _end(self, child: _Child) -> Exit | None:
        try:
            pid, status = os.waitpid(child.pid, os.WNOHANG)
        except ChildProcessError:  # somebody else in this process waited for it
            supervise.kill(child.pid, signal.SIGKILL, group=True)
            return lost(child.started, self.wall(), "somebody else took its end")
        if pid == 0:
            return None
        supervise.kill(child.pid, signal.SIGKILL, group=True)  # what it has left
        code = os.waitstatus_to_exitcode(status)
        how = child.how or How.EXITED
        return Exit(
            how=how,
            code=code,
            reason=self._reason(child, how, code),
            started=child.started,
            ended=self.wall(),
        )

    @staticmethod
    def _reason(child: _Child, how: How, code: int) -> str:
        if how is How.TIMED_OUT:
            return f"it was ended after {child.job.timeout:g} s, its limit"
        if how is How.STOPPED:
            return "it was stopped"
        if code == 0:
            return "it returned"
        if code < 0:
            return f"it was ended by {signal.Signals(-code).name}"
        return f"it raised {last_words(child.job.output) or 'an exception'}"

    # In the child

    def _be_child(self, job: Job, slot: int, parent: int) -> None:
        """Trains and never returns: no ``finally`` and no exit handler of the parent is run here."""
        code = _FAILED
        try:
            os.setsid()
            _alone(job)
            threading.Thread(target=_watch, args=(parent,), daemon=True).start()
            if self.slots > 1 and self.gpus:
                os.environ[VISIBLE] = ",".join(share(self.gpus, slot, self.slots))
            job.logdir.mkdir(parents=True, exist_ok=True)
            self.train(json.loads(job.env[PARAMS]), job.logdir)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:  # noqa: BLE001 - whatever the user's function raises
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except (OSError, ValueError):
                    code = code or _FAILED
            os._exit(code & 0xFF)


def _alone(job: Job) -> None:
    """What it prints goes to the output, and signals mean what they mean to a program."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    output = os.open(job.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    # The parent's may be anything: a notebook's, a test's.
    sys.stdout = os.fdopen(1, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)


def _watch(parent: int) -> None:
    """Ends the child and what it began once its parent is gone."""
    while os.getppid() == parent:
        time.sleep(_ORPHAN)
    os.killpg(0, signal.SIGKILL)
