"""What can be reached: the best of several hundred searched settings, by the mean of fresh seeds."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.advisor.arena import Arena, fingerprint
from benchmarks.advisor.blind import Blind, drawn, tpe
from benchmarks.advisor.starts import TWO, Params, Space, Start, expert, narrowed, space
from benchmarks.advisor.training import Task
from tbdiag.config.training import Choices, Range
from tbdiag.model.run import Scalar

FRESH = (11, 12, 13, 14)  # seeds that no search sees
_ROUND = (40, 50, 110, 90, 70)  # random, random by an expert, TPE, TPE by an expert, near the best
_TWO = (15, 35)  # random, TPE: two settings take fewer
_AGAIN, _AGAIN_OF_TWO = 20, 8  # of the best by one seed that are trained on the fresh ones
_NEAR = 5  # of the best that are looked around
VERSION = 1


@dataclass(frozen=True, slots=True)
class Reference:
    """The best mean that was found, with what settings, and among how many."""

    value: float
    params: Params
    searched: int


def reference(arena: Arena, task: Task) -> Reference:
    """The reference of a task where all is exposed."""
    return _kept(arena, task, "all", {"seed": 0}, space(task), expert(task))


def reference_of_two(arena: Arena, task: Task, start: Start) -> Reference:
    """That of the start's other settings, where rate and decay alone are exposed."""
    fixed = {name: value for name, value in start.params(task).items() if name not in TWO}
    return _kept(arena, task, "two", fixed, narrowed(space(task), TWO), None)


def _kept(
    arena: Arena,
    task: Task,
    kind: str,
    fixed: Params,
    wide: Space,
    narrow: Space | None,
) -> Reference:
    key = json.dumps([VERSION, fingerprint(task), kind, dict(fixed)], sort_keys=True)
    known = arena.kept("reference", key)
    if known is None:
        found = _searched(arena, task, fixed, wide, narrow)
        known = json.dumps(asdict(found))
        arena.keep("reference", key, known)
    return Reference(**json.loads(known))


def _searched(
    arena: Arena, task: Task, fixed: Params, wide: Space, narrow: Space | None
) -> Reference:
    seed = zlib.crc32(task.name.encode())
    rng = np.random.default_rng(seed)
    blind = Blind(arena, task, fixed)
    for _ in range(_ROUND[0] if narrow else _TWO[0]):
        blind.train(drawn(wide, rng))
    if narrow is not None:
        for _ in range(_ROUND[1]):
            blind.train(drawn(narrow, rng))
    tpe(blind, wide, _ROUND[2] if narrow else _TWO[1], seed)
    if narrow is not None:
        tpe(blind, narrow, _ROUND[3], seed)
        for _ in range(_ROUND[4]):
            best = sorted(blind.runs, key=lambda run: run[1])[:_NEAR]
            blind.train(_beside(best[int(rng.integers(len(best)))][0], wide, rng))
    leading = sorted(blind.runs, key=lambda run: run[1])[: _AGAIN if narrow else _AGAIN_OF_TWO]
    means = [(arena.mean(task, params, FRESH), params) for params, _ in leading]
    value, params = min(means, key=lambda pair: pair[0])
    return Reference(value, dict(params), len(blind.runs))


def _beside(params: Params, dimensions: Space, rng: np.random.Generator) -> dict[str, Scalar]:
    """The settings with some of them a little elsewhere."""
    found = dict(params)
    for name, each in dimensions.items():
        if name == "seed" or rng.random() > 0.4:
            continue
        now = found[name]
        if isinstance(each, Choices):
            found[name] = each.values[int(rng.integers(len(each.values)))]
        elif isinstance(each, Range):
            assert isinstance(now, float)
            value = (
                now * float(np.exp(rng.normal(0, 0.5)))
                if each.log
                else now + rng.normal(0, 0.1) * (each.high - each.low)
            )
            found[name] = float(min(max(value, each.low), each.high))
    return found
