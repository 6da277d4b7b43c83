"""How summaries get into a folder: whole or not at all, once only, and with nothing lost on the way."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tbdiag.errors import SummaryError
from tbdiag.journal.lock import Busy, locked
from tbdiag.reading.listing import OWN_FOLDER, is_event_file
from tbdiag.summaries import events, own
from tbdiag.summaries.events import Entry
from tbdiag.summaries.history import merged

ELSEWHERE = "scan --out DIR writes elsewhere"

_PATIENCE = 60.0  # seconds to wait for another scan that writes into the same folder
_ABANDONED = 3600.0  # seconds after which a draft is nobody's any more
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_FIRST = len("events.out.tfevents.")

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Former:
    """An own file that was there before; a stub holds nothing but its header."""

    path: Path
    data: bytes | None

    @property
    def entries(self) -> list[Entry]:
        return events.unpacked(self.data) if self.data else []

    def based_on(self, keys: Collection[str]) -> bool:
        """Whether it is whole, and based on these ``keys``."""
        whole = self.data is not None and _digest(self.data) == self.path.name.split(".")[-2]
        return whole and {key.encode() for key in keys} <= {each.content for each in self.entries}


def keep(
    folder: Path,
    keys: Collection[str],
    make: Callable[[], Sequence[Entry]],
    clock: Clock = time.time,
    *,
    anywhere: bool = False,
) -> bool:
    """Sees to it that ``folder``, tbdiag's own, holds the summaries; returns whether it wrote any.

    The folder above it must be there, or with ``anywhere`` is made. ``make`` is asked for them only where the newest ones there were based on other ``keys``. Steps
    of earlier summaries stay. Raises SummaryError where they cannot be written, and where a run of
    the user's lies in the folder.
    """
    with _writing(folder):
        above = folder.parent if folder.name == OWN_FOLDER else folder.parent.parent
        if anywhere:
            above.mkdir(parents=True, exist_ok=True)
        elif not above.is_dir():
            raise SummaryError(f"{above} is not there any more")
        with locked(above, _PATIENCE):  # not the folder itself, which `tbdiag clean` may remove
            folder.mkdir(parents=True, exist_ok=True)
            if any(is_event_file(name, OWN_FOLDER) for name in os.listdir(folder)):  # noqa: PTH208
                raise SummaryError(f"{folder} holds a run; rename it, or {ELSEWHERE}")
            former = _former(folder)
            full = [each for each in former if each.data]
            if len(full) == 1 and full[0].based_on(keys):
                return False
            entries: list[Entry] = []
            for each in reversed(full):
                entries = merged(entries, each.entries)
            return _put(folder, events.packed(merged(entries, make())), former, clock)


def keep_session(folder: Path, entries: Sequence[Entry], clock: Clock = time.time) -> bool:
    """Sees to it that the run's own ``folder`` holds these entries, or with none of them no others.

    Returns whether it wrote. The run must have ended: TensorBoard would not go on reading its file.
    Raises SummaryError.
    """
    with _writing(folder), locked(folder, _PATIENCE):
        former = _former(folder)
        if not entries:
            for each in former:
                _retire(each)
            return bool(former)
        return _put(folder, events.packed(entries, anew=False), former, clock)


def _put(folder: Path, data: bytes, former: Sequence[_Former], clock: Clock) -> bool:
    digest = _digest(data)
    full = [each for each in former if each.data]
    if len(full) == 1 and full[0].data == data:
        return False
    latest = max((int(each.path.name[_FIRST:].split(".")[0]) for each in former), default=0)
    now = max(int(clock()), latest + 1)  # a name that sorts later, or TensorBoard never looks at it
    target = folder / f"events.out.tfevents.{now:010d}.tbdiag.{digest}.tbdiag"
    _replace(target, data, digest)
    for each in former:
        _retire(each)
    _tidy(folder)
    return True


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _retire(former: _Former) -> None:
    """Empties a file whose content is void or stands in a later one, and removes one emptied before.

    TensorBoard may be reading it: it would not go on to the next one if it were gone at once.
    """
    if former.data:
        _replace(former.path, events.header(), former.path.name.split(".")[-2])
    else:
        with suppress(FileNotFoundError):
            former.path.unlink()


def _replace(path: Path, data: bytes, digest: str) -> None:
    draft = path.with_name(f".{digest}.{os.getpid()}.tbdiag-draft")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    with suppress(OSError):  # so that the name outlives a power failure, where the system can
        opened = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _former(folder: Path) -> list[_Former]:
    """The own files of a folder, the newest first."""
    paths = [folder / name for name in own.names(folder)]
    return [_Former(path, own.content(path)) for path in paths if own.is_own(path)]


def _tidy(folder: Path) -> None:
    """Removes drafts of writers that were killed."""
    with suppress(OSError):
        for path in folder.iterdir():
            if own.is_draft(path.name) and path.stat().st_mtime < time.time() - _ABANDONED:
                path.unlink()


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except Busy:
        reason = f"another process has been writing there for {_PATIENCE:.0f} s"
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FORBIDDEN:
            reason += f"; {ELSEWHERE}"
    else:
        return
    raise SummaryError(f"no summaries can be written into {folder}: {reason}")
