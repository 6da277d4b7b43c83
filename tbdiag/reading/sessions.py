"""Which event files of a folder were written by one training, and which by several."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tbdiag.reading.columns import Columns, Points

_SEVERAL = 2


def sessions_of(files: Sequence[Columns]) -> list[list[int]]:
    """The indices of the files of one folder, in groups of those that belong to one training.

    A file that logs the same tags from the same step on, or from an earlier one, begins another
    training; one that goes on in the middle resumes the training before it, and so does one that
    shares no curve with it.
    """
    groups: list[list[int]] = []
    current: dict[str, Points] = {}
    for index, columns in enumerate(files):
        if not groups or _starts_over(current, columns):
            groups.append([])
            current = {}
        groups[-1].append(index)
        for tag, points in columns.scalars.items():
            known = current.get(tag)
            if known is None or len(known) < _SEVERAL:
                current[tag] = points
    return groups


def _starts_over(current: dict[str, Points], later: Columns) -> bool:
    over, on, still = 0, 0, 0
    for tag, points in later.scalars.items():
        known = current.get(tag)
        if known is None or len(known) < _SEVERAL or len(points) < _SEVERAL:
            continue
        first, first_known = points.steps.min(), known.steps.min()
        if points.steps.max() == first and known.steps.max() == first_known:
            still += int(first <= first_known)  # the steps of such a tag do not count anything
        elif first <= first_known:
            over += 1
        else:
            on += 1
    return over > on if over or on else still > 0


def side_by_side(folders: Sequence[Sequence[Sequence[Columns]]]) -> list[list[list[int]]]:
    """The sessions of several folders of a run (train beside validation) told to each other.

    ``folders[f][s]`` are the columns of session s in folder f. The result holds, for every session
    of the folder that has the most, the indices of the sessions in each folder that go with it:
    one to one where their number agrees, else by the time at which they started.
    """
    leading = max(folders, key=len)
    starts = [_started(session) for session in leading]
    together: list[list[list[int]]] = [[[] for _ in folders] for _ in leading]
    for f, sessions in enumerate(folders):
        for s, session in enumerate(sessions):
            where = s if len(sessions) == len(leading) else _latest(starts, _started(session))
            together[where][f].append(s)
    return together


def _latest(starts: Sequence[float], time: float) -> int:
    begun = [index for index, start in enumerate(starts) if start <= time]
    return begun[-1] if begun else 0


def _started(session: Sequence[Columns]) -> float:
    return min((c.started for c in session if c.started is not None), default=0.0)


def labels(names: Sequence[str]) -> list[str]:
    """Short, distinct labels for sessions, out of the names of their first event files."""
    stems = [name.removeprefix("events.out.tfevents").strip(".") or name for name in names]
    times = [match[0] if (match := re.match(r"\d{9,11}(?=\.|$)", stem)) else "" for stem in stems]
    short = times if all(times) and len(set(times)) == len(times) else stems
    if len(set(short)) == len(short):
        return short
    return [f"{number} of {len(names)}" for number in range(1, len(names) + 1)]
