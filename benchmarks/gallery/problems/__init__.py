"""The problems, each wholly in one part of the gallery."""

from __future__ import annotations

import importlib

from benchmarks.gallery.recipe import Problem

SETTINGS = ("digits", "torch", "rl")
_MODULES = (
    "small",
    "neural",
    "games",
    "wider",
    "further",
    "latest",
    "practice",
)  # in this order: seeds go by it


def problems() -> list[Problem]:
    """All of them; those that need PyTorch only name it when they are trained."""
    return [
        problem
        for module in _MODULES
        for problem in importlib.import_module(f"{__name__}.{module}").PROBLEMS
    ]
