"""The problems, each wholly in one part of the gallery."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from benchmarks.gallery.recipe import Problem

SETTINGS = ("digits", "torch", "rl")
# Seeds go by this order. Those beside each other were made at one time, and count from the same number on.
_MODULES = (
    ("small",),
    ("neural",),
    ("games",),
    ("wider",),
    ("further",),
    ("latest",),
    ("inner", "practice"),
    ("bare", "depths"),
)


def problems() -> list[Problem]:
    """All of them; those that need PyTorch only name it when they are trained."""
    return [problem for _, problem in numbered()]


def numbered() -> Iterator[tuple[int, Problem]]:
    """All of them with the number by which their seeds go."""
    start = 0
    for group in _MODULES:
        parts = [importlib.import_module(f"{__name__}.{module}").PROBLEMS for module in group]
        for part in parts:
            yield from enumerate(part, start)
        start += max(map(len, parts))
