"""The columns of one event file while its records come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.run import Damage, Restart, Scalar
from tbdiag.model.series import Floats, Ints
from tbdiag.reading.columns import Columns, Points, RawHistograms
from tbdiag.reading.outline import Outline, outline
from tbdiag.reading.scalars import Scalars
from tbdiag.reading.templates import Templates, is_scalar

_SESSION_INFO = "_hparams_/session_start_info"
Point = tuple[int, int, int, float, float]  # record, tag, step, wall time, value


class NotAnEventError(ValueError):
    """A record whose checksums are right, but that is no event."""


class Gathered:
    """What the records of a file held so far; ``plugins`` are those told for each tag.

    ``sessions`` says whether the file's version is one that tells restarts by a session log.
    """

    def __init__(
        self,
        templates: Templates,
        plugins: Mapping[str, tuple[str, int]] | None = None,
        *,
        sessions: bool = False,
        scalars: Iterable[str] = (),
    ) -> None:
        self.templates = templates
        self.plugins = dict(plugins or {})
        self.sessions = sessions
        self.started: float | None = None
        self._apart: set[str] = set()  # tags that some record says are no scalars
        self._points: list[Scalars] = []
        self._fast: set[int] = {templates.tag(name) for name in scalars}
        self._count = 0
        self._starts: list[tuple[int, int, float]] = []  # points before it, step, wall time
        self._chunk_starts: list[tuple[int, int, float]] = []
        self._chunk_points: list[Point] = []
        self._histograms: dict[str, list[tuple[int, float, bytes]]] = {}
        self._texts: dict[str, str] = {}
        self._hparams: dict[str, Scalar] = {}

    @property
    def restarted(self) -> bool:
        """Whether a session log told of a restart."""
        return bool(self._starts)

    def add(self, record: int, payload: bytes) -> None:
        """Take in what is no plain scalar: the payload of record number ``record`` of the chunk.

        Raises NotAnEventError.
        """
        known = outline(payload)
        if known is None:
            self._decode(record, payload)
        elif self.started is None:
            self.started = known.wall_time
            self._outlined(record, known, payload)
        else:
            self._outlined(record, known, payload)

    def _outlined(self, record: int, known: Outline, payload: bytes) -> None:
        if known.version is not None:
            # Writers before version 2 told a restart by nothing but the step.
            self.sessions = _version(known.version) >= 2
        if len(known.values) > 1 and any(value.tensor for value in known.values):
            self._decode(record, payload)  # what one is may depend on the one before
            return
        for value in known.values:
            plugin, _ = self._plugin(value.tag, value.plugin, value.data_class)
            if plugin == "hparams":
                continue
            if value.histo or plugin == "histograms":
                raw = payload[value.start : value.end]
                entry = (known.step, known.wall_time, raw)
                self._histograms.setdefault(value.tag, []).append(entry)
            elif value.tensor and (plugin == "text" or is_scalar(plugin, 0)):
                self._decode(record, payload)
                return

    def _decode(self, record: int, payload: bytes) -> None:
        from tbdiag.reading import records

        event = records.event_of(payload)
        if event is None:
            raise NotAnEventError
        if self.started is None:
            self.started = event.wall_time
        what = event.WhichOneof("what")
        if what == "summary":
            for value in event.summary.value:
                self._value(record, value, event.step, event.wall_time)
        elif what == "file_version":
            self.sessions = _version(event.file_version) >= 2
        elif what == "session_log" and self.sessions and records.is_start(event.session_log):
            self._chunk_starts.append((record, event.step, event.wall_time))
            for tag, entries in self._histograms.items():
                self._histograms[tag] = [entry for entry in entries if entry[0] < event.step]

    def _value(self, record: int, value: Any, step: int, wall_time: float) -> None:
        from tbdiag.reading import records

        kind = value.WhichOneof("value")
        tag = value.tag or (value.node_name if kind == "tensor" else "")
        metadata = value.metadata
        plugin, data_class = self._plugin(
            tag, metadata.plugin_data.plugin_name, metadata.data_class
        )
        number: float | None = None
        if plugin == "hparams":
            if tag == _SESSION_INFO:
                self._hparams.update(records.session_hparams(metadata.plugin_data.content))
        elif kind == "simple_value":
            number = value.simple_value
        elif kind == "histo" or (kind == "tensor" and plugin == "histograms"):
            entry = (step, wall_time, value.SerializeToString())
            self._histograms.setdefault(tag, []).append(entry)
        elif kind == "tensor" and plugin == "text":
            self._texts[tag] = records.text(value.tensor)
        elif kind == "tensor" and is_scalar(plugin, data_class):
            number = records.number(value.tensor)
        if number is not None:
            self._chunk_points.append((record, self.templates.tag(tag), step, wall_time, number))

    def _plugin(self, tag: str, plugin: str, data_class: int) -> tuple[str, int]:
        """The plugin of a tag and its data class; writers may tell them in its first event only."""
        if not is_scalar(plugin, data_class):
            self._apart.add(tag)
        known = self.plugins.get(tag)
        if known is None or not known[0]:
            known = self.plugins[tag] = (plugin, data_class)
        return known

    def close_chunk(self, found: Scalars | None, records: int) -> None:
        """Order the points of a chunk, of which only the first ``records`` records count."""
        parts = [] if found is None else [found]
        if found is not None:
            self._fast.update(np.flatnonzero(np.bincount(found.tags)).tolist())
        if self._chunk_points:
            record, tags, steps, walls, values = zip(*self._chunk_points, strict=True)
            none = np.zeros(0, dtype=np.int64)
            parts.append(
                Scalars(
                    np.array(record, dtype=np.int64),
                    np.array(tags, dtype=np.int64),
                    np.array(steps, dtype=np.int64),
                    np.array(walls, dtype=np.float64),
                    np.array(values, dtype=np.float64),
                    none,
                    -1,
                )
            )
        for start in self._chunk_starts:
            before = sum(int(np.count_nonzero(part.record < start[0])) for part in parts)
            self._starts.append((self._count + before, start[1], start[2]))
        merged = _merged(parts, records)
        if merged is not None:
            self._points.append(merged)
            self._count += len(merged.record)
        self._chunk_points, self._chunk_starts = [], []

    @property
    def ambiguous(self) -> bool:
        """Whether what a record means may depend on the ones before it, in a way not looked at."""
        names = self.templates.names
        return any(names[tag] in self._apart for tag in self._fast)

    def columns(self, damage: Damage | None) -> Columns:
        """All that was gathered."""
        scalars, purges = self._scalars()
        return Columns(
            scalars=scalars,
            histograms={
                tag: RawHistograms(
                    np.array([step for step, _, _ in entries], dtype=np.int64),
                    np.array([wall for _, wall, _ in entries], dtype=np.float64),
                    [raw for _, _, raw in entries],
                )
                for tag, entries in self._histograms.items()
                if entries
            },
            texts=self._texts,
            hparams=self._hparams,
            started=self.started,
            voids=min((step for _, step, _ in self._starts), default=None),
            purges=purges,
            damage=damage,
        )

    def _scalars(self) -> tuple[dict[str, Points], tuple[Restart, ...]]:
        if not self._points:
            return {}, ()
        small = len(self.templates.names) < 1 << 16  # two bytes sort by radix
        tags = _taken(self._points, "tags", np.uint16 if small else np.int64)
        steps: Ints = _taken(self._points, "steps", np.int64)
        walls: Floats = _taken(self._points, "walls", np.float64)
        values: Floats = _taken(self._points, "values", np.float64)
        order = np.argsort(tags, kind="stable")
        valid, purges = _purge(steps, self._starts)
        if valid is not None:
            order = order[valid[order]]
        if not len(order):
            return {}, purges
        tags, steps, walls, values = tags[order], steps[order], walls[order], values[order]
        firsts = np.flatnonzero(np.append(True, tags[1:] != tags[:-1]))
        ends = np.append(firsts[1:], len(tags))
        scalars = {}
        for which in np.argsort(order[firsts]).tolist():  # in the order of their first points
            part = slice(int(firsts[which]), int(ends[which]))
            name = self.templates.names[int(tags[part.start])]
            scalars[name] = Points(steps[part], values[part], walls[part])
        return scalars, purges


def _taken(parts: list[Scalars], name: str, dtype: Any) -> NDArray[Any]:
    """One column of all parts, which lose it: memory is needed once."""
    return np.concatenate([getattr(part, name).astype(dtype, copy=False) for part in parts])


def _merged(parts: list[Scalars], records: int) -> Scalars | None:
    if not parts:
        return None
    if len(parts) == 1:
        (both,) = parts
    else:
        columns = [
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("record", "tags", "steps", "walls", "values")
        ]
        order = np.argsort(columns[0], kind="stable")
        record, tags, steps, walls, values = (column[order] for column in columns)
        both = Scalars(record, tags, steps, walls, values, parts[0].odd, -1)
    count = int(np.searchsorted(both.record, records))
    if count == len(both.record):
        return both
    return Scalars(
        both.record[:count],
        both.tags[:count],
        both.steps[:count],
        both.walls[:count],
        both.values[:count],
        both.odd,
        -1,
    )


def _purge(
    steps: Ints, starts: list[tuple[int, int, float]]
) -> tuple[NDArray[np.bool_] | None, tuple[Restart, ...]]:
    """Which points no session's start declares void, as EventAccumulator does, and what it dropped."""
    if not starts:
        return None, ()
    valid = np.ones(len(steps), dtype=bool)
    purges = []
    for count, step, wall_time in starts:
        void = valid[:count] & (steps[:count] >= step)
        if dropped := int(np.count_nonzero(void)):
            reached = int(steps[:count][void].max())
            purges.append(Restart(step=step, reached=reached, dropped=dropped, wall_time=wall_time))
            valid[:count] &= ~void
    return valid, tuple(purges)


def _version(file_version: str) -> float:
    try:
        return float(file_version.rpartition(":")[2])
    except ValueError:
        return 0.0
