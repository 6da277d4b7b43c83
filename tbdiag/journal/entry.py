"""One line of the journal, and what the lines tell of."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tbdiag.model.proposal import Verdict

SCHEMA = 1


class Kind(StrEnum):
    """What a line tells."""

    DIAGNOSED = "diagnosed"  # `Diagnosed`: runs were examined
    PROPOSED = "proposed"  # `Proposal`: a follow-up run was decided on
    LAUNCHED = "launched"  # `Trial`: it is about to be started
    FINISHED = "finished"  # `Trial`: it is over, one way or another
    VERIFIED = "verified"  # `Verified`: it was held against its parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: ``seq`` counts from 1, ``at`` is in seconds since the epoch, ``payload`` is JSON."""

    schema: int = SCHEMA
    seq: int
    at: float
    kind: Kind
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The gist of a finding: what it is called, what it says, what names it across scans."""

    code: str
    severity: str
    message: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosed:
    """What was seen when ``runs`` runs were examined: the ``best`` of them, and its root findings.

    ``objective`` is the role or tag by which runs are compared, ``better`` is lower or higher.
    """

    best: str
    runs: int
    objective: str
    better: str
    value: float | None = None
    findings: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What became clear about the trial of a proposal."""

    proposal: str
    verdict: Verdict


def line(entry: Entry) -> bytes:
    """The entry as one line of pure ASCII, newline included; raises TypeError or ValueError."""
    fields = {
        "schema": entry.schema,
        "seq": entry.seq,
        "at": entry.at,
        "kind": entry.kind.value,
        "payload": entry.payload,
    }
    return json.dumps(fields, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def parsed(text: bytes) -> Entry:
    """The entry of which `line` made ``text``; raises ValueError with the reason.

    Of a schema that is not known only the number is looked at; its payload is empty.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not whole") from None
    if not isinstance(fields, dict) or type(fields.get("schema")) is not int:
        raise ValueError("it is no entry of a journal")
    seq, at, payload = fields.get("seq"), fields.get("at"), fields.get("payload")
    if type(seq) is not int or not isinstance(at, int | float) or not math.isfinite(at):
        raise ValueError("it has no number or no time")
    if fields["schema"] > SCHEMA:
        return Entry(
            schema=fields["schema"], seq=seq, at=float(at), kind=Kind.DIAGNOSED, payload={}
        )
    if not isinstance(payload, dict):
        raise ValueError("it carries nothing")
    if fields.get("kind") not in list(Kind):
        raise ValueError(f"its kind {fields.get('kind')!r} is not known")
    return Entry(
        schema=fields["schema"], seq=seq, at=float(at), kind=Kind(fields["kind"]), payload=payload
    )
