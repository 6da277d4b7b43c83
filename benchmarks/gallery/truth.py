"""What a run really was, by outcomes on samples that were never logged; no rule has a say."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

from benchmarks.gallery.training import Outcome

LOSS_WORSE = 0.05  # relative rise of the loss that counts
SEEDS_APART = 5.0  # standard deviations of three seeds that a fourth exceeds once in forty times
METRIC_WORSE = 0.015  # fall of the accuracy that counts
OVERFIT = 0.10  # rise of the loss above its best
MEDIAN_OF_THREE = 0.67  # its standard deviation, in units of the values'
FALL_HELPS = 0.01  # relative fall of the loss in a longer run that counts


def worse(outcome: Outcome, controls: Sequence[Outcome], times: float = 1.0) -> bool:
    """Whether loss or metric at the end is worse than the controls', beyond seeds and trifles.

    `times` widens what counts as seeds and trifles.
    """
    if outcome["nonfinite"]:
        return True
    losses = [each["test_tail"] for each in controls]
    level = statistics.mean(losses)
    if outcome["test_tail"] > level + times * max(SEEDS_APART * _sd(losses), LOSS_WORSE * level):
        return True
    metrics = [each["test_metric"] for each in controls if each["test_metric"] is not None]
    if not metrics or outcome["test_metric"] is None:
        return False
    mean = statistics.mean(metrics)
    chance = 2.5 * math.sqrt(mean * (1 - mean) / outcome["test_samples"])
    limit = mean - times * max(SEEDS_APART * _sd(metrics), METRIC_WORSE, chance)
    return bool(outcome["test_metric"] < limit)


def fits_worse(outcome: Outcome, controls: Sequence[Outcome]) -> bool:
    """The same of the training loss."""
    losses = [each["train_loss"] for each in controls]
    level = statistics.mean(losses)
    limit = level + max(SEEDS_APART * _sd(losses), LOSS_WORSE * level)
    return bool(outcome["nonfinite"] or outcome["train_loss"] > limit)


def _sd(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def climbed(outcome: Outcome) -> float:
    """How far the held-out loss ended above its best, relative to it."""
    return float(outcome["test_tail"] / outcome["test_best"] - 1.0)


def _mean(outcomes: Sequence[Outcome], *keys: str) -> float:
    values = []
    for outcome in outcomes:
        value = outcome
        for key in keys:
            value = value.get(key, math.nan)
        values.append(float(value))  # type: ignore[arg-type]  # the innermost is a number
    return statistics.mean(values)


def _jitter(o: Outcome) -> float:
    """How far single epochs of the held-out loss stray from its trend, relative to its best."""
    return float(o["test_noise"] / o["test_best"]) if o["test_best"] else math.inf


def _overfit(o: Outcome, c: Sequence[Outcome]) -> bool:
    """The held-out loss climbed for good; the best of a loss that jumps about is luck."""
    return bool(climbed(o) > max(OVERFIT, 3 * _jitter(o)) and o["test_best_at"] < 0.75)


def _past(o: Outcome, c: Sequence[Outcome]) -> bool:
    return bool(climbed(o) > max(FALL_HELPS, 2 * _jitter(o)) and o["test_best_at"] <= 0.5)


def _low(o: Outcome, c: Sequence[Outcome]) -> bool:
    return bool(worse(o, c) and fits_worse(o, c))


def _late(o: Outcome, c: Sequence[Outcome]) -> bool:
    return bool(worse(o, c) and (o["nonfinite"] or o["test_best_at"] < 0.8))


def _noisy(o: Outcome, c: Sequence[Outcome]) -> bool:
    relative = [each["test_noise"] / each["test_tail"] for each in c]
    mine = o["test_noise"] / o["test_tail"]
    return bool(mine > 0.05 and mine > 4 * statistics.mean(relative))


def _too_good(o: Outcome, c: Sequence[Outcome]) -> bool:
    return bool(o["val_tail"] < 0.8 * o["test_tail"] and o["val_tail"] < o["train_running"])


def _imbalanced(o: Outcome, c: Sequence[Outcome]) -> bool:
    return bool(o["test_metric"] - o["test_balanced"] > 0.1)


def _ratio(o: Outcome) -> float:
    first, last = o["start"]["first_gradient"], o["start"]["last_gradient"]
    return float(first / last) if last else math.inf


def _vanishing(o: Outcome, c: Sequence[Outcome]) -> bool:
    return bool(_ratio(o) < 0.01 and worse(o, c))


def _exploding(o: Outcome, c: Sequence[Outcome]) -> bool:
    large = o["start"]["first_gradient"] > 30 * _mean(c, "start", "first_gradient")
    return bool(o["nonfinite"] or (large and worse(o, c)))


def _uneven(o: Outcome, c: Sequence[Outcome]) -> bool:
    off = _ratio(o) / statistics.mean(_ratio(each) for each in c)
    return (off > 10 or off < 0.1) and worse(o, c)


def _kl(o: Outcome, c: Sequence[Outcome]) -> bool:
    return bool(o["kl"] > 5 * max(each["kl"] for each in c) and _plays_worse(o, c))


def _collapsed(o: Outcome, c: Sequence[Outcome]) -> bool:
    early = o["early_entropy"] < 0.1 * o["first_entropy"]
    return early and o["last_entropy"] < 0.1 * o["first_entropy"] and _plays_worse(o, c)


def _lost(o: Outcome) -> float:
    """The share of what had been gained that the return lost again."""
    gained = o["best_return"] - o["first_return"]
    return float((o["best_return"] - o["last_return"]) / gained) if gained > 0 else 0.0


def _gain(c: Sequence[Outcome]) -> float:
    return _mean(c, "last_return") - _mean(c, "first_return")


def _plays_worse(o: Outcome, c: Sequence[Outcome], share: float = 0.1) -> bool:
    """Whether the return ended below the controls', by a share of their gain and beyond seeds."""
    limit = max(share * _gain(c), SEEDS_APART * _sd([each["last_return"] for each in c]))
    return bool(o["last_return"] < _mean(c, "last_return") - limit)


def _plays_well(o: Outcome, c: Sequence[Outcome]) -> bool:
    return bool(not o["nonfinite"] and not _plays_worse(o, c, 0.2) and _lost(o) < 0.25)


def _beaten(o: Outcome, c: Sequence[Outcome]) -> bool:
    return bool(o["d_loss"] < 0.3 * _mean(c, "d_loss") and o["distance"] > 3 * _mean(c, "distance"))


def _always(o: Outcome, c: Sequence[Outcome]) -> bool:
    return True


_CRITERIA: dict[str, Callable[[Outcome, Sequence[Outcome]], bool]] = {
    "rate-too-low": _low,
    "stopped-too-early": lambda o, c: longer_helps(o)[0] is True,
    "missing-warm-up": lambda o, c: worse(o, c) and worse(o, o["with_warmup"]),
    "over-clipping": _low,
    "no-step": _always,
    "frozen-layers": _low,
    "late-divergence": _late,
    "nan": lambda o, c: o["nonfinite"],
    "loss-spikes": lambda o, c: o["spikes"] >= 2,
    "loss-scale-collapse": lambda o, c: o["loss_scale"] < 1.0,
    "init-too-large": lambda o, c: (
        o["first_loss"] > 1.5 * max(_mean(c, "first_loss"), o["chance"] or 0.0)
    ),
    "uneven-init": _uneven,
    "overfitting": _overfit,
    "past-the-best": _past,
    "underfitting": lambda o, c: _low(o, c) and longer_helps(o)[0] is not True,
    "over-regularized": _low,
    "tiny-validation": _always,
    "noisy-validation": _noisy,
    "leak": _too_good,
    "easy-validation": _too_good,
    "imbalance": _imbalanced,
    "no-validation": _always,
    "rare-validation": lambda o, c: o["evaluations"] < 8,
    "vanishing-gradients": _vanishing,
    "exploding-gradients": _exploding,
    "dead-units": lambda o, c: o["end"]["zero"] > 0.7 and worse(o, c),
    "saturated-units": lambda o, c: o["end"]["saturated"] > 0.5,
    "rewound": _always,
    "two-processes": _always,
    "damaged": _always,
    "unshuffled": _always,
    "little-logged": _always,
    "stalled": _always,
    "slowing": _always,
    "kl-too-large": _kl,
    "entropy-collapse": _collapsed,
    "value-not-learning": lambda o, c: o["explained"] < 0.2 and _mean(c, "explained") > 0.4,
    "return-collapse": lambda o, c: (
        _lost(o) > 0.4 and o["best_return"] - o["first_return"] > 0.4 * _gain(c)
    ),
    "discriminator-wins": _beaten,
}
# Traps on other data than the control's, or that pay for what they do: they only may not be ill.
_OWN_FLOOR = {"label-noise", "frozen-by-design", "short", "dropout-gap", "noisy-but-healthy"}


def manifested(family: str, kind: str, outcome: Outcome, controls: Sequence[Outcome]) -> bool:
    """Whether the run is what its family says: a fault that is there, or a run that is well."""
    if kind == "fault":
        return bool(_CRITERIA.get(family, worse)(outcome, controls))
    if "last_return" in outcome:
        return _plays_well(outcome, controls)
    if "distance" in outcome:
        return bool(outcome["distance"] < 3 * _mean(controls, "distance"))
    well = not outcome["nonfinite"] and climbed(outcome) < 0.5 * OVERFIT
    well = well and "unlearned" not in conditions(outcome)  # what pays for its batches still learns
    return well and (kind == "healthy" or family in _OWN_FLOOR or not worse(outcome, controls, 2.0))


def longer_helps(outcome: Outcome) -> tuple[bool | None, float | None]:
    """Whether half as many epochs again made the held-out loss better, and by what share.

    The end of the longer run against the best of this one. None where it lies within the noise, or
    where the validation set and the samples that were never logged disagree.
    """
    more = outcome.get("longer")
    if more is None or outcome["nonfinite"] or more["nonfinite"] or outcome["test_best"] <= 0:
        return None, None
    gain = 1.0 - more["test_tail"] / outcome["test_best"]
    noise = MEDIAN_OF_THREE * math.hypot(outcome["test_noise"], more["test_noise"])
    noise /= outcome["test_best"]
    if outcome["val_best"] and more["val_tail"]:  # both sets have to agree
        shown = 1.0 - more["val_tail"] / outcome["val_best"]
        if (gain > FALL_HELPS) != (shown > FALL_HELPS):
            return None, round(gain, 4)
    if gain > max(FALL_HELPS, 2 * noise):
        return True, round(gain, 4)
    if gain < FALL_HELPS / 2:
        return False, round(gain, 4)
    return None, round(gain, 4)


def memorised(outcome: Outcome) -> bool:
    """Whether overfitting is true of a run as well, whatever was injected."""
    if outcome.get("test_best") is None or outcome["nonfinite"]:
        return False
    gap = outcome["test_tail"] > 1.5 * outcome["train_loss"]
    return bool(gap and _overfit(outcome, ()))


def conditions(outcome: Outcome) -> set[str]:
    """The outcomes on which further codes depend."""
    found = set()
    if outcome.get("nonfinite") or outcome.get("logged_nonfinite"):
        found.add("nonfinite")
    first, last = outcome.get("first_loss"), outcome.get("train_loss")
    if first is not None and last is not None:
        # What began worse than guessing has learned nothing where it ends at guessing.
        guess = outcome.get("chance") or math.inf
        if not last <= 0.95 * min(first, guess):
            found.add("unlearned")
    return found


def renamed(family: str, outcome: Outcome) -> str:
    """Overfitting that costs no accuracy is overconfidence; all else is what was injected."""
    if family == "overfitting" and outcome["test_metric"] is not None:
        lost = outcome["test_metric_at_best"] - outcome["test_metric"]
        return "overfitting" if lost > 0.005 else "overconfidence"
    return family
