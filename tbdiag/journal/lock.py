"""A lock between processes: the system lets go of it when its holder ends, however it ends."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE = 0.01  # seconds between two tries
_OPENS_FOLDERS: bool = os.name != "nt"
_BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_NOT_OFFERED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF)


class Busy(Exception):  # noqa: N818 - it is an answer, which callers put into words
    """Another process, or thread, holds the lock."""


@contextmanager
def locked(
    path: Path,
    patience: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Holds the lock of the file ``path``, which is made where it is missing, or of that folder.

    Raises Busy where it is not to be had within ``patience`` seconds, OSError where the file cannot
    be opened. Some network file systems offer no locks, nor does Windows for folders: there it is as if
    it were held.
    """
    folder = path.is_dir()
    if folder and not _OPENS_FOLDERS:
        yield
        return
    file = os.open(path, os.O_RDONLY if folder else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _wait(file, clock() + patience, clock, sleep)
        yield
    finally:
        os.close(file)  # which unlocks


def _wait(
    file: int, until: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> None:
    while True:
        try:
            return _try(file)
        except OSError as error:
            if error.errno in _NOT_OFFERED:
                return None
            if error.errno not in _BUSY:
                raise
        if clock() >= until:
            raise Busy
        sleep(_PAUSE)


if sys.platform == "win32":
    import msvcrt

    def _try(file: int) -> None:
        os.lseek(file, 0, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
