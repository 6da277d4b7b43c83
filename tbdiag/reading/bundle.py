"""What was read from the files of a run as one record: an outline in JSON, and the arrays behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.histogram import Histograms
from tbdiag.model.run import Damage, Restart, Run
from tbdiag.model.series import Floats, Ints, NonFinite, Series
from tbdiag.reading.columns import Columns, Points, RawHistograms
from tbdiag.reading.folders import Look
from tbdiag.reading.follow import State
from tbdiag.reading.histograms import DecodedHistograms
from tbdiag.reading.plain import plain, restored
from tbdiag.reading.stored import COLUMNS, Stored


@dataclass(frozen=True, slots=True)
class Part:
    """An event file as it was read: how it looked before, what it held, and how to read it on."""

    look: Look
    columns: Columns
    state: State


def pack(parts: Mapping[str, Part], runs: Sequence[Run]) -> bytes:
    """Files by path, and the runs made of them, as one record; raises TypeError for what is neither."""
    arrays = _Arrays()
    outline = {
        "parts": [[path, *_part(part, arrays)] for path, part in parts.items()],
        "runs": [_run(run, arrays) for run in runs],
    }
    text = json.dumps(outline).encode()
    head = [len(text).to_bytes(8, "little"), text, bytes(-len(text) % 8)]
    columns = [np.ascontiguousarray(each).data for each in arrays.kept]
    return b"".join([*head, *columns, bytes(8)])  # so that there is always an array


class Bundle:
    """A record that `pack` made, looked into as far as it is asked; arrays are views of it.

    Raises ValueError, TypeError, KeyError or IndexError for anything else.
    """

    def __init__(self, record: memoryview) -> None:
        length = int.from_bytes(record[:8], "little")
        self._outline = json.loads(bytes(record[8 : 8 + length]))
        start = 8 + length + -length % 8
        self._words: Ints = np.frombuffer(record, np.int64, offset=start)
        self._numbers: Floats = self._words.view(np.float64)

    @cached_property
    def parts(self) -> dict[str, Part]:
        """The files by path."""
        return {
            path: Part(tuple(look), self._columns(columns), restored(State, state))
            for path, look, state, columns in self._outline["parts"]
        }

    def series(self, run: int) -> dict[str, Series]:
        """The curves of one of the runs."""
        found = {}
        for tag, size, steps, values, walls, bad, at, worse in self._outline["runs"][run]["series"]:
            odd = NonFinite(self._ints(at, bad), self._floats(worse, bad)) if bad else _NO_POINTS
            found[tag] = Series(
                tag,
                self._ints(steps, size),
                self._floats(values, size),
                self._floats(walls, size),
                odd,
            )
        return found

    def histograms(self, run: int) -> dict[str, Histograms]:
        """The histograms of one of the runs."""
        return {
            tag: Histograms(
                tag, self._ints(steps, size), DecodedHistograms(self._stored(places, size, files))
            )
            for tag, size, steps, places, files in self._outline["runs"][run]["histograms"]
        }

    def texts(self, run: int) -> dict[str, str]:
        """The texts of one of the runs."""
        return dict(self._outline["runs"][run]["texts"])

    def _columns(self, listed: dict[str, Any]) -> Columns:
        return Columns(
            scalars={
                tag: Points(
                    self._ints(steps, size), self._floats(values, size), self._floats(walls, size)
                )
                for tag, size, steps, values, walls in listed["scalars"]
            },
            histograms={
                tag: RawHistograms(
                    self._ints(steps, size),
                    self._floats(walls, size),
                    self._stored(places, size, files),
                )
                for tag, size, steps, walls, places, files in listed["histograms"]
            },
            texts=dict(listed["texts"]),
            hparams=dict(listed["hparams"]),
            started=listed["started"],
            voids=listed["voids"],
            purges=restored(tuple[Restart, ...], listed["purges"]),
            damage=restored(Damage | None, listed["damage"]),
        )

    def _ints(self, start: int, size: int) -> Ints:
        return self._words[start : start + size]

    def _floats(self, start: int, size: int) -> Floats:
        return self._numbers[start : start + size]

    def _stored(self, start: int, size: int, files: list[str]) -> Stored:
        return Stored(tuple(files), self._ints(start, size * COLUMNS).reshape(size, COLUMNS))


class _Arrays:
    """The arrays of a record one behind the other; the same array is kept once."""

    def __init__(self) -> None:
        self.kept: list[NDArray[Any]] = []
        self._words = 0
        self._places: dict[int, int] = {}

    def place(self, array: NDArray[Any]) -> int:
        """Where the array begins, in words of eight bytes."""
        known = self._places.get(id(array))  # of one that is kept, so that no other has it
        if known is not None:
            return known
        if array.itemsize != 8:
            raise TypeError(f"an array of {array.dtype} cannot be stored")
        if not array.size:
            return 0
        place = self._places[id(array)] = self._words
        self.kept.append(array)
        self._words += array.size
        return place


def _part(part: Part, arrays: _Arrays) -> tuple[Any, ...]:
    columns, place = part.columns, arrays.place
    listed = {
        "scalars": [
            [tag, len(p), place(p.steps), place(p.values), place(p.wall_times)]
            for tag, p in columns.scalars.items()
        ],
        "histograms": [
            [tag, len(h), *map(place, (h.steps, h.wall_times, h.records.places)), h.records.files]
            for tag, h in columns.histograms.items()
        ],
        "texts": plain(columns.texts),
        "hparams": plain(columns.hparams),
        "started": columns.started,
        "voids": columns.voids,
        "purges": plain(columns.purges),
        "damage": plain(columns.damage),
    }
    return list(part.look), plain(part.state), listed


def _run(run: Run, arrays: _Arrays) -> dict[str, Any]:
    place = arrays.place
    histograms = []
    for tag, each in run.histograms.items():
        stored = _stored(each)
        files = list(stored.files)
        histograms.append([tag, len(each), place(each.steps), place(stored.places), files])
    return {
        "series": [
            [
                *(tag, len(s), *map(place, (s.steps, s.values, s.wall_times))),
                *(len(s.nonfinite), place(s.nonfinite.steps), place(s.nonfinite.values)),
            ]
            for tag, s in run.series.items()
        ],
        "histograms": histograms,
        "texts": plain(run.texts),
    }


def _stored(histograms: Histograms) -> Stored:
    records = histograms.records
    if not (isinstance(records, DecodedHistograms) and isinstance(records.wire, Stored)):
        raise TypeError("histograms that were not read from a file cannot be stored")
    return records.wire


_NO_POINTS = Series.of("", (), ()).nonfinite
