"""Runs that were trained once and did not become what was meant: no label, so no need to train them again.

A fault that is injected does no harm on every problem (`truth.manifested`). Which ones do not is found
by training them all, `python -m benchmarks.gallery --all`, which writes the list anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

LIST = Path(__file__).with_name("unshown.txt")


def unshown() -> frozenset[str]:
    """The paths of those runs below the gallery."""
    return frozenset(LIST.read_text("utf-8").split())


def write(paths: Iterable[str]) -> None:
    """Write the list anew."""
    LIST.write_text("".join(f"{path}\n" for path in sorted(paths)), "utf-8")
