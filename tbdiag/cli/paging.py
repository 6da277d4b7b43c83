"""The page of a report on its way out: to a file, to stdout, to the browser."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterable
from pathlib import Path

from tbdiag.api import Report
from tbdiag.api.intake import repeated
from tbdiag.api.page import pieces
from tbdiag.api.replacing import may_replace, replacing
from tbdiag.cli.output import say, say_bytes, warn
from tbdiag.cli.progress import counting
from tbdiag.errors import RequestError
from tbdiag.model.finding import Severity
from tbdiag.views.text import count

SUFFIXES = (".html", ".htm")
STDOUT = Path("-")


def check(output: Path, *, force: bool, opens: bool) -> None:
    """Raises RequestError where the page could not be written: before anything is read."""
    if output == STDOUT:
        if opens:
            raise RequestError("--open needs a file: leave out -o -, or name one")
        return
    if output.suffix.lower() not in SUFFIXES:
        raise RequestError(f"{output} must end in {' or '.join(SUFFIXES)}, or be - for stdout")
    if not output.parent.is_dir():
        raise RequestError(f"{output.parent} is not a folder")
    try:
        may_replace(output, force)
    except RequestError as error:
        hint = "; --force overwrites it" if output.is_file() else ""
        raise RequestError(f"{error}{hint}") from None


def deliver(found: Report, output: Path, *, force: bool, opens: bool, max_runs: int) -> None:
    """Writes the page, and says in one line what it holds."""
    with counting("drawing") as update:
        page = pieces(found, max_runs=max_runs, progress=update)
        if output == STDOUT:
            say_bytes(_encoded(page))
        else:
            with replacing(output, force=force) as draft, draft.open("wb") as out:
                out.writelines(_encoded(page))
    if n := repeated():
        warn(f"tbdiag: {n} requests were repeated, since the storage did not answer them at once")
    if output == STDOUT:
        return
    counts = [(found.count(each), each) for each in sorted(Severity, key=lambda each: each.rank)]
    told = [count(len(found.runs), "run"), *(count(n, each.value) for n, each in counts if n)]
    say(f"{output}: {', '.join(told)}")
    if opens and not webbrowser.open(output.resolve().as_uri()):
        warn(f"tbdiag: no browser was found to open {output}")


def _encoded(page: Iterable[str]) -> Iterable[bytes]:
    return (piece.encode("utf-8", "backslashreplace") for piece in page)
