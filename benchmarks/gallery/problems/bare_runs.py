"""Which families are injected at which strengths into the bare problems."""

from __future__ import annotations

_ = ("",)
_RATES = {
    "rate-too-high": ("mild", "clear", "strong", "constant"),
    "rate-too-low": ("mild", "clear", "strong", "constant"),
}

RUNS: dict[str, dict[str, tuple[str, ...]]] = {
    "grades": {
        **_RATES,
        "rate-of-another-optimizer": ("mild", "strong"),
        "underfitting": ("mild", "strong", "linear"),
        "random-labels": ("clear", "train"),
        "noisy-validation": ("clear", "momentum"),
        "schedule-too-early": ("mild", "clear"),
        "stopped-too-early": ("clear",),
        "converged": _,
        "dropout-gap": _,
        "label-noise": _,
    },
    "leavers": {
        **_RATES,
        "underfitting": ("strong", "linear"),
        "random-labels": ("clear", "train"),
        "noisy-validation": ("mild", "adam"),
        "schedule-too-early": ("mild", "steps"),
        "overfitting": ("mild", "strong"),
        "stopped-too-early": ("mild",),
        "warm-restarts": _,
        "rare-evaluation": _,
        "short": _,
    },
    "prices": {
        **_RATES,
        "rate-of-another-optimizer": ("mild", "clear"),
        "underfitting": ("mild", "strong", "linear"),
        "random-labels": ("clear",),
        "noisy-validation": ("mild",),
        "schedule-too-early": ("clear", "steps"),
        "overfitting": ("clear",),
        "cosine-drop": _,
        "one-cycle": _,
        "rare-evaluation": _,
    },
    "signs-cnn": {
        **_RATES,
        "underfitting": ("strong",),
        "random-labels": ("train",),
        "schedule-too-early": ("mild", "strong"),
        "stopped-too-early": ("cut",),
        "short": _,
        "label-noise": _,
        "one-cycle": _,
    },
    "strokes-gru": {
        **_RATES,
        "underfitting": ("clear",),
        "random-labels": ("clear",),
        "schedule-too-early": ("mild", "clear"),
        "overfitting": ("mild",),
        "cosine-drop": _,
        "dropout-gap": _,
        "short": _,
    },
    "cloths-patches": {
        **_RATES,
        "missing-warm-up": ("clear", "strong", "momentum"),
        "underfitting": ("strong",),
        "random-labels": ("train",),
        "schedule-too-early": ("mild", "strong"),
        "stopped-too-early": ("clear",),
        "converged": _,
        "warm-restarts": _,
        "one-cycle": _,
    },
}
