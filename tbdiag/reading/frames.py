"""Bytes of an event file to the places of its records, mostly without walking from one to the next."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tbdiag.model.run import Damage
from tbdiag.reading.checksums import crc32c, masked, of_lengths, of_short_lengths

Places = NDArray[np.int64]

HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
FRAME = 16  # bytes around a payload: its length, the length's checksum, and its own checksum
LARGEST = 2**31 - 1  # a protobuf message cannot be larger
GLANCE = 1 << 16
SLACK = 1 << 17  # bytes at the end of a buffer that stay free, to be looked at beyond a record
_SPARSE = 400  # bytes per short record beyond which walking is faster than searching


class Frames(NamedTuple):
    """Whole records one after another from the start of a buffer.

    ``places`` and ``lengths`` are (n,): where a record's header stands, and the length of its payload;
    the checksum of every length is right. ``end`` is where the last record ends, ``dense`` whether
    most are short.
    """

    places: Places
    lengths: Places
    end: int
    dense: bool


def find(buffer: NDArray[np.uint8], size: int) -> Frames:
    """The whole records in the first ``size`` bytes of ``buffer``, which starts with a header.

    ``buffer`` must reach 16 bytes further. The search ends at the first record that is not whole or
    whose length's checksum is wrong.
    """
    places, lengths = _candidates(buffer, size)
    if len(places) * _SPARSE < size:
        return _walk(buffer, size)
    ends = places + lengths + FRAME
    broken = np.flatnonzero(ends[:-1] != places[1:])
    if len(places) and places[0] == 0 and not len(broken):
        inside = len(places) - int(ends[-1] > size)
        end = int(ends[inside - 1]) if inside else 0
        return Frames(places[:inside], lengths[:inside], end, dense=True)
    return _stitch(buffer, size, places, lengths, broken)


def _candidates(buffer: NDArray[np.uint8], size: int) -> tuple[Places, Places]:
    """All that looks like the header of a record of 1 to 255 bytes: places and lengths.

    Seven of the length's bytes are zero, so an aligned word of zeros follows the word in which the
    first byte, the highest one that is not zero, stands.
    """
    words = buffer[: (size + 3) & ~3].view("<u4")
    after = np.flatnonzero(words[1:] == 0)
    before = words[after]
    after, before = after[before != 0], before[before != 0]
    high = (before > 0xFF).astype(np.int64) + (before > 0xFFFF) + (before > 0xFFFFFF)
    places = after * 4 + high
    lengths = (before >> (8 * high).astype(np.uint32)).astype(np.int64)
    whole = places + HEADER.size <= size
    places, lengths = places[whole], lengths[whole]
    high_bytes = _unaligned(buffer, "<u4")[places + 4]
    checksums = _unaligned(buffer, "<u4")[places + 8]
    right = (checksums == of_short_lengths()[lengths]) & (high_bytes == 0)
    return places[right], lengths[right]


def _unaligned(buffer: NDArray[np.uint8], kind: str) -> NDArray[np.generic]:
    width = np.dtype(kind).itemsize
    return np.ndarray((len(buffer) - width + 1,), kind, buffer.data, 0, (1,))


def _stitch(
    buffer: NDArray[np.uint8], size: int, places: Places, lengths: Places, broken: Places
) -> Frames:
    """Runs of proven candidates, and between them the records that were none, read one by one."""
    stops = np.append(broken, len(places) - 1)
    parts: list[tuple[Places, Places]] = []
    at = 0
    while at + HEADER.size <= size:
        first = int(np.searchsorted(places, at))
        if first < len(places) and places[first] == at:
            last = int(stops[np.searchsorted(stops, first)]) + 1
            end = int(places[last - 1] + lengths[last - 1]) + FRAME
            whole = end <= size
            last -= not whole
            parts.append((places[first:last], lengths[first:last]))
            at = end if whole else int(places[last])
            if not whole:
                break
            continue
        length, checksum = HEADER.unpack_from(buffer.data, at)
        end = at + length + FRAME
        if end > size or masked(struct.pack("<Q", length)) != checksum:
            break
        parts.append((np.array([at]), np.array([length])))
        at = end
    if not parts:
        return Frames(np.zeros(0, np.int64), np.zeros(0, np.int64), 0, dense=True)
    return Frames(
        np.concatenate([part for part, _ in parts]),
        np.concatenate([part for _, part in parts]),
        at,
        dense=True,
    )


def _walk(buffer: NDArray[np.uint8], size: int) -> Frames:
    """Records by their headers, one after another; the lengths' checksums are verified at the end."""
    data, unpack, at = buffer.data, HEADER.unpack_from, 0
    places, lengths, checksums = [], [], []
    while at + HEADER.size <= size:
        length, checksum = unpack(data, at)
        end = at + length + FRAME
        if end > size:
            break
        places.append(at)
        lengths.append(length)
        checksums.append(checksum)
        at = end
    told = np.array(checksums, dtype=np.uint32)
    wrong = np.flatnonzero(of_lengths(np.array(lengths, dtype=np.uint64)) != told)
    count = int(wrong[0]) if len(wrong) else len(places)
    end = places[count] if len(wrong) else at
    return Frames(
        np.array(places[:count], dtype=np.int64),
        np.array(lengths[:count], dtype=np.int64),
        end,
        dense=False,
    )


def next_length(header: bytes, remaining: int) -> tuple[int, str]:
    """The length that a record's header tells, and what is wrong with it, if anything."""
    if len(header) < HEADER.size:
        return 0, TORN
    length, checksum = HEADER.unpack_from(header)
    if masked(header[:8]) != checksum:
        return 0, "the checksum of a record's length is wrong"
    if length > LARGEST:
        return 0, f"a record claims {length} bytes"
    if length + FRAME > remaining:
        return 0, TORN
    return int(length), ""


def sound(payload: bytes | memoryview, checksum: bytes | memoryview) -> bool:
    """Whether the four bytes after a payload are its checksum."""
    plain = crc32c()(payload)
    rotated = (plain >> 15 | plain << 17) & 0xFFFFFFFF
    return _CHECKSUM.pack((rotated + 0xA282EAD8) & 0xFFFFFFFF) == checksum


def damage(file: str, offset: int, size: int, fault: str, rest: bytes) -> Damage:
    """What is told of a file of ``size`` bytes that ends at ``offset``, where ``rest`` stands."""
    torn = fault == TORN
    zeros = len(rest) >= HEADER.size and not rest.strip(b"\0")
    reason = "only zero bytes follow" if zeros else fault
    if offset == 0 and not torn:
        reason = _in_place_of_events(rest) or reason
    return Damage(file=file, offset=offset, lost=max(size - offset, 0), reason=reason, torn=torn)


TORN = "the file ends in the middle of a record"


def _in_place_of_events(start: bytes) -> str:
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer stands in place of the event file"
    text = start[:256]
    if text and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in text):
        return "text stands in place of event records"
    return ""
