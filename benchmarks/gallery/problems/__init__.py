"""The problems, each wholly in one part of the gallery."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator

from benchmarks.gallery.recipe import Problem

SETTINGS = ("digits", "torch", "rl")
_MODULES = {"digits": ("small",), "torch": (), "rl": ()}


def problems() -> list[Problem]:
    """All of them; those that need PyTorch only name it when they are trained."""
    return list(_all())


def _all() -> Iterator[Problem]:
    for setting in SETTINGS:
        for module in _MODULES[setting]:
            yield from importlib.import_module(f"{__name__}.{module}").PROBLEMS
