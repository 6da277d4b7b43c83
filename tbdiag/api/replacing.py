"""Files of tbdiag's own that are replaced, whole or not at all, and none of anybody else's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tbdiag.errors import RequestError

OWN_PLOT = (
    ".tbdiag.png"  # how the plots of a scan are called, so that the next one may replace them
)
# How texts, JSON, XML and pages of tbdiag begin.
_OWN = re.compile(
    rb'(?:<!-- )?tbdiag \d|\s*\{.{0,200}"tbdiag": "\d'
    rb'|<\?xml [^>]*>\s*<testsuites name="tbdiag"'
    rb'|<!doctype html>.{0,100}<meta name="generator" content="tbdiag \d',
    re.DOTALL,
)


@contextmanager
def replacing(path: Path, *, force: bool = False) -> Iterator[Path]:
    """A draft to write, which becomes ``path`` when all went well: whole or not at all.

    Replaces an earlier file of tbdiag's own, with ``force`` any file, but never an event file.
    Raises RequestError with the reason.
    """
    may_replace(path, force)
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        draft.touch()
        yield draft
        draft.replace(path)
    except OSError as error:
        raise RequestError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)


def may_replace(path: Path, force: bool = False) -> None:
    """Raises RequestError where there is a file that is not to be replaced, with the reason."""
    if not path.exists():
        return
    if not path.is_file():
        raise RequestError(f"{path} is not a file; name another one")
    if "tfevents" in path.name:
        raise RequestError(f"{path} is an event file and is not overwritten")
    if force or path.name.endswith(OWN_PLOT):
        return
    try:
        with path.open("rb") as file:
            head = file.read(400)
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}") from None
    if head and not _OWN.match(head):
        raise RequestError(f"{path} exists and is no report of tbdiag; it is not overwritten")
