"""The columns of one event file while its records come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tbdiag.model.run import Damage, Scalar
from tbdiag.reading import frames, texts
from tbdiag.reading.batches import Batches
from tbdiag.reading.blobs import Blobs, Kind
from tbdiag.reading.columns import Columns
from tbdiag.reading.outline import outline
from tbdiag.reading.source import Sparse
from tbdiag.reading.stored import Stored
from tbdiag.reading.templates import Templates, is_scalar

NOT_AN_EVENT = "a record is not an event"
_SESSION_INFO = "_hparams_/session_start_info"


# Tensors of these plugins are looked at one by one.
_BLOBS = {"text": Kind.TEXT, "hparams": None, "scalars": None}


class DamagedError(ValueError):
    """A record that ends its file; the text says why."""


@dataclass(slots=True, eq=False, repr=False)
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
        self.batches = Batches({templates.tag(name) for name in scalars})
        self.blobs = Blobs()
        self._texts: dict[str, str] = {}
        self._hparams: dict[str, Scalar] = {}

    @property
    def restarted(self) -> bool:
        """Whether a session log told of a restart."""
        return bool(self.batches.starts)

    def _text(self, record: Record, tag: str, text: str) -> None:
        self.blobs.text(tag, record.offset)
        if self.blobs.texts[tag] == (record.offset, 0):
            self._texts[tag] = text

    def decode_texts(self) -> bool:
        """Decode the last text of each tag, of which but a glimpse was had; False if one is damaged."""
        for tag, (offset, length) in self.blobs.texts.items():
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
            tensor = (
                plugin if value.tensor else ""
            )  # what else a tag logs is no matter of its plugin
            histogram = plugin != "hparams" and (value.histo or tensor == "histograms")
            if histogram:
                length = len(record.payload)
                self.blobs.histogram(
                    value.tag, known.step, known.wall_time, record.offset, length, place
                )
            elif tensor == "text":
                record.check()
                self._text(record, value.tag, _text(bytes(record.payload)[value.start : value.end]))
            elif value.tensor and is_scalar(plugin, 0):
                self._decode(record)
            if len(known.values) == 1 and (plugin or not value.tensor):
                kind = Kind.HISTOGRAM if histogram else _BLOBS.get(tensor, Kind.IGNORED)
                if kind is not None:
                    self.blobs.expect(value.tag, value.key, kind)

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
            self.batches.restart(record.number, event.step, event.wall_time)
            self.blobs.void(event.step, record.offset)

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
            length = len(record.payload)
            self.blobs.histogram(tag, step, wall_time, record.offset, length, place)
        elif kind == "tensor" and plugin == "text":
            self._text(record, tag, records.text(value.tensor))
        elif kind == "tensor" and is_scalar(plugin, data_class):
            number = records.number(value.tensor)
        if number is not None:
            self.batches.note(record.number, self.templates.tag(tag), step, wall_time, number)

    def _plugin(self, tag: str, plugin: str, data_class: int) -> tuple[str, int]:
        """The plugin of a tag and its data class; writers may tell them in its first event only."""
        if not is_scalar(plugin, data_class):
            self._apart.add(tag)
        known = self.plugins.get(tag)
        if known is None or not known[0]:
            known = self.plugins[tag] = (plugin, data_class)
        return known

    @property
    def ambiguous(self) -> bool:
        """Whether what a record means may depend on the ones before it, in a way not looked at."""
        names = self.templates.names
        return any(names[tag] in self._apart for tag in self.batches.tags)

    def columns(self, damage: Damage | None) -> Columns:
        """All that was gathered."""
        scalars, purges = self.batches.points(self.templates.names)
        return Columns(
            scalars=scalars,
            histograms=self.blobs.histograms(self._file),
            texts=self._texts,
            hparams=self._hparams,
            started=self.started,
            voids=min((step for _, step, _ in self.batches.starts), default=None),
            purges=purges,
            damage=damage,
        )


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


def _version(file_version: str) -> float:
    try:
        return float(file_version.rpartition(":")[2])
    except ValueError:
        return 0.0
