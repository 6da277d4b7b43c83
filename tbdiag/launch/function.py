"""Runs of a Python function, one after the other, in the process that asks for them."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tbdiag.launch.base import GRACE, Exit, How, Job
from tbdiag.launch.command import PARAMS
from tbdiag.model.run import Scalar

Training = Callable[[dict[str, Scalar], Path], object]


@dataclass(slots=True)
class FunctionLauncher:
    """Calls ``train(params, logdir)`` for each job, and returns when it does.

    It keeps the state that the process has, such as data that is loaded, and so it can neither be
    timed out nor be stopped but by an interruption, which goes through; `ForkedLauncher` can. An exception is how a run
    fails; its traceback goes to the job's output.
    """

    train: Training
    wall: Callable[[], float] = time.time
    _ended: list[tuple[str, Exit]] = field(default_factory=list)

    @property
    def slots(self) -> int:
        """One at a time."""
        return 1

    @property
    def running(self) -> tuple[str, ...]:
        """The jobs that are over and were not told yet."""
        return tuple(name for name, _ in self._ended)

    def start(self, job: Job) -> None:
        """Calls the function."""
        started = self.wall()
        params = json.loads(job.env[PARAMS])
        code, reason = 0, "it returned"
        try:
            job.logdir.mkdir(parents=True, exist_ok=True)
            self.train(params, job.logdir)
        except Exception as error:  # noqa: BLE001 - whatever the user's function raises
            code, reason = 1, f"it raised {type(error).__name__}: {error}"
            job.output.parent.mkdir(parents=True, exist_ok=True)
            job.output.write_text(traceback.format_exc(), "utf-8", errors="backslashreplace")
        end = Exit(how=How.EXITED, code=code, reason=reason, started=started, ended=self.wall())
        self._ended.append((job.id, end))

    def adopt(self, job: Job) -> bool:
        """Takes over a run that a killed process began: it went down with it."""
        self._ended.append((job.id, went_down(self.wall())))
        return True

    def poll(self) -> list[tuple[str, Exit]]:
        """(id, end) of the runs since the last time."""
        ended, self._ended = self._ended, []
        return ended

    def stop(self, id: str, grace: float = GRACE) -> None:  # noqa: A002 - the field of the job
        """Nothing: what was started is over."""

    def close(self, grace: float = GRACE) -> list[tuple[str, Exit]]:
        """The ends that were not told yet."""
        return self.poll()


def went_down(now: float) -> Exit:
    """The end of a run whose process is gone with the one that called it."""
    return lost(now, now, "it went down with the process that ran it")


def lost(started: float, ended: float, reason: str) -> Exit:
    """An end that nobody saw."""
    return Exit(how=How.LOST, code=None, reason=reason, started=started, ended=ended)
