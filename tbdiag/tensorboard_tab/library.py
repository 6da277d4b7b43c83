"""The runs with their curves: of the scan, or read from the logs where the report was stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from tbdiag.errors import RequestError
from tbdiag.model.run import Run
from tbdiag.tensorboard_tab.snapshot import Snapshot

_KEPT = 8  # runs that were read one by one


class Library:
    """Gives the runs of a snapshot; ``lock`` is held while their curves are looked at."""

    def __init__(self, places: Sequence[str]) -> None:
        self.lock = threading.RLock()
        self._places = places
        self._read: OrderedDict[tuple[str, str], Run] = OrderedDict()

    def run(self, snapshot: Snapshot, name: str) -> Run:
        """The run of this name; raises RequestError where there is none, or its files are gone.

        No name leads out of the log folder: it is one of the names that were found there.
        """
        if name not in snapshot:
            raise RequestError(f"no run of the diagnosis is called {name!r}")
        if name in snapshot.runs:
            return snapshot.runs[name]
        key = snapshot.id, name
        with self.lock:
            if key not in self._read:
                self._read[key] = self._find(name)
                while len(self._read) > _KEPT:
                    self._read.popitem(last=False)
            self._read.move_to_end(key)
            return self._read[key]

    def _find(self, name: str) -> Run:
        from tbdiag.reading.discover import discover
        from tbdiag.reading.runs import load

        for files in discover([Path(each) for each in self._places]).runs:
            if name == files.id or name.startswith((f"{files.id}/", f"{files.id} [")):
                for run in load(files):
                    if run.id == name:
                        return run
        raise RequestError(
            f"the event files of {name!r} are not in the log folder any more: scan again"
        )
