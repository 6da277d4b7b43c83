"""What to change, and by how much, when a finding is true."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tbdiag.model.knob import Knob


class Safety(StrEnum):
    """Whether a change may be tried without asking."""

    SAFE = "safe"  # one knob of the recipe
    UNSAFE = "unsafe"  # changes what is compared: budget, batch, architecture
    MANUAL = "manual"  # needs a hand: data, code, logging


@dataclass(frozen=True, slots=True)
class Scale:
    """Multiply the knob by ``by``."""

    by: float


@dataclass(frozen=True, slots=True)
class SetTo:
    """Set the knob to ``value``."""

    value: float | str


@dataclass(frozen=True, slots=True)
class Shift:
    """Add ``by`` to the knob, and stay within [low, high]."""

    by: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Within:
    """Choose the knob within [low, high]."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Advice:
    """No knob: something for a person to do."""


Change = Scale | SetTo | Shift | Within | Advice


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One change with its reason; ``knob`` is None for advice."""

    title: str
    because: str
    knob: Knob | None = None
    change: Change = Advice()
    safety: Safety = Safety.MANUAL

    @classmethod
    def turn(
        cls, knob: Knob, change: Change, title: str, because: str, safety: Safety = Safety.SAFE
    ) -> Remedy:
        """A change of one knob."""
        return cls(title=title, because=because, knob=knob, change=change, safety=safety)

    @classmethod
    def advice(cls, title: str, because: str) -> Remedy:
        """Something for a person to do."""
        return cls(title=title, because=because)
