"""How faults are injected into proximal policy optimization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.gallery.faults import Fault


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyRecipe:
    """The names that Stable-Baselines3 gives to what decides a run."""

    learning_rate: float = 3e-3
    n_envs: int = 8
    n_steps: int = 64
    updates: int = 50
    n_epochs: int = 4
    minibatches: int = 4
    gamma: float = 0.98
    gae_lambda: float = 0.95
    clip_range: float = 0.2
    ent_coef: float = 0.005
    vf_coef: float = 0.5
    value_rate: float = 1.0  # of the value network, in units of the learning rate
    max_grad_norm: float = 0.5
    reward_scale: float = 1.0  # for what is learned from; the return is logged as it is
    linear_decay: bool = True
    jump_at: float | None = None
    jump: float = 1.0
    width: int = 32


def _change(**values: Any) -> Callable[[PolicyRecipe], PolicyRecipe]:
    return lambda recipe: replace(recipe, **values)


def _rate(factor: float, **more: Any) -> Callable[[PolicyRecipe], PolicyRecipe]:
    return lambda r: replace(r, learning_rate=r.learning_rate * factor, **more)


_LOOSE = {"clip_range": 5.0, "max_grad_norm": 100.0, "linear_decay": False}

POLICY_FAULTS: dict[str, Fault] = {
    "healthy": Fault({"": lambda recipe: recipe}),
    "kl-too-large": Fault(
        {
            "mild": _rate(10, clip_range=0.5, n_epochs=10, linear_decay=False, ent_coef=0.05),
            "clear": _rate(10, ent_coef=0.1, **_LOOSE),
            "strong": _rate(3, ent_coef=0.05, n_epochs=20, **_LOOSE),
        }
    ),
    "entropy-collapse": Fault(
        {
            "mild": _rate(5, ent_coef=-0.1),
            "clear": _rate(5, ent_coef=-0.3, clip_range=0.5),
            "strong": _rate(8, ent_coef=-1.0, clip_range=1.0),
        }
    ),
    "value-not-learning": Fault(
        {"mild": _change(value_rate=1e-3), "clear": _change(value_rate=0.0)}
    ),
    "return-collapse": Fault(
        {
            "mild": _change(jump_at=0.6, jump=50.0, linear_decay=False, clip_range=0.5),
            "clear": _change(
                jump_at=0.55, jump=100.0, linear_decay=False, clip_range=5.0, max_grad_norm=100.0
            ),
        }
    ),
    "converged": Fault({"": _change(updates=90, ent_coef=0.0)}),
    "noisy-but-healthy": Fault({"": _change(n_envs=4)}),
    "healthy-other-optimizer": Fault({"": _change(linear_decay=False, clip_range=0.1)}),
}
