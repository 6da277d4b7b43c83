"""What a round of follow-up runs tells while it goes on, and in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tbdiag.advisor.plan import Plan
from tbdiag.advisor.record import Record
from tbdiag.model.finding import Finding
from tbdiag.model.proposal import Decision, Proposal, Trial, Verdict
from tbdiag.model.run import Run


@dataclass(frozen=True, slots=True)
class Launched:
    """A follow-up was started, or taken over from an earlier call."""

    trial: Trial
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class Underway:
    """What a follow-up has logged so far."""

    proposal: Proposal
    run: Run


@dataclass(frozen=True, slots=True)
class Ended:
    """A follow-up is over; the record is None where it tells nothing, the verdict where none is due."""

    trial: Trial
    record: Record | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence on what happens next."""

    sentence: str


News = Launched | Underway | Ended | Remark
Tell = Callable[[News], object]


class Ending(StrEnum):
    """Why a round is over."""

    SOLVED = "solved"  # the problem is gone, and the gain is beyond noise
    SPENT = "spent"  # trials, epochs or time
    EXHAUSTED = "exhausted"  # nothing left to try
    FAILING = "failing"  # the command does not work
    INTERRUPTED = "interrupted"
    NOTHING = "nothing"  # no setting answers what is wrong


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conclusion:
    """The end of a round: why it is over, and the ``best`` run, with the verdict on it beside the start.

    ``verdict`` is None where no follow-up is better than the start. ``trials`` are those of this call,
    ``repeats`` on how many other seeds the best was trained; ``verdicts`` by follow-up, ``problem``
    what was to be solved, nothing where the start is healthy or no setting answers what is wrong.
    """

    ending: Ending
    reason: str
    start: Record
    best: Record
    verdict: Verdict | None
    trials: tuple[Trial, ...]
    plan: Plan
    problem: tuple[Finding, ...] = ()
    repeats: int = 0
    advice: tuple[str, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def solved(self) -> bool:
        """Whether the problem of the start is gone, and the gain beyond noise."""
        return (
            self.verdict is not None
            and self.verdict.decision is Decision.CONFIRMED
            and (self.ending is Ending.SOLVED or self.ending is Ending.SPENT)
        )
