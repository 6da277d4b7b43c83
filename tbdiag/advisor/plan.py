"""What a round of follow-up runs starts from: the runs, their settings, and how runs are started."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tbdiag.advisor.position import Move, Position
from tbdiag.advisor.prescribe import BUDGET, Space
from tbdiag.advisor.record import Record, equal
from tbdiag.advisor.within import allowed
from tbdiag.config import Config
from tbdiag.config.training import Choices
from tbdiag.diagnosis.examine import Selection
from tbdiag.model.proposal import Params, Price, Proposal, Turn
from tbdiag.model.run import Scalar
from tbdiag.naming.knobs import knob
from tbdiag.naming.settings import About, about
from tbdiag.search.entrant import numeric

PREFIX = "followup-"
_DIGITS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """All that stays the same in a round of follow-up runs.

    ``start`` is the run whose problem is to be solved, ``past`` all comparable runs that are there, it
    among them. ``logdir`` is where follow-up runs get their folders, ``root`` where the command runs.
    ``notes`` are sentences that the user should read first.
    """

    config: Config
    selection: Selection
    space: Space
    start: Record
    past: tuple[Record, ...]
    logdir: Path
    notes: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = field(default=())

    @property
    def root(self) -> Path:
        """Where the command runs."""
        return self.config.root.resolve()

    @property
    def command(self) -> tuple[str, ...]:
        """The words of the training command, empty where there is none."""
        return self.config.train.command if self.config.train else ()

    @property
    def costs(self) -> str | None:
        """The setting that costs time."""
        told = self.config.train.budget if self.config.train else None
        return told or next((name for name in self.start.params if knob(name) in BUDGET), None)

    @property
    def higher(self) -> bool:
        """Whether more of the objective is better."""
        return self.start.entrant is not None and self.start.entrant.objective.higher

    @property
    def study(self) -> str:
        """The name of the study: one for each project, command, data, objective and kind of space."""
        objective = self.start.entrant.objective.tag if self.start.entrant else ""
        kinds = [
            (n, list(d.values) if isinstance(d, Choices) else d.log) for n, d in self.ledger.items()
        ]
        about_it = repr((str(self.root), self.command, sorted(data(self.start.params).items()),
                         objective, sorted(kinds)))  # fmt: skip
        words = re.sub(r"[^\w.-]+", "-", self.root.name) or "tbdiag"
        return f"{words}-{hashlib.sha256(about_it.encode()).hexdigest()[:8]}"

    @property
    def ledger(self) -> Space:
        """The dimensions of the study: all but those of the data and the seed."""
        return {n: d for n, d in self.space.items() if about(n) not in (About.DATA, About.SEED)}

    def position(
        self,
        followups: Sequence[Record],
        pending: Sequence[Params],
        failed: Sequence[Params],
        elsewhere: Sequence[Params] = (),
        who: str = "",
        others: Sequence[Record] = (),
    ) -> Position:
        """What is known with these follow-up runs, and those of others ``elsewhere``.

        ``who`` is the controller that asks: what is left to chance differs between them.
        """
        return Position(
            records=[*self.past, *followups],
            start=self.start,
            space=self.space,
            pending=pending,
            failed=failed,
            elsewhere=elsewhere,
            others=others,
            name=self.study + who,
        )

    def takes(self, params: Params) -> bool:
        """Whether a run with these settings is a follow-up of the plan: the same ones, on the same data."""
        ours, theirs = data(self.start.params), data(params)
        return set(params) == set(self.start.params) and all(
            equal(value, theirs[name]) for name, value in ours.items()
        )

    def proposal(self, move: Move, name: str) -> Proposal:
        """The move as a proposal with an id, the changes in full, and its price.

        One that goes on from another controller's run descends from the start here, beside which it is
        judged: of the other one there are no logs.
        """
        parent, why = move.parent, move.why
        if parent.elsewhere:
            parent, why = self.start, f"{why}; from {move.parent.id} of the same study"
        return Proposal(
            id=name,
            parent=parent.id,
            origin=move.origin,
            params=move.params,
            turns=turns(parent.params, move.params),
            why=why,
            answers=tuple(each.fingerprint for each in move.answers),
            expects=tuple(dict.fromkeys(each.code for each in move.answers)),
            advice=move.advice,
            price=self.price(move),
        )

    def price(self, move: Move) -> Price:
        """What the move is expected to cost, by what its parent did."""
        name = self.costs
        before = numeric(move.parent.params.get(name)) if name else None
        after = numeric(move.params.get(name)) if name else None
        seconds = move.parent.seconds or self.start.seconds
        if seconds is not None and before and after:
            seconds *= after / before
        return Price(epochs=after, seconds=seconds)

    def seeds(self, params: Params, n: int) -> list[Params]:
        """``params`` with up to ``n`` other seeds, as far as the command takes one and allows it."""
        name = next((each for each in params if about(each) is About.SEED), None)
        now = None if name is None else numeric(params[name])
        if name is None or now is None:
            return []
        dimension = self.space.get(name)
        if isinstance(dimension, Choices):
            others: Iterable[Scalar] = [v for v in dimension.values if not equal(v, now)]
        else:
            others = range(int(now) + 1, int(now) + 1 + 10 * n)
            if dimension is not None:
                others = [*others, *range(int(now))]
                others = [each for each in others if allowed(dimension, each)]
        return [{**params, name: each} for each in list(others)[:n]]


def comparable(records: Sequence[Record], start: Record) -> list[Record]:
    """The records with the same data as the start, in order; it is among them."""
    ours = data(start.params)
    return [
        each
        for each in records
        if each is start
        or (
            set(data(each.params)) == set(ours)
            and all(equal(value, ours[name]) for name, value in data(each.params).items())
        )
    ]


def largest(records: Sequence[Record]) -> list[Record]:
    """The largest group of comparable records with an objective; of equals the first."""
    groups: list[list[Record]] = []
    for each in records:
        if not any(each in group for group in groups):
            groups.append(comparable(records, each))
    return max(groups, key=lambda group: (sum(r.entrant is not None for r in group), len(group)))


def data(params: Params) -> Mapping[str, Scalar]:
    """The settings that say on which data a run was trained."""
    return {name: value for name, value in params.items() if about(name) is About.DATA}


def turns(before: Params, after: Params) -> tuple[Turn, ...]:
    """The settings that differ, by the names of the command."""
    return tuple(
        Turn(name, before.get(name), value)
        for name, value in after.items()
        if not equal(value, before.get(name))
    )


def fresh(known: Iterable[str], logdir: Path) -> str:
    """The next name of a follow-up run that neither the journal nor the folder knows."""
    taken = {each for each in known if each.startswith(PREFIX)}
    if logdir.is_dir():
        taken |= {each.name for each in logdir.glob(f"{PREFIX}*")}
    numbers = [int(rest) for each in taken if (rest := each.removeprefix(PREFIX)).isdecimal()]
    return f"{PREFIX}{max(numbers, default=0) + 1:0{_DIGITS}d}"
