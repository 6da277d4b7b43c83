"""Which program the first word of a command means, and where programs are looked for."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from tbdiag.errors import LaunchError

# What names the environment that the user is in; an installer of tools leaves one of the others in its own.
_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")
_TOOLS = ("pipx_metadata.json", "uv-receipt.toml")
_MARKS = ("pyvenv.cfg", "conda-meta")  # of an environment, in the folder above that of its programs


def search_path(environment: Mapping[str, str]) -> str:
    """The folders in which programs are looked for, as in ``PATH``.

    Who calls ``.venv/bin/tbdiag`` without activating that environment means its Python, where the
    libraries of the script were installed: its folder comes first. Not where another environment is active
    or its ``python`` the first in ``PATH``, nor where tbdiag has one to itself, as pipx and uv make for tools.
    """
    path = environment.get("PATH", os.defpath)
    home = Path(sys.prefix)
    alone = sys.prefix == sys.base_prefix or any((home / name).exists() for name in _TOOLS)
    first = shutil.which("python", path=path)
    chosen = first is not None and any((Path(first).parent.parent / m).exists() for m in _MARKS)
    if alone or chosen or any(environment.get(name) for name in _ACTIVE):
        return path
    return os.pathsep.join((sysconfig.get_path("scripts"), path))


def program(word: str, cwd: Path, environment: Mapping[str, str]) -> str:
    """What is run for the first word of a command: found as a shell in ``cwd`` finds it.

    ``environment`` is that of the run, its ``PATH`` that of `search_path`. Where there is no ``python`` at
    all, the one that runs tbdiag is meant. Raises LaunchError where there is no such program.
    """
    if os.sep in word:
        path = cwd / word
        if path.is_dir() or not path.exists():
            raise LaunchError(f'the command starts "{word}", which is no program in {cwd}')
        if not os.access(path, os.X_OK):
            raise LaunchError(f'the command starts "{word}", which may not be executed')
        return word
    if shutil.which(word, path=environment["PATH"]):
        return word
    if word == "python" and sys.executable:
        return sys.executable
    raise LaunchError(f'the command starts "{word}", and there is no such program')
