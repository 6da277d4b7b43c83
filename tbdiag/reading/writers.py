"""Who wrote the files of a run, and who of them at the same time as another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tbdiag.model.run import Mixture, Writing
from tbdiag.model.series import Floats, Ints
from tbdiag.reading.columns import Points
from tbdiag.reading.restarts import Joined

_TIME_AND_AGAIN = 3  # rewinds of a tag in one file from which on its writers are looked for

_NAME = re.compile(r"tfevents\.\d{9,11}\.(?P<host>.+?)(?:\.(?P<process>\d+)\.\d+(?:\.v2)?)?$")
_SEVERAL = 2  # points of each writer within the time of both, below which nothing was mixed
_COPIED = 0.5  # share of points with the same wall time that tells a copy from a second writer
_MOST_WRITERS = 4
_MOST_LOOKED_AT = 20_000
_TAKE_TURNS = 6  # changes of writer in one file; a resumed run has one for each resume
_LEAST_SHARE = 0.1  # of the points of a file, that each of its writers has


class Part(NamedTuple):
    """One file of a run: its scalars under the tags that they bear there, and who wrote them."""

    writing: Writing
    scalars: Mapping[str, Points]
    session: int = 0


def part_of(file: str, scalars: Mapping[str, Points], session: int = 0) -> Part | None:
    """A file of the name ``file`` with its ``scalars``; None where it holds none."""
    ends = [
        (points.wall_times[0], points.wall_times[-1]) for points in scalars.values() if len(points)
    ]
    if not ends:
        return None
    told = _NAME.search(file)
    process = told["process"] if told else None
    writing = Writing(
        file=file,
        first=float(min(first for first, _ in ends)),
        last=float(max(last for _, last in ends)),
        host=told["host"] if told else "",
        process=int(process) if process else None,
    )
    return Part(writing, scalars, session)


def mixtures_of(parts: Sequence[Part]) -> list[Mixture]:
    """The groups of files whose writers logged the same curves at the same time.

    A file beside an earlier one that it is a copy of is no second writer. Files of different
    sessions were told from each other, so that each group of them lies ``apart``.
    """
    groups: list[set[int]] = []
    overlaps: dict[frozenset[int], _Overlap] = {}
    for one, other in _at_once(parts):
        found = _overlap(parts[one], parts[other])
        if found is None:
            continue
        overlaps[frozenset((one, other))] = found
        touched = [group for group in groups if group & {one, other}]
        groups = [group for group in groups if group not in touched]
        groups.append({one, other}.union(*touched))
    return [
        _mixture(
            [parts[index] for index in sorted(group)],
            [found for pair, found in overlaps.items() if pair <= group],
        )
        for group in groups
    ]


def mixtures_within(
    parts: Sequence[Part], files: Sequence[str], joined: Mapping[str, Joined]
) -> Iterator[Mixture]:
    """Who wrote the same curves of one run at the same time, in several files or in one.

    ``joined`` holds the tags of the run, whose rewinds name one of ``files`` by its place.
    """
    if len(parts) > 1:
        yield from mixtures_of(parts)
    rewound: dict[str, list[str]] = {}
    for tag, result in joined.items():
        if len(result.rewinds) >= _TIME_AND_AGAIN:
            for index, count in Counter(rewind.file for rewind in result.rewinds).items():
                if count >= _TIME_AND_AGAIN:
                    rewound.setdefault(files[index], []).append(tag)
    for part in parts if rewound else ():
        turns = turns_within(part, rewound.get(part.writing.file, ()))
        if turns is not None:
            yield turns


class _Overlap(NamedTuple):
    first: float
    last: float
    points: int
    tags: int


def _at_once(parts: Sequence[Part]) -> Iterator[tuple[int, int]]:
    """The pairs of files that were written at the same time, by their first and last points."""
    order = sorted(range(len(parts)), key=lambda index: parts[index].writing.first)
    for place, one in enumerate(order):
        for other in order[place + 1 :]:
            if parts[other].writing.first >= parts[one].writing.last:
                break
            yield min(one, other), max(one, other)


def _overlap(one: Part, other: Part) -> _Overlap | None:
    low = max(one.writing.first, other.writing.first)
    high = min(one.writing.last, other.writing.last)
    points, tags, firsts, lasts = 0, 0, [], []
    for tag in one.scalars.keys() & other.scalars.keys():
        ours, theirs = (
            walls[(walls >= low) & (walls <= high)]
            for walls in (one.scalars[tag].wall_times, other.scalars[tag].wall_times)
        )
        if min(len(ours), len(theirs)) < _SEVERAL:
            continue
        if np.isin(ours, theirs).mean() > _COPIED or np.isin(theirs, ours).mean() > _COPIED:
            return None
        first, last = max(ours.min(), theirs.min()), min(ours.max(), theirs.max())
        if first < last:
            points, tags = points + len(ours) + len(theirs), tags + 1
            firsts.append(float(first))
            lasts.append(float(last))
    return _Overlap(min(firsts), max(lasts), points, tags) if tags else None


def _mixture(parts: Sequence[Part], overlaps: Sequence[_Overlap]) -> Mixture:
    writers = {(part.writing.host, part.writing.process) for part in parts}
    told = all(part.writing.process is not None for part in parts)
    return Mixture(
        files=tuple(part.writing.file for part in parts),
        writers=len(parts),
        processes=told and len(writers) > 1,
        first=min(found.first for found in overlaps),
        last=max(found.last for found in overlaps),
        points=max(found.points for found in overlaps),
        tags=max(found.tags for found in overlaps),
        apart=len({part.session for part in parts}) > 1,
    )


def turns_within(part: Part, rewound: Iterable[str]) -> Mixture | None:
    """The writers that took turns in one file, by the steps of a tag that time and again go back.

    ``rewound`` are the tags whose steps do. The steps of one writer rise; two that share a file
    make two rising rows that alternate. None where the steps do not fall apart into a few such rows,
    as with a counter that each epoch begins anew, or where they hardly alternate, as after a resume.
    """
    tags = [tag for tag in rewound if tag in part.scalars]
    if not tags:
        return None
    points = max((part.scalars[tag] for tag in tags), key=len)
    if len(points) > _MOST_LOOKED_AT:
        points = points.take(np.arange(_MOST_LOOKED_AT))
    rows = _rising_rows(points.steps)
    if rows is None:
        return None
    sizes = np.bincount(rows)
    turns = np.flatnonzero(np.diff(rows)) + 1
    if len(sizes) < 2 or sizes.min() < _LEAST_SHARE * len(rows) or len(turns) < _TAKE_TURNS:
        return None
    walls: Floats = points.wall_times
    return Mixture(
        files=(part.writing.file,),
        writers=len(sizes),
        processes=False,
        first=float(walls[turns[0] - 1]),
        last=float(walls[turns[-1]]),
        points=len(rows),
        tags=len(tags),
        apart=False,
    )


def _rising_rows(steps: Ints) -> Ints | None:
    """For each of the steps, shape (n,), the rising row that it belongs to; None with too many.

    Each goes on the row that stands closest below it (patience sorting), the one before it first.
    """
    ends: list[int] = []
    rows, current = [], 0
    for step in steps.tolist():
        below = [row for row, end in enumerate(ends) if end < step]
        if below:
            current = max(below, key=lambda row: (ends[row], row == current))
            ends[current] = step
        elif len(ends) == _MOST_WRITERS:
            return None
        else:
            ends.append(step)
            current = len(ends) - 1
        rows.append(current)
    return np.array(rows, dtype=np.int64)
