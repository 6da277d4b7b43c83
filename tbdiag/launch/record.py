"""What a supervisor wrote down about its run, and where."""

from __future__ import annotations

import json
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tbdiag.launch.base import Exit, How, Job
from tbdiag.launch.supervise import PAGE, boot, born

_LAST = 4096  # bytes of the output's end in which the last words are looked for
_LONGEST = 200  # characters of them

# Its number, and what tells it from a later one of that number; None: it was gone at once.
Process = tuple[int, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A run as its supervisor knows it; ``how`` is None until it is over."""

    host: str
    boot: str
    slot: int
    supervisor: Process
    started: float
    child: Process | None = None
    how: How | None = None
    code: int | None = None
    ended: float = 0.0
    left: int = 0
    immortal: int = 0
    note: str = ""
    handle: str = ""  # what the scheduler of a cluster calls it

    @property
    def elsewhere(self) -> bool:
        """Whether it was started on another machine, as far as can be told."""
        same = self.boot == boot() and self.boot != ""
        return not same and self.host != socket.gethostname()

    @property
    def unborn(self) -> bool:
        """Whether the run was claimed and is about to be started, or given up."""
        return self.child is None and self.how is None and self.watched

    @property
    def watched(self) -> bool:
        """Whether the supervisor is alive, on this machine."""
        pid, birth = self.supervisor
        return self.boot == boot() and born(pid) == birth


def place(job: Job) -> Path:
    """The file of a job's record."""
    return job.output.with_name(job.output.name + ".run")


def read(path: Path) -> Record | None:
    """The record in a file; None where there is none, or none yet. Raises OSError."""
    try:
        page = path.read_bytes()[:PAGE]
    except FileNotFoundError:
        return None
    try:
        return of(json.loads(page))
    except ValueError:
        return None


def of(told: Any) -> Record | None:
    """The record that a page holds, None where it is none."""
    try:
        return Record(
            host=str(told["host"]),
            boot=str(told["boot"]),
            slot=int(told["slot"]),
            supervisor=_process(told["supervisor"]),
            started=float(told["started"]),
            child=_process(told["child"]) if told["child"] else None,
            how=How(told["how"]) if told["how"] else None,
            code=told["code"],
            ended=float(told.get("ended", 0.0)),
            left=int(told.get("left", 0)),
            immortal=int(told.get("immortal", 0)),
            note=str(told.get("note", "")),
            handle=str(told.get("handle", "")),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _process(told: list[object]) -> Process:
    pid, birth = told
    return int(str(pid)), None if birth is None else str(birth)


def ending(record: Record, job: Job) -> Exit:
    """How the run of a record that is over ended, in a sentence for people."""
    how = record.how or How.LOST
    if how is How.TIMED_OUT:
        reason = (
            f"it was ended after {job.timeout:g} s, its limit" if job.timeout else "its time was up"
        )
    elif how is How.STOPPED:
        reason = "it was stopped"
    elif how is How.LOST:
        reason = record.note or f"the worker that watched it on {record.host} was lost"
    elif record.note:
        reason = f"it could not be started: {record.note}"
    else:
        reason = _exited(record.code, job.output)
    if record.left:
        reason += f"; {_processes(record.left)} that it left behind had to be ended"
    if record.immortal:
        reason += f"; {_processes(record.immortal)} could not be ended"
    return Exit(
        how=how, code=record.code, reason=reason, started=record.started, ended=record.ended
    )


def _processes(number: int) -> str:
    return "one process" if number == 1 else f"{number} processes"


def _exited(code: int | None, output: Path) -> str:
    if code == 0:
        return "it ended well"
    if code is None:
        return "it ended in an unknown way"
    words = last_words(output)
    after = f'; the last that it printed: "{words}"' if words else "; it printed nothing"
    if code < 0:
        hint = ", as the system does where memory runs out" if code == -signal.SIGKILL else ""
        return f"it was ended by {_signal(-code)}{hint}{after}"
    return f"it ended with exit code {code}{after}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def last_words(output: Path) -> str:
    """The last line with anything on it that a run printed, not too much of it."""
    try:
        with output.open("rb") as file:
            file.seek(max(file.seek(0, 2) - _LAST, 0))
            end = file.read()
    except OSError:
        return ""
    lines = end.decode("utf-8", "replace").split("\n")
    spoken = [part.strip() for line in lines for part in line.split("\r") if part.strip()]
    last = spoken[-1] if spoken else ""
    return last if len(last) <= _LONGEST else f"{last[: _LONGEST // 2]} … {last[-_LONGEST // 2 :]}"
