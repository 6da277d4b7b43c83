"""A comparison on its way out: to stdout, to a file, to a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tbdiag import __version__
from tbdiag.api import Comparison, compare
from tbdiag.api.replacing import replacing
from tbdiag.cli.deliver import PLAIN, Target
from tbdiag.cli.drawing import SUFFIXES
from tbdiag.cli.options import Color
from tbdiag.cli.output import look, say
from tbdiag.cli.progress import progress
from tbdiag.errors import RequestError
from tbdiag.views import comparison, comparison_json

FORMATS = ("text", "json")


def compared(
    runs: Sequence[Path], plot: Path | None, *, force: bool, config: Path | None, cache: bool
) -> Comparison:
    """The comparison, with a progress bar on the way; says first what is wrong with ``plot``."""
    if plot is not None and plot.suffix.lower() not in SUFFIXES:
        raise RequestError(f"{plot} must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    if plot is not None and plot.exists() and not force:
        raise RequestError(f"{plot} exists; --force overwrites it, --plot names another file")
    with progress() as update:
        return compare([*runs], config=config, cache=cache, progress=update)


def deliver(found: Comparison, targets: Sequence[Target], *, color: Color) -> None:
    """Writes the comparison in each format."""
    for form, file in targets:
        style = look(color) if file is None else PLAIN
        text = (
            comparison_json.render(found) if form == "json" else comparison.render(found, **style)
        )
        if file is None:
            say(text)
            continue
        head = f"tbdiag {__version__}\n\n" if form == "text" else ""
        with replacing(file) as draft:
            draft.write_text(f"{head}{text}", "utf-8", errors="backslashreplace")


def draw(found: Comparison, file: Path, *, force: bool) -> None:
    """The curves of the runs over each other, in a file."""
    from tbdiag.views import figures

    try:
        figure = figures.overlaid_curves([each.run for each in found.standings])
    except ValueError as error:
        raise RequestError(f"the runs cannot be plotted: {error}") from None
    with replacing(file, force=force) as draft:
        figures.save(figure, draft)
