"""Looking at runs again and again while they are trained."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from tbdiag.api import Report
from tbdiag.cli.options import Color
from tbdiag.cli.output import Look, colored, only_ascii, warn
from tbdiag.diagnosis.vigil import Vigil
from tbdiag.errors import NoRunsError
from tbdiag.views import vigil as view
from tbdiag.views.paper import Paper

_PAUSE = 2.0  # seconds between two looks
_SHARE = 10  # a look may take one part in so many of the time

Draw = Callable[[str, str], None]  # what to write, and what to draw below it


def watched(look: Callable[..., Report], color: Color) -> Report:
    """Looks until Ctrl-C and tells on stderr what came up; the last report.

    Only the first look has a progress ``bar``. Where there are no runs yet, they are waited for.
    """
    vigil, report, waiting = Vigil(), None, False
    style = _style(color)  # while stderr is still itself
    draw: Draw | None = None
    with ExitStack() as stack:
        try:
            while True:
                began = time.monotonic()
                try:
                    found = look(bar=draw is None)
                except NoRunsError as error:
                    if not waiting:
                        warn(f"tbdiag: waiting for runs: {error}")
                    waiting = True
                else:
                    draw = draw or stack.enter_context(_screen())
                    first, report = report is None, found  # whatever interrupts the telling
                    _tell(vigil, found, draw, style, first=first)
                time.sleep(max(_PAUSE, _SHARE * (time.monotonic() - began)))
        except KeyboardInterrupt:
            if report is None:
                raise
    return report


def _tell(vigil: Vigil, report: Report, draw: Draw, style: Look, *, first: bool) -> None:
    now = time.time()
    alerts = vigil.look(report, now)
    alive = [each for each in report if vigil.under_way(each.run, now)]
    said, below = _paper(style), _paper(style)
    if first:
        view.opening(said, report, len(alive))
        names = {each.run.id for each in alive}  # what is over was counted
        alerts = [each for each in alerts if each.run in names]
    for alert in alerts:
        view.alerted(said, alert, now)
    view.table(below, alive)
    draw(said.text(), below.text())


def _style(color: Color) -> Look:
    """What stderr can show."""
    width = min(shutil.get_terminal_size((80, 24)).columns, 120)
    return Look(color=colored(color, sys.stderr), width=width, ascii=only_ascii(sys.stderr))


def _paper(style: Look) -> Paper:
    return Paper(color=style["color"], width=style["width"], only_ascii=style["ascii"])


@contextmanager
def _screen() -> Iterator[Draw]:
    """Lines that stay, above a picture that is drawn anew where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield lambda text, below: _write(text)
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with Live(console=console, transient=True, auto_refresh=False) as live:

        def draw(text: str, below: str) -> None:
            if text:
                live.console.print(Text.from_ansi(text.rstrip("\n")))
            live.update(Text.from_ansi(below.rstrip("\n"), no_wrap=True), refresh=True)

        yield draw


def _write(text: str) -> None:
    """Writes to stderr at once, for whoever reads it there."""
    sys.stderr.write(text)
    sys.stderr.flush()
