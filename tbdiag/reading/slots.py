"""The folders of runs of a request one after the other, read ahead in threads where that pays."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from tbdiag.errors import ReadError
from tbdiag.model.histogram import Histograms
from tbdiag.model.role import Override, Role
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.reading import runs
from tbdiag.reading.discover import RunFiles
from tbdiag.reading.later import Later

Overrides = Mapping[Role, Override]
Show = Callable[[str], str]
Answer = tuple[bytes, bytes]  # outcomes and findings as JSON

_AHEAD = 2  # folders that are read ahead of the rules, for each thread
_JOBS = 1


class Slot:
    """A folder of runs. `read` may be called in any thread, all else in one."""

    def __init__(self, files: RunFiles | None, overrides: Overrides | None) -> None:
        self._files, self._overrides = files, overrides
        self._found: tuple[Run, ...] | None = None
        self._anew: tuple[Run, ...] | None = None

    @property
    def files(self) -> RunFiles:
        """The folder and its event files."""
        assert self._files is not None
        return self._files

    @property
    def bytes(self) -> int:
        """The size of the event files."""
        return self.files.bytes

    @property
    def count(self) -> int:
        """The number of event files."""
        return len(self.files.files)

    @property
    def fresh(self) -> bool:
        """Whether the runs were read, and stand in memory."""
        return self._found is not None

    def filled(self, number: int, run: Run) -> bool:
        """Whether a run holds anything to be examined."""
        del number
        return bool(run.series or run.histograms)

    def close(self) -> None:
        """Forgets the runs: whoever wants them has them."""
        self._found = None

    @property
    def waiting(self) -> bool:
        """Whether there is something to be read."""
        return self._found is None

    def read(self) -> None:
        """Reads the runs, once."""
        if self._found is None:
            self._found = runs.load(self.files, self._overrides)

    def __len__(self) -> int:
        """How many runs there are, read if they were not yet."""
        return len(self._runs)

    def run(self, number: int, show: Show | None = None) -> Run:
        """One of the runs, its path as ``show`` writes it."""
        run = self._runs[number]
        return replace(run, path=Path(show(str(run.path)))) if show else run

    @property
    def _runs(self) -> tuple[Run, ...]:
        self.read()
        assert self._found is not None
        return self._found

    def answer(self, selection: str, number: int) -> Answer | None:
        """What the rules of a selection answered about a run, where that was kept."""
        del selection, number
        return None

    def keep_answer(self, selection: str, number: int, answer: Answer) -> None:
        """Keeps what the rules answered about a run."""

    def let_go(self, number: int, run: Run, tags: Collection[str]) -> Run:
        """The run without its curves but those of ``tags``: the others are read when asked for."""
        known = {tag: run.series[tag] for tag in tags if tag in run.series}
        return replace(
            run,
            series=Later(lambda: self.series(number), known),
            histograms=Later(lambda: self.histograms(number)),
        )

    def series(self, number: int) -> Mapping[str, Series]:
        """The curves of a run, read anew; raises ReadError where its files have changed by now."""
        return self._again(number).series

    def histograms(self, number: int) -> Mapping[str, Histograms]:
        """The histograms of a run, read anew; raises ReadError as `series` does."""
        return self._again(number).histograms

    def _again(self, number: int) -> Run:
        if self._anew is None:
            self._anew = runs.load(self.files, self._overrides)
        if number >= len(self._anew):
            raise ReadError(f"{self.files.path}: its event files changed while they were examined")
        return self._anew[number]


def read_ahead(slots: Iterable[Slot], jobs: int | None = None) -> Iterator[Slot]:
    """The slots in their order, each read, up to ``jobs`` of them at a time."""
    jobs = _JOBS if jobs is None else jobs
    if jobs < 2:
        for slot in slots:
            slot.read()
            yield slot
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    with ThreadPoolExecutor(jobs, thread_name_prefix="tbdiag") as pool:
        under_way: deque[tuple[Slot, Future[None] | None]] = deque()
        try:
            for slot in slots:
                under_way.append((slot, pool.submit(slot.read) if slot.waiting else None))
                if len(under_way) > _AHEAD * jobs:
                    yield _done(*under_way.popleft())
            while under_way:
                yield _done(*under_way.popleft())
        finally:
            for _, future in under_way:
                if future:
                    future.cancel()


def _done(slot: Slot, future: object) -> Slot:
    if future is not None:
        future.result()  # type: ignore[attr-defined]
    return slot
