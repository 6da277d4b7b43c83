"""What the views ask for: a page of the matrix, one run, its curves, several runs side by side."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from tbdiag.errors import ReadError, RequestError
from tbdiag.tensorboard_tab.diagnosis import Diagnosis
from tbdiag.tensorboard_tab.ghost import Ghost, ghosts
from tbdiag.tensorboard_tab.library import Library
from tbdiag.tensorboard_tab.rows import Wanted, differing, page
from tbdiag.tensorboard_tab.snapshot import Snapshot
from tbdiag.views.charts import charts, shared
from tbdiag.views.curves import Frame, drawn

MOST_COMPARED = 5


class Pages:
    """Answers of the tab, as plain values, from the newest diagnosis; raises RequestError."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self._diagnosis = diagnosis
        self._library = Library(diagnosis.places)
        self._lock = threading.Lock()
        self._ghosts: tuple[str, dict[str, Ghost]] = ("", {})

    def matrix(self, wanted: Wanted) -> dict[str, Any]:
        """A page of the matrix of runs and rules."""
        snapshot = self._snapshot()
        return {"diagnosis": snapshot.id, **page(snapshot.rows, wanted)}

    def run(self, name: str) -> dict[str, Any]:
        """One run: what the report says, its charts, and the best comparable run."""
        snapshot = self._snapshot()
        if name not in snapshot:
            raise RequestError(f"no run of the diagnosis is called {name!r}")
        entry = snapshot.entry(name)
        told: dict[str, Any] = {"diagnosis": snapshot.id, "entry": entry, "charts": []}
        told |= {"problem": "", "ghost": None}
        try:
            with self._library.lock:
                run = self._library.run(snapshot, name)
                told["charts"] = charts(run, entry["findings"])
            ghost = self._ghost(snapshot, name)
            told["ghost"] = None if ghost is None else ghost.plain()
        except (OSError, ReadError, RequestError) as error:  # what the rules said is still there
            told["problem"] = str(error)
        return told

    def curves(self, name: str, tags: Sequence[str], frame: Frame) -> dict[str, Any]:
        """Curves of a run, and where the evidence about them stands."""
        snapshot = self._snapshot()
        with self._library.lock:
            run = self._library.run(snapshot, name)
            evidence = [
                {**each, "finding": at, "code": finding["code"], "severity": finding["severity"]}
                for at, finding in enumerate(snapshot.entry(name)["findings"])
                for each in finding["evidence"]
                if each["tag"] in tags and each.get("run", name) == name
            ]
            try:
                told = drawn(run, tags, frame, evidence)
            except (OSError, ReadError) as error:
                raise RequestError(str(error)) from None
        told["spans"] = [
            {**_where(each), "x": x} for each, x in zip(evidence, told["spans"], strict=True)
        ]
        return told

    def compared(self, names: Sequence[str]) -> dict[str, Any]:
        """Runs side by side: the settings that differ, findings, and the charts that they share."""
        snapshot = self._snapshot()
        if not 2 <= len(set(names)) <= MOST_COMPARED:
            raise RequestError(f"two to {MOST_COMPARED} runs can be laid over each other")
        with self._library.lock:
            try:
                over = shared([self._library.run(snapshot, name) for name in names])
            except (OSError, ReadError) as error:
                raise RequestError(str(error)) from None
        entries = [snapshot.entry(name) for name in names]
        settings = differing([each["hparams"] for each in entries])
        return {
            "diagnosis": snapshot.id,
            "runs": [
                {
                    "run": each["run"],
                    "hparams": {key: each["hparams"].get(key) for key in settings},
                    "findings": [_briefly(finding) for finding in each["findings"]],
                }
                for each in entries
            ],
            "settings": settings,
            "alike": len({key for each in entries for key in each["hparams"]}) - len(settings),
            "charts": over,
        }

    def _snapshot(self) -> Snapshot:
        snapshot = self._diagnosis.snapshot
        if snapshot is None:
            raise RequestError("the runs were not diagnosed yet")
        return snapshot

    def _ghost(self, snapshot: Snapshot, name: str) -> Ghost | None:
        with self._lock, self._library.lock:
            if self._ghosts[0] != snapshot.id:
                self._ghosts = snapshot.id, ghosts(snapshot)
            return self._ghosts[1].get(name)


def _where(evidence: Mapping[str, Any]) -> dict[str, Any]:
    return {key: evidence[key] for key in ("finding", "code", "severity", "tag", "span", "note")}


def _briefly(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {key: finding[key] for key in ("code", "name", "severity", "message", "suppressed_by")}
