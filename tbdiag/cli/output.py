"""Where text goes: the terminal, a pipe or a file, and what each of them can show."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterable
from typing import TextIO, TypedDict

from tbdiag.cli.options import Color
from tbdiag.errors import RequestError
from tbdiag.views.text import printable

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
        _hung_up(error, stream)


def say_bytes(pieces: Iterable[bytes]) -> None:
    """Writes to stdout what is no text of the terminal's encoding; otherwise as `say_all` does."""
    stream = sys.stdout
    stream.flush()
    try:
        for piece in pieces:
            stream.buffer.write(piece)
        stream.buffer.flush()
    except OSError as error:
        _hung_up(error, stream)


def _hung_up(error: OSError, stream: TextIO) -> None:
    """Nobody reads on, which is no error; raises RequestError for any other."""
    if error.errno not in (errno.EPIPE, errno.EINVAL):  # Windows says EINVAL
        raise RequestError(f"the output cannot be written: {error.strerror}") from None
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def warn(sentence: str) -> None:
    """Writes one line to stderr."""
    ascii_too = only_ascii(sys.stderr)
    sys.stderr.write(f"{printable(sentence, only_ascii=ascii_too)}\n")
