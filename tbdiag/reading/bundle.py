"""Runs as bytes: an index in JSON, and behind it the arrays as they stand in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tbdiag.model.histogram import Histograms
from tbdiag.model.role import RoleMap
from tbdiag.model.run import HParam, Provenance, Run
from tbdiag.model.series import NonFinite, Series
from tbdiag.reading.histograms import DecodedHistograms
from tbdiag.reading.plain import plain, restored
from tbdiag.reading.stored import COLUMNS, Stored


def pack(runs: Sequence[Run], key: str) -> bytes:
    """The runs, and the key under which they hold; of histograms only where they stand."""
    arrays: list[bytes] = []
    listed = [_listed(run, arrays) for run in runs]
    index = json.dumps({"key": key, "runs": listed}).encode()
    pad = bytes(-len(index) % 8)
    return b"".join([len(index).to_bytes(8, "little"), index, pad, *arrays])


def unpack(content: memoryview, key: str) -> tuple[Run, ...] | None:
    """The runs of a bundle; None where they hold under another key. Arrays are views of it."""
    length = int.from_bytes(content[:8], "little")
    index = json.loads(bytes(content[8 : 8 + length]))
    if index["key"] != key:
        return None
    source = _Source(content, 8 + length + -length % 8)
    return tuple(_made(each, source) for each in index["runs"])


def _listed(run: Run, arrays: list[bytes]) -> dict[str, Any]:
    for curve in run.series.values():
        bad = curve.nonfinite
        columns = (curve.steps, curve.values, curve.wall_times, bad.steps, bad.values)
        arrays += [column.tobytes() for column in columns]
    stored = {tag: _stored(histograms) for tag, histograms in run.histograms.items()}
    for tag, each in stored.items():
        arrays += [run.histograms[tag].steps.tobytes(), each.places.tobytes()]
    return {
        "id": run.id,
        "path": str(run.path),
        "series": [[tag, len(c), len(c.nonfinite)] for tag, c in run.series.items()],
        "histograms": [[tag, len(each), list(each.files)] for tag, each in stored.items()],
        "texts": plain(run.texts),
        "hparams": plain(run.hparams),
        "roles": plain(run.roles),
        "provenance": plain(run.provenance),
    }


def _stored(histograms: Histograms) -> Stored:
    records = histograms.records
    if not (isinstance(records, DecodedHistograms) and isinstance(records.wire, Stored)):
        raise TypeError("histograms that were not read from a file cannot be stored")
    return records.wire


def _made(listed: dict[str, Any], source: _Source) -> Run:
    return Run(
        id=listed["id"],
        path=Path(listed["path"]),
        series={tag: source.series(tag, size, bad) for tag, size, bad in listed["series"]},
        histograms={
            tag: source.histograms(tag, size, files) for tag, size, files in listed["histograms"]
        },
        texts=dict(listed["texts"]),
        hparams={name: restored(HParam, each) for name, each in listed["hparams"]},
        roles=restored(RoleMap, listed["roles"]),
        provenance=restored(Provenance, listed["provenance"]),
    )


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

    def histograms(self, tag: str, size: int, files: list[str]) -> Histograms:
        steps = self.array(size, np.int64)
        places = self.array(size * COLUMNS, np.int64).reshape(size, COLUMNS)
        return Histograms(tag, steps, DecodedHistograms(Stored(tuple(files), places)))
