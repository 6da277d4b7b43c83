"""What to try next and what was tried: the advisor's proposals, worked out beside, and the journal."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from tbdiag.errors import JournalError, RequestError
from tbdiag.tensorboard_tab.diagnosis import Diagnosis

_PROPOSED = 3


class Trials:
    """The proposals are made once for each scan, in a thread of their own, when first asked for."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self._diagnosis = diagnosis
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._told: tuple[str, dict[str, Any]] = ("", {})

    def state(self) -> dict[str, Any]:
        """``working``, the ``proposals`` or the ``problem`` that there are none, and the ``journal``."""
        snapshot = self._diagnosis.snapshot
        name = "" if snapshot is None or snapshot.report is None else snapshot.id
        with self._lock:
            if name and self._told[0] != name and self._thread is None:
                self._thread = threading.Thread(
                    target=self._propose, args=(name,), name="tbdiag-advisor", daemon=True
                )
                self._thread.start()
            working = self._thread is not None
            proposals = self._told[1] if name and self._told[0] == name else {}
        return {
            "working": working,
            "scanned": bool(name),
            "problem": proposals.get("problem", ""),
            "proposals": proposals.get("proposals"),
            "journal": self._journal(),
        }

    def _propose(self, name: str) -> None:
        told: dict[str, Any] = {}
        try:
            told["proposals"] = self._proposals()
        except RequestError as error:
            told["problem"] = str(error)
        except Exception as error:  # noqa: BLE001 - told in the tab; TensorBoard goes on
            told["problem"] = f"proposing failed: {type(error).__name__}: {error}"
        with self._lock:
            self._told, self._thread = (name, told), None

    def _proposals(self) -> dict[str, Any]:
        from tbdiag.api import suggest
        from tbdiag.views.suggestions import shell

        found = suggest(list(self._diagnosis.places), n=_PROPOSED, config=self._diagnosis.config)
        told: dict[str, Any] = json.loads(found.to_json())
        told["shell"] = shell(found.sheet) if any(found.commands.values()) else ""
        return told

    def _journal(self) -> dict[str, Any] | None:
        from tbdiag.api import read_journal
        from tbdiag.config import Config

        for place in self._diagnosis.places:
            try:
                told: dict[str, Any] = json.loads(
                    read_journal(Path(place), config=Config()).to_json()
                )
            except JournalError:
                continue
            return told
        return None
