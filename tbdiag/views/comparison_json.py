"""A comparison as JSON, schema 1: a published copy of the inside, not the inside."""

from __future__ import annotations

from typing import Any

from tbdiag.diagnosis.comparison import Comparison, Effect, Standing
from tbdiag.search.lead import Group, Lead
from tbdiag.views.jsontext import text


def render(found: Comparison) -> str:
    r"""The comparison as JSON text, pure ASCII, ended by a newline; equal ones give equal bytes.

    NaN and infinities become the strings ``NaN``, ``Infinity`` and ``-Infinity``.
    """
    return text(document(found))


def document(found: Comparison) -> dict[str, Any]:
    """The comparison as the plain dictionary that `render` writes."""
    objective = found.objective
    return {
        "schema": 1,
        "tbdiag": found.version,
        "objective": {
            "role": objective.role.value if objective.role else None,
            "quantity": objective.quantity,
            "better": objective.better.value,
        },
        "runs": [_standing(each, found) for each in found.standings],
        "settings": {"differ": [*found.differing], "same": found.same},
        "lead": None if found.lead is None else _lead(found.lead),
        "effects": [_effect(each) for each in found.effects],
        "why_no_effects": found.why_no_effects,
        "why_no_importance": found.why_no_importance,
        "left_out": [{"run": run, "reason": reason} for run, reason in found.left_out],
        "caveats": [*found.caveats],
    }


def _standing(each: Standing, found: Comparison) -> dict[str, Any]:
    level, known = each.entrant.level, {**each.entrant.settings, **each.entrant.seeds}
    return {
        "run": each.run.id,
        "path": each.run.path.as_posix(),
        "tag": each.entrant.objective.tag,
        "best": level.best if level else None,
        "best_step": level.step if level else None,
        "last": level.last if level else None,
        "epochs": each.epochs,
        "steps": each.steps,
        "seconds": each.seconds,
        "settings": {name: known[name] for name in found.differing if name in known},
    }


def _lead(found: Lead) -> dict[str, Any]:
    return {
        "first": _names(found.first),
        "second": _names(found.second),
        "by": found.by,
        "limit": found.limit,
        "beyond_noise": found.beyond,
        "tied": [_names(group) for group in found.tied],
        "seed_sd": found.noise.seed_sd,
        "repeats": found.noise.repeats,
        "standard_error": found.noise.error,
        "validation_samples": found.noise.samples,
    }


def _names(group: Group) -> list[str]:
    return [each.run.id for each in group]


def _effect(each: Effect) -> dict[str, Any]:
    correlation = each.correlation
    return {
        "setting": each.name,
        "runs": each.runs,
        "correlation": None
        if correlation is None
        else {"rho": correlation.rho, "low": correlation.low, "high": correlation.high},
        "importance": each.importance,
        "chance": each.chance,
        "values": [{"value": v, "median": median, "runs": n} for v, median, n in each.values],
    }
