"""Which program the first word of a command means."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tbdiag.errors import LaunchError


def program(word: str, cwd: Path, environment: Mapping[str, str]) -> str:
    """What is run for the first word of a command: found as a shell in ``cwd`` finds it.

    Where there is no ``python`` at all, the one that runs tbdiag is meant. Raises LaunchError where
    there is no such program.
    """
    if os.sep in word:
        path = cwd / word
        if path.is_dir() or not path.exists():
            raise LaunchError(f'the command starts "{word}", which is no program in {cwd}')
        if not os.access(path, os.X_OK):
            raise LaunchError(f'the command starts "{word}", which may not be executed')
        return word
    if shutil.which(word, path=environment.get("PATH", os.defpath)):
        return word
    if word == "python" and sys.executable:
        return sys.executable
    raise LaunchError(f'the command starts "{word}", and there is no such program')
