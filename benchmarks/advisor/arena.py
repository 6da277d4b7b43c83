"""Where settings become runs: trained once, kept on disk, examined by the rules as they are now."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np

from benchmarks.advisor.training import Curve, Task, train
from tbdiag.advisor.record import Record
from tbdiag.config.settings import Config
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.diagnosis.select import select
from tbdiag.model.proposal import Origin, Params, State
from tbdiag.model.role import Override
from tbdiag.model.run import HParam, Run, Scalar
from tbdiag.model.series import Series
from tbdiag.naming.roles import bind
from tbdiag.search.entrant import entrant

PLACE = Path(__file__).resolve().parents[2] / "build" / "advisor"
OBJECTIVE = Override("val_loss")
_SECONDS = 0.05  # nominal time of a step
_DIGITS = 3  # significant ones of a setting: runs that differ in less are one


def rounded(params: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The settings as they are trained: floats to three digits."""
    return {
        name: float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
        for name, value in params.items()
    }


@cache
def fingerprint(task: Task) -> str:
    """What a task trains to: another one where its data, network or training have changed."""
    from benchmarks.advisor.starts import sane

    curves = train(task, {**sane(task), "scheduler": "onecycle", "dropout": 0.1})
    content = b"".join(values.astype(np.float32).tobytes() for _, values in curves.values())
    return hashlib.sha256(task.name.encode() + content).hexdigest()[:16]


@dataclass(slots=True)
class Arena:
    """Trains, remembers and examines. ``trained`` counts the runs that had to be trained anew."""

    place: Path = PLACE
    selection: Selection = field(default_factory=lambda: select(Config()))
    trained: int = 0
    _store: sqlite3.Connection | None = None
    _values: dict[tuple[str, str], float] = field(default_factory=dict)

    def curves(self, task: Task, params: Params) -> dict[str, Curve]:
        """The curves of a run, from the disk where it was trained before."""
        params = rounded(params)
        key = (fingerprint(task), json.dumps(params, sort_keys=True))
        row = self._disk.execute("SELECT curves FROM runs WHERE task=? AND params=?", key)
        kept = row.fetchone()
        if kept is not None:
            return _unpacked(kept[0])
        began = time.process_time()
        packed = _packed(train(task, params))
        self.trained += 1
        with self._disk:
            self._disk.execute(
                "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)",
                (*key, packed, time.process_time() - began),
            )
        return _unpacked(packed)

    def record(
        self,
        task: Task,
        params: Params,
        name: str = "",
        *,
        origin: Origin | None = None,
        parent: str = "",
        state: State = State.FINISHED,
    ) -> Record:
        """The run as the policy sees one that was read from event files."""
        params = rounded(params)
        series = {
            tag: Series.of(tag, steps, values, steps * _SECONDS)
            for tag, (steps, values) in self.curves(task, params).items()
        }
        data = task.data()
        told = {
            **params,
            "epochs": task.epochs,
            "train_size": len(data.train[0]),
            "val_size": len(data.val[0]),
        }
        run = Run(
            id=name,
            path=PurePosixPath(name or "run"),
            series=series,
            hparams={each: HParam(value, "benchmark") for each, value in told.items()},
            roles=bind(series),
        )
        return Record(
            id=name,
            params=params,
            report=examine(run, self.selection),
            entrant=entrant(run, OBJECTIVE),
            origin=origin,
            parent=parent,
            state=state,
        )

    def value(self, task: Task, params: Params) -> float:
        """The best validation loss of a run, infinite where there is none."""
        key = (task.name, json.dumps(rounded(params), sort_keys=True))
        if key not in self._values:
            values = self.curves(task, params)["val/loss"][1]
            values = values[np.isfinite(values)]
            self._values[key] = float(values.min()) if len(values) else float("inf")
        return self._values[key]

    def mean(self, task: Task, params: Params, seeds: tuple[int, ...]) -> float:
        """The mean of it over other seeds."""
        return float(np.mean([self.value(task, {**params, "seed": each}) for each in seeds]))

    def kept(self, kind: str, key: str) -> str | None:
        """What `keep` wrote under these words."""
        found = self._disk.execute("SELECT text FROM notes WHERE kind=? AND key=?", (kind, key))
        row = found.fetchone()
        return None if row is None else str(row[0])

    def keep(self, kind: str, key: str, text: str) -> None:
        """Writes a text down under these words."""
        with self._disk:
            self._disk.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", (kind, key, text))

    @property
    def _disk(self) -> sqlite3.Connection:
        if self._store is None:
            self.place.mkdir(parents=True, exist_ok=True)
            self._store = sqlite3.connect(self.place / "runs.sqlite", timeout=60)
            self._store.execute("PRAGMA journal_mode=WAL")
            self._store.execute("PRAGMA synchronous=NORMAL")
            self._store.execute(
                "CREATE TABLE IF NOT EXISTS runs "
                "(task TEXT, params TEXT, curves BLOB, seconds REAL, PRIMARY KEY (task, params))"
            )
            self._store.execute(
                "CREATE TABLE IF NOT EXISTS notes "
                "(kind TEXT, key TEXT, text TEXT, PRIMARY KEY (kind, key))"
            )
        return self._store


def _packed(curves: Mapping[str, Curve]) -> bytes:
    """Curves as bytes, values in float32 as event files hold them."""
    head = json.dumps({tag: [len(v), int(s[0])] for tag, (s, v) in curves.items()}).encode()
    body = b"".join(values.astype("<f4").tobytes() for _, values in curves.values())
    return len(head).to_bytes(4, "little") + head + zlib.compress(body, 6)


def _unpacked(packed: bytes) -> dict[str, Curve]:
    size = int.from_bytes(packed[:4], "little")
    values = np.frombuffer(zlib.decompress(packed[4 + size :]), "<f4").astype(np.float64)
    curves, at = {}, 0
    for tag, (n, every) in json.loads(packed[4 : 4 + size]).items():
        curves[tag] = (np.arange(1, n + 1) * every, values[at : at + n])
        at += n
    return curves
