"""A progress bar on stderr, for work that takes a while and has somebody watching."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

PATIENCE = 0.5  # seconds that pass without a bar


@contextmanager
def progress(clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[int, int], None]]:
    """A function of (bytes done, bytes in total) that draws a bar where stderr is a terminal."""
    started = clock()
    watched = sys.stderr.isatty()
    draw: Callable[[int, int], None] | None = None
    with ExitStack() as stack:

        def update(done: int, total: int) -> None:
            nonlocal draw
            if draw is None and watched and clock() - started > PATIENCE:
                draw = _bar(stack)
            if draw is not None:
                draw(done, total)

        yield update


def _bar(stack: ExitStack) -> Callable[[int, int], None]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
    task = bar.add_task("reading", total=None)
    return lambda done, total: bar.update(task, completed=done, total=total)
