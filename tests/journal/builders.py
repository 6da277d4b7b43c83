"""Proposals, trials and journals for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tbdiag.journal.entry import Diagnosed, Found
from tbdiag.journal.file import Journal
from tbdiag.model.proposal import Decision, Origin, Price, Proposal, State, Trial, Turn, Verdict

NOON = 1_750_000_000.0


def clock(start: float = NOON, step: float = 60.0) -> Iterator[float]:
    """Times that are ``step`` seconds apart."""
    while True:
        yield start
        start += step


def a_journal(folder: Path) -> Journal:
    """A journal whose entries are a minute apart."""
    times = clock()
    return Journal.beside(folder, lambda: next(times))


def a_proposal(id: str = "t1", **fields: Any) -> Proposal:  # noqa: A002 - the field
    """A remedy for a rate that is too high."""
    usual: dict[str, Any] = {
        "parent": "lr1",
        "origin": Origin.REMEDY,
        "params": {"lr": 0.1, "epochs": 20, "scheduler": "cosine"},
        "turns": (Turn("lr", 1.0, 0.1),),
        "why": "the learning rate is too high: training loss rose from step 3 on",
        "answers": ("f00d",),
        "expects": ("OPT001",),
        "price": Price(epochs=20.0, seconds=60.0),
    }
    return Proposal(id=id, **{**usual, **fields})


def a_trial(proposal: Proposal | None = None, **fields: Any) -> Trial:
    """The proposal as it was started."""
    given = proposal or a_proposal()
    usual: dict[str, Any] = {
        "run": f"logs/tbdiag/{given.id}",
        "command": ("python", "train.py", "--lr", "0.1", "--logdir", f"logs/tbdiag/{given.id}"),
        "state": State.RUNNING,
        "started": NOON,
    }
    return Trial(proposal=given, **{**usual, **fields})


def a_verdict(**fields: Any) -> Verdict:
    """A fix that was proved."""
    usual: dict[str, Any] = {
        "decision": Decision.CONFIRMED,
        "reason": "OPT001 is gone and validation loss is better by more than the noise",
        "cleared": ("OPT001",),
        "before": 2.31,
        "after": 0.284,
        "noise": 0.05,
    }
    return Verdict(**{**usual, **fields})


def a_diagnosis(**fields: Any) -> Diagnosed:
    """One run whose rate is too high."""
    found = Found(
        code="OPT001",
        severity="error",
        message="training loss rose from step 3 on",
        fingerprint="f00d",
    )
    usual: dict[str, Any] = {
        "best": "lr1",
        "runs": 1,
        "objective": "val_loss",
        "better": "lower",
        "value": 2.31,
        "findings": (found,),
    }
    return Diagnosed(**{**usual, **fields})
