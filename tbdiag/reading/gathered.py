"""The columns of one event file while its records come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.run import Damage, Restart, Scalar
from tbdiag.model.series import Floats, Ints
from tbdiag.reading import frames, texts
from tbdiag.reading.columns import Columns, Points, RawHistograms
from tbdiag.reading.outline import glimpse, outline
from tbdiag.reading.scalars import Batch, Scalars
from tbdiag.reading.source import Sparse
from tbdiag.reading.stored import Stored
from tbdiag.reading.templates import Templates, is_scalar

NOT_AN_EVENT = "a record is not an event"
_SESSION_INFO = "_hparams_/session_start_info"
Point = tuple[int, int, int, float, float]  # record, tag, step, wall time, value
_Entry = tuple[int, float, int, int, int]  # step, wall time, offset, length, which value


class _Blob(Enum):
    """What a record is good for that is known by its first bytes."""

    HISTOGRAM = "histogram"
    TEXT = "text"
    IGNORED = "ignored"


# Tensors of these plugins are looked at one by one.
_BLOBS = {"text": _Blob.TEXT, "hparams": None, "scalars": None}


class DamagedError(ValueError):
    """A record that ends its file; the text says why."""


@dataclass(slots=True)
class Record:
    """One record of a chunk: its ``number`` there, the ``offset`` of its frame in the file, its payload.

    ``checksum`` is what follows the payload.
    """

    number: int
    offset: int
    payload: bytes | Sparse
    checksum: bytes

    def check(self) -> None:
        """Raises DamagedError where payload and checksum do not match."""
        self.payload = bytes(self.payload)
        if not frames.sound(self.payload, self.checksum):
            raise DamagedError("the checksum of a record is wrong")


class Gathered:
    """What the records of a file held so far; ``plugins`` are those told for each tag.

    ``sessions`` says whether the file's version is one that tells restarts by a session log.
    """

    def __init__(
        self,
        file: str,
        templates: Templates,
        plugins: Mapping[str, tuple[str, int]] | None = None,
        *,
        sessions: bool = False,
        scalars: Iterable[str] = (),
    ) -> None:
        self._file = file
        self.templates = templates
        self.plugins = dict(plugins or {})
        self.sessions = sessions
        self.started: float | None = None
        self._apart: set[str] = set()  # tags that some record says are no scalars
        self._points: list[Batch] = []
        self._fast: set[int] = {templates.tag(name) for name in scalars}
        self._count = 0
        self._starts: list[tuple[int, int, float]] = []  # points before it, step, wall time
        self._chunk_starts: list[tuple[int, int, float]] = []
        self._chunk_points: list[Point] = []
        self._histograms: dict[str, list[_Entry]] = {}
        self._blobs: dict[tuple[bytes, int], tuple[_Blob, str]] = {}  # by tag and kind on the wire
        self._last_texts: dict[str, tuple[int, int]] = {}  # tag: offset and length of the record
        self._texts: dict[str, str] = {}
        self._hparams: dict[str, Scalar] = {}

    @property
    def restarted(self) -> bool:
        """Whether a session log told of a restart."""
        return bool(self._starts)

    def glimpsed(self, head: bytes, offset: int, length: int) -> bool:
        """Take in a record by its first bytes, if it is a blob as one before it was.

        ``offset`` is where its frame starts in the file, ``length`` that of its payload.
        """
        seen = glimpse(head, length) if self._blobs else None
        known = None if seen is None else self._blobs.get((seen.tag, seen.key))
        if seen is None or known is None:
            return False
        kind, tag = known
        if kind is _Blob.TEXT:
            self._last_text(tag, offset, length)
        elif kind is _Blob.HISTOGRAM:
            self._histograms[tag].append((seen.step, seen.wall_time, offset, length, 0))
        return True

    def _last_text(self, tag: str, offset: int, length: int = 0) -> None:
        """Note where the latest text of a tag stands; short ones come in only after longer ones."""
        if offset >= self._last_texts.get(tag, (-1, 0))[0]:
            self._last_texts[tag] = (offset, length)

    def _text(self, record: Record, tag: str, text: str) -> None:
        self._last_text(tag, record.offset)
        if self._last_texts[tag] == (record.offset, 0):
            self._texts[tag] = text

    def decode_texts(self) -> bool:
        """Decode the last text of each tag, of which but a glimpse was had; False if one is damaged."""
        for tag, (offset, length) in self._last_texts.items():
            if not length:  # decoded already
                continue
            wire = Stored((self._file,), np.array([[0, offset, length, 0]]))[0]
            try:
                self._texts[tag] = _text(wire)
            except DamagedError:
                return False
            if not wire:
                return False
        return True

    def add(self, record: Record) -> None:
        """Take in what is no plain scalar; raises DamagedError."""
        known = outline(record.payload)
        if known is None or (len(known.values) > 1 and any(each.tensor for each in known.values)):
            self._decode(record)  # what one is may depend on the one before
            return
        if self.started is None:
            self.started = known.wall_time
        if known.version is not None:
            record.check()
            # Writers before version 2 told a restart by nothing but the step.
            self.sessions = _version(known.version) >= 2
        for place, value in enumerate(known.values):
            plugin, _ = self._plugin(value.tag, value.plugin, value.data_class)
            histogram = plugin != "hparams" and (value.histo or plugin == "histograms")
            if histogram:
                entry = (known.step, known.wall_time, record.offset, len(record.payload), place)
                self._histograms.setdefault(value.tag, []).append(entry)
            elif value.tensor and plugin == "text":
                record.check()
                self._text(record, value.tag, _text(bytes(record.payload)[value.start : value.end]))
            elif value.tensor and is_scalar(plugin, 0):
                self._decode(record)
            if len(known.values) == 1 and (plugin or not value.tensor):
                kind = _Blob.HISTOGRAM if histogram else _BLOBS.get(plugin, _Blob.IGNORED)
                if kind is not None:
                    self._blobs[value.tag.encode(), value.key] = kind, value.tag

    def _decode(self, record: Record) -> None:
        from tbdiag.reading import records

        record.check()
        event = records.event_of(bytes(record.payload))
        if event is None:
            raise DamagedError(NOT_AN_EVENT)
        if self.started is None:
            self.started = event.wall_time
        what = event.WhichOneof("what")
        if what == "summary":
            for place, value in enumerate(event.summary.value):
                self._value(record, place, value, event.step, event.wall_time)
        elif what == "file_version":
            self.sessions = _version(event.file_version) >= 2
        elif what == "session_log" and self.sessions and records.is_start(event.session_log):
            self._chunk_starts.append((record.number, event.step, event.wall_time))
            for tag, entries in self._histograms.items():
                self._histograms[tag] = [
                    entry for entry in entries if entry[0] < event.step or entry[2] > record.offset
                ]

    def _value(self, record: Record, place: int, value: Any, step: int, wall_time: float) -> None:
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
            entry = (step, wall_time, record.offset, len(record.payload), place)
            self._histograms.setdefault(tag, []).append(entry)
        elif kind == "tensor" and plugin == "text":
            self._text(record, tag, records.text(value.tensor))
        elif kind == "tensor" and is_scalar(plugin, data_class):
            number = records.number(value.tensor)
        if number is not None:
            point = (record.number, self.templates.tag(tag), step, wall_time, number)
            self._chunk_points.append(point)

    def _plugin(self, tag: str, plugin: str, data_class: int) -> tuple[str, int]:
        """The plugin of a tag and its data class; writers may tell them in its first event only."""
        if not is_scalar(plugin, data_class):
            self._apart.add(tag)
        known = self.plugins.get(tag)
        if known is None or not known[0]:
            known = self.plugins[tag] = (plugin, data_class)
        return known

    def add_batch(self, batch: Batch, tags: Iterable[int]) -> None:
        """Take in points that stand in their order, of the ``tags`` in it."""
        self._fast.update(tags)
        self._points.append(_narrow(batch))
        self._count += len(batch)

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
            self._points.append(_narrow(merged))
            self._count += len(merged)
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
                tag: _raw(self._file, entries)
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
        tags = _taken(self._points, "tags", None)
        order = np.argsort(tags, kind="stable")
        steps = _taken(self._points, "steps", None)
        valid, purges = _purge(steps, self._starts)
        if valid is not None:
            order = order[valid[order]]
        if not len(order):
            return {}, purges
        tags, steps = tags[order], steps[order].astype(np.int64)
        walls: Floats = _taken(self._points, "walls", None)[order]
        values = _taken(self._points, "values", None)[order].astype(np.float64)
        firsts = np.flatnonzero(np.append(True, tags[1:] != tags[:-1]))
        ends = np.append(firsts[1:], len(tags))
        scalars = {}
        for which in np.argsort(order[firsts]).tolist():  # in the order of their first points
            part = slice(int(firsts[which]), int(ends[which]))
            name = self.templates.names[int(tags[part.start])]
            scalars[name] = Points(steps[part], values[part], walls[part])
        return scalars, purges


def _text(wire: bytes) -> str:
    """The text in a value on the wire; raises DamagedError where it is none."""
    found = texts.text(wire)
    if found is None:
        from tbdiag.reading import records

        value = records.value_of(wire)
        if value is None:
            raise DamagedError(NOT_AN_EVENT)
        found = records.text(value.tensor)
    return found


def _raw(file: str, entries: Sequence[_Entry]) -> RawHistograms:
    in_order = sorted(entries, key=itemgetter(2, 4))  # short ones come in only after longer ones
    steps, walls, *places = zip(*in_order, strict=True)
    columns = [np.zeros(len(entries), dtype=np.int64), *places]
    stored = Stored((file,), np.stack([np.array(each, np.int64) for each in columns], axis=1))
    return RawHistograms(np.array(steps, np.int64), np.array(walls, np.float64), stored)


def _taken(parts: list[Batch], name: str, dtype: Any) -> NDArray[Any]:
    """One column of all parts."""
    return np.concatenate([getattr(part, name) for part in parts], dtype=dtype)


def _narrow(batch: Batch) -> Batch:
    """The same points in less memory, where that loses nothing."""
    tags, steps = batch.tags, batch.steps
    if len(steps):
        if int(tags.max()) < 1 << 16:  # two bytes also sort by radix
            tags = tags.astype(np.uint16)
        if -(1 << 31) <= int(steps.min()) and int(steps.max()) < 1 << 31:
            steps = steps.astype(np.int32)
    return Batch(tags, steps, batch.walls, batch.values)


def _merged(parts: list[Scalars], records: int) -> Batch | None:
    """The points of the first ``records`` records, in their order."""
    if not parts:
        return None
    if len(parts) == 1:
        (both,) = parts
        record, tags, steps, walls, values = (getattr(both, name) for name in _COLUMNS)
    else:
        columns = [np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS]
        order = np.argsort(columns[0], kind="stable")
        record, tags, steps, walls, values = (column[order] for column in columns)
    count = int(np.searchsorted(record, records))
    return Batch(tags[:count], steps[:count], walls[:count], values[:count])


_COLUMNS = ("record", "tags", "steps", "walls", "values")


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
