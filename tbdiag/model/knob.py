"""The settings of a training run that a remedy may turn."""

from __future__ import annotations

from enum import StrEnum


class Knob(StrEnum):
    """A hyperparameter by its canonical name, whatever a script calls it."""

    LR = "lr"
    WEIGHT_DECAY = "weight_decay"
    DROPOUT = "dropout"
    BATCH_SIZE = "batch_size"
    OPTIMIZER = "optimizer"
    MOMENTUM = "momentum"
    BETA1 = "beta1"
    BETA2 = "beta2"
    SCHEDULER = "scheduler"
    WARMUP = "warmup"
    EPOCHS = "epochs"
    MAX_STEPS = "max_steps"
    CLIP_NORM = "clip_norm"
    LABEL_SMOOTHING = "label_smoothing"
    WIDTH = "width"
    DEPTH = "depth"
    INIT = "init"
    SEED = "seed"
