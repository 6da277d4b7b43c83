"""What controllers of a shared study tell each other of their runs, and what can be built on of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from tbdiag.advisor.record import Record
from tbdiag.model.finding import Finding
from tbdiag.model.proposal import Params
from tbdiag.model.report import RunReport
from tbdiag.model.run import HParam, Run
from tbdiag.reading.plain import plain, restored
from tbdiag.search.entrant import Entrant, Standing

FINDINGS, STANDING = "findings", "standing"  # attributes of a trial

_MOST = 60_000  # characters of an attribute, which some databases cut off beyond


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A run of another controller as it stands in the study: ``number`` names it there.

    ``name`` is its owner's and its own, ``findings`` and ``standing`` are JSON.
    """

    number: int
    name: str
    params: Params
    findings: str
    standing: str


def told_of(record: Record) -> dict[str, str]:
    """What others need to build on a run: nothing where it logged no objective, or finds too much."""
    entrant = record.entrant
    if record.value is None or entrant is None:
        return {}
    try:
        standing = Standing(objective=entrant.objective, level=entrant.level)
        found = {
            FINDINGS: json.dumps(plain(record.roots)),
            STANDING: json.dumps(plain(standing)),
        }
    except TypeError:  # a rule of another package may find anything
        return {}
    return found if max(map(len, found.values())) <= _MOST else {}


def record_of(told: Told, beside: Record) -> Record | None:
    """The run as a record without curves; None where it cannot be compared with the one ``beside``.

    Of what stands in a study nothing is trusted but that it may be restored as what it should be.
    """
    try:
        found, place = json.loads(told.findings), json.loads(told.standing)
        if not isinstance(found, list):
            return None
        findings: tuple[Finding, ...] = restored(tuple[Finding, ...], found)
        standing: Standing = restored(Standing, place)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    own = beside.entrant
    if own is None or standing.objective != own.objective or standing.level is None:
        return None
    run = Run(id=told.name, path=PurePosixPath(told.name), hparams=_hparams(told.params))
    entrant = Entrant(
        run=run,
        settings=dict(told.params),
        seeds={},
        objective=own.objective,
        standing=standing,
    )
    return Record(
        id=told.name,
        params=told.params,
        report=RunReport(run=run, outcomes={}, findings=findings),
        entrant=entrant,
        elsewhere=True,
    )


def _hparams(params: Params) -> Mapping[str, Any]:
    return {name: HParam(value, "the study") for name, value in params.items()}
