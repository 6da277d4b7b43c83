"""Reinforcement learning in small environments, and two-player training in the plane."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.gallery.adversarial_faults import AdversarialRecipe
from benchmarks.gallery.policy_faults import PolicyRecipe
from benchmarks.gallery.recipe import Part, Problem

_ = ("",)
_POLICY = {
    "kl-too-large": ("mild", "clear", "strong"),
    "entropy-collapse": ("mild", "clear", "strong"),
    "value-not-learning": ("mild", "clear"),
    "return-collapse": ("mild", "clear", "clear"),
    "converged": _,
    "noisy-but-healthy": _,
    "healthy-other-optimizer": _,
}
_ADVERSARIAL = {
    "discriminator-wins": ("mild", "clear", "strong", "narrow"),
    "nan": ("late",),
    "healthy-other-optimizer": _,
    "short": _,
    "noisy-but-healthy": _,
}


def _named(name: str) -> str:
    return name


def policy(
    name: str,
    part: Part,
    convention: str,
    runs: dict[str, tuple[str, ...]] | None = None,
    **values: Any,
) -> Problem:
    """Policy optimization in the environment of that name; `runs` where not all of the table."""
    return Problem(
        name=name,
        part=part,
        setting="rl",
        kind="policy",
        recipe=PolicyRecipe(**values),
        make=partial(_named, name),
        convention=convention,
        runs=_POLICY if runs is None else runs,
        controls=3,
        seconds=2.0,
    )


def adversarial(name: str, part: Part, convention: str, **values: Any) -> Problem:
    """Two-player training on the points of that name."""
    return Problem(
        name=f"{name}-gan",
        part=part,
        setting="torch",
        kind="adversarial",
        recipe=AdversarialRecipe(**values),
        make=partial(_named, name),
        convention=convention,
        runs=_ADVERSARIAL,
        controls=3,
    )


PROBLEMS: list[Problem] = [
    policy("cart-pole", "calibration", "sb3", reward_scale=0.05),
    policy("tracking", "calibration", "cleanrl", reward_scale=0.5, gamma=0.9, value_rate=2.0),
    policy("grid", "report", "sb3", reward_scale=2.0, gamma=0.95),
    policy("pendulum", "report", "cleanrl", reward_scale=0.5),
    adversarial("ring", "calibration", "gan-loop"),
    adversarial("arcs", "report", "gan-bare"),
]
