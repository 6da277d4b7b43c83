"""A progress bar on stderr, for work that takes a while and has somebody watching."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tbdiag.api.intake import At

PATIENCE = 0.5  # seconds that pass without a bar


@contextmanager
def progress(
    clock: Callable[[], float] = time.monotonic, *, watched: bool = True
) -> Iterator[Callable[[At], None]]:
    """A function of how far reading has come that draws a bar where stderr is a terminal.

    Nothing is drawn unless it is ``watched``.
    """
    started = clock()
    watched = watched and sys.stderr.isatty()
    draw: Callable[[At], None] | None = None
    with ExitStack() as stack:

        def update(at: At) -> None:
            nonlocal draw
            if draw is None and watched and clock() - started > PATIENCE:
                draw = _bar(stack)
            if draw is not None:
                draw(at)

        yield update


@contextmanager
def counting(
    words: str, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int, int], None]]:
    """A function of how many things are done, of how many, that draws a bar where stderr is a terminal."""
    started = clock()
    watched = sys.stderr.isatty()
    draw: Callable[[int, int], None] | None = None
    with ExitStack() as stack:

        def update(done: int, of: int) -> None:
            nonlocal draw
            if draw is None and watched and clock() - started > PATIENCE:
                draw = _counter(stack, words)
            if draw is not None:
                draw(done, of)

        yield update


def _counter(stack: ExitStack, words: str) -> Callable[[int, int], None]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
    task = bar.add_task(words, total=None)
    return lambda done, of: bar.update(task, completed=done, total=of)


def _bar(stack: ExitStack) -> Callable[[At], None]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    files = TextColumn("{task.fields[files]}")
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), files, TimeRemainingColumn())
    bar = stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
    task = bar.add_task("reading", total=None, files="")

    def draw(at: At) -> None:
        files = f"{at.files} of {at.all_files} files"
        bar.update(task, completed=at.bytes, total=at.all_bytes, files=files)

    return draw
