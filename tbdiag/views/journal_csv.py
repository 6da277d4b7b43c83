"""The journal as a table, a row for each follow-up."""

from __future__ import annotations

import csv
import json
import math
from io import StringIO
from typing import Any

from tbdiag.journal.replay import History
from tbdiag.views.logbook import Followup, followups
from tbdiag.views.text import printable

COLUMNS = (
    "id",
    "parent",
    "origin",
    "standing",
    "objective",
    "before",
    "after",
    "noise",
    "change",
    "why",
    "verdict",
    "cleared",
    "persisting",
    "introduced",
    "state",
    "exit_code",
    "reason",
    "proposed",
    "started",
    "ended",
    "run",
    "params",
    "command",
)

_FORMULA = ("=", "+", "-", "@")  # with which a spreadsheet begins to compute


def render(history: History) -> str:
    """The follow-ups as CSV with a head, in UTF-8; what is not known is empty.

    Times are seconds since the epoch, several codes stand with spaces between them, ``params`` is
    JSON. Control characters are escaped, and text that a spreadsheet would take for a formula has an
    apostrophe before it.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in followups(history):
        cells = row(each)
        shown = {name: _cell(value) for name, value in cells.items()}
        writer.writerow([{**shown, "params": cells["params"]}[name] for name in COLUMNS])
    return out.getvalue()


def row(each: Followup) -> dict[str, Any]:
    """What is known of a follow-up by the names of the columns; None for what is not."""
    proposal, trial, verdict = each.attempt.proposal, each.attempt.trial, each.attempt.verdict
    return {
        "id": proposal.id,
        "parent": proposal.parent,
        "origin": proposal.origin.value,
        "standing": each.standing,
        "objective": each.objective,
        "before": each.before,
        "after": each.after,
        "noise": verdict.noise if verdict else None,
        "change": ", ".join(each.changes),
        "why": proposal.why,
        "verdict": verdict.reason if verdict else None,
        "cleared": " ".join(verdict.cleared) if verdict else None,
        "persisting": " ".join(verdict.persisting) if verdict else None,
        "introduced": " ".join(verdict.introduced) if verdict else None,
        "state": trial.state.value if trial else None,
        "exit_code": trial.exit_code if trial else None,
        "reason": trial.reason if trial else None,
        "proposed": each.attempt.proposed,
        "started": trial.started if trial else None,
        "ended": trial.ended if trial else None,
        "run": trial.run if trial else None,
        "params": json.dumps(dict(proposal.params)),
        "command": each.command,
    }


def _cell(value: object) -> object:
    if isinstance(value, str):
        text = printable(value)
        return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return "" if value is None else value
