"""The folders of runs of a request, each of which is read when it is its turn."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from tbdiag.errors import ReadError
from tbdiag.model.histogram import Histograms
from tbdiag.model.place import Place, back, is_url
from tbdiag.model.role import Override, Role
from tbdiag.model.run import Run
from tbdiag.model.series import Series
from tbdiag.reading import runs
from tbdiag.reading.beside import upward
from tbdiag.reading.columns import Columns
from tbdiag.reading.discover import EventFile, RunFiles
from tbdiag.reading.eventfile import Reading, begun, settled
from tbdiag.reading.folders import Look
from tbdiag.reading.later import Later
from tbdiag.reading.spool import Numbered

if TYPE_CHECKING:  # runs that are read here need no heads
    from tbdiag.reading.heads import Answer, Head, Lookup, Told

Overrides = Mapping[Role, Override]
Show = Callable[[str], str]

SMALL = 2 << 20  # bytes of folders that are read together
_LOOKED = 32  # folders into which somebody looked again that are held
_HELD = 16 << 20  # bytes of a far folder that are, at most


class Slot:
    """A folder of runs. `read` may be called in any thread, all else in one."""

    def __init__(
        self, files: RunFiles | None, overrides: Overrides | None, *, verify: bool = False
    ) -> None:
        self._files, self._overrides, self._verify = files, overrides, verify
        self._found: tuple[Run, ...] | None = None
        self._anew: tuple[Run, ...] | None = None
        self._begun: dict[PurePath, Reading | ReadError] = {}
        self._taken: Told | None = None

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
    def far(self) -> bool:
        """Whether it is reached by a URL."""
        return is_url(self.files.folder)

    @property
    def lost(self) -> dict[str, str]:
        """Far files of settings that could not be read, and why."""
        if not self.far:
            return {}
        if self._taken is not None:
            return self._taken.lost
        from tbdiag.reading import remote

        return remote.lost(upward(self.files.folder, self.files.top))

    @property
    def held(self) -> int:
        """The bytes that count as read ahead: of far files only ranges are."""
        return min(self.bytes, _HELD) if self.far else self.bytes

    @property
    def fresh(self) -> bool:
        """Whether the runs were read, and stand in memory."""
        return self._found is not None

    def filled(self, number: int, run: Run) -> bool:
        """Whether a run holds anything to be examined."""
        if self._taken is not None:
            return self._taken.heads[number].filled
        return bool(run.series or run.histograms)

    def finish(self) -> None:
        """All was told of it that a scan wants to know."""
        self.close()

    def close(self) -> None:
        """Forgets the runs: whoever wants them has them."""
        self._found = self._anew = None

    @property
    def waiting(self) -> bool:
        """Whether there is something to be read."""
        return self._found is None and self._taken is None

    @property
    def unknown(self) -> bool:
        """Whether nothing of it was read before: it may be read elsewhere, and taken from there."""
        return self.waiting

    @property
    def looks(self) -> tuple[Look, ...] | None:
        """How its event files look, where what is read of them can be kept."""
        return None

    def take(self, told: Told) -> None:
        """Takes what was found out about it elsewhere."""
        self._taken = told

    def begin(self) -> None:
        """Begins to read, where that helps: `read` then finishes it, in the same thread."""
        if self.waiting and self.bytes <= SMALL:
            self._begun = {
                file.path: begun(file.path, verify=self._verify) for file in self.files.files
            }

    def read(self) -> None:
        """Reads the runs, once."""
        if self.waiting:
            self._found = self._loaded()

    def _loaded(self) -> tuple[Run, ...]:
        found = runs.load(self.files, self._overrides, self._columns)
        if self.far:  # what cannot be had is to be known at once
            for run in found:
                len(run.hparams)
        return found

    def _columns(self, file: EventFile) -> Columns:
        return settled(file.path, self._started(file.path), verify=self._verify).columns

    def _started(self, path: Place) -> Reading:
        """The reading of a file that was begun, or is now; raises ReadError."""
        reading = self._begun.pop(path, None) or begun(path, verify=self._verify)
        if isinstance(reading, ReadError):
            raise reading
        return reading

    def __len__(self) -> int:
        """How many runs there are, read if they were not yet."""
        return len(self._runs if self._taken is None else self._taken.heads)

    def run(self, number: int, show: Show | None = None) -> Run:
        """One of the runs, its path as ``show`` writes it."""
        if self._taken is not None:
            return self._of_head(number, self._taken.heads[number], show)
        run = self._runs[number]
        return replace(run, path=back(show(str(run.path)))) if show else run

    @property
    def _runs(self) -> tuple[Run, ...]:
        self.read()
        assert self._found is not None
        return self._found

    def answer(self, selection: str, number: int) -> Answer | None:
        """What the rules of a selection answered about a run, where that was kept."""
        answers = None if self._taken is None else self._taken.answers.get(selection)
        return answers[number] if answers else None

    def head(self, number: int) -> Head:
        """What is told of a run without its curves; raises TypeError for what could not come back."""
        from tbdiag.reading.heads import head_of

        return head_of(self._runs[number]) if self._taken is None else self._taken.heads[number]

    @property
    def keeps(self) -> bool:
        """Whether answers can be kept."""
        return False

    def keep_answer(self, selection: str, number: int, answer: Answer) -> None:
        """Keeps what the rules answered about a run."""

    def let_go(self, number: int, run: Run, tags: Collection[str]) -> Run:
        """The run without its curves but those of ``tags``: the others are read when asked for."""
        known = {tag: run.series[tag] for tag in tags if tag in run.series}
        points = run.provenance.points
        return replace(
            run,
            series=Later(lambda: self.series(number, points), known),
            histograms=Later(lambda: self.histograms(number, points)),
        )

    def _of_head(self, number: int, head: Head, show: Show | None) -> Run:
        """A run whose curves are looked for when they are asked for."""
        from tbdiag.reading.heads import run_of

        path = show(head.path) if show else head.path
        return run_of(head, self._lookup(number, head), path)

    def _lookup(self, number: int, head: Head) -> Lookup:
        from tbdiag.reading.heads import Lookup, points_of

        return Lookup(
            lambda: self.series(number, points_of(head)),
            lambda: self.histograms(number, points_of(head)),
            lambda: self.texts(number, points_of(head)),
        )

    def series(self, number: int, points: int) -> Mapping[str, Series]:
        """The curves of a run that had so many points, out of its files once more.

        Raises ReadError where they hold less by now.
        """
        return self._again(number, points).series

    def histograms(self, number: int, points: int) -> Mapping[str, Histograms]:
        """The histograms of a run, as `series`."""
        return self._again(number, points).histograms

    def texts(self, number: int, points: int) -> Mapping[str, str]:
        """The texts of a run, as `series`."""
        return self._again(number, points).texts

    def _again(self, number: int, points: int) -> Run:
        anew = self._anew or runs.load(self.files, self._overrides)
        looked_into(self)
        if number >= len(anew) or anew[number].provenance.points < points:
            raise ReadError(f"{self.files.path}: its event files lost points since they were read")
        self._anew = anew
        return anew[number]


class Slots(Numbered[Slot]):
    """The slots of all folders of a request in their order, made when somebody asks."""

    @abstractmethod
    def totals(self) -> tuple[int, int]:
        """Bytes and number of all event files."""

    @abstractmethod
    def pending(self) -> tuple[int, int]:
        """About how many bytes of how many folders are new."""


_looked: deque[Slot] = deque()  # those into which somebody looked after they were closed


def looked_into(slot: Slot) -> None:
    """Keeps what was looked up in a few folders only."""
    if slot not in _looked:
        _looked.append(slot)
        if len(_looked) > _LOOKED:
            _looked.popleft().close()
