"""Columns of all files of a run to series whose steps strictly increase."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.run import Restart
from tbdiag.model.series import Ints
from tbdiag.reading.columns import Columns, Points, RawHistograms

Piece = tuple[int, Points]  # the index of a file, and what it holds of one tag

_STRAY = 3  # one point that would void as many is itself the odd one
_TIME_AND_AGAIN = 3  # rewinds of one tag alone from which on its steps count something else
_MANY = 100
_TOGETHER = 1 << 17  # points that are copied to be looked at together
_OFTEN = 4  # points per step from which on a tag was logged more often than it was counted


class Rewind(NamedTuple):
    """The steps of one tag went back, in file ``file``; ``size`` is the tag's number of points."""

    tag: str
    file: int
    size: int
    step: int
    reached: int
    dropped: int
    wall_time: float


class Joined(NamedTuple):
    """One tag over all files: ``points`` with strictly increasing steps, and what was left out."""

    points: Points
    duplicates: int = 0
    rewinds: tuple[Rewind, ...] = ()
    strays: tuple[tuple[int, int], ...] = ()  # (file, step) of points left out as odd
    note: str = ""


def superseded(steps: Ints) -> NDArray[np.bool_]:
    """Which of the points, shape (n,), a later one with the same or a lower step supersedes."""
    if len(steps) < 2:
        return np.zeros(len(steps), dtype=bool)
    lowest_after = np.minimum.accumulate(steps[::-1])[::-1][1:]
    return np.append(steps[:-1] >= lowest_after, False)


def join_all(pieces: Mapping[str, Sequence[Piece]]) -> dict[str, Joined]:
    """Every tag of a run joined over its files.

    The later of two points with one step wins, and where steps go back, what was logged after the
    step returned to is void: the run was resumed from there. Three cases are none of this:

    - All points of a tag stand at one step, or its steps go back time and again while those of
      another tag go on (a counter of batches that each epoch begins anew): numbered from 0.
    - A single point that would void three or more and after which the tag goes on as before, or
      ends, such as a final evaluation logged at step 0: left out, unless other tags of the file
      rewind with more.
    """
    plain = _rising(pieces)
    joined = {
        tag: Joined(points=parts[0][1]) if tag in plain else join(tag, parts)
        for tag, parts in pieces.items()
    }
    if len(plain) == len(pieces):
        return joined
    for tag, result in joined.items():
        if any(_goes_on(pieces, joined, file, times) for file, times in _often(result)):
            note = f"the steps of {tag} go back {len(result.rewinds)} times while others go on"
            joined[tag] = _numbered(_concatenated(pieces[tag]), note)
    resumed = {rewind.file for result in joined.values() for rewind in result.rewinds}
    for tag, result in joined.items():
        if any(file in resumed for file, _ in result.strays):
            joined[tag] = join(tag, pieces[tag], resumed)
    return joined


def _rising(pieces: Mapping[str, Sequence[Piece]]) -> Set[str]:
    """The tags that stand in one file and whose steps increase strictly there: most, as a rule."""
    lone = {tag: parts[0][1].steps for tag, parts in pieces.items() if len(parts) == 1}
    if not lone:
        return lone.keys()
    distinct = list({id(steps): steps for steps in lone.values()}.values())  # many tags share them
    ends = np.cumsum([len(steps) for steps in distinct])
    if ends[-1] <= _TOGETHER:  # many short curves are looked at in one go
        steps = np.concatenate(distinct)
        rises = steps[1:] > steps[:-1]
        rises[ends[:-1] - 1] = True
        if rises.all():
            return lone.keys()
    return {tag for tag, steps in lone.items() if bool((steps[1:] > steps[:-1]).all())}


def _often(result: Joined) -> Iterator[tuple[int, list[float]]]:
    """The files in which a tag goes back time and again, and when."""
    times: dict[int, list[float]] = {}
    for rewind in result.rewinds:
        times.setdefault(rewind.file, []).append(rewind.wall_time)
    return ((file, when) for file, when in times.items() if len(when) >= _TIME_AND_AGAIN)


def _goes_on(
    pieces: Mapping[str, Sequence[Piece]],
    joined: Mapping[str, Joined],
    file: int,
    times: Sequence[float],
) -> bool:
    """Whether the steps of some tag rise in ``file`` all through ``times``."""
    middle = float(np.median(times))
    for tag, parts in pieces.items():
        if any(rewind.file == file for rewind in joined[tag].rewinds):
            continue
        for index, points in parts:
            if index == file and points.wall_times[0] < middle < points.wall_times[-1]:
                rising = points.steps[-1] > points.steps[0]
                if rising and len(points) >= _TIME_AND_AGAIN:
                    return True
    return False


def join(tag: str, pieces: Sequence[Piece], resumed: Iterable[int] = ()) -> Joined:
    """One tag joined over its files; in files of ``resumed``, every rewind is taken as a restart."""
    points = _concatenated(pieces)
    steps = points.steps
    if max(len(part) for _, part in pieces) > 1 and bool(np.all(steps == steps[0])):
        return _numbered(points, f"all {len(steps)} points of {tag} stand at step {steps[0]}")

    files = np.repeat([file for file, _ in pieces], [len(part) for _, part in pieces])
    distinct = np.append(steps[1:] != steps[:-1], True)
    points, files = points.take(distinct), files[distinct]
    duplicates = len(steps) - len(points)
    note = ""
    if len(steps) >= _OFTEN * len(points):
        note = f"{tag} has {len(steps) / len(points):.0f} points per step: the last of each is kept"
    rewinds, strays = _rewinds(tag, points, files, frozenset(resumed))
    odd = tuple((int(files[i]), int(points.steps[i])) for i in strays)
    if strays:
        points = points.take(np.delete(np.arange(len(points)), strays))
    if rewinds:
        points = points.take(~superseded(points.steps))
    return Joined(
        points=points, duplicates=duplicates, rewinds=tuple(rewinds), strays=odd, note=note
    )


def _concatenated(pieces: Sequence[Piece]) -> Points:
    return Points(
        np.concatenate([part.steps for _, part in pieces]),
        np.concatenate([part.values for _, part in pieces]),
        np.concatenate([part.wall_times for _, part in pieces]),
    )


def _numbered(points: Points, why: str) -> Joined:
    numbered = Points(np.arange(len(points)), points.values, points.wall_times)
    note = f"{why}: its points are numbered from 0"
    return Joined(points=numbered, note=note)


def _rewinds(
    tag: str, points: Points, files: Ints, resumed: frozenset[int]
) -> tuple[list[Rewind], list[int]]:
    """Where the steps of ``points`` go back, and the indices of stray points.

    The points that are still valid are kept as slices whose steps rise from one to the next; a rewind
    cuts the last of them, so that every point is looked at once.
    """
    steps = points.steps
    rewinds: list[Rewind] = []
    strays: list[int] = []
    valid: list[list[int]] = []
    starts = [0, *(np.flatnonzero(np.diff(steps) < 0) + 1).tolist(), len(steps)]
    for start, end in pairwise(starts):
        if valid:
            step, reached = int(steps[start]), int(steps[valid[-1][1] - 1])
            if step <= reached:
                dropped = _cut(valid, steps, step, commit=False)
                alone = start + 1 == len(steps) or steps[start + 1] > reached
                if alone and dropped >= _STRAY and int(files[start]) not in resumed:
                    strays.append(start)
                    if start + 1 < end:
                        valid.append([start + 1, end])
                    continue
                _cut(valid, steps, step, commit=True)
                wall_time = float(points.wall_times[start])
                rewinds.append(
                    Rewind(
                        tag=tag,
                        file=int(files[start]),
                        size=len(steps),
                        step=step,
                        reached=reached,
                        dropped=dropped,
                        wall_time=wall_time,
                    )
                )
        valid.append([start, end])
    return rewinds, strays


def _cut(valid: list[list[int]], steps: Ints, step: int, *, commit: bool) -> int:
    """How many of the valid points stand at or after ``step``; with ``commit``, they are cut off."""
    dropped = 0
    for index in range(len(valid) - 1, -1, -1):
        start, end = valid[index]
        keep = start + int(np.searchsorted(steps[start:end], step))
        dropped += end - keep
        if commit:
            valid[index][1] = keep
        if keep > start:
            break
        if commit:
            valid.pop()
    return dropped


def restarts_of(rewinds: Iterable[Rewind]) -> tuple[Restart, ...]:
    """One restart for each time that the run was resumed, out of the rewinds of its many tags.

    Steps are those of the tag with the most points; ``dropped`` counts the points of all tags. More
    rewinds in one file than any run is resumed are told as one.
    """
    by_file: dict[int, list[Rewind]] = {}
    for rewind in rewinds:
        by_file.setdefault(rewind.file, []).append(rewind)
    restarts = []
    for together in by_file.values():
        leader = max(together, key=lambda rewind: rewind.size).tag
        leading = [rewind for rewind in together if rewind.tag == leader]
        if len(leading) > _MANY:
            restarts.append(
                Restart(
                    step=min(rewind.step for rewind in leading),
                    reached=max(rewind.reached for rewind in leading),
                    dropped=sum(rewind.dropped for rewind in together),
                    wall_time=leading[0].wall_time,
                )
            )
            continue
        times = np.array([rewind.wall_time for rewind in leading])
        dropped = [0] * len(leading)
        for rewind in together:
            # A sparse tag is logged again only some time after the run was resumed.
            which = int(np.searchsorted(times, rewind.wall_time, side="right")) - 1
            dropped[max(which, 0)] += rewind.dropped
        restarts += [
            Restart(
                step=rewind.step,
                reached=rewind.reached,
                dropped=count,
                wall_time=rewind.wall_time,
            )
            for rewind, count in zip(leading, dropped, strict=True)
        ]
    return tuple(sorted(restarts, key=lambda restart: restart.wall_time))


def without_void(files: Sequence[Columns]) -> tuple[list[Columns], list[Restart]]:
    """The files of one folder without the points that a ``SessionLog.START`` of a later one voids."""
    kept = list(files)
    restarts: list[Restart] = []
    for index, later in enumerate(files):
        restarts += later.purges
        if later.voids is None:
            continue
        dropped, reached = 0, later.voids
        for before in range(index):
            scalars: dict[str, Points] = {}
            for tag, points in kept[before].scalars.items():
                valid = points.steps < later.voids
                if valid.any():
                    scalars[tag] = points.take(valid)
                dropped += len(points) - int(np.count_nonzero(valid))
                reached = max(reached, int(points.steps.max(initial=reached)))
            histograms: dict[str, RawHistograms] = {
                tag: records.take(valid)
                for tag, records in kept[before].histograms.items()
                if (valid := records.steps < later.voids).any()
            }
            kept[before] = replace(kept[before], scalars=scalars, histograms=histograms)
        if dropped:
            started = later.started or 0.0
            restarts.append(
                Restart(step=later.voids, reached=reached, dropped=dropped, wall_time=started)
            )
    return kept, restarts
