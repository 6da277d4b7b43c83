"""How each family of faults and traps is injected into a supervised recipe, at each strength."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.gallery.changes import (
    Change,
    cut_short,
    deep,
    epochs_times,
    evaluations,
    few_samples,
    narrow,
    past_the_best,
    rate_times,
    slowly,
    with_values,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Strength → the change; ``detail`` is what has to be logged for it to be visible at all.

    ``detail`` None: anything will do, and some runs log little.
    """

    changes: dict[str, Change]
    detail: str | None = "usual"


_SGD_TOO_SMALL = {"optimizer": "sgd", "weight_decay": 1e-4, "schedule": "constant", "warmup": 0.0}

_AS_SGD = {"optimizer": "adam", "weight_decay": 1e-4, "schedule": "constant", "warmup": 0.0}
_MOMENTUM = {"optimizer": "momentum", "weight_decay": 1e-4, "schedule": "constant"}
_NOISY = {**_MOMENTUM, "batch_size": 4, "log_every": 8}

FAULTS: dict[str, Fault] = {
    "healthy": Fault({"": lambda recipe: recipe}, None),
    # --- the rate and its schedule ---
    "rate-too-high": Fault(
        {
            "mild": rate_times(10),
            "clear": rate_times(30),
            "strong": rate_times(100),
            "constant": rate_times(10, schedule="constant", warmup=0.0),
        },
        None,
    ),
    "rate-too-low": Fault(
        {
            "mild": rate_times(1 / 10),
            "clear": rate_times(1 / 30),
            "strong": rate_times(1 / 100),
            "constant": rate_times(1 / 10, schedule="constant", warmup=0.0),
        },
        None,
    ),
    "rate-of-another-optimizer": Fault(
        {
            "mild": with_values(rate=0.05, **_AS_SGD),
            "clear": with_values(rate=0.2, **_AS_SGD),
            "strong": with_values(rate=1.0, **_AS_SGD),
        }
    ),
    "stopped-too-early": Fault(
        {
            "mild": slowly(1 / 3, 0.5),
            "clear": slowly(1 / 4, 0.35),
            "strong": slowly(1 / 5, 0.25),
            "cut": cut_short(0.3),
        },
        None,
    ),
    "schedule-too-early": Fault(
        {
            "mild": with_values(schedule="early:0.3"),
            "clear": with_values(schedule="early:0.15"),
            "strong": with_values(schedule="early:0.07"),
            "steps": with_values(schedule="early-step:0.15"),
        }
    ),
    "rate-rises": Fault(
        {
            "mild": with_values(schedule="rises:1.3"),
            "clear": with_values(schedule="rises:1.7"),
            "strong": with_values(schedule="rises:3"),
        }
    ),
    "missing-schedule": Fault(
        {
            "mild": rate_times(2, schedule="constant", batch_size=8, log_every=4),
            "clear": rate_times(4, schedule="constant", batch_size=8, log_every=4),
            "kept": rate_times(3, schedule="constant"),
        }
    ),
    "missing-warm-up": Fault(
        {
            "mild": rate_times(2, warmup=0.0),
            "clear": rate_times(3, warmup=0.0),
            "strong": rate_times(6, warmup=0.0),
            "momentum": with_values(optimizer="momentum", weight_decay=1e-4, rate=0.1, warmup=0.0),
        }
    ),
    "oscillation": Fault(
        {
            "mild": with_values(momentum=0.98, rate=0.1, **_MOMENTUM),
            "clear": with_values(momentum=0.99, rate=0.2, **_MOMENTUM),
            "strong": with_values(momentum=0.99, rate=0.6, **_MOMENTUM),
        }
    ),
    "over-clipping": Fault(
        {
            "mild": with_values(clip=0.03, rate=0.05, **_SGD_TOO_SMALL),
            "clear": with_values(clip=0.01, rate=0.05, **_SGD_TOO_SMALL),
            "strong": with_values(clip=0.001, rate=0.1, **_SGD_TOO_SMALL),
        }
    ),
    "no-step": Fault({"": with_values(frozen="all")}, "full"),
    "frozen-layers": Fault(
        {"mild": with_values(frozen="first"), "clear": with_values(frozen="all-but-last")}, "full"
    ),
    # --- numbers ---
    "late-divergence": Fault(
        {
            "mild": with_values(jump_at=0.5, jump=30.0, schedule="constant"),
            "clear": with_values(jump_at=0.6, jump=100.0, schedule="constant"),
            "strong": with_values(jump_at=0.4, jump=1000.0, schedule="constant"),
            "slow": with_values(jump_at=0.4, jump=12.0, schedule="constant"),
        }
    ),
    "nan": Fault({"early": with_values(nan_at=0.15), "late": with_values(nan_at=0.7)}, None),
    "loss-spikes": Fault(
        {
            "mild": with_values(corrupt=0.004, corrupt_by=10.0),
            "clear": with_values(corrupt=0.008, corrupt_by=30.0),
            "strong": with_values(corrupt=0.02, corrupt_by=100.0),
        }
    ),
    "loss-scale-collapse": Fault(
        {
            "clear": with_values(half=True, input_scale=3e5),
            "strong": with_values(
                half=True, init_scale=60.0, optimizer="sgd", weight_decay=1e-4, rate=0.3
            ),
        }
    ),
    # --- initialisation ---
    "symmetric-init": Fault(
        {"constant": with_values(init="constant"), "zero": with_values(init="zero")}, None
    ),
    "init-too-large": Fault(
        {
            "mild": with_values(init_scale=4.0),
            "clear": with_values(init_scale=10.0),
            "strong": with_values(init_scale=30.0),
        }
    ),
    "uneven-init": Fault(
        {"mild": with_values(uneven=8.0), "clear": with_values(uneven=30.0)}, "full"
    ),
    # --- generalisation ---
    "overfitting": Fault(
        {
            "mild": few_samples(0.35, 1.0),
            "clear": few_samples(0.2, 1.5),
            "strong": few_samples(0.1, 2.0, train_noise=0.2),
        },
        None,
    ),
    "past-the-best": Fault(
        {"mild": past_the_best(2.0, 0.7), "clear": past_the_best(4.0, 0.6)}, None
    ),
    "underfitting": Fault(
        {
            "mild": narrow(3),
            "clear": narrow(2),
            "strong": narrow(1),
            "linear": with_values(hidden=()),
        },
        None,
    ),
    "over-regularized": Fault(
        {
            "mild": with_values(weight_decay=0.03, dropout=0.5, optimizer="momentum", rate=0.05),
            "clear": with_values(weight_decay=0.1, optimizer="momentum", rate=0.05),
            "strong": with_values(weight_decay=0.3, optimizer="momentum", rate=0.05),
            "dropout": with_values(dropout=0.9),
        }
    ),
    "random-labels": Fault(
        {"clear": with_values(label_noise=1.0), "train": with_values(train_noise=1.0)}, None
    ),
    # --- validation ---
    "tiny-validation": Fault(
        {
            "mild": with_values(val_size=90),
            "clear": with_values(val_size=50),
            "strong": with_values(val_size=20),
        }
    ),
    "noisy-validation": Fault(
        {
            "mild": with_values(rate=0.2, momentum=0.0, **_NOISY),
            "clear": with_values(rate=0.5, momentum=0.0, **_NOISY),
            "momentum": with_values(rate=0.04, momentum=0.9, **_NOISY),
            "adam": rate_times(3, optimizer="adam", schedule="constant", batch_size=4, log_every=8),
        }
    ),
    "leak": Fault(
        {
            "mild": with_values(leak=0.7, dropout=0.3, train_noise=0.15),
            "clear": with_values(leak=1.0, dropout=0.3, noise_augmentation=0.2, weight_decay=0.0),
        }
    ),
    "easy-validation": Fault(
        {"mild": with_values(easy_val=0.6), "clear": with_values(easy_val=0.4)}
    ),
    "imbalance": Fault(
        {
            "mild": with_values(rare=0.1),
            "clear": with_values(rare=0.05),
            "strong": with_values(rare=0.02),
        }
    ),
    "no-validation": Fault({"": with_values(val_size=0)}),
    "rare-validation": Fault({"clear": evaluations(5), "strong": evaluations(3)}),
    # --- gradients and activations ---
    "vanishing-gradients": Fault(
        {
            "mild": deep(6, 24, activation="sigmoid", init="xavier"),
            "clear": deep(9, 24, activation="sigmoid", init="xavier"),
            "strong": deep(14, 16, activation="sigmoid", init="xavier"),
        },
        "full",
    ),
    "exploding-gradients": Fault(
        {
            "mild": deep(8, 24, init_scale=2.0),
            "clear": deep(12, 24, init_scale=2.5),
            "strong": deep(16, 24, init_scale=4.0, optimizer="sgd", rate=0.02, weight_decay=1e-4),
            "deep": deep(10, 24, init_scale=5.0),
            "deeper": deep(14, 24, init_scale=7.0),
            "recurrent": with_values(init="explosive", clip=0.0),
        },
        "full",
    ),
    "dead-units": Fault(
        {
            "mild": with_values(bias=-3.0),
            "clear": with_values(bias=-6.0),
            "strong": with_values(bias=-20.0),
        },
        "full",
    ),
    "saturated-units": Fault(
        {
            "mild": with_values(activation="tanh", init="xavier", input_scale=30.0),
            "clear": with_values(activation="tanh", init="xavier", input_scale=200.0),
        },
        "full",
    ),
    # --- bookkeeping and throughput ---
    "rewound": Fault(
        {
            "mild": with_values(resume_from=0.5, resume_at=0.6),
            "clear": with_values(resume_from=0.3, resume_at=0.7),
        }
    ),
    "two-processes": Fault({"": with_values(writers=2)}),
    "damaged": Fault({"flip": with_values(damage="flip"), "gap": with_values(damage="gap")}),
    "unshuffled": Fault({"": with_values(unshuffled=True)}),
    "little-logged": Fault({"": lambda recipe: recipe}, "curve-only"),
    "stalled": Fault(
        {
            "mild": with_values(pause=2700.0, stop_at=0.8),
            "clear": with_values(pause=4 * 3600.0, stop_at=0.7),
        }
    ),
    "slowing": Fault(
        {
            "mild": with_values(slower=3.0, slower_at_once=True),
            "clear": with_values(slower=5.0),
            "strong": with_values(slower=15.0),
        }
    ),
    # --- traps ---
    "dropout-gap": Fault({"": with_values(dropout=0.4), "strong": with_values(dropout=0.6)}),
    "warm-restarts": Fault(
        {"": with_values(schedule="restarts:3"), "four": with_values(schedule="restarts:4")}
    ),
    "one-cycle": Fault({"": rate_times(2, schedule="onecycle", warmup=0.0)}),
    "cosine-drop": Fault({"": rate_times(3, schedule="cosine", batch_size=16)}),
    "converged": Fault({"": epochs_times(2.0)}, None),
    "short": Fault({"": rate_times(2, epochs=10, schedule="onecycle", warmup=0.0)}, None),
    "noisy-but-healthy": Fault({"": with_values(batch_size=4, log_every=8)}),
    "label-noise": Fault(
        {
            "": epochs_times(0.5, label_noise=0.15, hidden=(12,)),
            "strong": epochs_times(0.5, label_noise=0.3, hidden=(12,)),
        },
        None,
    ),
    "bump": Fault({"": with_values(schedule="bump", warmup=0.0)}),
    "running-mean": Fault({"": with_values(running_mean=True)}),
    "rare-evaluation": Fault({"": evaluations(12)}),
    "accumulation": Fault({"": with_values(accumulate=4)}),
    "mixed-precision": Fault({"": with_values(half=True)}),
    "pretrained": Fault({"": rate_times(1 / 3, pretrained=15)}),
    "frozen-by-design": Fault(
        {"": with_values(pretrained=15, frozen="first", frozen_said=True)}, "full"
    ),
    "torn-end": Fault({"": with_values(damage="cut")}),
    "resumed": Fault({"": with_values(resume_from=0.5, resume_at=0.5)}),
    "paused-evaluation": Fault({"": with_values(pause=1200.0)}),
}
