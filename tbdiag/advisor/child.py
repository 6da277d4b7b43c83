"""A process that may do whatever it likes for a while, and then is gone with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PAUSE = 0.05  # seconds between looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How it ended: ``code`` is None where it was stopped; the first ``most`` bytes of its output."""

    code: int | None
    output: str
    why: str = ""


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: Path,
    timeout: float,
    most: int = 1 << 20,
) -> Ended:
    """Runs ``argv`` without a shell and without input; stopped after ``timeout`` seconds.

    What it writes goes to the file ``output``, and it is stopped where that grows beyond ``most``
    bytes. All processes that it started and that did not leave its group are ended with it.
    """
    deadline = time.monotonic() + timeout
    why = ""
    with output.open("wb") as file:
        try:
            process = subprocess.Popen(
                list(argv),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            return Ended(code=None, output="", why=f"{argv[0]} cannot be started: {reason}")
        try:
            while process.poll() is None and not why:
                if time.monotonic() > deadline:
                    why = f"it was stopped after {timeout:g} s"
                elif output.stat().st_size > most:
                    why = f"it was stopped after {most >> 10} KB of output"
                else:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(_PAUSE)
        finally:
            _end(process)
    with output.open("rb") as file:
        text = file.read(most).decode("utf-8", "replace")
    return Ended(code=None if why else process.returncode, output=text, why=why)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the whole group; its leader is waited for, so that its number is not yet another's."""
    group = getattr(os, "killpg", None)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if group is not None:
            group(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
