"""CRC-32C of one record by the `crc32c` package, and of many records at once by its linearity."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

U32 = NDArray[np.uint32]

_POLYNOMIAL = 0x82F63B78  # Castagnoli, reflected
DELTA = 0xA282EAD8
_FEW = 1500  # records for which no tables of two bytes are used
_MANY = 1 << 15  # records after which one is made


def masked(data: bytes | memoryview) -> int:
    """The masked CRC-32C of TFRecord files (tensorflow/core/lib/hash/crc32c.h)."""
    checksum = crc32c()(data)
    return (((checksum >> 15) | (checksum << 17)) + DELTA) & 0xFFFFFFFF


@cache
def crc32c() -> Callable[[bytes | memoryview], int]:
    """The CRC-32C of the `crc32c` package, or TensorBoard's own, slower by three orders."""
    module = _extension()
    if module is None:
        try:
            module = import_module("crc32c")
        except ImportError:
            module = import_module("tensorboard.compat.tensorflow_stub.pywrap_tensorflow")
    function: Callable[[bytes | memoryview], int] = module.crc32c
    return function


def _extension() -> ModuleType | None:
    """The compiled part of the `crc32c` package, None where it is not found.

    The package itself looks up its version and brings a command line along: as slow as half of NumPy.
    """
    name = "crc32c._crc32c"
    if name in sys.modules:
        return sys.modules[name]
    package = PathFinder.find_spec("crc32c")
    places = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec(name, places) if places else None
    if spec is None or spec.loader is None:
        return None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    return module


def mask(checksums: U32) -> U32:
    """The masked form of plain checksums, shape (n,)."""
    rotated = (checksums >> np.uint32(15)) | (checksums << np.uint32(17))
    return rotated + np.uint32(DELTA)


@cache
def effect(distance: int) -> U32:
    """What each value of a byte, shape (256,), adds to a checksum ``distance`` bytes further on.

    CRC is affine: the checksum of a record is that of as many zero bytes, XOR these of all its bytes.
    """
    if distance == 0:
        table = np.arange(256, dtype=np.uint32)
        for _ in range(8):
            table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
        return table.astype(np.uint32)
    before = effect(distance - 1)
    table = before >> np.uint32(8)
    table ^= effect(0)[before & np.uint32(255)]
    return table


@lru_cache(maxsize=48)
def effect_of_two(distance: int) -> U32:
    """As `effect`, of two bytes read as a little-endian number, shape (65536,)."""
    return (effect(distance)[:, None] ^ effect(distance + 1)[None, :]).ravel()


@lru_cache(maxsize=1 << 14)
def effect_of_bytes(data: bytes, distance: int) -> int:
    """What ``data`` adds to a checksum, its last byte standing ``distance`` bytes before the end."""
    total = 0
    for place, byte in enumerate(reversed(data)):
        if byte:
            total ^= int(effect(distance + place)[byte])
    return total


@cache
def of_zeros(length: int) -> int:
    """The checksum of ``length`` zero bytes, up to the length of a short record."""
    state = 0xFFFFFFFF
    table = effect(0)
    for _ in range(length):
        state = (state >> 8) ^ int(table[state & 255])
    return state ^ 0xFFFFFFFF


def of_lengths(lengths: NDArray[np.uint64]) -> U32:
    """The masked checksums of the eight bytes of each length below 2³², shape (n,)."""
    found = np.full(len(lengths), of_zeros(8), dtype=np.uint32)
    for place in range(4):
        found ^= effect(7 - place)[(lengths >> np.uint64(8 * place)).astype(np.uint8)]
    return mask(found)


@cache
def of_short_lengths() -> U32:
    """The masked checksum of each length below 256."""
    return of_lengths(np.arange(256, dtype=np.uint64))


def add(total: U32, numbers: NDArray[Any], size: int, distance: int) -> None:
    """XOR into ``total`` (n,) what ``size`` little-endian bytes of each number do to its checksum.

    ``numbers`` (n,); their last byte stands ``distance`` bytes before the end of the record.
    """
    place, width = 0, numbers.dtype.itemsize
    columns = np.ascontiguousarray(numbers).view(np.uint8).reshape(-1, width)
    pairs = columns.view("<u2") if width > 1 and len(total) >= _FEW else None
    while place < size:
        left = distance + size - place
        if pairs is not None and not place % 2 and place + 2 <= size and _pays(left, len(total)):
            column = pairs[:, place // 2]
            table = effect_of_two(left - 2)
            place += 2
        else:
            column = columns[:, place]
            table = effect(left - 1)
            place += 1
        # The upper bytes of times hardly ever change, and then the first stands for all.
        same = column[0] == column[-1] and (column == column[0]).all()
        total ^= table[column[0]] if same else table.take(column)


_met: dict[int, int] = {}  # how many records there were that have two bytes so far from their end


def _pays(distance: int, records: int) -> bool:
    """Whether a table of two bytes pays, or did for records before these."""
    _met[distance] = _met.get(distance, 0) + records
    return _met[distance] >= _MANY
