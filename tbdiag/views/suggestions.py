"""Follow-up runs that are proposed: as text, as JSON, as a shell script."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tbdiag.model.finding import Finding
from tbdiag.model.proposal import Price, Proposal, Turn
from tbdiag.model.run import Scalar
from tbdiag.views.paper import Paper
from tbdiag.views.text import count, number, result

SCHEMA = 1

_MOST = 4  # notes and pieces of advice in full


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What there is to show: where follow-ups start from, and the ``proposals`` with their commands.

    ``comparable`` is the number of runs that the ``start`` is the best of; ``env`` maps ids of proposals
    to what their command needs in its environment beside its words; ``folder`` is where it runs, and
    ``inside`` the same for who reads it, empty where that is the working directory.
    """

    version: str
    start: str
    comparable: int
    objective: str
    value: float | None
    findings: tuple[Finding, ...]
    proposals: tuple[Proposal, ...]
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    folder: str = ""
    inside: str = ""
    advice: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def render(sheet: Sheet, *, color: bool, width: int = 80, ascii: bool = False) -> str:  # noqa: A002 -- as in the other views
    """The proposals as text, each with its change, its reason, its command, what it should clear."""
    paper = Paper(color=color, width=width, only_ascii=ascii)
    head(paper, sheet)
    for proposal in sheet.proposals:
        paper.gap()
        origin = "" if proposal.parent == sheet.start else f", from {proposal.parent}"
        paper.ends(
            [(proposal.id, "name"), ("  ", ""), (f"{kind(proposal)}{origin}", "dim")],
            [(price(proposal.price), "dim")],
            fill=paper.rule,
        )
        turns(paper, proposal.turns, indent=2)
        paper.flow(proposal.why, indent=2, label=("why:", "dim"))
        if proposal.expects:
            paper.flow(", ".join(proposal.expects), indent=2, label=("should clear:", "dim"))
        command(paper, sheet.commands.get(proposal.id, ()), indent=2, inside=sheet.inside)
    if not sheet.proposals:
        paper.gap()
        paper.flow("No setting of the command is left to try.", indent=0)
    foot(paper, sheet)
    return paper.text()


def head(paper: Paper, sheet: Sheet) -> None:
    """Where the follow-ups start from, and what is wrong there."""
    value = "" if sheet.value is None else f"{sheet.objective} {result(sheet.value)}"
    paper.ends([("from ", "dim"), (sheet.start, "name")], [(value, "dim")], fill=paper.rule)
    if sheet.comparable > 1:
        paper.flow(
            f"the best of {count(sheet.comparable, 'comparable run')}", indent=2, style="dim"
        )
    for finding in sheet.findings:
        severity = finding.severity.value
        label = (f"{severity}[{finding.code}]", severity)
        paper.flow(f"{finding.name}: {finding.message}", indent=2, label=label, most=3)
    if not sheet.findings:
        paper.flow("no findings: small steps may still do better", indent=2, style="dim")


def foot(paper: Paper, sheet: Sheet) -> None:
    """What no setting can do, and what was guessed or left out."""
    if sheet.advice:
        paper.gap()
        for each in sheet.advice[:_MOST]:
            paper.flow(each, indent=0, label=("by hand:", "ok"))
    paper.gap()
    for each in sheet.notes[:_MOST]:
        paper.flow(each, indent=0, style="dim", label=("note:", "dim"))
    if len(sheet.notes) > _MOST:
        paper.flow(f"and {len(sheet.notes) - _MOST} notes more", indent=0, style="dim")
    if sheet.left_out:
        names = ", ".join(name for name, _ in sheet.left_out)
        paper.flow(f"{names}; name one to start from it", indent=0, style="dim",
                   label=(f"{count(len(sheet.left_out), 'run')} not comparable:", "dim"), most=2)  # fmt: skip
    if sheet.proposals and not any(sheet.commands.values()):
        paper.flow(
            "no training command is configured: `tbdiag init` writes one", indent=0, style="dim"
        )


def turns(paper: Paper, changed: Sequence[Turn], *, indent: int) -> None:
    """The settings that change, from what to what."""
    words = ", ".join(f"{t.name} {shown(t.before)} → {shown(t.after)}" for t in changed)
    paper.flow(words or "no setting changes", indent=indent, style="name")


def command(paper: Paper, words: Sequence[str], *, indent: int, inside: str = "") -> None:
    """The command, continued over lines as a shell would take it; it runs ``inside`` a folder."""
    if not words:
        return
    pieces = [shlex.quote(each) for each in words]
    if inside:
        pieces = ["(cd", shlex.quote(inside), "&&", *pieces[:-1], f"{pieces[-1]})"]
    room = paper.width - indent - 4
    line, lead = "", "$ "
    for word in pieces:
        if line and len(line) + len(word) + 1 > room:
            paper.line((f"{lead}{line} \\", "dim"), indent=indent)
            line, lead = "", "    "
            room = paper.width - indent - 6
        line = f"{line} {word}" if line else word
    paper.line((f"{lead}{line}", "dim"), indent=indent)


def shell(sheet: Sheet) -> str:
    """A script that starts the proposals one after the other."""
    lines = ["#!/bin/sh", f"# tbdiag {sheet.version}: follow-up runs of {_comment(sheet.start)}"]
    if sheet.folder:
        lines.append(f"cd {shlex.quote(sheet.folder)} || exit 1")
    for proposal in sheet.proposals:
        lines += ["", f"# {proposal.id}: {_comment(proposal.why)}"]
        lines += [
            f"# {_comment(f'{t.name} {shown(t.before)} → {shown(t.after)}')}"
            for t in proposal.turns
        ]
        words = sheet.commands.get(proposal.id, ())
        extra = [f"{name}={value}" for name, value in sheet.env.get(proposal.id, {}).items()]
        if words:
            lines.append(shlex.join(["env", *extra, *words] if extra else words))
        else:
            lines.append("# no training command is configured")
    return "\n".join(lines) + "\n"


def as_json(sheet: Sheet) -> str:
    """The proposals in a versioned schema."""
    told = {
        "schema": SCHEMA,
        "tbdiag": sheet.version,
        "start": {
            "run": sheet.start,
            "comparable": sheet.comparable,
            "objective": sheet.objective,
            "value": sheet.value,
            "findings": [
                {"code": f.code, "name": f.name, "severity": f.severity.value, "message": f.message,
                 "fingerprint": f.fingerprint}
                for f in sheet.findings
            ],
        },
        "folder": sheet.folder,
        "proposals": [proposed(p, sheet.commands.get(p.id, ())) for p in sheet.proposals],
        "advice": list(sheet.advice),
        "notes": list(sheet.notes),
        "left_out": [{"run": name, "reason": reason} for name, reason in sheet.left_out],
    }  # fmt: skip
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def proposed(proposal: Proposal, words: Sequence[str]) -> dict[str, Any]:
    """A proposal as plain values."""
    return {
        "id": proposal.id,
        "parent": proposal.parent,
        "origin": proposal.origin.value,
        "params": dict(proposal.params),
        "turns": [{"name": t.name, "before": t.before, "after": t.after} for t in proposal.turns],
        "why": proposal.why,
        "answers": list(proposal.answers),
        "expects": list(proposal.expects),
        "advice": list(proposal.advice),
        "price": {"epochs": proposal.price.epochs, "seconds": proposal.price.seconds},
        "command": list(words),
    }


def kind(proposal: Proposal) -> str:
    """What kind of a proposal it is, in words."""
    if proposal.expects and proposal.origin.value == "remedy":
        return f"answers {', '.join(proposal.expects)}"
    return proposal.origin.value


def price(told: Price) -> str:
    """What it costs, as far as that is known."""
    parts = [] if told.epochs is None else [f"{number(told.epochs)} epochs"]
    parts += [] if told.seconds is None else [f"about {duration(told.seconds)}"]
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """``12 s``, ``3 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def shown(value: Scalar) -> str:
    """A setting as people write it."""
    if value is None:
        return "unset"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return str(value)


def _comment(text: str) -> str:
    return " ".join(text.split())
