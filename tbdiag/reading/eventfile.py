"""Event files to columns: everything tbdiag looks at, in file order and unsampled."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from tbdiag.errors import ReadError
from tbdiag.model.place import Place
from tbdiag.reading import cycles, frames
from tbdiag.reading.columns import Columns
from tbdiag.reading.frames import SLACK
from tbdiag.reading.gathered import NOT_AN_EVENT, DamagedError, Gathered, Record
from tbdiag.reading.glimpses import HEAD
from tbdiag.reading.pace import Pace
from tbdiag.reading.pool import Pool
from tbdiag.reading.scalars import Scalars, scan
from tbdiag.reading.sift import SMALL, Pack
from tbdiag.reading.source import Sparse, opened
from tbdiag.reading.stamps import Chunk
from tbdiag.reading.templates import Templates

U8 = NDArray[np.uint8]

_CHUNK = 1 << 19
_PEEK = 1 << 12
_SPARSE = 1 << 17  # bytes that are read at once where most of them are skipped
_GATHERED = 512  # bytes beyond a record that may be looked at
_GREETING = frames.HEADER.size + 9  # where the first field stands after the wall time
_VERSION_KEY = 0x1A  # of `file_version`, which follows the wall time in a first record
_MOST_TAGS = 1 << 15  # after which the templates of earlier files are forgotten
_WALL_TIME = struct.Struct("<d")
_WRONG = "the checksum of a record is wrong"


def read(path: Place, limit: int | None = None, *, verify: bool = False) -> Columns:
    """Everything in an event file that tbdiag looks at, in file order and unsampled.

    Scalars are those that TensorBoard's EventAccumulator keeps with nothing dropped, of both
    dialects (``simple_value`` and tensors of one number). ``limit`` reads only so many bytes: no
    record is begun beyond. Blobs are skipped unread, histograms too until one is asked for; with
    ``verify``, their checksums are compared as well. Damage is told in the result; raises ReadError
    only where the file cannot be opened.
    """
    return settled(path, Reading(path, limit, verify=verify), limit, verify=verify).columns


def begun(path: Place, *, verify: bool = False) -> Reading | ReadError:
    """The reading of a file, to be `settled`, or the error that it met.

    Where several are begun before the first is settled, what they have in common is unpacked at once.
    """
    try:
        return Reading(path, verify=verify)
    except ReadError as error:
        return error


def settled(
    path: Place, reading: Reading, limit: int | None = None, *, verify: bool = False
) -> Reading:
    """The reading of a file from its start, or another one where the quick ways led astray."""
    if reading.disordered:
        reading = Reading(path, limit, verify=verify, quick=False)
    if reading.gathered.ambiguous:
        reading = Reading(path, limit, verify=verify, plain=True)
    return reading


class _Workspace(threading.local):
    """What reading one file after another in a thread shares."""

    def __init__(self) -> None:
        self.templates = Templates()
        self.cycles = cycles.Cycles()
        self.buffer: NDArray[np.uint8] = np.zeros(_CHUNK + SLACK, dtype=np.uint8)
        self.scratch: NDArray[np.uint64] = np.zeros(_CHUNK // 8, dtype=np.uint64)
        self.pool = Pool()
        self.pack: NDArray[np.uint8] = np.zeros(_CHUNK + SLACK, dtype=np.uint8)


_workspace = _Workspace()


class Reading:
    """One pass over a file, from ``offset`` on: ``gathered``, ``columns``, and the ``offset`` reached.

    Records that come in rounds are unpacked together with those of other files, and where blobs
    prevail, short records are sifted out; ``disordered`` says that this led astray, and that the file is
    to be read with ``quick`` off.
    ``plugins``, ``sessions`` and the tags of ``scalars`` are what the records before ``offset`` told.
    With ``plain``, every record is decoded in its turn, whatever it looks like. Raises ReadError where
    the file cannot be opened or read.
    """

    def __init__(
        self,
        path: Place,
        limit: int | None = None,
        *,
        plain: bool = False,
        verify: bool = False,
        quick: bool = True,
        offset: int = 0,
        plugins: Mapping[str, tuple[str, int]] | None = None,
        sessions: bool = False,
        scalars: Iterable[str] = (),
    ) -> None:
        if len(_workspace.templates.names) > _MOST_TAGS:
            _workspace.templates, _workspace.cycles = Templates(), cycles.Cycles()
        self.gathered = Gathered(
            str(path), _workspace.templates, plugins, sessions=sessions, scalars=scalars
        )
        self.offset = offset
        self._plain = plain
        self._verify = verify
        self._careful = plain or not quick
        self._sparse, self._dense = False, True
        self._ahead = _CHUNK
        self._sifted = limit is None and not self._careful
        self._disordered = False
        self._pace = Pace(trying=quick and not plain and limit is None)
        self._fault = ""
        self._buffer = _workspace.buffer
        try:
            with opened(path, self._buffer) as self._source:
                self.size, self.inode = self._source.size, self._source.inode
                self._pack = Pack(_workspace.pack, self.gathered.blobs.many, self._source.trust)
                self._read(self.size if limit is None else min(self.size, limit))
                rest = b""
                if self._fault and self._fault != NOT_AN_EVENT:
                    rest = self._source.bytes(self.offset, frames.GLANCE)
        except OSError as error:
            raise ReadError(f"{path}: {error.strerror or error}") from error
        self._damage = None
        if self._fault:
            self._damage = frames.damage(str(path), self.offset, self.size, self._fault, rest)

    @property
    def disordered(self) -> bool:
        """Whether a damaged record was noticed only after records that stand behind it."""
        _workspace.pool.flush()
        return self._disordered or not self.gathered.batches.whole

    @property
    def columns(self) -> Columns:
        """All that was read; may be asked for once."""
        _workspace.pool.flush()
        return self.gathered.columns(self._damage)

    def _read(self, end: int) -> None:
        while self.offset < end and not self._fault:
            size = self._source.fill(self.offset, self._ahead)
            if self._sparse and self._sifted:
                self._sift(size)
            elif self.offset == 0 and size > _GREETING and self._buffer[_GREETING] == _VERSION_KEY:
                self._next()  # the version that most files begin with: the rest may be all rounds
            else:
                more = self.offset + size < self.size
                taken = self._consume(self._buffer, size, end - self.offset, self._place, more=more)
                self._sparse = not self._dense
                self._ahead = _SPARSE if self._sparse else _CHUNK
                self.offset += taken
                if not (taken or self._fault):
                    self._next()
        self._drain()
        self._disordered |= not self.gathered.decode_texts()

    def _place(self, place: int) -> int:
        return self.offset + place

    def _consume(
        self, buffer: U8, size: int, end: int, where: Callable[[int], int], *, more: bool
    ) -> int:
        """Take in records that start before ``end`` of a buffer; returns their bytes, maybe none.

        ``where`` tells where in the file a byte of the buffer stands.
        """
        if self._pace.trying and (taken := self._repeat(buffer, size, more=more)):
            return taken
        buffer[size : size + _GATHERED] = 0
        found = frames.find(buffer, size)
        self._dense = found.dense
        count = int(np.searchsorted(found.places, end))
        return self._take(buffer, found, count, where, more=more) if count else 0

    def _sift(self, size: int) -> None:
        """Keep the short records of the buffer, skip known blobs, and take in what else comes next."""
        pack, before = self._pack, self._pack.size
        left = self.size - self.offset
        sound = self._sound if self._verify else None
        taken = pack.sift(self._buffer.data, min(size, left), left, self.offset, sound)
        if not taken and size == _PEEK:
            self._ahead = _SPARSE
            return
        self.offset += taken
        surprise = not taken or size - taken > SMALL + frames.FRAME
        self._sparse = 2 * (pack.size - before) < size
        # Where one large blob ended, the next one may begin.
        self._ahead = _PEEK if taken > size + _SPARSE else _SPARSE
        full = pack.room() < _SPARSE
        if surprise or full or not self._sparse or self.offset >= self.size:
            place = pack.settle()
            if place is not None:
                self.offset, surprise = place, True
            self._drain(_SPARSE if full and not surprise else 0)
        if surprise and self.offset < self.size and not self._fault:
            self._next()
        elif not self._sparse:
            self._ahead = _CHUNK

    def _sound(self, offset: int, length: int) -> bool:
        """Whether the payload of the record at ``offset`` matches its checksum."""
        payload = self._source.bytes(offset + frames.HEADER.size, length + 4)
        return len(payload) == length + 4 and frames.sound(payload[:-4], payload[-4:])

    def _drain(self, rest: int = 0) -> None:
        """Take in the short records that were kept, but for about ``rest`` bytes of them."""
        pack = self._pack
        while pack.size > rest and not self._fault:
            pack.drop(self._consume(pack.buffer, pack.size, pack.size, pack.where, more=rest > 0))
            # A damaged one came before blobs that were taken in already.
            self._disordered |= bool(self._fault)

    def _repeat(self, buffer: U8, size: int, *, more: bool) -> int:
        """Take in the next records if they come as in a known round; returns their bytes."""
        for each in _workspace.cycles.starting(buffer[: frames.HEADER.size].tobytes()):
            count = each.match(buffer, size, _workspace.scratch, more=more)
            if count:
                self._start(buffer, 0)
                taker = self.gathered.batches.expect(count, each.tags.tolist())
                _workspace.pool.hold(each, buffer, count, taker)
                self._pace.paid(count)
                return each.end(count)
        self._pace.paid(0)
        return 0

    def _start(self, buffer: U8, place: int) -> None:
        """Note the time of the first event, whose record starts at ``place``."""
        if self.gathered.started is None:
            start = place + frames.HEADER.size + 1
            (self.gathered.started,) = _WALL_TIME.unpack_from(buffer.data, start)

    def _learn(self, buffer: U8, found: frames.Frames, scalars: Scalars, count: int) -> int:
        """How many of ``count`` records to take before those that come as in a round, now known."""
        first = int(scalars.odd[-1]) + 1 if len(scalars.odd) else 0
        at = int(np.searchsorted(scalars.record, first))
        if count - first != len(scalars.record) - at:  # several values in a record
            return count
        last = cycles.last_cycle(scalars.tags[at:], scalars.steps[at:])
        if last is not None:
            start, end = first + last[0], first + sum(last)
            places, lengths = found.places[start:end], found.lengths[start:end]
            members = cycles.members_of(buffer, places, lengths, self.gathered.templates)
            if members is not None:
                _workspace.cycles.learn(*members)
                return end
        self._pace.give_up()
        return count

    def _take(
        self,
        buffer: U8,
        found: frames.Frames,
        count: int,
        where: Callable[[int], int],
        *,
        more: bool,
    ) -> int:
        """Take in the first ``count`` records of a buffer, or fewer; returns their bytes."""
        places, lengths = found.places[:count], found.lengths[:count]
        scalars: Scalars | None = None
        odd = np.arange(count)
        if not self._plain:
            scalars = scan(Chunk(buffer), places, lengths, self.gathered.templates)
            odd = scalars.odd
            if scalars.wrong >= 0:
                count, self._fault = scalars.wrong, _WRONG
            elif self._pace.trying:
                before = self._learn(buffer, found, scalars, count)
                count = before if more else count
            self._pace.chunk()
        if count and (not len(odd) or odd[0]):
            self._start(buffer, int(places[0]))
        for number in odd[: np.searchsorted(odd, count)].tolist():
            place, length = int(places[number]), int(lengths[number])
            self._fault = self._add(buffer, number, place, length, where(place))
            if self._fault:
                count = number
                break
        self.gathered.batches.close_chunk(scalars, count)
        return int(places[count - 1] + lengths[count - 1]) + frames.FRAME if count else 0

    def _add(self, buffer: U8, number: int, place: int, length: int, offset: int) -> str:
        """Take in a record of a buffer; returns what is wrong with it.

        A small record is always checked: a scalar of which a bit flipped may look like a blob.
        """
        start, data = place + frames.HEADER.size, buffer.data
        after = start + length
        known = not self._careful and self.gathered.blobs.one
        check = length <= SMALL or self._careful or self._verify
        if known and not check and known(bytes(data[start : start + HEAD]), offset, length):
            return ""
        payload, checksum = bytes(data[start:after]), bytes(data[after : after + 4])
        if check and not frames.sound(payload, checksum):
            return _WRONG
        if known and check and known(payload, offset, length):
            return ""
        return self._taken(Record(number, offset, payload, checksum))

    def _next(self) -> None:
        """Take in the one record at the offset, which is larger than the buffer, or damaged."""
        header = self._source.bytes(self.offset, frames.HEADER.size)
        length, self._fault = frames.next_length(header, self.size - self.offset)
        if self._fault:
            return
        start = self.offset + frames.HEADER.size
        check = length <= SMALL or self._careful or self._verify
        record = Record(
            0,
            self.offset,
            Sparse(self._source, start, length),
            self._source.bytes(start + length, 4),
        )
        self._fault = self._taken(record, check=check, known=not self._careful)
        self.gathered.batches.close_chunk(None, 0 if self._fault else 1)
        if not self._fault:
            self.offset += length + frames.FRAME

    def _taken(self, record: Record, *, check: bool = False, known: bool = False) -> str:
        """Take in a record; returns what is wrong with it. ``known`` tries its first bytes alone."""
        try:
            if check:
                record.check()
            head = record.payload[:HEAD] if known else b""
            if not (known and self.gathered.blobs.one(head, record.offset, len(record.payload))):
                self.gathered.add(record)
        except DamagedError as error:
            return str(error)
        return ""
