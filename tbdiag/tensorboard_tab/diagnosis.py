"""The diagnosis that a tab shows: stored or scanned, and scanned anew in the background."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbdiag import __version__
from tbdiag.errors import RequestError
from tbdiag.tensorboard_tab.snapshot import Snapshot, scanned, stored, written

if TYPE_CHECKING:
    from tbdiag.api.intake import At

_EVERY = 2.0  # seconds between looks for a stored report
_MEMORY = 256 << 20  # bytes of curves that stay in TensorBoard's process; others are in the cache


class Diagnosis:
    """What is known about the runs below ``places``; one scan at a time, in a thread of its own.

    ``config`` is a configuration's file, None for the nearest. ``token`` is asked of whoever wants a
    scan: a page of another site cannot read it. Every method may be called from any thread.
    """

    def __init__(self, places: Sequence[str], config: Path | None = None) -> None:
        self.places, self.config = tuple(places), config
        self.token = secrets.token_urlsafe(16)
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._looked = -_EVERY  # when, by the monotonic clock, a stored report was looked for
        self._written: float | None = None  # when the one that was found had been written
        self._thread: threading.Thread | None = None
        self._at: At | None = None
        self._error = ""

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest diagnosis, scanned or stored; None where the runs were never diagnosed."""
        with self._lock:
            if time.monotonic() - self._looked >= _EVERY:
                self._look()
                self._looked = time.monotonic()
            return self._snapshot

    def _look(self) -> None:
        """Takes a report that was stored since the last look, unless ours is newer."""
        at = written(self.places)
        if at == self._written:
            return
        self._written = at
        if self._snapshot is None or at > self._snapshot.at:
            self._snapshot = stored(self.places) or self._snapshot

    def begin(self) -> bool:
        """Starts a scan, unless one is under way; whether it was started."""
        with self._lock:
            if self._thread is not None:
                return False
            self._at, self._error = None, ""
            self._thread = threading.Thread(target=self._run, name="tbdiag-scan", daemon=True)
            self._thread.start()
            return True

    def wait(self, seconds: float | None = None) -> None:
        """Returns when no scan is under way."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _run(self) -> None:
        found, error = None, ""
        try:
            found = scanned(self.places, _MEMORY, self.config, self._progress)
        except RequestError as problem:
            error = str(problem)
        except Exception as problem:  # noqa: BLE001 - told in the tab; TensorBoard goes on
            error = f"the scan failed: {type(problem).__name__}: {problem}"
        with self._lock:
            if found is not None:
                self._snapshot = found
            self._error, self._thread = error, None

    def _progress(self, at: At) -> None:
        self._at = at

    def state(self) -> dict[str, Any]:
        """Where things stand, as plain values; times are seconds since the epoch."""
        snapshot = self.snapshot
        with self._lock:
            at = self._at
            told: dict[str, Any] = {
                "tbdiag": __version__,
                "token": self.token,
                "now": time.time(),
                "logdir": ", ".join(self.places),
                "scanning": self._thread is not None,
                "progress": None
                if at is None
                else {
                    "bytes": at.bytes,
                    "of": at.all_bytes,
                    "files": at.files,
                    "all": at.all_files,
                },
                "error": self._error,
                "diagnosis": None,
            }
        if snapshot is not None:
            told["diagnosis"] = {
                "id": snapshot.id,
                "origin": snapshot.origin,
                "at": snapshot.at,
                "summary": snapshot.summary,
                "search": snapshot.search,
                "unread": snapshot.unread,
                "outcomes": snapshot.outcomes,
            }
        return told
