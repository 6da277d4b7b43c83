"""The labels of the gallery of trained runs: what was done to each, and which codes name it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was measured about a run beside its fault; None where it is not known.

    ``longer_helps`` was found by really training longer.
    """

    validation_samples: int | None = None
    longer_helps: bool | None = None
    gain_if_longer: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A run of the gallery: ``codes`` name its fault, ``related`` are true beside it.

    ``kind`` is ``fault``, ``healthy`` or ``trap``; the last two have no codes. ``family`` is what
    was injected, or the name of the control or trap. ``run`` is the folder below the gallery.
    """

    run: str
    part: str
    setting: str
    problem: str
    family: str
    kind: str
    strength: str = ""
    detail: str = ""  # how much was logged: full, usual, sparse, or curve-only
    seed: int = 0
    codes: frozenset[str] = frozenset()
    related: frozenset[str] = frozenset()
    facts: Facts = field(default_factory=Facts)

    @property
    def task(self) -> str:
        """The problem with its setting: runs of one task are not independent of each other."""
        return f"{self.setting}/{self.problem}"

    @property
    def faulty(self) -> bool:
        """Whether something is wrong with the run."""
        return self.kind == "fault"

    def right(self, codes: Iterable[str]) -> bool:
        """Whether one of ``codes`` is true of the run: names the fault, or follows from it."""
        return not (self.codes | self.related).isdisjoint(codes)

    def named_by(self, codes: Iterable[str]) -> bool:
        """Whether one of ``codes`` names the fault."""
        return not self.codes.isdisjoint(codes)


def read(gallery: Path, part: str) -> list[Label]:
    """The labels of one part of the gallery, in order of their runs.

    Raises FileNotFoundError where there is no gallery, ValueError where a label says of a healthy
    run that a code names its fault, or names none for a fault.
    """
    entries = json.loads((gallery / "labels.json").read_text("utf-8"))
    labels = [_label(entry) for entry in entries if entry["part"] == part]
    for label in labels:
        if label.faulty != bool(label.codes):
            raise ValueError(f"{label.run}: {label.kind} with codes {sorted(label.codes)}")
    return sorted(labels, key=lambda label: label.run)


def _label(entry: dict[str, object]) -> Label:
    facts = entry.get("facts") or {}
    assert isinstance(facts, dict)
    return Label(
        run=str(entry["run"]),
        part=str(entry["part"]),
        setting=str(entry["setting"]),
        problem=str(entry["problem"]),
        family=str(entry["family"]),
        kind=str(entry["kind"]),
        strength=str(entry.get("strength", "")),
        detail=str(entry.get("detail", "")),
        seed=int(str(entry.get("seed", 0))),
        codes=_codes(entry["codes"]),
        related=_codes(entry.get("related", ())),
        facts=Facts(
            validation_samples=facts.get("validation_samples"),
            longer_helps=facts.get("longer_helps"),
            gain_if_longer=facts.get("gain_if_longer"),
        ),
    )


def _codes(given: object) -> frozenset[str]:
    assert isinstance(given, list | tuple)
    return frozenset(map(str, given))
