"""What each injected fault may fairly be called: the one table of families and codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["fault", "healthy", "trap"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """The codes that name what was injected, and those that are true side remarks.

    ``codes_when`` adds codes where an outcome was measured: ``nonfinite`` (a loss or a gradient
    was NaN or infinite), ``unlearned`` (the training loss ended above 95 % of its first value, or of
    that of guessing), or where it was never logged: ``unseen`` (no histograms).
    """

    kind: Kind = "fault"
    codes: tuple[str, ...] = ()
    codes_when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    related: tuple[str, ...] = ()
    why: str = ""


_HIGH = ("OPT001", "NUM002", "NUM003", "OPT003", "GRD005")
_HIGH_WHEN = {"nonfinite": ("NUM001",), "unlearned": ("OPT004",)}
_HIGH_RELATED = (
    "VAL002",
    "OPT005",
    "OPT008",
    "OPT009",
    "OPT010",
    "NUM004",
    "GRD002",
    "GRD003",
    "GRD004",
)

FAMILIES: dict[str, Family] = {
    # --- the rate and its schedule ---
    "rate-too-high": Family(
        codes=_HIGH,
        codes_when=_HIGH_WHEN,
        related=_HIGH_RELATED,
        why="A blow-up, a bouncing loss and updates of a tenth of the weights are how it shows. "
        "Units die and gradients explode because of it; a schedule or a warm-up would soften it.",
    ),
    "rate-of-another-optimizer": Family(
        codes=("OPT010", *_HIGH),
        codes_when=_HIGH_WHEN,
        related=tuple(code for code in _HIGH_RELATED if code != "OPT010"),
        why="SGD's rate given to Adam: naming the rate as too high is as good.",
    ),
    "rate-too-low": Family(
        codes=("OPT002", "GRD005"),
        codes_when={"unlearned": ("OPT004",)},
        related=("OPT006", "OPT010", "GRD006"),
        why="More epochs would help as well, if dearly. Updates below float32's resolution of a "
        "histogram bin look frozen. That nothing is learned is a fair name only if so.",
    ),
    "stopped-too-early": Family(
        codes=("OPT006",),
        related=("OPT002", "OPT008"),
        why="A rate that could have been higher is the same curve seen from the other side. Most "
        "of them also have a constant rate.",
    ),
    "schedule-too-early": Family(
        codes=("OPT007",),
        related=("OPT002", "OPT005", "OPT006", "GRD005", "GRD006"),
        why="After the decay the rate is too low, the loss flat and the updates tiny.",
    ),
    "rate-rises": Family(
        codes=("OPT012", "NUM002", "NUM003", "OPT001", "OPT003"),
        codes_when=_HIGH_WHEN,
        related=("VAL002", "NUM004", "GRD002", "GRD003", "GRD004", "GRD005"),
        why="A scheduler that multiplies the rate when the loss stalls: where the rate was not "
        "logged only its consequence can be named.",
    ),
    "missing-schedule": Family(
        codes=("OPT008", "OPT005", "OPT001"),
        codes_when={"nonfinite": ("NUM001",)},
        related=("VAL002", "OPT003", "GEN004"),
        why="A constant rate that a decay would have made better: a plateau above the floor that "
        "is the rate's own noise.",
    ),
    "missing-warm-up": Family(
        codes=("OPT009", "NUM002", "OPT001"),
        codes_when=_HIGH_WHEN,
        related=("OPT010", "NUM004", "GRD001", "GRD002", "GRD003", "GRD005", "INI003", "OPT005"),
        why="A rate that only a warm-up makes bearable is too high for the start.",
    ),
    "oscillation": Family(
        codes=("OPT003", "OPT001", "NUM002", "NUM003"),
        codes_when=_HIGH_WHEN,
        related=("VAL002", "OPT008", "NUM004", "GRD002", "GRD003", "GRD004", "GRD005", "OPT010"),
        why="Momentum of .99 at an undiminished rate: the effective rate is ten times too high, and "
        "all that such a rate does to gradients and units may show.",
    ),
    "over-clipping": Family(
        codes=("OPT011", "OPT002"),
        codes_when={"unlearned": ("OPT004",)},
        related=("OPT006", "GRD005"),
        why="With plain gradient descent it is the same as a rate that is too low.",
    ),
    "no-step": Family(
        codes=("GRD006", "OPT004", "GRD005"),
        related=(),
        why="The optimizer never steps: weights stay as they were, and so does the loss.",
    ),
    "frozen-layers": Family(
        codes=("GRD006",),
        codes_when={"unlearned": ("OPT004",)},
        related=("GEN002", "GRD005"),
        why="Layers that the optimizer was not given; the rest fits what it can.",
    ),
    # --- numbers ---
    "late-divergence": Family(
        codes=("NUM003", "NUM002", "OPT012"),
        codes_when=_HIGH_WHEN,
        related=("OPT001", "NUM004", "OPT003", "VAL002", "GRD002", "GRD003", "GRD004", "GRD005"),
        why="The rate jumps up within the run: the jump and the divergence are both the fault.",
    ),
    "nan": Family(
        codes=("NUM001",),
        related=("NUM002", "NUM003", "NUM005"),
        why="A NaN in the data: all weights are NaN after that batch.",
    ),
    "loss-spikes": Family(
        codes=("NUM004",),
        related=("OPT003", "VAL002", "GRD002", "NUM003", "OPT001"),
        why="Batches with damaged features; their gradients explode, and the noise is theirs.",
    ),
    "loss-scale-collapse": Family(
        codes=("NUM005", "NUM001"),
        codes_when={"unlearned": ("OPT004",)},
        related=("GRD002", "GRD005", "GRD006", "INI002"),
        why="Activations overflow in half precision at any scale: steps are skipped for good.",
    ),
    # --- initialisation ---
    "symmetric-init": Family(
        codes=("INI001", "OPT004"),
        codes_when={"unseen": ("GEN002",)},
        related=("GRD001", "GRD003", "GRD006", "INI003", "GEN002", "OPT005"),
        why="Without histograms only that nothing is learned can be seen, or as little as one "
        "unit can: all are the same one.",
    ),
    "init-too-large": Family(
        codes=("INI002", "INI003"),
        related=("GRD002", "GRD003", "GRD004", "GRD005", "NUM004", "OPT001", "OPT010"),
        why="The first loss is far off; large weights kill and saturate units.",
    ),
    "uneven-init": Family(
        codes=("INI003", "GRD001", "GRD002"),
        related=("INI002", "GRD003", "GRD004", "GRD005", "OPT002", "OPT004"),
        why="Layers whose weights differ by orders of magnitude: so do their gradients.",
    ),
    # --- generalisation ---
    "overfitting": Family(
        codes=("GEN001",),
        related=("GEN004", "GEN005"),
        why="Validation loss climbs on unseen samples as well. It went past its best, and the "
        "metric may not follow the loss.",
    ),
    "overconfidence": Family(
        codes=("GEN005", "GEN001"),
        related=("GEN004",),
        why="The loss climbs, the metric does not: overfitting is what most would call it.",
    ),
    "past-the-best": Family(
        codes=("GEN004", "GEN001"),
        related=("GEN005",),
        why="Most of the run came after the best epoch; whether it climbed enough to be called "
        "overfitting is a matter of degree.",
    ),
    "underfitting": Family(
        codes=("GEN002",),
        codes_when={"unlearned": ("OPT004",)},
        related=("OPT005", "GRD003"),
        why="One to three hidden units: a plateau is the sign. With so few, most may be dead. That "
        "nothing was learned is a fair name only if so.",
    ),
    "over-regularized": Family(
        codes=("GEN003", "GEN002"),
        codes_when={"unlearned": ("OPT004",)},
        related=("OPT005", "GRD001", "GRD003", "GRD006", "VAL003"),
        why="It underfits, whatever for. The weights shrink towards nothing; with dropout the "
        "validation is better than the training.",
    ),
    "random-labels": Family(
        codes=("OPT004", "GEN001"),
        related=("GEN002", "GEN004", "GEN005", "OPT005", "VAL002"),
        why="Nothing can be learned; what is memorised all the same is overfitting.",
    ),
    # --- validation ---
    "tiny-validation": Family(
        codes=("VAL001",),
        related=("VAL002", "VAL003", "GEN004"),
        why="With tens of samples differences between epochs are chance: noise, a lucky best "
        "epoch and a lucky set are its consequences.",
    ),
    "noisy-validation": Family(
        codes=("VAL002", "OPT001", "OPT008"),
        related=("OPT003", "OPT005", "GEN004", "OPT010"),
        why="The noise is the optimizer's: the rate at the end is too high, for it was never lowered. "
        "What was injected is a constant rate, and that it should have been lowered cures it.",
    ),
    "leak": Family(codes=("VAL003",), related=(), why="Validation samples are training samples."),
    "easy-validation": Family(
        codes=("VAL003",), related=(), why="The validation set is easier than the rest."
    ),
    "imbalance": Family(
        codes=("VAL004",),
        related=("GEN002", "OPT004", "OPT005"),
        why="Most is won by always saying the common class, where training rests.",
    ),
    "no-validation": Family(codes=("VAL005",), related=("LOG005",), why="By construction."),
    "rare-validation": Family(codes=("VAL006",), related=("LOG005",), why="By construction."),
    # --- gradients and activations ---
    "vanishing-gradients": Family(
        codes=("GRD001", "INI003"),
        codes_when={"unlearned": ("OPT004",)},
        related=("GEN002", "OPT005", "GRD005", "GRD006", "OPT002"),
        why="Many sigmoid layers: the first ones do not learn, and the last can do little.",
    ),
    "exploding-gradients": Family(
        codes=("GRD002", "NUM002", "NUM001", "NUM003", "INI003"),
        codes_when={"unlearned": ("OPT004",)},
        related=("NUM004", "OPT001", "OPT003", "INI002", "GRD003", "GRD004", "GRD005", "OPT009"),
        why="Without gradients in the log the blow-up is all that shows.",
    ),
    "dead-units": Family(
        codes=("GRD003",),
        codes_when={"unlearned": ("OPT004",)},
        related=("GEN002", "OPT005", "INI001", "GRD001", "GRD005", "GRD006", "INI003"),
        why="Hidden biases far below zero: nothing passes, no gradient and no update comes back.",
    ),
    "saturated-units": Family(
        codes=("GRD004",),
        related=("INI002", "INI003", "GRD001", "GRD005", "OPT005", "GEN002", "GEN001", "OPT001"),
        why="Unscaled inputs drive tanh to its ends; what was injected is a scale.",
    ),
    # --- bookkeeping and throughput ---
    "rewound": Family(
        codes=("LOG001",),
        related=("LOG002", "SYS001"),
        why="Resumed from an older checkpoint: steps are logged twice.",
    ),
    "two-processes": Family(
        codes=("LOG002", "LOG001"),
        related=(),
        why="Steps overlap; that two wrote at once shows in the wall times.",
    ),
    "damaged": Family(
        codes=("LOG003",), related=("LOG005",), why="Bytes were changed or are missing."
    ),
    "unshuffled": Family(
        codes=("LOG004", "OPT003"),
        related=("NUM002", "NUM003", "NUM004", "VAL002", "GRD002", "GEN002"),
        why="Batches sorted by class: the loss swings with the epoch's length as its period, and "
        "leaps where a class ends.",
    ),
    "little-logged": Family(codes=("LOG005",), related=("VAL005",), why="By construction."),
    "stalled": Family(codes=("SYS001",), related=("SYS002",), why="By construction."),
    "slowing": Family(codes=("SYS002",), related=(), why="By construction."),
    # --- reinforcement and adversarial ---
    "kl-too-large": Family(
        codes=("RLX001",),
        related=("RLX002", "RLX003", "RLX004", "OPT001"),
        why="Steps that are too long: the policy collapses, the value function loses track.",
    ),
    "entropy-collapse": Family(
        codes=("RLX002",),
        related=("RLX001", "RLX003", "RLX004", "OPT005"),
        why="The policy settled before it had found anything.",
    ),
    "value-not-learning": Family(
        codes=("RLX003",), related=("RLX004",), why="The value function's rate is next to nothing."
    ),
    "return-collapse": Family(
        codes=("RLX004", "RLX001"),
        related=("RLX002", "RLX003", "NUM003"),
        why="The rate jumps up within the run, and little clips the steps: that they are too long is "
        "the fault, and the return that was high and is lost is how it shows.",
    ),
    "discriminator-wins": Family(
        codes=("GAN001",), related=("NUM004", "GRD001"), why="Its loss goes to nothing."
    ),
    # --- nothing is wrong ---
    "healthy": Family(kind="healthy", why="The tuned recipe of the problem."),
    "healthy-other-optimizer": Family(kind="healthy", why="Another optimizer, also tuned."),
    "dropout-gap": Family(kind="trap", related=("VAL003",), why="A note about the gap is true."),
    "warm-restarts": Family(kind="trap"),
    "one-cycle": Family(kind="trap"),
    "cosine-drop": Family(kind="trap", why="The fall at the end is the anneal."),
    "converged": Family(kind="trap", related=("OPT005", "GEN004"), why="Flat, at the floor."),
    "short": Family(kind="trap"),
    "noisy-but-healthy": Family(kind="trap", related=("OPT008",)),
    "label-noise": Family(kind="trap", why="A floor that nothing can beat."),
    "bump": Family(kind="trap", why="Validation rises for a while and then falls below."),
    "running-mean": Family(kind="trap", related=("LOG004",), why="The sawtooth is the log's."),
    "rare-evaluation": Family(kind="trap", why="Every few epochs, often enough."),
    "accumulation": Family(kind="trap"),
    "mixed-precision": Family(kind="trap", why="The first steps are skipped in the search."),
    "pretrained": Family(kind="trap", why="It begins low; little is left to gain."),
    "frozen-by-design": Family(
        kind="trap", why="The hyperparameters say so, so that a finding is a false alarm."
    ),
    "torn-end": Family(kind="trap", why="A process that was killed, or that writes still."),
    "resumed": Family(kind="trap", why="Nothing is logged twice."),
    "paused-evaluation": Family(kind="trap"),
}
