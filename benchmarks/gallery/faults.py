"""How each family of faults and traps is injected into a supervised recipe, at each strength."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.gallery.recipe import Recipe

Change = Callable[[Any], Any]  # from a recipe to the same type of recipe


@dataclass(frozen=True, slots=True)
class Fault:
    """Strength → the change; ``detail`` is what has to be logged for it to be visible at all.

    ``detail`` None: anything will do, and some runs log little.
    """

    changes: dict[str, Change]
    detail: str | None = "usual"


def _set(**values: Any) -> Change:
    return lambda recipe: replace(recipe, **values)


def _rate(factor: float, **more: Any) -> Change:
    return lambda recipe: replace(recipe, rate=recipe.rate * factor, **more)


def _epochs(factor: float, least: int = 8, **more: Any) -> Change:
    return lambda r: replace(r, epochs=max(round(r.epochs * factor), least), **more)


def _cut(factor: float, least: int = 8) -> Change:
    """Stopped after a share of the epochs for which the schedule was made."""
    return lambda r: replace(r, epochs=max(round(r.epochs * factor), least), horizon=r.epochs)


def _slowly(rate: float, epochs: float) -> Change:
    """A constant rate on the low side, and too few epochs for it."""
    return lambda r: replace(
        r,
        rate=r.rate * rate,
        epochs=max(round(r.epochs * epochs), 12),
        schedule="constant",
        warmup=0.0,
    )


def _few(share: float, epochs: float, **more: Any) -> Change:
    """A small training set seen for a long time, with nothing against memorising it."""

    def change(r: Recipe) -> Recipe:
        size = max(round(r.train_size * share), 40)
        updates = 0.0 if r.epoch_steps else r.epochs * r.train_size / size
        return replace(
            r,
            train_size=size,
            epochs=min(round(max(r.epochs, 0.6 * updates) * epochs), 300),
            batch_size=min(r.batch_size, max(size // 5, 4)),
            weight_decay=0.0,
            dropout=0.0,
            schedule="constant",
            warmup=0.0,
            log_every=2,
            **more,
        )

    return change


def _past(epochs: float, share: float = 1.0) -> Change:
    """A constant rate, no decay of the weights, and many times the epochs that were needed."""
    return lambda r: replace(
        r,
        train_size=max(round(r.train_size * share), 40),
        epochs=min(round(r.epochs * epochs), 240),
        weight_decay=0.0,
        dropout=0.0,
        schedule="constant",
        warmup=0.0,
        log_every=4,
    )


def _deep(layers: int, width: int, **more: Any) -> Change:
    return lambda r: replace(r, hidden=(width,) * layers, **more)


def _narrow(units: int, **more: Any) -> Change:
    return lambda r: replace(r, hidden=(units,), **more)


def _evaluations(count: int) -> Change:
    return lambda r: replace(r, eval_every=max(r.epochs // count, 1))


_SGD_TOO_SMALL = {"optimizer": "sgd", "weight_decay": 1e-4, "schedule": "constant", "warmup": 0.0}

_NOISY = {
    "optimizer": "momentum",
    "weight_decay": 1e-4,
    "schedule": "constant",
    "batch_size": 4,
    "log_every": 8,
}

FAULTS: dict[str, Fault] = {
    "healthy": Fault({"": lambda recipe: recipe}, None),
    # --- the rate and its schedule ---
    "rate-too-high": Fault({"mild": _rate(10), "clear": _rate(30), "strong": _rate(100)}, None),
    "rate-too-low": Fault(
        {"mild": _rate(1 / 10), "clear": _rate(1 / 30), "strong": _rate(1 / 100)}, None
    ),
    "rate-of-another-optimizer": Fault(
        {
            "mild": _set(
                optimizer="adam", weight_decay=1e-4, rate=0.05, schedule="constant", warmup=0.0
            ),
            "clear": _set(
                optimizer="adam", weight_decay=1e-4, rate=0.2, schedule="constant", warmup=0.0
            ),
            "strong": _set(
                optimizer="adam", weight_decay=1e-4, rate=1.0, schedule="constant", warmup=0.0
            ),
        }
    ),
    "stopped-too-early": Fault(
        {
            "mild": _slowly(1 / 3, 0.5),
            "clear": _slowly(1 / 4, 0.35),
            "strong": _slowly(1 / 5, 0.25),
            "cut": _cut(0.3),
        },
        None,
    ),
    "schedule-too-early": Fault(
        {
            "mild": _set(schedule="early:0.3"),
            "clear": _set(schedule="early:0.15"),
            "strong": _set(schedule="early:0.07"),
            "steps": _set(schedule="early-step:0.15"),
        }
    ),
    "rate-rises": Fault(
        {
            "mild": _set(schedule="rises:1.3"),
            "clear": _set(schedule="rises:1.7"),
            "strong": _set(schedule="rises:3"),
        }
    ),
    "missing-schedule": Fault(
        {
            "mild": _rate(2, schedule="constant", batch_size=8, log_every=4),
            "clear": _rate(4, schedule="constant", batch_size=8, log_every=4),
        }
    ),
    "missing-warm-up": Fault(
        {
            "mild": _rate(2, warmup=0.0),
            "clear": _rate(4, warmup=0.0),
            "strong": _rate(8, warmup=0.0),
        }
    ),
    "oscillation": Fault(
        {
            "mild": _set(
                optimizer="momentum",
                weight_decay=1e-4,
                momentum=0.98,
                rate=0.1,
                schedule="constant",
            ),
            "clear": _set(
                optimizer="momentum",
                weight_decay=1e-4,
                momentum=0.99,
                rate=0.2,
                schedule="constant",
            ),
            "strong": _set(
                optimizer="momentum",
                weight_decay=1e-4,
                momentum=0.99,
                rate=0.6,
                schedule="constant",
            ),
        }
    ),
    "over-clipping": Fault(
        {
            "mild": _set(clip=0.03, rate=0.05, **_SGD_TOO_SMALL),
            "clear": _set(clip=0.01, rate=0.05, **_SGD_TOO_SMALL),
            "strong": _set(clip=0.001, rate=0.1, **_SGD_TOO_SMALL),
        }
    ),
    "no-step": Fault({"": _set(frozen="all")}, "full"),
    "frozen-layers": Fault(
        {"mild": _set(frozen="first"), "clear": _set(frozen="all-but-last")}, "full"
    ),
    # --- numbers ---
    "late-divergence": Fault(
        {
            "mild": _set(jump_at=0.5, jump=30.0, schedule="constant"),
            "clear": _set(jump_at=0.6, jump=100.0, schedule="constant"),
            "strong": _set(jump_at=0.4, jump=1000.0, schedule="constant"),
        }
    ),
    "nan": Fault({"early": _set(nan_at=0.15), "late": _set(nan_at=0.7)}, None),
    "loss-spikes": Fault(
        {
            "mild": _set(corrupt=0.004, corrupt_by=10.0),
            "clear": _set(corrupt=0.008, corrupt_by=30.0),
            "strong": _set(corrupt=0.02, corrupt_by=100.0),
        }
    ),
    "loss-scale-collapse": Fault(
        {
            "clear": _set(half=True, input_scale=3e5),
            "strong": _set(
                half=True, init_scale=60.0, optimizer="sgd", weight_decay=1e-4, rate=0.3
            ),
        }
    ),
    # --- initialisation ---
    "symmetric-init": Fault({"constant": _set(init="constant"), "zero": _set(init="zero")}, None),
    "init-too-large": Fault(
        {
            "mild": _set(init_scale=4.0),
            "clear": _set(init_scale=10.0),
            "strong": _set(init_scale=30.0),
        }
    ),
    "uneven-init": Fault({"mild": _set(uneven=8.0), "clear": _set(uneven=30.0)}, "full"),
    # --- generalisation ---
    "overfitting": Fault(
        {
            "mild": _few(0.35, 1.0),
            "clear": _few(0.2, 1.5),
            "strong": _few(0.1, 2.0, train_noise=0.2),
        },
        None,
    ),
    "past-the-best": Fault({"mild": _past(2.0, 0.7), "clear": _past(4.0, 0.6)}, None),
    "underfitting": Fault({"mild": _narrow(3), "clear": _narrow(2), "strong": _narrow(1)}, None),
    "over-regularized": Fault(
        {
            "mild": _set(weight_decay=0.03, dropout=0.5, optimizer="momentum", rate=0.05),
            "clear": _set(weight_decay=0.1, optimizer="momentum", rate=0.05),
            "strong": _set(weight_decay=0.3, optimizer="momentum", rate=0.05),
            "dropout": _set(dropout=0.9),
        }
    ),
    "random-labels": Fault({"clear": _set(label_noise=1.0)}, None),
    # --- validation ---
    "tiny-validation": Fault(
        {"mild": _set(val_size=90), "clear": _set(val_size=50), "strong": _set(val_size=20)}
    ),
    "noisy-validation": Fault(
        {
            "mild": _set(rate=0.2, momentum=0.0, **_NOISY),
            "clear": _set(rate=0.5, momentum=0.0, **_NOISY),
            "momentum": _set(rate=0.04, momentum=0.9, **_NOISY),
        }
    ),
    "leak": Fault(
        {
            "mild": _set(leak=0.7, dropout=0.3, train_noise=0.15),
            "clear": _set(leak=1.0, dropout=0.3, noise_augmentation=0.2, weight_decay=0.0),
        }
    ),
    "easy-validation": Fault({"mild": _set(easy_val=0.6), "clear": _set(easy_val=0.4)}),
    "imbalance": Fault(
        {"mild": _set(rare=0.1), "clear": _set(rare=0.05), "strong": _set(rare=0.02)}
    ),
    "no-validation": Fault({"": _set(val_size=0)}),
    "rare-validation": Fault({"clear": _evaluations(5), "strong": _evaluations(3)}),
    # --- gradients and activations ---
    "vanishing-gradients": Fault(
        {
            "mild": _deep(6, 24, activation="sigmoid", init="xavier"),
            "clear": _deep(9, 24, activation="sigmoid", init="xavier"),
            "strong": _deep(14, 16, activation="sigmoid", init="xavier"),
        },
        "full",
    ),
    "exploding-gradients": Fault(
        {
            "mild": _deep(8, 24, init_scale=2.0),
            "clear": _deep(12, 24, init_scale=2.5),
            "strong": _deep(16, 24, init_scale=4.0, optimizer="sgd", rate=0.02, weight_decay=1e-4),
            "recurrent": _set(init="explosive", clip=0.0),
        },
        "full",
    ),
    "dead-units": Fault(
        {"mild": _set(bias=-3.0), "clear": _set(bias=-6.0), "strong": _set(bias=-20.0)}, "full"
    ),
    "saturated-units": Fault(
        {
            "mild": _set(activation="tanh", init="xavier", input_scale=30.0),
            "clear": _set(activation="tanh", init="xavier", input_scale=200.0),
        },
        "full",
    ),
    # --- bookkeeping and throughput ---
    "rewound": Fault(
        {
            "mild": _set(resume_from=0.5, resume_at=0.6),
            "clear": _set(resume_from=0.3, resume_at=0.7),
        }
    ),
    "two-processes": Fault({"": _set(writers=2)}),
    "damaged": Fault({"flip": _set(damage="flip"), "cut": _set(damage="cut")}),
    "unshuffled": Fault({"": _set(unshuffled=True)}),
    "little-logged": Fault({"": lambda recipe: recipe}, "curve-only"),
    "stalled": Fault(
        {
            "mild": _set(pause=2700.0, stop_at=0.8),
            "clear": _set(pause=4 * 3600.0, stop_at=0.7),
        }
    ),
    "slowing": Fault(
        {
            "mild": _set(slower=3.0, slower_at_once=True),
            "clear": _set(slower=5.0),
            "strong": _set(slower=15.0),
        }
    ),
    # --- traps ---
    "dropout-gap": Fault({"": _set(dropout=0.4), "strong": _set(dropout=0.6)}),
    "warm-restarts": Fault({"": _set(schedule="restarts:3"), "four": _set(schedule="restarts:4")}),
    "one-cycle": Fault({"": _rate(2, schedule="onecycle", warmup=0.0)}),
    "cosine-drop": Fault({"": _rate(3, schedule="cosine", batch_size=16)}),
    "converged": Fault({"": _epochs(2.0)}, None),
    "short": Fault({"": _rate(2, epochs=10, schedule="onecycle", warmup=0.0)}, None),
    "noisy-but-healthy": Fault({"": _set(batch_size=4, log_every=8)}),
    "label-noise": Fault(
        {
            "": _epochs(0.5, label_noise=0.15, hidden=(12,)),
            "strong": _epochs(0.5, label_noise=0.3, hidden=(12,)),
        },
        None,
    ),
    "running-mean": Fault({"": _set(running_mean=True)}),
    "rare-evaluation": Fault({"": _evaluations(12)}),
    "accumulation": Fault({"": _set(accumulate=4)}),
    "mixed-precision": Fault({"": _set(half=True)}),
    "pretrained": Fault({"": _rate(1 / 3, pretrained=15)}),
    "frozen-by-design": Fault({"": _set(pretrained=15, frozen="first", frozen_said=True)}, "full"),
    "resumed": Fault({"": _set(resume_from=0.5, resume_at=0.5)}),
    "paused-evaluation": Fault({"": _set(pause=1200.0)}),
}
