"""What decides a supervised training run, and the problems on which runs are trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Part = Literal["calibration", "report"]
Split = Literal["train", "val", "test"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A supervised run. Sizes in samples, rates and norms in the units of the optimizer."""

    # data
    train_size: int
    val_size: int
    batch_size: int = 32
    label_noise: float = 0.0  # share of labels drawn at random, in every split
    train_noise: float = 0.0  # the same, in the training set alone
    rare: float = 0.0  # share of the only positive class; 0: the classes as they are
    leak: float = 0.0  # share of the validation set that was copied out of the training set
    easy_val: float = 0.0  # the validation set is this share of the samples that are easiest
    input_scale: float = 1.0
    noise_augmentation: float = 0.0  # sd of noise added to the features, in training alone
    corrupt: float = 0.0  # share of batches whose features are damaged
    corrupt_by: float = 30.0  # their factor
    nan_at: float | None = None  # share of the run after which one batch holds a NaN
    unshuffled: bool = False
    # network
    hidden: tuple[int, ...] = (32,)
    activation: str = "relu"
    dropout: float = 0.0
    init: str = "he"
    init_scale: float = 1.0
    uneven: float = 1.0  # the first layer's initial weights times this, the last's divided by it
    bias: float = 0.0  # initial value of the hidden biases
    # optimization
    optimizer: str = "adam"
    rate: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: str = "cosine"
    warmup: float = 0.0  # share of the run
    clip: float = 0.0
    epochs: int = 40
    horizon: int | None = None  # epochs for which the schedule was made, by default all
    jump_at: float | None = None  # share of the run after which the rate is multiplied by `jump`
    jump: float = 1.0
    accumulate: int = 1
    frozen: str = ""  # "first", "all-but-last", "all": layers that the optimizer does not know
    frozen_said: bool = False  # whether the hyperparameters tell so
    half: bool = False  # gradients in half precision, with a dynamic loss scale
    pretrained: int = 0  # epochs on the other half of the data before the run begins
    # logging
    epoch_steps: int = 0  # what is called an epoch is so many steps; 0: a pass over the data
    eval_every: int = 1  # epochs
    running_mean: bool = False  # the batch loss is logged as a mean since the epoch's start
    log_every: int = 1  # steps between records per batch
    # what happens to the process
    pause: float = 0.0  # seconds of silence at 60 % of the run
    slower: float = 1.0  # factor on the time of a step, reached at the end or at once
    slower_at_once: bool = False
    stop_at: float | None = None  # share of the run after which the process is gone
    resume_from: float | None = None  # share of the run at which a checkpoint was written
    resume_at: float | None = None  # and at which the process died and the next one began
    writers: int = 1  # processes that write into the same folder at the same time
    damage: str = ""  # of the log: "flip" four bytes, a "gap", or its end "cut" off


@dataclass(frozen=True, slots=True)
class Scores:
    """An evaluation: mean loss, metric (None: none), balanced accuracy (None: no classes)."""

    loss: float
    metric: float | None
    balanced: float | None = None


class Learner(Protocol):
    """A model with its data and its optimizer, of whatever library."""

    samples: int  # in the training set
    sizes: dict[str, int]  # samples in each split
    loss_scale: float

    def zero(self) -> None:
        """Forget the gradients."""
        ...

    def backward(self, rows: Rows, share: float, damage: float) -> tuple[float, float]:
        """Mean loss and mean metric of training samples, their gradients added times `share`.

        `damage` multiplies the features (1: none; NaN: one of them is NaN).
        """
        ...

    def norm(self) -> float:
        """The global norm of the gradients."""
        ...

    def clip(self, limit: float) -> None:
        """Scale the gradients to a norm of at most `limit`."""
        ...

    def apply(self, rate: float) -> None:
        """One update."""
        ...

    def evaluate(self, split: Split) -> Scores:
        """Loss and metrics of a whole split, as in inference."""
        ...

    def order(self) -> Rows:
        """The training samples sorted by class or target."""
        ...

    def tensors(self) -> dict[str, Floats]:
        """Weights, last gradients and last activations by name, such as ``weights/layer1``."""
        ...

    def adopt(self, other: Learner) -> None:
        """Take the weights of another learner of the same make."""
        ...

    def health(self) -> dict[str, float]:
        """Truths about the inside: ``dead`` and ``saturated`` shares, ``gradient_ratio``."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Data, a network and a tuned recipe; ``runs`` says which families at which strengths."""

    name: str
    part: Part
    setting: str
    recipe: Any  # of the setting's own type; Recipe for supervised runs
    make: Callable[..., Any]
    kind: Literal["supervised", "policy", "adversarial"] = "supervised"
    classes: int = 0  # 0: regression or no metric
    answers: int = 1  # right or wrong ones a sample, of which the accuracy is the mean
    convention: str = "plain"
    runs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    controls: int = 3
    histograms: int = 3  # one run in so many logs them, where its family does not ask for them
    seconds: float = 0.05  # nominal time of a step
