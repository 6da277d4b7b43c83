"""The parts that curves play in a training run, and which tag plays which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a curve means, whatever its tag."""

    TRAIN_LOSS = "train_loss"  # the coarsest training loss: per epoch where there is one
    BATCH_LOSS = "batch_loss"  # a training loss per optimizer step, beside or instead of it
    VAL_LOSS = "val_loss"
    TRAIN_METRIC = "train_metric"
    VAL_METRIC = "val_metric"
    BALANCED_METRIC = "balanced_metric"  # balanced accuracy, macro F1 or recall on validation
    DATA_LOSS = "data_loss"  # the training loss without penalties, where logged beside the total
    REGULARIZATION_LOSS = "regularization_loss"
    LEARNING_RATE = "learning_rate"
    GRAD_NORM = "grad_norm"
    WEIGHT_NORM = "weight_norm"
    UPDATE_RATIO = "update_ratio"
    LOSS_SCALE = "loss_scale"
    STEP_TIME = "step_time"
    EPOCH = "epoch"
    REWARD = "reward"
    VAL_REWARD = "val_reward"
    KL = "kl"
    ENTROPY = "entropy"
    CLIP_FRACTION = "clip_fraction"
    EXPLAINED_VARIANCE = "explained_variance"
    POLICY_LOSS = "policy_loss"
    VALUE_LOSS = "value_loss"
    D_LOSS = "d_loss"
    G_LOSS = "g_loss"

    @property
    def phrase(self) -> str:
        """The role in words, for sentences."""
        return _PHRASES.get(self, self.value.replace("_", " "))


_PHRASES = {
    Role.TRAIN_LOSS: "training loss",
    Role.BATCH_LOSS: "loss per batch",
    Role.VAL_LOSS: "validation loss",
    Role.TRAIN_METRIC: "training metric",
    Role.VAL_METRIC: "validation metric",
    Role.BALANCED_METRIC: "class-balanced metric",
    Role.DATA_LOSS: "loss without penalties",
    Role.GRAD_NORM: "gradient norm",
    Role.VAL_REWARD: "reward of evaluations",
    Role.KL: "KL divergence of the updates",
    Role.ENTROPY: "entropy of the policy",
    Role.D_LOSS: "discriminator loss",
    Role.G_LOSS: "generator loss",
}


class Better(StrEnum):
    """In which direction a curve improves."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class Binding:
    """A tag in a role: ``how`` it was found (``pattern``, ``structure`` or ``configured``).

    ``quantity`` is the thing measured, in the field's own word (``loss``, ``accuracy``, ``f1`` …).
    """

    tag: str
    how: str
    quantity: str
    better: Better = Better.LOWER


@dataclass(frozen=True, slots=True)
class Override:
    """The user's own word for a role: its tag, and the direction in which it improves if told."""

    tag: str
    better: Better | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleMap:
    """Which tag plays which role.

    ``ambiguous`` lists the roles that several tags could play equally well: they are reported,
    never guessed. ``parts`` holds pairs of curves (`YOLO`'s box, object and class losses) for which
    no total was logged: each is a small map of its own, to be judged one by one.
    """

    bound: Mapping[Role, Binding] = field(default_factory=dict)
    ambiguous: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)
    parts: Sequence[Mapping[Role, Binding]] = ()
