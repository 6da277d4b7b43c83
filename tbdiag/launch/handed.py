"""What was handed to a scheduler: a note beside the run's output, there before it is handed over."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tbdiag.launch.base import GRACE, Job
from tbdiag.launch.node import HANDED, STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """To whom a run was handed; ``token`` stands nowhere else, ``handle`` is what it is called there.

    Without a handle nobody knows whether the scheduler ever took it.
    """

    launcher: str
    token: str
    at: float
    handle: str = ""


def place(job: Job) -> Path:
    """The file of the note."""
    return job.output.with_name(job.output.name + HANDED)


def read(job: Job) -> Handed | None:
    """The note, None where there is none. Raises OSError."""
    try:
        told = json.loads(place(job).read_text("utf-8"))
        return Handed(
            launcher=str(told["launcher"]),
            token=str(told["token"]),
            at=float(told["at"]),
            handle=str(told["handle"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):  # torn: whoever wrote it had handed over nothing
        return Handed(launcher="", token="", at=0.0)


def claim(job: Job, launcher: str, at: float) -> Handed:
    """Notes that a run is about to be handed over; raises FileExistsError where one was, OSError."""
    handed = Handed(launcher=launcher, token=secrets.token_hex(16), at=at)
    path = place(job)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(json.dumps(asdict(handed)))
        file.flush()
        os.fsync(file.fileno())
    return handed


def keep(job: Job, handed: Handed) -> None:
    """Writes the note anew, whole or not at all. Raises OSError."""
    path = place(job)
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(asdict(handed)), "utf-8")
    draft.replace(path)


def ask(job: Job, grace: float) -> None:
    """Asks, through the disk, that a run ends. Raises OSError."""
    path = job.output.with_name(job.output.name + STOP)
    draft = path.with_name(path.name + ".new")
    draft.write_text(f"{grace!r}\n", "ascii")
    draft.replace(path)


def task(job: Job, token: str, *, anywhere: bool = False) -> dict[str, Any]:
    """The job as a node takes it; ``anywhere``: it need not run in its own folder."""
    return {
        "id": job.id,
        "argv": list(job.argv),
        "cwd": str(job.cwd),
        "logdir": str(job.logdir),
        "output": str(job.output),
        "env": dict(job.env),
        "limit": "inf" if job.timeout is None else repr(float(job.timeout)),
        "grace": GRACE,
        "token": token,
        "anywhere": anywhere,
    }
