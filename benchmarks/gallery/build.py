"""Train what is planned, in several processes, and keep the labels beside the runs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, is_dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gallery.adversarial_faults import ADVERSARIAL_FAULTS
from benchmarks.gallery.conventions import CONVENTIONS
from benchmarks.gallery.events import write
from benchmarks.gallery.faults import FAULTS, Fault
from benchmarks.gallery.labels import FAMILIES
from benchmarks.gallery.log import Session
from benchmarks.gallery.plan import LITTLE, Planned, planned
from benchmarks.gallery.policy_faults import POLICY_FAULTS
from benchmarks.gallery.problems import numbered
from benchmarks.gallery.recipe import Recipe
from benchmarks.gallery.training import Outcome, supervised
from benchmarks.gallery.truth import conditions, longer_helps, manifested, memorised, renamed

LABELLED_EVERY = 200  # runs; reading all outcomes takes nearly a second

# Where a longer run is not asked for: what is broken stays broken.
NOT_LONGER = (
    "rate-too-high", "rate-of-another-optimizer", "rate-rises", "late-divergence", "nan",
    "oscillation", "loss-scale-collapse", "overfitting", "past-the-best", "random-labels",
    "symmetric-init", "no-step", "exploding-gradients", "vanishing-gradients", "dead-units",
    "saturated-units", "missing-warm-up", "unshuffled", "noisy-validation",
)  # fmt: skip
# The faults of which it is asked for in the part for calibration, since it decides what they are.
LONGER_DECIDES = ("stopped-too-early", "underfitting")


def faults(plan: Planned) -> Fault:
    """How the family is injected in the plan's setting."""
    tables = {
        "supervised": FAULTS,
        "policy": POLICY_FAULTS,
        "adversarial": ADVERSARIAL_FAULTS,
    }
    return tables[plan.problem.kind][plan.family]


def asks_longer(plan: Planned) -> bool:
    """Whether the run is trained once more for longer: half of the time that the gallery takes goes there."""
    if plan.problem.part == "calibration" and FAMILIES[plan.family].kind == "fault":
        return plan.family in LONGER_DECIDES
    return plan.family not in NOT_LONGER


def train(plan: Planned) -> tuple[list[Session], Outcome, Any]:
    """The sessions, the outcome and the recipe of a planned run."""
    problem = plan.problem
    recipe = _recipe(plan)
    if problem.kind == "policy":
        from benchmarks.gallery.reinforcement import policy

        return *policy(problem, recipe, plan.seed), recipe
    if problem.kind == "adversarial":
        from benchmarks.gallery.adversarial import adversarial

        return *adversarial(problem, recipe, plan.seed), recipe
    longer = recipe.stop_at is None and asks_longer(plan)
    sessions, outcome = supervised(problem, recipe, plan.seed, longer=longer)
    if plan.family == "missing-warm-up":
        warm = replace(recipe, warmup=max(problem.recipe.warmup, 0.1))
        seeds = range(plan.seed, plan.seed + 3)
        outcome["with_warmup"] = [
            supervised(problem, warm, seed, logged=False)[1] for seed in seeds
        ]
    return sessions, outcome, recipe


def detail(plan: Planned) -> str:
    """How much the run logs: what its family needs, else little, much, or as usual."""
    needed = faults(plan).detail
    if needed in ("full", "curve-only"):
        return needed
    if needed is None and plan.one_in(LITTLE, "little"):
        return "sparse"
    return "full" if plan.one_in(plan.problem.histograms, "histograms") else "usual"


def kind_of(plan: Planned) -> tuple[str, str]:
    """Fault, control or trap, and the family."""
    return FAMILIES[plan.family].kind, plan.family


def _recipe(plan: Planned) -> Any:
    return faults(plan).changes[plan.strength](plan.problem.recipe)


def known(plan: Planned, out: Path) -> Outcome | None:
    """The outcome of a run that was made by today's recipe, None where it has to be made."""
    path = out / "outcomes" / f"{plan.path}.json"
    if not path.exists():
        return None
    outcome: Outcome = json.loads(path.read_text("utf-8"))
    return outcome if outcome.get("recipe") == repr(_recipe(plan)) else None


def make(plan: Planned, out: Path) -> None:
    """Train a run and write its event files, and its outcome last."""
    with np.errstate(all="ignore"):
        sessions, outcome, recipe = train(plan)
    folder, scratch = out / plan.path, out / "outcomes" / f"{plan.path}.part"
    for each in (folder, scratch):
        shutil.rmtree(each, ignore_errors=True)
    convention = CONVENTIONS[plan.problem.convention]
    write(scratch, sessions, convention, detail(plan), _hparams(recipe))
    _damage(scratch, getattr(recipe, "damage", ""))
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch.rename(folder)
    _write_json(out / "outcomes" / f"{plan.path}.json", outcome | {"recipe": repr(recipe)})


def _hparams(recipe: Any) -> dict[str, Any]:
    if not isinstance(recipe, Recipe):
        assert is_dataclass(recipe)
        assert not isinstance(recipe, type)
        return {key: value for key, value in asdict(recipe).items() if value is not None}
    known: dict[str, Any] = {
        "optimizer": recipe.optimizer,
        "lr": recipe.rate,
        "batch_size": recipe.batch_size,
        "epochs": recipe.epochs,
        "weight_decay": recipe.weight_decay,
        "scheduler": recipe.schedule.partition(":")[0],
        "hidden": ",".join(map(str, recipe.hidden)),
    }
    sometimes = {
        "momentum": recipe.momentum if recipe.optimizer == "momentum" else 0.0,
        "dropout": recipe.dropout,
        "clip_norm": recipe.clip,
        "warmup": recipe.warmup,
        "accumulate": recipe.accumulate if recipe.accumulate > 1 else 0,
        "freeze": recipe.frozen if recipe.frozen_said else "",
        "mixed_precision": recipe.half,
    }
    return known | {name: value for name, value in sometimes.items() if value}


def _damage(folder: Path, kind: str) -> None:
    """Bytes of the largest event file are changed or left out, or its end is cut off."""
    if not kind:
        return
    path = max(folder.rglob("events.out.tfevents.*"), key=lambda each: each.stat().st_size)
    data, at = path.read_bytes(), 2 * path.stat().st_size // 3
    if kind == "flip":
        data = data[:at] + bytes(byte ^ 0xFF for byte in data[at : at + 4]) + data[at + 4 :]
    elif kind == "gap":
        data = data[:at] + data[at + 200 :]
    else:
        data = data[: at + 5]
    path.write_bytes(data)


def facts_of(plan: Planned, outcome: Outcome) -> dict[str, Any]:
    """What is known for certain of a run, None where it is not or makes no sense."""
    recipe = _recipe(plan)
    classes = 2 if getattr(recipe, "rare", 0.0) else plan.problem.classes
    helps, gain = longer_helps(outcome) if "longer" in outcome else (None, None)
    size = getattr(recipe, "val_size", 0) * plan.problem.answers
    shown = classes > 0 and detail(plan) != "curve-only"
    return {
        "validation_samples": size if shown and size else None,
        "longer_helps": helps,
        "gain_if_longer": gain,
        "classes": classes or None,
        "epochs": getattr(recipe, "epochs", None),
    }


def label(plan: Planned, outcome: Outcome) -> dict[str, Any]:
    """The entry of a run in labels.json."""
    facts = facts_of(plan, outcome)
    name = renamed(plan.family, outcome)
    family = FAMILIES[name]
    codes = list(family.codes)
    unseen = {"unseen"} if detail(plan) != "full" else set()
    for condition in sorted(conditions(outcome) | unseen):
        codes += family.codes_when.get(condition, ())
    related = list(family.related)
    if (facts["validation_samples"] or 1000) < 1000:
        related.append("VAL001")  # true of every set of less than a thousand
    # Where it was measured and cannot be told, or the run was cut off, the remark is no error.
    if facts["longer_helps"] is not False and plan.family not in NOT_LONGER:
        related.append("OPT006")
    if 0 < outcome.get("evaluations", 0) < 8:
        related.append("VAL006")  # as in runs that end early
    if getattr(_recipe(plan), "val_size", 1) == 0:
        related.append("VAL005")
    if memorised(outcome):
        related += ["GEN001", "GEN004", "GEN005"]
    if detail(plan) in ("sparse", "curve-only"):
        related.append("LOG005")
    return {
        "run": plan.path,
        "part": plan.problem.part,
        "setting": plan.problem.setting,
        "problem": plan.problem.name,
        "family": name,
        "kind": family.kind,
        "strength": plan.strength,
        "detail": detail(plan),
        "seed": plan.seed,
        "codes": codes,
        "related": sorted(set(related) - set(codes)),
        "facts": facts,
    }


def assemble(plans: Iterable[Planned], out: Path) -> list[Planned]:
    """Write labels.json from all outcomes that are there; the runs that are left out.

    A run waits for the controls of its problem. One that did not become what was meant loses its
    event files, so that a scan of the folder sees labelled runs alone.
    """
    plans = list(plans)
    found = {plan.path: outcome for plan in plans if (outcome := known(plan, out)) is not None}
    entries, left_out = [], list[Planned]()
    controls: dict[str, list[Outcome | None]] = {}
    for plan in plans:
        if plan.family == "healthy":
            controls.setdefault(plan.problem.name, []).append(found.get(plan.path))
    for plan in plans:
        beside = [each for each in controls[plan.problem.name] if each is not None]
        if plan.path not in found or len(beside) < len(controls[plan.problem.name]):
            continue
        kind = FAMILIES[plan.family].kind
        if manifested(plan.family, kind, found[plan.path], beside):
            entries.append(label(plan, found[plan.path]))
        else:
            left_out.append(plan)
            shutil.rmtree(out / plan.path, ignore_errors=True)
    _write_json(out / "labels.json", sorted(entries, key=lambda entry: entry["run"]))
    return left_out


def _write_json(path: Path, value: object) -> None:
    """Write so that a reader finds the old or the new file, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}.tmp")
    scratch.write_text(json.dumps(value, indent=1, sort_keys=False), encoding="utf-8")
    scratch.replace(path)


def build(
    plans: Sequence[Planned],
    out: Path,
    jobs: int,
    done: Callable[[Planned], None],
    everything: Sequence[Planned],
) -> list[Planned]:
    """Make those of `plans` that are missing, calling `done` after each; label `everything` there."""
    out.mkdir(parents=True, exist_ok=True)
    missing = [plan for plan in plans if known(plan, out) is None]
    for plan in plans:
        if plan not in missing:
            done(plan)
    for number, plan in enumerate(_made(missing, out, jobs)):
        done(plan)
        if number % LABELLED_EVERY == LABELLED_EVERY - 1:
            assemble(everything, out)
    return assemble(everything, out)


def _made(plans: Sequence[Planned], out: Path, jobs: int) -> Iterator[Planned]:
    """Train in so many processes; each plan when its run is there."""
    if jobs == 1:
        for plan in plans:
            make(plan, out)
            yield plan
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _one_thread) as pool:
        waiting = {pool.submit(_make_by_path, plan.path, out): plan for plan in plans}
        for future in as_completed(waiting):
            future.result()
            yield waiting[future]


def _make_by_path(path: str, out: Path) -> None:
    """What a worker does: a plan holds functions and cannot be sent, so that it is looked up."""
    make(_plans()[path], out)


@cache
def _plans() -> dict[str, Planned]:
    return {plan.path: plan for plan in planned(numbered())}


def _one_thread() -> None:
    """Keep each process to one core."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
