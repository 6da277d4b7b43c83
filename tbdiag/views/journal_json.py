"""The journal as JSON, schema 1: a published copy of the inside, not the inside."""

from __future__ import annotations

from typing import Any

from tbdiag import __version__
from tbdiag.journal.entry import Diagnosed
from tbdiag.journal.replay import History
from tbdiag.model.proposal import Verdict
from tbdiag.views.jsontext import text
from tbdiag.views.logbook import Followup, followups


def render(history: History) -> str:
    """The journal as JSON text, pure ASCII, ended by a newline; equal ones give equal bytes.

    Times are seconds since the epoch. NaN and infinities become the strings ``NaN``, ``Infinity`` and
    ``-Infinity``.
    """
    return text(document(history))


def document(history: History) -> dict[str, Any]:
    """The journal as the plain dictionary that `render` writes."""
    return {
        "schema": 1,
        "tbdiag": __version__,
        "diagnoses": [_diagnosed(at, seen) for at, seen in history.diagnoses],
        "followups": [_followup(each) for each in followups(history)],
        "unread": [*history.unread],
    }


def _diagnosed(at: float, seen: Diagnosed) -> dict[str, Any]:
    return {
        "at": at,
        "runs": seen.runs,
        "best": seen.best,
        "objective": {"tag": seen.objective, "better": seen.better, "value": seen.value},
        "findings": [
            {
                "code": each.code,
                "severity": each.severity,
                "message": each.message,
                "fingerprint": each.fingerprint,
            }
            for each in seen.findings
        ],
    }


def _followup(each: Followup) -> dict[str, Any]:
    proposal, trial = each.attempt.proposal, each.attempt.trial
    return {
        "id": proposal.id,
        "parent": proposal.parent,
        "origin": proposal.origin.value,
        "why": proposal.why,
        "answers": [*proposal.answers],
        "expects": [*proposal.expects],
        "advice": [*proposal.advice],
        "params": dict(proposal.params),
        "changes": [
            {"name": turn.name, "before": turn.before, "after": turn.after}
            for turn in proposal.turns
        ],
        "proposed": each.attempt.proposed,
        "trial": None
        if trial is None
        else {
            "run": trial.run,
            "command": [*trial.command],
            "state": trial.state.value,
            "reason": trial.reason,
            "exit_code": trial.exit_code,
            "objective": trial.objective,
            "started": trial.started,
            "ended": trial.ended,
        },
        "verdict": None if each.attempt.verdict is None else _verdict(each.attempt.verdict),
        "verified": each.attempt.verified,
    }


def _verdict(found: Verdict) -> dict[str, Any]:
    return {
        "decision": found.decision.value,
        "reason": found.reason,
        "cleared": [*found.cleared],
        "persisting": [*found.persisting],
        "introduced": [*found.introduced],
        "before": found.before,
        "after": found.after,
        "noise": found.noise,
        "repeats": dict(found.repeats),
    }
