"""Runs as bytes: an index in JSON, and behind it the arrays as they stand in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tbdiag.model.histogram import Histograms
from tbdiag.model.role import RoleMap
from tbdiag.model.run import HParam, Provenance, Run
from tbdiag.model.series import NonFinite, Series
from tbdiag.reading.histograms import DecodedHistograms
from tbdiag.reading.plain import plain, restored

_MOST_HISTOGRAMS = 64 << 20  # bytes of undecoded histograms in one bundle


def pack(runs: Sequence[Run], key: str) -> bytes | None:
    """The runs, and the key under which they hold; None where their histograms are too large."""
    arrays: list[bytes] = []
    records: list[bytes] = []
    listed = [_listed(run, arrays, records) for run in runs]
    if sum(map(len, records)) > _MOST_HISTOGRAMS:
        return None
    index = json.dumps({"key": key, "runs": listed}).encode()
    pad = bytes(-len(index) % 8)
    return b"".join([len(index).to_bytes(8, "little"), index, pad, *arrays, *records])


def unpack(content: memoryview, key: str) -> tuple[Run, ...] | None:
    """The runs of a bundle; None where they hold under another key. Arrays are views of it."""
    length = int.from_bytes(content[:8], "little")
    index = json.loads(bytes(content[8 : 8 + length]))
    if index["key"] != key:
        return None
    source = _Source(content, 8 + length + -length % 8)
    made = [_made(each, source) for each in index["runs"]]
    return tuple(Run(**parts, histograms=source.histograms(sizes)) for parts, sizes in made)


def _listed(run: Run, arrays: list[bytes], records: list[bytes]) -> dict[str, Any]:
    for curve in run.series.values():
        bad = curve.nonfinite
        columns = (curve.steps, curve.values, curve.wall_times, bad.steps, bad.values)
        arrays += [column.tobytes() for column in columns]
    sizes = []
    for tag, histograms in run.histograms.items():
        wire = _wire(histograms)
        arrays.append(histograms.steps.tobytes())
        records += wire
        sizes.append([tag, [len(record) for record in wire]])
    return {
        "id": run.id,
        "path": str(run.path),
        "series": [[tag, len(c), len(c.nonfinite)] for tag, c in run.series.items()],
        "histograms": sizes,
        "texts": plain(run.texts),
        "hparams": plain(run.hparams),
        "roles": plain(run.roles),
        "provenance": plain(run.provenance),
    }


def _wire(histograms: Histograms) -> Sequence[bytes]:
    if not isinstance(histograms.records, DecodedHistograms):
        raise TypeError("histograms that were not read from a file cannot be stored")
    return histograms.records._records


def _made(listed: dict[str, Any], source: _Source) -> tuple[dict[str, Any], list[Any]]:
    series = {tag: source.series(tag, size, bad) for tag, size, bad in listed["series"]}
    histograms = [
        (tag, source.array(len(sizes), np.int64), sizes) for tag, sizes in listed["histograms"]
    ]
    parts = {
        "id": listed["id"],
        "path": Path(listed["path"]),
        "series": series,
        "texts": dict(listed["texts"]),
        "hparams": {name: restored(HParam, each) for name, each in listed["hparams"]},
        "roles": restored(RoleMap, listed["roles"]),
        "provenance": restored(Provenance, listed["provenance"]),
    }
    return parts, histograms


class _Source:
    """The arrays of a bundle, in the order in which they were listed."""

    def __init__(self, content: memoryview, offset: int) -> None:
        self.content, self.offset = content, offset

    def array(self, size: int, kind: type[np.int64] | type[np.float64]) -> Any:
        array = np.frombuffer(self.content, kind, size, self.offset)
        self.offset += array.nbytes
        return array

    def series(self, tag: str, size: int, bad: int) -> Series:
        steps, values, walls = (
            self.array(size, kind) for kind in (np.int64, np.float64, np.float64)
        )
        nonfinite = NonFinite(self.array(bad, np.int64), self.array(bad, np.float64))
        return Series(tag, steps, values, walls, nonfinite)

    def histograms(self, listed: list[Any]) -> dict[str, Histograms]:
        found = {}
        for tag, steps, sizes in listed:
            ends = np.cumsum([self.offset, *sizes]).tolist()
            wire = [bytes(self.content[a:b]) for a, b in pairwise(ends)]
            self.offset = ends[-1]
            found[tag] = Histograms(tag, steps, DecodedHistograms(wire))
        return found
