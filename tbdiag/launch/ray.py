"""Runs on a Ray cluster: each hangs by an actor that outlives the launcher."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tbdiag import errors
from tbdiag.errors import LaunchError
from tbdiag.launch import handed as notes
from tbdiag.launch import node, program, supervise
from tbdiag.launch.base import Job
from tbdiag.launch.cluster import Seen, Stage
from tbdiag.launch.handed import Handed
from tbdiag.scale.ray import NAMESPACE, reached, said

_EVERY = 0.5  # seconds between two questions to a run
_PATIENCE = 1.0  # seconds for an answer of a run that may not have begun
_CALLS = 8  # that a run answers at a time


@dataclass(slots=True)
class _Held:
    """What is known here of an actor: the question that it was asked last, and its answer."""

    actor: Any
    asked: Any = None
    next_at: float = 0.0
    seen: Seen = field(default_factory=lambda: Seen(Stage.WAITING))
    sizes: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class RayScheduler:
    """What `Scheduler` promises, on the cluster at ``address``; each run takes ``cpus`` and so on.

    ``memory`` is in bytes. With a ``working_dir`` in ``runtime_env``, Ray brings that folder to the
    nodes, and a run takes place in it where its own folder is not there.
    """

    address: str = "auto"
    cpus: float = 1.0
    gpus: float = 0.0
    memory: int | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    runtime_env: Mapping[str, Any] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    name: str = field(default="ray", init=False)
    label: str = field(default="Ray", init=False)
    _held: dict[str, _Held] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        reached(self.address, "--launcher ray", self.runtime_env)
        import ray

        for module in (node, program, errors):  # so that nodes need no tbdiag
            ray.cloudpickle.register_pickle_by_value(module)

    def submit(self, job: Job, handed: Handed) -> str:
        """Makes the actor of a run; its name tells one run from all others."""
        import ray

        place = hashlib.sha256(str(job.output).encode()).hexdigest()[:12]
        handle = f"{job.id}-{place}-{handed.token[:8]}"
        options: dict[str, Any] = {
            "name": handle,
            "namespace": NAMESPACE,
            "lifetime": "detached",
            "num_cpus": self.cpus,
            "num_gpus": self.gpus,
            "max_concurrency": _CALLS,
            "max_restarts": 0,
        }
        if self.memory is not None:
            options["memory"] = self.memory
        if self.resources:
            options["resources"] = dict(self.resources)
        task = notes.task(job, handed.token, anywhere="working_dir" in self.runtime_env)
        source = Path(supervise.__file__).read_text("utf-8")
        try:
            actor = (
                ray.remote(node.Node).options(**options).remote(task, source, handle, alone=True)
            )
        except (ray.exceptions.RayError, ValueError, ConnectionError) as error:
            raise LaunchError(f"{job.id} cannot be handed to Ray: {said(error)}") from None
        self._held[handle] = _Held(actor)
        return handle

    def see(self, job: Job, handle: str) -> Seen:
        """What the actor answered last, and brings back what the run wrote."""
        import ray

        held = self._found(handle)
        if held is None:
            return Seen(Stage.GONE, note="Ray knows nothing of it any more")
        if held.seen.page is not None:
            return held.seen
        if held.asked is None:
            if self.clock() < held.next_at:
                return held.seen
            held.asked = held.actor.status.remote(held.sizes)
        ready, _ = ray.wait([held.asked], timeout=0)
        if not ready:
            return held.seen
        reference, held.asked = held.asked, None
        try:
            page, brought, more = ray.get(reference)
        except ray.exceptions.ActorUnavailableError:
            held.next_at = self.clock() + _EVERY
            return held.seen
        except ray.exceptions.RayError as error:
            held.seen = Seen(Stage.GONE, note=_why(error))
            return held.seen
        for name, part in brought.items():
            _bring(job, name, part, held.sizes)
        held.seen = Seen(Stage.RUNNING, None if more else page)
        held.next_at = self.clock() + (0.0 if more else _EVERY)
        return held.seen

    def waits(self, job: Job, handle: str) -> bool:
        """Whether the actor does not answer, as it has no place yet."""
        import ray

        held, seen = self._found(handle), self.see(job, handle)
        if held is not None and held.asked is not None:
            ray.wait([held.asked], timeout=_PATIENCE)
            seen = self.see(job, handle)
        return seen.stage is Stage.WAITING

    def ask(self, job: Job, handle: str, grace: float) -> None:
        """Asks the actor to end its run."""
        del job
        if (held := self._found(handle)) is not None:
            held.actor.stop.remote(grace)
            held.next_at = 0.0

    def cancel(self, handle: str) -> None:
        """Ends the actor, by which the run hangs."""
        import ray

        if (held := self._found(handle)) is not None:
            with suppress(ray.exceptions.RayError):
                ray.kill(held.actor)

    def release(self, handle: str) -> None:
        """Ends the actor: its run is over."""
        self.cancel(handle)
        self._held.pop(handle, None)

    def _found(self, handle: str) -> _Held | None:
        if handle not in self._held:
            import ray

            try:
                self._held[handle] = _Held(ray.get_actor(handle, namespace=NAMESPACE))
            except ValueError:
                return None
        return self._held[handle]


def _bring(job: Job, name: str, part: bytes, sizes: dict[str, int]) -> None:
    """Writes down what a run wrote on its node: the end of a file that grows, else all of it."""
    path = job.output if name == "" else job.logdir / name
    if name and not path.resolve().is_relative_to(job.logdir.resolve()):
        return
    grows = name == "" or "tfevents" in name
    path.parent.mkdir(parents=True, exist_ok=True)
    if grows:
        before = sizes.get(name, 0)
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.seek(before)
            file.write(part)
            file.truncate()
        sizes[name] = before + len(part)
    else:
        path.write_bytes(part)
        sizes[name] = len(part)


def _why(error: Exception) -> str:
    """Why an actor is gone, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("The actor", "Worker", "The node"))]
    return f"its worker was lost: {told[-1] if told else said(error)}".rstrip(".")
