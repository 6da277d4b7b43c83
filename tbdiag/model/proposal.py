"""Follow-up runs: what is proposed, what became of it, and whether the problem is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tbdiag.model.run import Scalar

Params = Mapping[str, Scalar]


class Origin(StrEnum):
    """Where a proposal came from."""

    REMEDY = "remedy"  # answers findings
    CONTROL = "control"  # a standard recipe, whatever the diagnosis says
    MOVE = "move"  # a small step from the best run
    SAMPLER = "sampler"  # Optuna's
    REPEAT = "repeat"  # the winner on another seed


@dataclass(frozen=True, slots=True)
class Turn:
    """One setting that a proposal changes, by the name that the command uses; None where unknown."""

    name: str
    before: Scalar
    after: Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a follow-up is expected to cost, judged by its parent; None where that is not known."""

    epochs: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One follow-up run.

    ``parent`` is the id of the run that it starts from, ``params`` all settings by the names of the
    command, ``turns`` those that differ from the parent's. ``answers`` holds fingerprints of the
    findings that it should clear, ``expects`` their codes.
    """

    id: str
    parent: str
    origin: Origin
    params: Params
    turns: tuple[Turn, ...]
    why: str
    answers: tuple[str, ...] = ()
    expects: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()  # remedies for which there is no setting
    price: Price = Price()


class State(StrEnum):
    """What became of a follow-up run."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"  # ended by itself with an error, or logged nothing
    KILLED = "killed"  # hopeless, by the same rules
    TIMED_OUT = "timed-out"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A proposal that was launched: ``run`` is its folder, times are seconds since the epoch."""

    proposal: Proposal
    run: str
    command: tuple[str, ...]
    state: State
    reason: str = ""
    exit_code: int | None = None
    objective: float | None = None
    started: float = 0.0
    ended: float | None = None


class Decision(StrEnum):
    """Whether a follow-up proved its fix."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the same rules and the objective say of a trial beside its parent.

    ``cleared``, ``persisting`` and ``introduced`` are codes of findings. ``noise`` is by how much the
    objective must have changed to count, in its own units.
    """

    decision: Decision
    reason: str
    cleared: tuple[str, ...] = ()
    persisting: tuple[str, ...] = ()
    introduced: tuple[str, ...] = ()
    before: float | None = None
    after: float | None = None
    noise: float | None = None
    repeats: Mapping[str, float] = field(default_factory=dict)  # seed → objective
