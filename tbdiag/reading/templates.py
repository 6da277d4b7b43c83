"""Shapes of scalar records: all bytes after the step but those of the values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tbdiag.reading.checksums import effect_of_bytes
from tbdiag.reading.wire import BYTES, FIXED32, OddError, number, once, text
from tbdiag.reading.wire import fields as fields_of

Slot = tuple[int, str]  # where in the tail a value stands, and its NumPy type
Layout = tuple[Slot, ...]

SCALARS = ("", "scalars")  # the plugins under which a tensor of one number is a scalar
_DATA_CLASS_SCALAR = 1
_TENSOR_TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}  # tensorflow.DataType
_SHORTEST = 12
_MOST = 1 << 16


def is_scalar(plugin: str, data_class: int) -> bool:
    """Whether tensors of one number are scalars under this metadata."""
    apart = plugin in ("hparams", "histograms", "text")
    return plugin in SCALARS or (data_class == _DATA_CLASS_SCALAR and not apart)


class Group(NamedTuple):
    """Templates of one length and layout: their bytes as words, and which tags their slots hold.

    ``words`` is (templates, words), with zeros where values stand; ``mask`` has zeros there too.
    ``tags`` is (templates, slots). Templates stand in the order of their ``hashes``; ``sums`` is what
    the bytes of each add to the checksum of its records.
    """

    layout: Layout
    offsets: tuple[int, ...]
    mask: NDArray[np.uint64]
    words: NDArray[np.uint64]
    tags: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    sums: NDArray[np.uint32]


@dataclass(slots=True, eq=False, repr=False)
class Templates:
    """All templates met so far, in any file: they hold for the next one too."""

    tags: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    _known: dict[int, dict[Layout, dict[bytes, tuple[int, ...]]]] = field(default_factory=dict)
    _groups: dict[int, list[Group]] = field(default_factory=dict)
    _count: int = 0

    def tag(self, name: str) -> int:
        """The number of a tag."""
        found = self.tags.get(name)
        if found is None:
            found = self.tags[name] = len(self.names)
            self.names.append(name)
        return found

    def one(self, tail: bytes) -> tuple[Layout, tuple[int, ...]] | None:
        """Where the values of one record stand and the tags of each; None if it is no scalar record."""
        for layout, known in self._known.get(len(tail), {}).items():
            tags = known.get(blank(tail, layout))
            if tags is not None:
                return layout, tags
        return self._learn(tail)

    def groups(self, length: int) -> list[Group]:
        """The known templates of a length."""
        found = self._groups.get(length)
        if found is None:
            known = self._known.get(length, {})
            found = self._groups[length] = [_group(length, *item) for item in known.items()]
        return found

    def _learn(self, tail: bytes) -> tuple[Layout, tuple[int, ...]] | None:
        try:
            parsed = _parse(tail) if len(tail) >= _SHORTEST else None
        except OddError:
            parsed = None
        if parsed is None or self._count >= _MOST:
            return None
        layout, names = parsed
        tags = tuple(self.tag(name) for name in names)
        self._known.setdefault(len(tail), {}).setdefault(layout, {})[blank(tail, layout)] = tags
        self._groups.pop(len(tail), None)
        self._count += 1
        return layout, tags


def blank(tail: bytes, layout: Layout) -> bytes:
    """The bytes of a record from the summary on, with zeros where its values stand."""
    parts, at = [], 0
    for start, kind in layout:
        width = int(kind[2])
        parts += [tail[at:start], bytes(width)]
        at = start + width
    return b"".join((*parts, tail[at:]))


# Odd multiples of the golden ratio's bits: a Weyl sequence, made without loading numpy.random.
_FACTORS = (np.arange(64, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ np.uint64(
    0xBF58476D1CE4E5B9
) | np.uint64(1)


def hashed(words: NDArray[np.uint64], place: int) -> NDArray[np.uint64]:
    """What the words at one place add to the hash of their records."""
    mixed: NDArray[np.uint64] = words * _FACTORS[place % len(_FACTORS)]
    mixed ^= mixed >> np.uint64(29)
    return mixed


def _group(length: int, layout: Layout, known: dict[bytes, tuple[int, ...]]) -> Group:
    offsets = (*range(0, length - 7, 8), *([length - 8] if length % 8 else []))
    blank = bytearray(b"\xff" * length)
    for start, kind in layout:
        width = int(kind[2])
        blank[start : start + width] = bytes(width)
    tails = tuple(known)
    words = np.array(
        [[int.from_bytes(tail[o : o + 8], "little") for o in offsets] for tail in tails],
        dtype=np.uint64,
    )
    mask = np.array([int.from_bytes(blank[o : o + 8], "little") for o in offsets], dtype=np.uint64)
    hashes = np.zeros(len(tails), dtype=np.uint64)
    for place in range(len(offsets)):
        if np.any(words[:, place] != words[0, place]):
            hashes += hashed(words[:, place], place)
    order = np.argsort(hashes, kind="stable")
    tags = np.array(list(known.values()), dtype=np.int64)
    return Group(
        layout,
        offsets,
        mask,
        words[order],
        tags[order],
        hashes[order],
        np.array([effect_of_bytes(tails[i], 0) for i in order], dtype=np.uint32),
    )


def _parse(tail: bytes) -> tuple[Layout, tuple[str, ...]] | None:
    """The slots and the tags of a record's bytes from the summary on, as its known writers write it."""
    event = once(tail, 0, len(tail))
    summary = event.pop(5, None)
    if summary is None or event or summary[0] != BYTES:
        return None
    layout: list[Slot] = []
    names: list[str] = []
    for key, kind, start, stop in fields_of(tail, summary[1], summary[2]):
        if key != 1 or kind != BYTES:
            return None
        value = once(tail, start, stop)
        name = text(tail, value.pop(1)) if 1 in value else ""
        if not name or not _under_scalars(tail, value.pop(9, None)) or len(value) != 1:
            return None
        ((what, span),) = value.items()
        if what == 2 and span[0] == FIXED32:
            slot: Slot | None = (span[1], "<f4")
        else:
            slot = _tensor_slot(tail, span) if what == 8 and span[0] == BYTES else None
        if slot is None:
            return None
        layout.append(slot)
        names.append(name)
    return (tuple(layout), tuple(names)) if layout else None


def _under_scalars(tail: bytes, span: tuple[int, int, int] | None) -> bool:
    if span is None:
        return True
    metadata = _message(tail, span)
    plugin = _message(tail, metadata.pop(1)) if 1 in metadata else {}
    name = text(tail, plugin.pop(1)) if 1 in plugin else ""
    data_class = number(tail, metadata.pop(4)) if 4 in metadata else 0
    for key in (2, 3):
        if key in metadata:
            text(tail, metadata.pop(key))
    content = plugin.pop(2, (BYTES, 0, 0))
    return not metadata and not plugin and content[0] == BYTES and is_scalar(name, data_class)


def _message(tail: bytes, span: tuple[int, int, int]) -> dict[int, tuple[int, int, int]]:
    if span[0] != BYTES:
        raise OddError
    return once(tail, span[1], span[2])


def _tensor_slot(tail: bytes, span: tuple[int, int, int]) -> Slot | None:
    """Where the one number of a tensor stands, if it has one of fixed width."""
    tensor = _message(tail, span)
    dtype = number(tail, tensor.pop(1)) if 1 in tensor else 0
    if 3 in tensor:
        number(tail, tensor.pop(3))
    if 2 in tensor:
        _, start, stop = tensor.pop(2)
        # Each dimension is of size 1; without any, the tensor is a single number.
        if tail[start:stop] != b"\x12\x02\x08\x01" * ((stop - start) // 4):
            return None
    kind = _TENSOR_TYPES.get(dtype)
    if kind is None or len(tensor) != 1:
        return None
    ((key, (wire, start, stop)),) = tensor.items()
    typed = {5: "<f4", 6: "<f8"}.get(key) == kind
    if wire == BYTES and stop - start == int(kind[2]) and (key == 4 or typed):
        return start, kind
    return None
