"""The tab without a server: requests to its pages, and reports that nobody scanned."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from werkzeug.test import Client
from werkzeug.wrappers import Response

from tbdiag.tensorboard_tab.tab import DiagnosisTab


def a_tab(logdir: Path | str, *, scanned: bool = True) -> DiagnosisTab:
    """The tab on a folder, as TensorBoard makes it, its runs scanned."""
    tab = DiagnosisTab(SimpleNamespace(logdir=str(logdir), flags=SimpleNamespace()))
    if scanned:
        assert tab._diagnosis.begin()
        tab._diagnosis.wait(60)
    return tab


def answer(tab: DiagnosisTab, path: str, *, method: str = "GET", **query: Any) -> Response:
    """The response of a page; a header of the request is given as ``headers``."""
    headers = query.pop("headers", None)
    client = Client(tab.get_plugin_apps()[path], Response)
    return client.open("/", method=method, query_string=query, headers=headers)


def told(tab: DiagnosisTab, path: str, **query: Any) -> dict[str, Any]:
    """The answer of a page that answers."""
    response = answer(tab, path, **query)
    assert response.status_code == 200, response.text

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(response.text, parse_constant=refuse)


def refused(tab: DiagnosisTab, path: str, **query: Any) -> str:
    """The sentence with which a page refuses."""
    response = answer(tab, path, **query)
    assert response.status_code == 400, response.text
    return json.loads(response.text)["error"]


def an_entry(run: str, *findings: dict[str, Any], **hparams: Any) -> dict[str, Any]:
    """A run of a stored report (RunV1)."""
    return {
        "run": run,
        "path": run,
        "roles": {},
        "ambiguous": {},
        "hparams": hparams,
        "provenance": {
            "files": 1,
            "points": 1,
            "restarts": 0,
            "corrupt_bytes": 0,
            "truncated": False,
        },
        "outcomes": {each["code"]: "fired" for each in findings} | {"VAL003": "passed"},
        "reasons": {},
        "findings": list(findings),
    }


def a_finding(
    code: str, step: int = 5, severity: str = "error", by: str | None = None, tag: str = "loss"
) -> dict[str, Any]:
    """A finding of a stored report (FindingV1)."""
    return {
        "code": code,
        "name": "a-name",
        "severity": severity,
        "confidence": "high",
        "message": f"{code} at {step}",
        "evidence": [{"tag": tag, "span": [step, step + 3], "note": "", "measures": []}],
        "remedies": [],
        "fingerprint": code,
        "suppressed_by": by,
    }


def a_report(*entries: dict[str, Any]) -> dict[str, Any]:
    """A stored report (ReportV1)."""
    return {
        "schema": 1,
        "tbdiag": "0.1.0",
        "runs": list(entries),
        "search": {"findings": [], "outcomes": {}, "reasons": {}},
        "summary": {"runs": len(entries), "errors": 0, "warnings": 0, "notes": 0},
        "unread": [],
    }
