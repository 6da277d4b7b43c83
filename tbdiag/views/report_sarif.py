"""The report as SARIF 2.1.0, which code hosts and editors read.

Static Analysis Results Interchange Format, OASIS Standard, 2020.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from tbdiag.model.finding import Finding, Severity
from tbdiag.model.report import Report, RunReport
from tbdiag.views.exhibit import steps
from tbdiag.views.text import printable

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def chunks(report: Report) -> Iterator[str]:
    """The log, one run at a time; the rules follow once it is known which found something.

    A consequence of another finding is a suppressed result that names it. A result's location is the
    folder of its run and, within it, the tag of the curve.
    """
    rules: dict[str, str] = {}
    head = {"$schema": _SCHEMA, "version": "2.1.0", "properties": {"tbdiag": report.version}}
    yield f'{_text(head)[:-1]}, "runs": [{{"results": ['
    comma = "\n"
    for each in report:
        for finding in each.findings:
            rules.setdefault(finding.code, finding.name)
            yield comma + _text(_result(finding, each))
            comma = ",\n"
    for finding in report.search:
        rules.setdefault(finding.code, finding.name)
        yield comma + _text(_result(finding, None))
        comma = ",\n"
    driver = {
        "name": "tbdiag",
        "version": report.version,
        "rules": [
            {"id": code, "name": _camel(name), "shortDescription": {"text": name.replace("-", " ")}}
            for code, name in sorted(rules.items())
        ],
    }
    told = [
        {"level": "warning", "message": {"text": _plain(f"{path} was not examined: {reason}")}}
        for path, reason in report.unread
    ]
    ran = [{"executionSuccessful": True, "toolExecutionNotifications": told}]
    yield f'\n], "tool": {{"driver": {_text(driver)}}}, "invocations": {_text(ran)}}}]}}\n'


def _result(finding: Finding, of: RunReport | None) -> dict[str, Any]:
    run = of.run.id if of else finding.subject
    next_step = f" Next: {finding.remedies[0].title}." if finding.remedies else ""
    told: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain(f"{run}: {finding.message}.{next_step}")},
        "locations": _locations(finding, of),
        "partialFingerprints": {"tbdiag/v1": f"{finding.fingerprint}:{printable(run)}"},
        "properties": {
            "confidence": finding.confidence.value,
            "run": printable(run),
            "measures": {
                each.name: _number(each.value) for one in finding.evidence for each in one.measures
            },
            "remedies": [printable(each.title) for each in finding.remedies],
        },
    }
    if finding.suppressed_by is not None:
        why = f"a consequence of {finding.suppressed_by}"
        told["suppressions"] = [{"kind": "external", "justification": why}]
    return told


def _locations(finding: Finding, of: RunReport | None) -> list[dict[str, Any]]:
    found = []
    for each in finding.evidence:
        owner = of.run.id if of else each.run
        where = steps(*each.span)
        location: dict[str, Any] = {
            "message": {"text": _plain(f"{where}: {each.note}" if each.note else where)},
            "logicalLocations": [
                {
                    "name": printable(each.tag),
                    "fullyQualifiedName": printable(f"{owner}/{each.tag}" if owner else each.tag),
                    "kind": "member",
                }
            ],
        }
        if of is not None:
            location["physicalLocation"] = {"artifactLocation": {"uri": _uri(of.run.path)}}
        found.append(location)
    return found


def _uri(path: PurePath) -> str:
    """A path as a reference: relative ones stay so, and what is a URL already is left alone."""
    text = path.as_posix()
    if "://" in text:
        return quote(text, safe=":/?&=%@+,;~")
    shown = quote(text.encode("utf-8", "surrogateescape"), safe="/~:" if path.drive else "/~")
    return f"file:///{shown.lstrip('/')}" if path.is_absolute() else shown


def _plain(text: str) -> str:
    """A message in which nothing is a link."""
    return printable(text).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _number(value: float) -> float | str:
    return float(value) if math.isfinite(value) else str(value)


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))


def _text(value: Any) -> str:
    return json.dumps(value, allow_nan=False)
