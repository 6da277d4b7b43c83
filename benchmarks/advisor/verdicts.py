"""Whether what the advisor calls CONFIRMED holds where winner and start are trained on fresh seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.advisor.arena import Arena
from benchmarks.advisor.ours import Cell, Searched, advised
from tbdiag.advisor.propose import Policy
from tbdiag.advisor.record import Record
from tbdiag.advisor.verify import judge
from tbdiag.model.finding import Finding
from tbdiag.model.proposal import Decision, Origin

AGAIN = (21, 22, 23, 24)  # seeds that neither a search nor a reference sees


@dataclass(frozen=True, slots=True)
class Claim:
    """A fix that was called CONFIRMED, after how many follow-ups; what fresh seeds say of it.

    ``better``: the mean over them is; ``proved``: by the same rules it would be CONFIRMED again.
    """

    cell: Cell
    followups: int
    better: bool
    proved: bool


@dataclass(frozen=True, slots=True)
class Claims:
    """The final claims of the default mode, which ends with one, and the first verdicts by one seed."""

    final: tuple[Claim, ...]
    single: tuple[Claim, ...]
    cells: int


def claims(arena: Arena, cells: Sequence[Cell], most: int, policy: Policy | None = None) -> Claims:
    """What the advisor claims from each bad start within ``most`` follow-ups, and what holds."""
    final, single = [], []
    for cell in cells:
        found = advised(arena, cell, most, policy=policy, keep_going=False)
        if found.end.solved:
            count = len(found.runs) - 1
            start, best = found.runs[0], found.end.best
            final.append(_claim(arena, cell, start, best, found.end.problem, count))
        single += list(_singles(arena, cell, found))
    return Claims(tuple(final), tuple(single), len(cells))


def _singles(arena: Arena, cell: Cell, found: Searched) -> Iterable[Claim]:
    """The verdicts on follow-ups beside their parents, before any repeat."""
    by_id = {run.id: run for run in found.runs}
    answered = {t.proposal.id: t.proposal.answers for t in found.end.trials}
    for count, run in enumerate(found.runs):
        parent = by_id.get(run.parent)
        if parent is None or run.origin is Origin.REPEAT:
            continue
        answers = [f for f in parent.roots if f.fingerprint in answered.get(run.id, ())]
        if judge(run, parent, answers=answers).decision is Decision.CONFIRMED:
            yield _claim(arena, cell, parent, run, answers, count)


def _claim(
    arena: Arena, cell: Cell, before: Record, after: Record, answers: Sequence[Finding], count: int
) -> Claim:
    theirs, ours = (
        [arena.record(cell.task, {**each.params, "seed": seed}, str(seed)) for seed in AGAIN]
        for each in (before, after)
    )
    verdict = judge(ours[0], theirs[0], answers=answers, repeats=ours[1:], earlier=theirs[1:])
    better = sum(each.loss for each in ours) < sum(each.loss for each in theirs)
    return Claim(cell, count, better, verdict.decision is Decision.CONFIRMED)
