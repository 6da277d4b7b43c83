"""Growing event files read on from where reading stopped.

``resume(path) -> (columns, state)`` reads a file; ``resume(path, columns, state) -> (columns, state)``
later gives what reading all of it anew would, and reads only what was appended, where that is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from tbdiag.errors import ReadError
from tbdiag.model.place import Place, UrlPath
from tbdiag.reading import stored
from tbdiag.reading.checksums import masked
from tbdiag.reading.columns import Columns, Points, RawHistograms
from tbdiag.reading.eventfile import Reading, settled

_HEAD = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a file was read, and what tells it from another one of the same name.

    ``offset`` is where its last whole record ends; ``head`` is the checksum of its first ``looked``
    bytes, ``tail`` of as many before the offset. ``plugins`` and ``sessions`` are what its records told about the ones to come.
    """

    inode: int
    offset: int
    looked: int
    head: int
    tail: int
    sessions: bool = False
    plugins: Mapping[str, tuple[str, int]] = field(default_factory=dict)


def resume(
    path: Place, columns: Columns | None = None, state: State | None = None
) -> tuple[Columns, State]:
    """The columns of a file, read on from ``state`` where it only grew, and the state after.

    A file that was rewritten, replaced or cut is read anew, as is one whose new records bear on the
    old ones. Raises ReadError where the file cannot be read.
    """
    if columns is not None and state is not None and _grown(path, columns, state):
        tail = Reading(
            path,
            offset=state.offset,
            plugins=state.plugins,
            sessions=state.sessions,
            scalars=columns.scalars,
        )
        if not (tail.disordered or tail.gathered.ambiguous or tail.gathered.restarted):
            return joined(columns, tail.columns), _state(path, tail)
    return whole(path, Reading(path))


def whole(path: Place, reading: Reading) -> tuple[Columns, State]:
    """The columns of a file of which a reading was begun, and the state after."""
    reading = settled(path, reading)
    return reading.columns, _state(path, reading)


def joined(before: Columns, after: Columns) -> Columns:
    """What one file holds, of which ``after`` was read from where reading ``before`` ended."""
    scalars = dict(before.scalars)
    for tag, points in after.scalars.items():
        old = scalars.get(tag)
        scalars[tag] = points if old is None else _appended(old, points)
    histograms = dict(before.histograms)
    for tag, raw in after.histograms.items():
        known = histograms.get(tag)
        histograms[tag] = raw if known is None else _more(known, raw)
    return replace(
        before,
        scalars=scalars,
        histograms=histograms,
        texts={**before.texts, **after.texts},
        hparams={**before.hparams, **after.hparams},
        started=after.started if before.started is None else before.started,
        damage=after.damage,
    )


def _appended(old: Points, new: Points) -> Points:
    return Points(
        np.concatenate([old.steps, new.steps]),
        np.concatenate([old.values, new.values]),
        np.concatenate([old.wall_times, new.wall_times]),
    )


def _more(old: RawHistograms, new: RawHistograms) -> RawHistograms:
    return RawHistograms(
        np.concatenate([old.steps, new.steps]),
        np.concatenate([old.wall_times, new.wall_times]),
        stored.joined([old.records, new.records]),
    )


def _grown(path: Place, columns: Columns, state: State) -> bool:
    try:
        inode, size = _told(path)
        ends = _ends(path, state.offset, state.looked) if size >= state.offset else None
    except OSError as error:
        raise ReadError(f"{path}: {error.strerror or error}") from error
    same = ends is not None and (inode, *ends) == (state.inode, state.head, state.tail)
    return same and state.offset > 0 and columns.started is not None


def _told(path: Place) -> tuple[int, int]:
    """What tells a file from another one of the same name, 0 where nothing does, and its bytes."""
    if isinstance(path, UrlPath):
        from tbdiag.reading import remote

        return 0, remote.size_of(path)  # a store writes a file anew when it grows
    status = path.stat()
    return status.st_ino, status.st_size


def _ends(path: Place, offset: int, count: int) -> tuple[int, int]:
    """The checksums of the first ``count`` bytes, and of as many before ``offset``."""
    if isinstance(path, UrlPath):
        from tbdiag.reading import remote

        first, last = remote.ends(path, offset, count)
        return masked(first), masked(last)
    with path.open("rb", buffering=0) as file:
        head = file.read(count)
        file.seek(max(offset - count, 0))
        return masked(head), masked(file.read(count))


def _state(path: Place, reading: Reading) -> State:
    looked = min(reading.offset, _HEAD)
    head, tail = _ends(path, reading.offset, looked)
    return State(
        inode=reading.inode,
        offset=reading.offset,
        looked=looked,
        head=head,
        tail=tail,
        sessions=reading.gathered.sessions,
        plugins=reading.gathered.plugins,
    )
