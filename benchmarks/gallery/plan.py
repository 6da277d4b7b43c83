"""All runs that make up the gallery, read off the definitions of its problems."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.gallery.recipe import Problem

FIRST_SEED = {"calibration": 100, "report": 7000}  # so that seeds differ between the parts
LITTLE = 6  # one run in so many logs little, where its family allows it


@dataclass(frozen=True, slots=True)
class Planned:
    """A run to be made."""

    problem: Problem
    family: str
    strength: str
    seed: int

    @property
    def name(self) -> str:
        """The folder of the run, below that of its problem."""
        strength = f"-{self.strength}" if self.strength else ""
        return f"{self.family}{strength}-s{self.seed}"

    @property
    def path(self) -> str:
        """The folder of the run, below that of the gallery."""
        return f"{self.problem.part}/{self.problem.setting}/{self.problem.name}/{self.name}"

    def one_in(self, count: int, what: str) -> bool:
        """A choice that is made anew for each run, and always the same."""
        return zlib.crc32(f"{what} {self.path}".encode()) % count == 0


def planned(problems: Iterable[tuple[int, Problem]]) -> Iterator[Planned]:
    """The controls of each problem first, then its faults and traps; seeds by the problem's number."""
    for number, problem in problems:
        seed = FIRST_SEED[problem.part] + 50 * number
        for control in range(problem.controls):
            yield Planned(problem, "healthy", "", seed + control)
        wanted = [(family, each) for family, many in problem.runs.items() for each in many]
        for at, (family, strength) in enumerate(wanted, start=problem.controls):
            yield Planned(problem, family, strength, seed + at)
