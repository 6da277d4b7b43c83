"""The advisor itself in the arena: its loop, its books and its verdicts, on runs in memory."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.advisor.arena import OBJECTIVE, Arena
from benchmarks.advisor.starts import Params, Space
from benchmarks.advisor.training import Task
from tbdiag.advisor import look
from tbdiag.advisor.books import Books
from tbdiag.advisor.look import HOPELESS, Watch
from tbdiag.advisor.loop import Limits, Loop
from tbdiag.advisor.news import Conclusion
from tbdiag.advisor.plan import Plan
from tbdiag.advisor.propose import Policy
from tbdiag.advisor.record import Record
from tbdiag.advisor.study import Ledger
from tbdiag.config.settings import Config
from tbdiag.config.training import Train
from tbdiag.diagnosis.examine import Selection
from tbdiag.journal.file import Journal
from tbdiag.launch.base import GRACE, Exit, How, Job
from tbdiag.launch.command import PARAMS
from tbdiag.model.proposal import State, Trial

_ENDED = Exit(how=How.EXITED, code=0, reason="", started=0.0, ended=0.0)
_MEMORY = Path("/dev/shm")  # where the journal's every line is on the "disk" at once


@dataclass(slots=True)
class Instant:
    """A launcher whose runs are over as soon as they are asked for."""

    slots: int = 1
    started: dict[str, Params] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    @property
    def running(self) -> tuple[str, ...]:
        """The jobs whose end was not told."""
        return tuple(self._open)

    def start(self, job: Job) -> None:
        """Notes the settings; the run itself comes from the arena when somebody looks."""
        self.started[job.id] = json.loads(job.env[PARAMS])
        self._open.append(job.id)

    def adopt(self, job: Job) -> bool:
        """Nothing was started before."""
        del job
        return False

    def poll(self) -> list[tuple[str, Exit]]:
        """All that was started."""
        done, self._open = self._open, []
        return [(name, _ENDED) for name in done]

    def stop(self, id: str, grace: float = GRACE) -> None:  # noqa: A002 - as in the protocol
        """Nothing runs."""

    def close(self, grace: float = GRACE) -> list[tuple[str, Exit]]:
        """Nothing runs."""
        del grace
        return []


@dataclass(frozen=True, slots=True)
class Cell:
    """A bad start on a task, with what is exposed."""

    task: Task
    start: str
    params: Params
    space: Space

    @property
    def name(self) -> str:
        """Task and start in words."""
        return f"{self.task.name}: {self.start}"


@dataclass(frozen=True, slots=True)
class Searched:
    """What the advisor did: its runs in order, the start before them, and how it ended."""

    runs: tuple[Record, ...]
    end: Conclusion
    epochs: tuple[int, ...]  # of each follow-up, fewer where it was ended as hopeless


def advised(
    arena: Arena,
    cell: Cell,
    n: int,
    *,
    policy: Policy | None = None,
    seed: int = 0,
    keep_going: bool = True,
) -> Searched:
    """``n`` follow-ups of the product's own loop from a bad start; fewer where it stops by itself."""
    with _folder() as folder:
        plan = _plan(arena, cell, folder, seed)
        launcher, lengths = Instant(), dict[str, int]()
        watch = Watch.by(arena.selection)

        def looked(trial: Trial) -> Record:
            proposal = trial.proposal
            record = arena.record(
                cell.task,
                launcher.started[proposal.id],
                proposal.id,
                origin=proposal.origin,
                parent=proposal.parent,
                state=trial.state,
            )
            lengths[proposal.id] = ended = _ended(record, watch, cell.task.epochs)
            return record if ended == cell.task.epochs else replace(record, state=State.KILLED)

        books = Books(
            plan=plan,
            journal=Journal.beside(folder, clock=lambda: 0.0),
            ledger=Ledger(None, plan.study, plan.ledger, higher=False),
            looked=looked,
        )
        loop = Loop(
            plan=plan,
            books=books,
            launcher=launcher,
            limits=Limits(trials=n),
            policy=policy or Policy(),
            keep_going=keep_going,
            clock=lambda: 0.0,
            wall=lambda: 0.0,
            sleep=lambda seconds: None,
        )
        end = loop.run()
        runs = (plan.start, *books.followups)
        return Searched(runs, end, tuple(lengths[run.id] for run in runs[1:]))


def _ended(record: Record, watch: Watch, epochs: int) -> int:
    """After how many epochs the loop would have stopped the run, which is looked at after each."""
    if record.run is None or not any(each.code in HOPELESS for each in record.roots):
        return epochs
    every = look.steps(record.run) // epochs
    before = None
    for epoch in range(1, epochs):
        series = {tag: curve.between(0, epoch * every) for tag, curve in record.run.series.items()}
        part = replace(record.run, series=series)
        found = watch.hopeless(part, epochs * every)
        if found is not None and before is not None:
            return epoch
        before = found
    return epochs


def hidden(arena: Arena) -> Arena:
    """The same arena where no rule is asked: runs without a diagnosis."""
    return replace(arena, selection=Selection(detectors=()))


def _plan(arena: Arena, cell: Cell, folder: Path, seed: int) -> Plan:
    config = Config(
        root=Path(f"/benchmark/{cell.task.name}/{cell.start}/{seed}"),  # the seed of the jitter
        train=Train(command=("train",), objective=OBJECTIVE),
        space=dict(cell.space),
    )
    start = arena.record(cell.task, cell.params, "start")
    return Plan(
        config=config,
        selection=arena.selection,
        space=cell.space,
        start=start,
        past=(start,),
        logdir=folder,
    )


@contextmanager
def _folder() -> Iterator[Path]:
    place = _MEMORY if _MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="tbdiag-benchmark-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
