"""Which GPUs there are, and which of them a slot may use."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence

VISIBLE = "CUDA_VISIBLE_DEVICES"

_PATIENCE = 20.0  # seconds for a driver that wakes up


def listed() -> str:
    """What ``nvidia-smi -L`` prints; nothing where it is missing or does not answer."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "-L"],  # noqa: S607 - where it stands differs
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def gpus(
    environment: Mapping[str, str] = os.environ, ask: Callable[[], str] = listed
) -> tuple[str, ...]:
    """The GPUs that runs may use, by the names that CUDA takes: those that are visible, else all.

    A GPU that is divided stands for its parts.
    """
    if (visible := environment.get(VISIBLE)) is not None:
        return tuple(each.strip() for each in visible.split(",") if each.strip() not in ("", "-1"))
    found: list[str] = []
    for kind, name in re.findall(r"^(GPU|\s+MIG) .*\(UUID: ([\w./-]+)\)", ask(), re.MULTILINE):
        if kind != "GPU" and found and found[-1].startswith("GPU-"):
            found.pop()
        found.append(name)
    return tuple(found)


def share(gpus: Sequence[str], slot: int, slots: int) -> tuple[str, ...]:
    """The GPUs of one of several slots: apart where there are enough of them, else shared."""
    if len(gpus) >= slots:
        return tuple(gpus[slot::slots])
    return (gpus[slot % len(gpus)],) if gpus else ()
