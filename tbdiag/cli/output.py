"""Where text goes: the terminal, a pipe or a file, and what each of them can show."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, TypedDict

from tbdiag.cli.options import Color
from tbdiag.errors import RequestError
from tbdiag.views.text import printable

OWN_PLOT = (
    ".tbdiag.png"  # how the plots of a scan are called, so that the next one may replace them
)

_DRAWN = "█▁…→×–─│"


class Look(TypedDict):
    """How text is drawn: what every text view takes."""

    color: bool
    width: int
    ascii: bool


def look(color: Color) -> Look:
    """What stdout can show: colour as asked, at most 120 columns, 80 where there is no terminal."""
    columns = shutil.get_terminal_size((80, 24)).columns
    return Look(
        color=colored(color, sys.stdout),
        width=min(columns, 120),
        ascii=only_ascii(sys.stdout),
    )


def colored(asked: Color, stream: TextIO) -> bool:
    """Whether to colour: as asked, else NO_COLOR and FORCE_COLOR, else on a terminal only."""
    if asked is not Color.AUTO:
        return asked is Color.ALWAYS
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def only_ascii(stream: TextIO) -> bool:
    """Whether the stream cannot show the characters that charts are drawn with."""
    try:
        _DRAWN.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def say(text: str) -> None:
    """Writes to stdout; a reader that has gone (``| head``) is no error."""
    say_all([text])


def say_all(pieces: Iterable[str]) -> None:
    """Writes pieces of a text to stdout as they come, as `say` does."""
    stream = sys.stdout
    encoding = stream.encoding or "ascii"
    last = ""
    try:
        for piece in pieces:
            stream.write(piece.encode(encoding, "backslashreplace").decode(encoding))
            last = piece or last
        stream.write("" if last.endswith("\n") else "\n")
        stream.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EINVAL):  # Windows says EINVAL
            raise RequestError(f"the output cannot be written: {error.strerror}") from None
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def warn(sentence: str) -> None:
    """Writes one line to stderr."""
    ascii_too = only_ascii(sys.stderr)
    sys.stderr.write(f"{printable(sentence, only_ascii=ascii_too)}\n")


@contextmanager
def replacing(path: Path, *, force: bool = False) -> Iterator[Path]:
    """A draft to write, which becomes ``path`` when all went well: whole or not at all.

    Replaces an earlier file of tbdiag's own, with ``force`` any file, but never an event file.
    Raises RequestError with the reason.
    """
    if path.exists():
        _may_replace(path, force)
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        draft.touch()
        yield draft
        draft.replace(path)
    except OSError as error:
        raise RequestError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)


def _may_replace(path: Path, force: bool) -> None:
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
    if head and not re.match(rb'(?:<!-- )?tbdiag \d|\s*\{.{0,200}"tbdiag": "\d', head, re.DOTALL):
        raise RequestError(f"{path} exists and is no report of tbdiag; it is not overwritten")
