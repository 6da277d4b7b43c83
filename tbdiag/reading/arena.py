"""Memory that is used again and again, for arrays that do not live long."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_LINE = 64  # bytes at whose multiples arrays start


class Arena:
    """Arrays that are done with at the next `clear`.

    Large arrays that come and go are given to and taken from the system page by page, and each page
    costs more than what is done with it here.
    """

    __slots__ = ("_memory", "_used")

    def __init__(self) -> None:
        self._memory = bytearray()
        self._used = 0

    def array(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An array with anything in it."""
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        start = self._used
        self._used = start + -(-size // _LINE) * _LINE
        if self._used > len(self._memory):
            # arrays that were given out keep the memory that they are in
            self._memory, start = bytearray(2 * self._used), 0
            self._used = -(-size // _LINE) * _LINE
        return np.ndarray(shape, kind, self._memory, start)

    def clear(self) -> None:
        """All arrays are done with."""
        self._used = 0
