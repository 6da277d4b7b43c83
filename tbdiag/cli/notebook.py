"""A journal on its way out: to stdout, or to a file."""

from __future__ import annotations

from collections.abc import Sequence

from tbdiag import __version__
from tbdiag.api import History
from tbdiag.api.replacing import replacing
from tbdiag.cli.deliver import PLAIN, Target
from tbdiag.cli.options import Color
from tbdiag.cli.output import Look, look, say
from tbdiag.views import journal, journal_csv, journal_json, journal_markdown

FORMATS = ("text", "markdown", "json", "csv")


def deliver(found: History, targets: Sequence[Target], *, color: Color, force: bool) -> None:
    """Writes the journal in each format."""
    for form, file in targets:
        text = _text(found, form, look(color) if file is None else PLAIN)
        if file is None:
            say(text)
            continue
        head = f"tbdiag {__version__}\n\n" if form == "text" else ""
        with replacing(file, force=force) as draft:
            draft.write_text(f"{head}{text}", "utf-8", errors="backslashreplace")


def _text(found: History, form: str, style: Look) -> str:
    if form == "text":
        return journal.render(found, **style)
    views = {"markdown": journal_markdown, "json": journal_json, "csv": journal_csv}
    return str(views[form].render(found))
