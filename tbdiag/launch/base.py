"""What starts follow-up runs: jobs, how they end, and what every launcher promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

GRACE = 10.0  # seconds between asking a run to end and ending it


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run to be started.

    ``argv`` is never given to a shell; ``env`` is added to the launcher's own environment; ``cwd`` is
    where it runs, ``logdir`` where it logs. All that it prints goes to the file ``output``, beside
    which the launcher keeps what it needs to find the run again: so a path stands for one run. After
    ``timeout`` seconds the run is ended.
    """

    id: str
    argv: tuple[str, ...]
    cwd: Path
    logdir: Path
    output: Path
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None


class How(StrEnum):
    """How a run came to its end."""

    EXITED = "exited"  # by itself, whatever its exit code, or by a signal from elsewhere
    TIMED_OUT = "timed-out"
    STOPPED = "stopped"  # `stop` was called
    LOST = "lost"  # it is gone and nobody saw how


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """The end of a run: ``code`` is negative for a signal, None where it is not known.

    ``reason`` is one sentence for people. Times are seconds since the epoch.
    """

    how: How
    code: int | None
    reason: str
    started: float
    ended: float

    @property
    def well(self) -> bool:
        """Whether it ended by itself and says that all went well."""
        return self.how is How.EXITED and self.code == 0


class Launcher(Protocol):
    """Starts runs, ``slots`` at most at a time, and tells how they ended.

    Nothing here waits but `close`. Nothing that a run started outlives it: its end is the end of all
    its processes. Runs do outlive a launcher that is killed; `adopt` finds them again.
    """

    @property
    def slots(self) -> int:
        """How many runs may run at a time."""

    @property
    def running(self) -> tuple[str, ...]:
        """The ids of the jobs whose end `poll` has not told."""

    def start(self, job: Job) -> None:
        """Starts a job; at least one slot must be free.

        Raises LaunchError where the program does not exist, or the job was started before.
        """

    def adopt(self, job: Job) -> bool:
        """Takes over what an earlier launcher started as this job; False where none did.

        Then `poll` tells its end, also where that is past. It may exceed the slots.
        """

    def poll(self) -> list[tuple[str, Exit]]:
        """(id, end) of the jobs that ended since the last time, each told once."""

    def stop(self, id: str, grace: float = GRACE) -> None:  # noqa: A002 - the field of the job
        """Asks a run to end, and ends it ``grace`` seconds later; unknown ids are no error."""

    def close(self, grace: float = GRACE) -> list[tuple[str, Exit]]:
        """Stops all runs and waits for their ends, which it returns."""
