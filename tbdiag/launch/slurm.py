"""Runs in the queue of Slurm, handed over by submitit."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any, Protocol

from tbdiag.errors import LaunchError, RequestError
from tbdiag.launch import handed as notes
from tbdiag.launch import node, supervise
from tbdiag.launch.base import Job
from tbdiag.launch.cluster import Seen, Stage
from tbdiag.launch.handed import Handed

LOCAL = "local"

_EVERY = 5.0  # seconds between two questions to Slurm, about all jobs at once
_PATIENCE = 60.0  # seconds for an answer
_FOREVER = 1_000_000  # minutes
_WAITING = ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD",
            "SPECIAL_EXIT")  # fmt: skip
_RUNNING = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING")
_WHY = {
    "NODE_FAIL": "its node failed",
    "OUT_OF_MEMORY": "it took more memory than was asked for",
    "PREEMPTED": "its place was needed",
    "TIMEOUT": "its time was up",
    "DEADLINE": "its time was up",
    "CANCELLED": "it was cancelled there",
    "COMPLETED": "nobody saw its end",
    "FAILED": "nobody saw its end",
}


class Queue(Protocol):
    """Where jobs wait and run."""

    def stage(self, handle: str) -> Seen:
        """Where a job is."""

    def cancel(self, handle: str) -> None:
        """Takes a job out, or ends it."""


@dataclass(slots=True)
class Squeue:
    """Slurm's own queue, through its programs: they are there also where there is no accounting."""

    clock: Callable[[], float] = time.monotonic
    _asked: set[str] = field(default_factory=set)
    _told: dict[str, str] = field(default_factory=dict)
    _next: float = 0.0

    def stage(self, handle: str) -> Seen:
        """Where a job is, as told within the last seconds."""
        if handle not in self._asked or self.clock() >= self._next:
            self._asked.add(handle)
            self._ask()
        state = self._told.get(handle, "")
        if state in _WAITING:
            return Seen(Stage.WAITING)
        if state in _RUNNING:
            return Seen(Stage.RUNNING)
        why = _WHY.get(state)
        if why is None:
            why = f"its job is {state}" if state else "it knows nothing of it any more"
        self._asked.discard(handle)
        return Seen(Stage.GONE, note=f"Slurm lost it: {why}")

    def cancel(self, handle: str) -> None:
        """Slurm asks all processes of the job to end, and ends them some time later."""
        with suppress(OSError, subprocess.SubprocessError):
            words = ["scancel", handle]
            subprocess.run(words, check=False, timeout=_PATIENCE, capture_output=True)
        self._next = 0.0

    def _ask(self) -> None:
        """Asks about all jobs at once; where Slurm does not answer, what it said last stands."""
        self._next = self.clock() + _EVERY
        words = ["squeue", "--noheader", "--states=all", "--format=%i %T"]
        try:
            done = subprocess.run(
                [*words, f"--jobs={','.join(sorted(self._asked))}"],
                check=False,
                timeout=_PATIENCE,
                capture_output=True,
                text=True,
            )
        except (OSError, subprocess.SubprocessError):
            self._told |= {each: "RUNNING" for each in self._asked if each not in self._told}
            return
        # of one job that it does not know any more, of several never, it says so by failing
        if done.returncode and "Invalid job id" not in done.stderr:
            self._told |= {each: "RUNNING" for each in self._asked if each not in self._told}
            return
        told = dict(re.findall(r"^(\d+) (\w+)$", done.stdout, re.MULTILINE))
        self._told = {each: told.get(each, "") for each in self._asked}


@dataclass(slots=True)
class Processes:
    """The processes of submitit's local executor, which plays the queue without one."""

    def stage(self, handle: str) -> Seen:
        """Whether the process is there: jobs do not wait."""
        if supervise.born(int(handle)) is None:
            return Seen(Stage.GONE, note="its job was lost")
        return Seen(Stage.RUNNING)

    def cancel(self, handle: str) -> None:
        """Interrupts the process, which then ends what it started."""
        with suppress(OSError):
            os.kill(int(handle), signal.SIGINT)


@dataclass(slots=True)
class SlurmScheduler:
    """What `Scheduler` promises, by jobs of one task on one node.

    ``cluster`` is ``slurm``, or ``local`` for submitit's local executor. ``time`` is what Slurm takes,
    such as ``2:00:00``; without it the partition's own limit holds. ``memory`` is in bytes,
    ``additional`` are other options of ``sbatch``. The log folder must be on a disk that the nodes
    share, and the environment of this Python as well.
    """

    cluster: str = "slurm"
    cpus: int = 1
    gpus: int = 0
    memory: int | None = None
    partition: str | None = None
    time: str | None = None
    setup: tuple[str, ...] = ()
    additional: Mapping[str, Any] = field(default_factory=dict)
    name: str = field(default="slurm", init=False)
    label: str = field(default="Slurm", init=False)
    queue: Queue = field(init=False)
    _jobs: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if find_spec("submitit") is None:
            raise RequestError("--launcher slurm needs submitit: pip install 'tbdiag[slurm]'")
        if self.cluster == LOCAL:
            self.queue = Processes()
            return
        if missing := [each for each in ("sbatch", "srun", "squeue") if which(each) is None]:
            raise RequestError(
                f"no Slurm is reached from here: there is no program {missing[0]}; "
                "start tbdiag where sbatch works"
            )
        self.queue = Squeue()

    def submit(self, job: Job, handed: Handed) -> str:
        """Puts a run into the queue; its name there is the job's id."""
        source = Path(supervise.__file__).read_text("utf-8")
        try:
            executor = self._executor(job)
            submitted = executor.submit(node.attend, notes.task(job, handed.token), source)
        except Exception as error:  # noqa: BLE001 - submitit hands on whatever sbatch said
            said = " ".join(str(error).split())
            raise LaunchError(f"{job.id} cannot be handed to Slurm: {said}") from None
        self._jobs[submitted.job_id] = submitted
        return str(submitted.job_id)

    def see(self, job: Job, handle: str) -> Seen:
        """Where a run is; the disk is shared."""
        del job
        return self.queue.stage(handle)

    def waits(self, job: Job, handle: str) -> bool:
        """Whether a run is in the queue."""
        del job
        return self.queue.stage(handle).stage is Stage.WAITING

    def ask(self, job: Job, handle: str, grace: float) -> None:
        """Asks through the disk, as Slurm's own way of asking gives no time of one's choice."""
        with suppress(OSError):
            notes.ask(job, grace)
            return
        self.queue.cancel(handle)

    def cancel(self, handle: str) -> None:
        """Takes a run out of the queue, or ends it."""
        self.queue.cancel(handle)

    def release(self, handle: str) -> None:
        """Waits for the process of a local job, which is about to end."""
        submitted = self._jobs.pop(handle, None)
        process = getattr(submitted, "_process", None)
        if process is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_EVERY)
            if process.poll() is None:
                process.kill()
                process.wait()

    def _executor(self, job: Job) -> Any:
        import submitit

        folder = job.output.parent / "slurm"
        if self.cluster == LOCAL:
            executor: Any = submitit.LocalExecutor(folder)
            executor.update_parameters(timeout_min=_FOREVER, gpus_per_node=self.gpus)
            return executor
        executor = submitit.SlurmExecutor(folder, max_num_timeout=0)
        asked: dict[str, Any] = {
            "job_name": job.id,
            "time": self.time,
            "partition": self.partition,
            "nodes": 1,
            "ntasks_per_node": 1,
            "cpus_per_task": self.cpus,
            "gpus_per_node": self.gpus or None,
            "mem": None if self.memory is None else f"{max(1, self.memory >> 20)}M",
            "setup": list(self.setup) or None,
            "srun_args": [f"--cpus-per-task={self.cpus}"],  # srun no longer takes it from sbatch
            # a run is asked to end a minute before its time is up; it is never begun a second time
            "additional_parameters": {"signal": "TERM@60", "no-requeue": True, **self.additional},
        }
        executor.update_parameters(**asked)
        return executor
