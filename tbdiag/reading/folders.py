"""Folders with event files, and how these looked: many are put aside."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from tbdiag.model.series import Ints
from tbdiag.reading.spool import HELD, Spooled

# Inode, size in bytes and time of the last change in nanoseconds; the device belongs to the first.
Look = tuple[int, int, int]


class Inside(NamedTuple):
    """What stands in a folder: event files, and how the files of settings look, None if not known."""

    folder: str
    looks: dict[str, Look]
    settings: str | None


class Folders(Mapping[str, Mapping[str, Look]]):
    """Folders with event files: folder → file → its look. Beyond a thousand only their names are held.

    Files of a folder should be added one after the other. There are ``files`` of ``bytes`` in all. After
    `fold` names are not held either, but 32 bytes of each, by which it is found again.
    """

    def __init__(self) -> None:
        self.files = self.bytes = 0
        self._numbers: dict[str, int] = {}
        self._files: Spooled[Inside] = Spooled(_dumped, _loaded)
        self._places = array("Q")  # of each among the files, changed where one is added late
        self._tops: dict[str, int] = {}
        self._below = array("L")
        self._open = Inside("", {}, None)  # the last folder
        self._last = ""
        self._hashes: Ints | None = None  # of the names in their order, after `fold`
        self._order: Ints | None = None  # whose they are

    def add(self, folder: str, name: str, look: Look, root: str) -> None:
        """Adds a file, found below ``root``; of a folder the first root counts."""
        if folder != self._last or not self._numbers:
            self._close()
            number = self._numbers.setdefault(folder, len(self._places))
            if number == len(self._places):
                self._places.append(0)
                self._below.append(self._tops.setdefault(root, len(self._tops)))
                self._open = Inside(folder, {}, None)
            else:
                known = self._files[self._places[number]]
                self._open = known._replace(looks=dict(known.looks))
            self._last = folder
        self._open.looks[name] = look
        self.files, self.bytes = self.files + 1, self.bytes + look[1]

    def note(self, folder: str, settings: str) -> bool:
        """Notes how the files of settings look in the folder that was added last; False for another."""
        if folder != self._last or not self._numbers:
            return False
        self._open = self._open._replace(settings=settings)
        return True

    def root(self, folder: str) -> str:
        """The path below which a folder was found."""
        number = self._number(folder)
        if number is None:
            raise KeyError(folder)
        wanted = self._below[number]
        return next(root for root, number in self._tops.items() if number == wanted)

    def inside(self, folder: str) -> Inside | None:
        """The files of a folder, and how those of settings look, if that is known."""
        number = self._number(folder)
        return None if number is None else self._at(number)

    def fold(self) -> None:
        """Forgets the names of more than a thousand: nothing is added any more."""
        if len(self) > HELD and self._hashes is None:
            self._close()
            self._open, self._last = Inside("", {}, None), ""
            hashes = np.fromiter(map(hash, self._numbers), np.int64, len(self._numbers))
            self._order = np.argsort(hashes)
            self._hashes = hashes[self._order]
            self._numbers = {}

    def _number(self, folder: str) -> int | None:
        if self._hashes is None or self._order is None:
            return self._numbers.get(folder)
        wanted = hash(folder)
        at = int(self._hashes.searchsorted(wanted))
        while at < len(self._hashes) and self._hashes[at] == wanted:
            number = int(self._order[at])
            if self._at(number).folder == folder:
                return number
            at += 1
        return None

    def _at(self, number: int) -> Inside:
        last = self._hashes is None and number == self._numbers.get(self._last)
        return self._open if last else self._files[self._places[number]]

    def _close(self) -> None:
        if self._open.looks:
            self._places[self._numbers[self._last]] = len(self._files)
            self._files.append(self._open)

    def __getitem__(self, folder: str) -> Mapping[str, Look]:
        found = self.inside(folder)
        if found is None:
            raise KeyError(folder)
        return found.looks

    def __contains__(self, folder: object) -> bool:
        return isinstance(folder, str) and self._number(folder) is not None

    def __iter__(self) -> Iterator[str]:
        if self._hashes is None:
            return iter(self._numbers)
        return (self._at(number).folder for number in range(len(self)))

    def __len__(self) -> int:
        return len(self._places)


def _dumped(inside: Inside) -> bytes:
    import json  # only where there are thousands

    looks = [[name, *look] for name, look in inside.looks.items()]
    return json.dumps([inside.folder, inside.settings, looks]).encode()


def _loaded(text: bytes) -> Inside:
    import json

    folder, settings, looks = json.loads(text)
    return Inside(folder, {name: (mark, size, at) for name, mark, size, at in looks}, settings)
