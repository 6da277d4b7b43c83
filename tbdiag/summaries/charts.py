"""The custom-scalars layout: training and validation curves of all runs, side by side."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import PurePath

from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.summaries.events import Chart

TITLE = "tbdiag: training beside validation"

_CHARTS = (  # TensorBoard puts two of them beside each other
    ("training loss", (Role.TRAIN_LOSS,)),
    ("validation loss", (Role.VAL_LOSS,)),
    ("training metric", (Role.TRAIN_METRIC,)),
    ("validation metric", (Role.VAL_METRIC,)),
    ("loss: training and validation", (Role.TRAIN_LOSS, Role.VAL_LOSS)),
    ("metric: training and validation", (Role.TRAIN_METRIC, Role.VAL_METRIC)),
    ("learning rate", (Role.LEARNING_RATE,)),
)


def charts(runs: Iterable[tuple[Run, PurePath]]) -> list[Chart]:
    """The charts for ``runs``, each with its folder; those without any curve are left out."""
    patterns: dict[Role, set[str]] = {}
    for run, folder in runs:
        for role, binding in run.roles.bound.items():
            patterns.setdefault(role, set()).add(_pattern(binding.tag, folder))
    found = []
    for title, roles in _CHARTS:
        shown = {pattern for role in roles for pattern in patterns.get(role, ())}
        whole = len(roles) == 1 or all(patterns.get(role) for role in roles)
        if shown and whole:
            found.append(Chart(title, tuple(sorted(shown))))
    return found


def _pattern(tag: str, folder: PurePath) -> str:
    """What matches the tag as TensorBoard knows it, from its start to its end.

    Where a part of the run has a folder of its own (``train/``), the folder is no part of the tag there;
    neither is the key for which ``add_scalars`` makes one.
    """
    words = tag
    while "/" in words and _is_folder(folder / words.split("/", 1)[0]):
        first, words = words.split("/", 1)
        folder = folder / first
    front, _, key = words.rpartition("/")
    if front and _is_folder(folder / f"{front.replace('/', '_')}_{key}"):
        words = front
    return re.escape(words) + "$"


def _is_folder(path: PurePath) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - a tag may hold what no name can, for which Path raises
