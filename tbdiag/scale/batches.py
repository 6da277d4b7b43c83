"""Runs diagnosed batch by batch, here or elsewhere: what comes back are results, not curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.diagnosis.remember import lasting, placing, question, told_place
from tbdiag.model.place import is_url
from tbdiag.model.role import Override
from tbdiag.reading.ahead import read_ahead
from tbdiag.reading.beside import upward
from tbdiag.reading.discover import RunFiles
from tbdiag.reading.folders import Look
from tbdiag.reading.heads import Told
from tbdiag.reading.packed import PackedSlot
from tbdiag.reading.slots import Overrides
from tbdiag.search.entrant import standing

if TYPE_CHECKING:  # what lies here needs none of it
    from tbdiag.reading.remote import Known

MOST_BYTES = 16 << 20  # of event files in a batch, unless one folder alone holds more
MOST_RUNS = 256

Item = tuple[RunFiles, tuple[Look, ...] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is done with each run: the rules are asked as of the wall time ``now``."""

    selection: Selection
    roles: Overrides | None = None
    objective: Override | None = None
    now: float | None = None
    verify: bool = False
    jobs: int | None = None  # folders that a worker reads at a time
    storage: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Folders of runs that are diagnosed together, and how their event files were listed.

    Where they were, the columns come back as well, for whoever keeps them.
    """

    items: tuple[Item, ...]
    bytes: int = field(compare=False)
    known: Known | None = field(default=None, compare=False)  # of files that URLs name


def batches(
    folders: Iterable[Item], *, most_bytes: int = MOST_BYTES, most_runs: int = MOST_RUNS
) -> Iterator[Batch]:
    """The folders in their order, in batches of bounded size; they are taken when they are needed."""
    items: list[Item] = []
    size = 0
    for item in folders:
        if items and (size + item[0].bytes > most_bytes or len(items) >= most_runs):
            yield _batch(items, size)
            items, size = [], 0
        items.append(item)
        size += item[0].bytes
    if items:
        yield _batch(items, size)


def _batch(items: Sequence[Item], size: int) -> Batch:
    far = [files for files, _ in items if is_url(files.folder)]
    known = None
    if far:
        from tbdiag.reading import remote

        folders = {each for files in far for each in upward(files.folder, files.top)}
        known = remote.known(folders, (each.where for files in far for each in files.files))
    return Batch(items=tuple(items), bytes=size, known=known)


def diagnosed(batch: Batch, job: Job) -> list[Told | None]:
    """What was found out about each folder of the batch, in its order; fit for pickle.

    None where that cannot be told to others: it is then to be read by whoever asked. Holds the curves
    of few folders at a time. Where a rule crashed, the runs of its folder have no answers.
    """
    if batch.known is not None:
        from tbdiag.reading import remote

        remote.use(job.storage)
        remote.adopt(batch.known)
    slots = [PackedSlot(files, looks, job.roles, verify=job.verify) for files, looks in batch.items]
    found = []
    for slot in read_ahead(slots, job.jobs):
        assert isinstance(slot, PackedSlot)
        found.append(_told(slot, job))
        slot.close()
    return found


def _told(slot: PackedSlot, job: Job) -> Told | None:
    try:
        told = slot.told()
    except TypeError:
        return None
    runs = [slot.run(number) for number in range(len(slot))]
    for number, run in enumerate(runs):
        if not told.heads[number].filled:
            continue
        answer = lasting(examine(run, job.selection, job.now))
        asked = question(job.selection, run, job.now)
        told.answers.setdefault(asked, [None] * len(runs))[number] = answer
        place = told_place(standing(run, job.objective))
        told.answers.setdefault(placing(job.objective), [None] * len(runs))[number] = place
    return told
