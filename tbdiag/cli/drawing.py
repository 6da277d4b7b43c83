"""Plots of runs, and names for their files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from tbdiag import api
from tbdiag.api.replacing import replacing
from tbdiag.errors import RequestError
from tbdiag.model.finding import Finding
from tbdiag.model.run import Run

SUFFIXES = (".png", ".svg", ".pdf")

_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")  # names of devices on Windows
_LISTED = 8  # runs named when one of them must be chosen


def plotted(
    path: Path,
    output: Path | None,
    *,
    findings: bool,
    force: bool,
    config: Path | None,
    cache: bool,
) -> Path:
    """Draws the one run at ``path`` and returns the file; raises RequestError where it cannot."""
    if output is not None and output.suffix.lower() not in SUFFIXES:
        raise RequestError(f"{output} must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    run = _only(api.load(path, config=config, cache=cache), path)
    file = output or Path(file_name(run.path.name or run.id, set(), ".png"))
    if file.exists() and not force:
        raise RequestError(f"{file} exists; --force overwrites it, -o names another file")
    marked = api.diagnose(run, config=config).runs[0].roots if findings else ()
    try:
        draw(run, marked, file, force=force)
    except ValueError as error:
        raise RequestError(f"{path} cannot be plotted: {error}") from None
    return file


def draw(run: Run, findings: Sequence[Finding], file: Path, *, force: bool = False) -> None:
    """The curves of a run in a file; raises ValueError where there is no curve to draw."""
    from tbdiag.views import figures

    figure = figures.training_curves(run, findings)
    with replacing(file, force=force) as draft:
        figures.save(figure, draft)


def file_name(run: str, taken: set[str], suffix: str) -> str:
    """A file name for a run: safe on every system, and not ``taken``, whatever the capitals.

    Adds the name to ``taken``.
    """
    stem = re.sub(r"[^\w.-]+|\.\.+", "_", run, flags=re.ASCII).strip("._-")[:100] or "run"
    if _RESERVED.match(stem):
        stem = f"_{stem}"
    names = (f"{stem}{f'-{turn}' if turn > 1 else ''}{suffix}" for turn in count(1))
    name = next(name for name in names if name.lower() not in taken)
    taken.add(name.lower())
    return name


def _only(runs: Sequence[Run], path: Path) -> Run:
    if len(runs) == 1:
        return runs[0]
    names = ", ".join(run.id for run in runs[:_LISTED])
    more = f" and {len(runs) - _LISTED} more" if len(runs) > _LISTED else ""
    raise RequestError(f"{path} holds {len(runs)} runs, name one of them: {names}{more}")
