"""The methods side by side: each makes the same number of follow-ups from the same bad run."""

from __future__ import annotations

import importlib.util
import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.advisor.arena import Arena, fingerprint
from benchmarks.advisor.blind import Blind, drawn, gp, tpe
from benchmarks.advisor.ours import Cell, advised, hidden
from benchmarks.advisor.starts import Params, expert, narrowed
from tbdiag.advisor.propose import Policy
from tbdiag.model.proposal import Origin

FOLLOWUPS = 24
VERSION = 1  # of what the blind methods do

RANDOM, TPE, GP = "random", "Optuna's TPE", "Optuna's GP"
EXPERT, RECIPES = "TPE in an expert's ranges", "three recipes, then TPE"
OURS, HIDDEN = "the advisor", "the diagnosis hidden"

STANDARD: tuple[Params, ...] = (
    {"optimizer": "adam", "lr": 3e-3, "weight_decay": 1e-4, "scheduler": "cosine",
     "warmup": 0.05, "dropout": 0.0, "init_scale": 1.0},
    {"optimizer": "momentum", "lr": 0.03, "weight_decay": 5e-4, "scheduler": "cosine",
     "warmup": 0.05, "dropout": 0.0, "init_scale": 1.0},
    {"optimizer": "adamw", "lr": 3e-3, "weight_decay": 0.05, "scheduler": "onecycle",
     "warmup": 0.05, "dropout": 0.2, "init_scale": 1.0},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trace:
    """The losses of the follow-ups in order, and how many epochs each took.

    A repeat on another seed is a follow-up whose loss counts as infinite: luck is no progress. ``best``
    are the settings of the best of all, the start among them.
    """

    losses: tuple[float, ...]
    epochs: tuple[int, ...]
    best: Mapping[str, object]


Method = Callable[[Arena, Cell, int], Trace]


def blind_methods() -> dict[str, Method]:
    """Those that do not look at curves, by name; the Gaussian process only where PyTorch is."""
    found: dict[str, Method] = {RANDOM: _kept(RANDOM, _random), TPE: _kept(TPE, _tpe)}
    if importlib.util.find_spec("torch") is not None:
        found[GP] = _kept(GP, _gp)
    else:
        found[GP] = _kept(GP, None)
    return found | {EXPERT: _kept(EXPERT, _expert), RECIPES: _kept(RECIPES, _recipes)}


def ours(policy: Policy | None = None, *, blind: bool = False) -> Method:
    """The advisor by a policy; ``blind`` hides all findings from it."""

    def method(arena: Arena, cell: Cell, seed: int) -> Trace:
        place = hidden(arena) if blind else arena
        found = advised(place, cell, FOLLOWUPS, policy=policy, seed=seed)
        searched = [run for run in found.runs if run.origin is not Origin.REPEAT]
        best = min(searched, key=lambda run: run.loss)
        losses = tuple(run.loss if run in searched else math.inf for run in found.runs[1:])
        return Trace(losses, found.epochs, dict(best.params))

    return method


def ablations() -> dict[str, Method]:
    """The advisor without one of its parts each, by what is left out."""
    whole = Policy()
    return {
        HIDDEN: ours(blind=True),
        "without answers to findings": ours(replace(whole, diagnosis=False)),
        "without repeating what paid": ours(replace(whole, repeat=False)),
        "without the model of all runs": ours(replace(whole, model=False)),
        "without model and jitter": ours(replace(whole, model=False, jitter=False)),
        "without the controls": ours(replace(whole, controls_at=())),
    }


def _kept(name: str, search: Callable[[Blind, Cell, int], None] | None) -> Method:
    """The method, whose follow-ups are kept on the disk; None for one that cannot run here."""

    def method(arena: Arena, cell: Cell, seed: int) -> Trace:
        words = [VERSION, fingerprint(cell.task), cell.params, sorted(cell.space), FOLLOWUPS, seed]
        key = json.dumps(words, sort_keys=True)
        known = arena.kept(name, key)
        if known is None and search is None:
            raise LookupError(f"{name} was not run, and cannot be run here")
        blind = Blind(arena, cell.task, cell.params)
        if known is None and search is not None:
            blind.train(cell.params)
            search(blind, cell, zlib.crc32(f"{cell.name}{seed}".encode()))
            known = json.dumps(blind.runs)
            arena.keep(name, key, known)
        runs = json.loads(known or "[]")
        best = min(runs, key=lambda run: run[1])
        losses = tuple(float(loss) for _, loss in runs[1:])
        return Trace(losses, (cell.task.epochs,) * len(losses), best[0])

    return method


def _random(blind: Blind, cell: Cell, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(FOLLOWUPS):
        blind.train(drawn(cell.space, rng))


def _tpe(blind: Blind, cell: Cell, seed: int) -> None:
    tpe(blind, cell.space, FOLLOWUPS, seed)


def _gp(blind: Blind, cell: Cell, seed: int) -> None:
    gp(blind, cell.space, FOLLOWUPS, seed)


def _expert(blind: Blind, cell: Cell, seed: int) -> None:
    tpe(blind, narrowed(expert(cell.task), tuple(cell.space)), FOLLOWUPS, seed)


def _recipes(blind: Blind, cell: Cell, seed: int) -> None:
    for recipe in standard(cell):
        blind.train(recipe)
    tpe(blind, cell.space, FOLLOWUPS + 1 - len(blind.runs), seed)


def standard(cell: Cell) -> list[Params]:
    """What everybody tries first, as far as it is exposed: those of the run's own optimizer if that is not."""
    own = cell.params["optimizer"]
    found: list[Params] = []
    for recipe in STANDARD:
        if "optimizer" in cell.space or recipe["optimizer"] == own:
            part = {name: value for name, value in recipe.items() if name in cell.space}
            found += [part] if part not in found else []
    return found


def run(
    arena: Arena, methods: Mapping[str, Method], cells: Sequence[Cell], seeds: Sequence[int] = (0,)
) -> dict[str, list[list[Trace]]]:
    """For each method the traces of each cell, one for each seed."""
    return {
        name: [[method(arena, cell, seed) for seed in seeds] for cell in cells]
        for name, method in methods.items()
    }
