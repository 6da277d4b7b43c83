"""A round of follow-up runs while it goes on and when it is over, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tbdiag.model.proposal import Decision, Origin, Proposal, State, Trial, Turn, Verdict
from tbdiag.model.run import Run
from tbdiag.views.paper import Paper
from tbdiag.views.so_far import curve, latest
from tbdiag.views.suggestions import Sheet, command, duration, kind, proposed, turns
from tbdiag.views.text import count, result

_STYLES = {Decision.CONFIRMED: "ok", Decision.REFUTED: "error", Decision.INCONCLUSIVE: "warning"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a round ended: ``solved``, in one sentence why, the ``best`` run with the verdict on it.

    ``changes`` are from the start to the best run, ``words`` its command, which runs ``inside`` a folder
    where that is not the working directory; ``trials`` are those of the round.
    """

    solved: bool
    ending: str
    reason: str
    start: str
    best: str
    verdict: Verdict | None
    changes: tuple[Turn, ...]
    words: tuple[str, ...]
    inside: str
    trials: tuple[Trial, ...]
    verdicts: Mapping[str, Verdict]
    repeats: int
    advice: tuple[str, ...]
    journal: str
    healthy: bool = False  # the start had no problem to be solved


def begun(paper: Paper, trial: Trial, *, adopted: bool) -> None:
    """A follow-up that was started."""
    proposal = trial.proposal
    paper.gap()
    again = "  (still running from before)" if adopted else ""
    paper.line((proposal.id, "name"), ("  ", ""), (f"{kind(proposal)}{again}", "dim"))
    turns(paper, proposal.turns, indent=2)
    if proposal.origin is not Origin.REPEAT:
        paper.flow(proposal.why, indent=2, style="dim", label=("why:", "dim"), most=3)


def over(paper: Paper, trial: Trial, run: Run | None, verdict: Verdict | None) -> None:
    """A follow-up that is over: its curve, its result, the verdict beside its parent."""
    took = "" if trial.ended is None else duration(max(trial.ended - trial.started, 0.0))
    drawn = "" if run is None else curve(run, only_ascii=paper.only_ascii)
    value = "" if trial.objective is None else result(trial.objective)
    paper.line(
        (trial.proposal.id, "name"), ("  ", ""), (drawn, ""), ("  " if drawn else "", ""),
        (value, "name"), ("  ", ""), (took, "dim"),
    )  # fmt: skip
    if verdict is not None:
        style = _STYLES[verdict.decision]
        paper.flow(verdict.reason, indent=2, label=(f"{verdict.decision.value}:", style), most=4)
    elif trial.state is not State.FINISHED:
        reason = trial.reason or trial.state.value
        paper.flow(reason, indent=2, label=(f"{trial.state.value}:", "warning"), most=4)


def ended(paper: Paper, outcome: Outcome) -> None:
    """What came of the round."""
    paper.gap()
    n = len(outcome.trials)
    paper.ends([("after ", "dim"), (count(n, "follow-up run"), "name")], fill=paper.rule)
    if outcome.solved:
        seeds = f", on {outcome.repeats + 1} seeds" if outcome.repeats else ", on one seed"
        does = "is better than" if outcome.healthy else "solves the problem of"
        sentence = f"{outcome.best} {does} {outcome.start}{seeds}: {outcome.reason}"
        paper.flow(sentence, indent=0, label=("confirmed:", "ok"))
    else:
        paper.flow(f"{outcome.reason}", indent=0, label=(f"{outcome.ending}:", "warning"))
        _so_far(paper, outcome)
    if outcome.best != outcome.start:
        turns(paper, outcome.changes, indent=2)
        command(paper, outcome.words, indent=2, inside=outcome.inside)
    if not outcome.solved:
        for each in outcome.advice[:4]:
            paper.flow(each, indent=0, label=("by hand:", "ok"))
    paper.gap()
    paper.flow(f"tbdiag journal {outcome.journal} tells the whole story", indent=0, style="dim")


def _so_far(paper: Paper, outcome: Outcome) -> None:
    verdict = outcome.verdict
    if outcome.best == outcome.start or verdict is None:
        if outcome.trials:
            paper.flow(f"nothing was better than {outcome.start}", indent=0)
        return
    label = (f"{verdict.decision.value}:", _STYLES[verdict.decision])
    paper.flow(f"the best is {outcome.best}: {verdict.reason}", indent=0, label=label)


def as_json(sheet: Sheet, outcome: Outcome) -> str:
    """The round in a versioned schema."""
    told: dict[str, Any] = {
        "schema": 1,
        "tbdiag": sheet.version,
        "start": outcome.start,
        "objective": sheet.objective,
        "solved": outcome.solved,
        "ending": outcome.ending,
        "reason": outcome.reason,
        "best": outcome.best,
        "verdict": _verdict(outcome.verdict),
        "repeats": outcome.repeats,
        "changes": [
            {"name": t.name, "before": t.before, "after": t.after} for t in outcome.changes
        ],
        "command": list(outcome.words),
        "trials": [_trial(each, outcome.verdicts) for each in outcome.trials],
        "advice": list(outcome.advice),
        "notes": list(sheet.notes),
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def underway(proposal: Proposal, run: Run, *, only_ascii: bool = False) -> str:
    """One line on a run that is under way."""
    return f"{proposal.id}  {curve(run, only_ascii=only_ascii)}  {latest(run)}"


def _trial(trial: Trial, verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    return {
        **proposed(trial.proposal, trial.command),
        "run": trial.run,
        "state": trial.state.value,
        "reason": trial.reason,
        "exit_code": trial.exit_code,
        "objective": trial.objective,
        "started": trial.started,
        "ended": trial.ended,
        "verdict": _verdict(verdicts.get(trial.proposal.id)),
    }


def _verdict(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "decision": verdict.decision.value,
        "reason": verdict.reason,
        "cleared": list(verdict.cleared),
        "persisting": list(verdict.persisting),
        "introduced": list(verdict.introduced),
        "before": verdict.before,
        "after": verdict.after,
        "noise": verdict.noise,
        "repeats": dict(verdict.repeats),
    }
