"""Which families are injected at which strengths into the problems of everyday practice."""

from __future__ import annotations

_ = ("",)
_RATES = {
    "rate-too-high": ("mild", "clear", "strong", "constant"),
    "rate-too-low": ("mild", "clear", "strong", "constant"),
}

RUNS: dict[str, dict[str, tuple[str, ...]]] = {
    "kelvins": {
        **_RATES,
        "underfitting": ("clear", "strong", "linear"),
        "schedule-too-early": ("mild", "clear", "steps"),
        "missing-schedule": ("mild", "kept"),
        "late-divergence": ("slow",),
        "stopped-too-early": ("mild",),
        "converged": _,
        "cosine-drop": _,
        "one-cycle": _,
        "noisy-but-healthy": _,
        "accumulation": _,
    },
    "topics-tuned": {
        **_RATES,
        "underfitting": ("mild", "clear", "strong"),
        "schedule-too-early": ("mild", "clear", "strong"),
        "missing-warm-up": ("clear", "strong", "momentum"),
        "missing-schedule": ("clear", "kept"),
        "rate-rises": ("clear",),
        "converged": _,
        "dropout-gap": _,
        "one-cycle": _,
        "cosine-drop": _,
    },
    "tastes-ranked": {
        **_RATES,
        "underfitting": ("clear", "strong"),
        "schedule-too-early": ("mild", "clear", "steps"),
        "missing-schedule": ("kept",),
        "late-divergence": ("mild",),
        "short": _,
        "warm-restarts": _,
    },
    "stamps-smoothed": {
        **_RATES,
        "underfitting": ("mild", "strong", "linear"),
        "schedule-too-early": ("mild", "clear", "steps"),
        "missing-warm-up": ("clear", "strong"),
        "missing-schedule": ("kept",),
        "rate-rises": ("clear",),
        "stopped-too-early": ("clear",),
        "converged": _,
        "one-cycle": _,
        "label-noise": _,
        "short": _,
    },
    "queues": {
        **_RATES,
        "underfitting": ("clear", "linear"),
        "schedule-too-early": ("mild", "clear"),
        "rate-rises": ("strong",),
        "stopped-too-early": ("mild",),
        "converged": _,
        "dropout-gap": _,
        "one-cycle": _,
        "short": _,
    },
    "drafts": {
        **_RATES,
        "underfitting": ("strong", "linear"),
        "schedule-too-early": ("clear", "steps"),
        "missing-schedule": ("kept",),
        "late-divergence": ("slow",),
        "converged": _,
        "cosine-drop": _,
        "one-cycle": _,
    },
}
