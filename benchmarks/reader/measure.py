"""Whole processes measured: CPU seconds and peak memory, start-up included."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.reader.workloads import Workload

PROGRAMS = Path(__file__).parent / "programs"
_LAUNCH = [sys.executable, "-I", "-S", str(PROGRAMS / "launch.py")]
_SLOW = 5.0  # CPU seconds of a round after which there is no other one


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds, seconds on the clock and peak bytes of one process, and what it wrote.

    ``reason`` says why, where it failed.
    """

    cpu: float
    clock: float
    peak: int
    answer: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A command that reads the folder that is put behind it, and writes JSON with ``points``."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    missing: str = ""  # why it cannot be run at all


@dataclass(slots=True)
class Result:
    """What the rounds of one reader on one workload gave."""

    costs: list[Cost] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Why there is no result; empty where there is one."""
        return next((cost.reason for cost in self.costs if cost.reason), "")

    @property
    def cpu(self) -> float:
        """The median of the rounds' CPU seconds."""
        return statistics.median(cost.cpu for cost in self.costs)

    @property
    def peak(self) -> int:
        """The largest resident set of all rounds, in bytes."""
        return max(cost.peak for cost in self.costs)

    @property
    def points(self) -> int:
        """The points that were read."""
        return int(self.costs[0].answer.get("points", -1))

    def again(self) -> bool:
        """Whether another round is worth its time."""
        return not self.reason and (not self.costs or self.costs[-1].cpu < _SLOW)


def core() -> int:
    """The core on which everything is measured."""
    return min(os.sched_getaffinity(0))


def spent(
    command: Sequence[str],
    env: Mapping[str, str],
    limit: int,
    cores: Sequence[int] = (),
    accept: Sequence[int] = (0,),
) -> Cost:
    """What a command costs within ``limit`` CPU seconds.

    A server tells its own costs in its answer: they count then. Exit codes that are not in
    ``accept`` are failures.
    """
    where = ",".join(map(str, cores or [core()]))
    done = subprocess.run(
        [*_LAUNCH, where, str(limit), *command],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **env},
        cwd=tempfile.gettempdir(),  # not in a project, whose configuration would be looked into
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if done.returncode or not lines:
        raise RuntimeError(f"{command[0]} could not be started: {done.stderr}")
    told = json.loads(lines.pop())
    if told["code"] not in accept:
        return Cost(told["cpu"], told["clock"], told["peak"], reason=_why(told, limit, done.stderr))
    answer = _answer(lines)
    cpu, peak = answer.pop("cpu", told["cpu"]), answer.pop("peak", told["peak"])
    return Cost(cpu, told["clock"], int(peak), answer)


def _answer(lines: Sequence[str]) -> dict[str, float]:
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _why(told: Mapping[str, float], limit: int, stderr: str) -> str:
    if told["code"] in (-signal.SIGXCPU, -signal.SIGKILL) and told["cpu"] >= limit * 0.9:
        return f"more than {limit} s"
    if told["code"] == -signal.SIGKILL:
        return f"ended at {told['cpu']:.0f} s of CPU and {told['peak'] / 1e9:.1f} GB"
    last = [line for line in stderr.splitlines() if line.strip()][-1:]
    return f"failed: {last[0].strip() if last else 'exit code ' + str(told['code'])}"


def compare(
    readers: Sequence[Reader], workload: Workload, rounds: int, limit: int
) -> dict[str, Result]:
    """The readers side by side, round after round, so that all meet the same neighbours."""
    results = {reader.name: Result() for reader in readers}
    for reader in readers:
        if reader.missing:
            results[reader.name].costs.append(Cost(0.0, 0.0, 0, reason=reader.missing))
    for _ in range(rounds):
        for reader in readers:
            result = results[reader.name]
            if result.again():
                command = [*reader.command, str(workload.folder), *reader.after]
                result.costs.append(spent(command, reader.env, limit))
    return results
