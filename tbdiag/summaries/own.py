"""Which event files are tbdiag's own, where they lie, and what they keep."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tbdiag.reading.listing import OWN_FOLDER, is_own_name
from tbdiag.summaries import events

REPORT = "tbdiag/report"  # the tag of the whole report, in the root's folder
RUN = "tbdiag/run"  # the tag of the report of one run, in the run's folder

_DRAFT = re.compile(
    r"\.[0-9a-f]{16}\.\d+\.tbdiag-draft"
)  # no name with "tfevents": it would be read


def is_own(path: Path | str) -> bool:
    """Whether the file is an event file that tbdiag wrote, by its name and its first record."""
    if not is_own_name(os.path.basename(path)):  # noqa: PTH119 - a str as well
        return False
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a str as well
            return events.is_own(file.read(len(events.header())))
    except OSError:
        return False


def is_draft(name: str) -> bool:
    """Whether a file of this name is what an interrupted write may leave."""
    return _DRAFT.fullmatch(name) is not None


def names(folder: Path) -> list[str]:
    """The names of tbdiag's own event files in a folder, the newest first; stubs are among them."""
    found: Iterable[str] = ()
    with suppress(OSError):
        found = os.listdir(folder)  # noqa: PTH208 - names alone are wanted
    return sorted(filter(is_own_name, found), reverse=True)


def content(path: Path) -> bytes | None:
    """The bytes of an own event file that holds more than its header, None of any other."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if events.is_own(data) and len(data) > len(events.header()) else None


def stored(logdir: Path | str) -> dict[str, Any] | None:
    """The newest whole report that was written below ``logdir``, as its JSON says it (schema 1).

    None where none was written, or none can be read.
    """
    folder = Path(logdir, OWN_FOLDER)
    for name in names(folder):
        data = content(folder / name)
        for entry in reversed(events.unpacked(data) if data else ()):
            if entry.tag == REPORT and entry.plugin == events.PLUGIN:
                with suppress(ValueError):
                    found = json.loads(events.string(entry))
                    if isinstance(found, dict):
                        return found
    return None
