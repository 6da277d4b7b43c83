"""Where files of settings are looked for: names alone, nothing is read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

_STEMS = ("hparams", "params", "args", "config", "opt", "hyp")
_SUFFIXES = (".json", ".yaml", ".yml", ".toml")
_NAMES = dict.fromkeys(stem + suffix for stem in _STEMS for suffix in _SUFFIXES)  # an ordered set
_MORE_FILES = (".hydra/overrides.yaml", ".hydra/config.yaml", "vis_data/config.py", "config.py")
_FOLDERS = frozenset(name.split("/")[0] for name in _MORE_FILES)
_CHECKPOINT = "checkpoint-"


def upward(folder: str, root: str) -> Iterator[str]:
    """The folder and, where it lies below ``root``, those above it up to that."""
    yield folder
    if folder.startswith(root.rstrip(os.sep) + os.sep):
        while folder != root:
            folder = os.path.dirname(folder)  # noqa: PTH120 - a str, not a Path
            yield folder


def tells_settings(name: str) -> bool:
    """Whether a file of this name may hold settings, or a folder of it such a file."""
    return name in _FOLDERS or name.lower() in _NAMES or name.startswith(_CHECKPOINT)


def settings_files(folder: str, names: Iterable[str]) -> Iterator[str]:
    """Where settings are looked for in a folder in which ``names`` stand, the first to count first."""
    known = set(names)
    lower = {name.lower(): name for name in sorted(known)}
    for name in _NAMES:
        if name in lower:
            yield f"{folder}{os.sep}{lower[name]}"
    for name in _MORE_FILES:
        if name.split("/")[0] in known:
            yield f"{folder}{os.sep}{name}"
    steps = [
        int(match[1])
        for name in known
        if (match := re.fullmatch(_CHECKPOINT + r"(\d{1,15})", name))
    ]
    if steps:
        for name in ("trainer_state.json", "config.json"):
            yield f"{folder}{os.sep}{_CHECKPOINT}{max(steps)}{os.sep}{name}"
