"""Names of hyperparameters stand for knobs, or for none."""

from __future__ import annotations

import pytest

from tbdiag.model.knob import Knob
from tbdiag.model.run import HParam, Scalar
from tbdiag.naming.knobs import knob, stated_epochs

NAMES = {
    Knob.LR: "lr learning_rate learning-rate eta base_lr optimizer.lr lr0 --lr learningRate LearningRate "
    "Hyperparameters/LearningRate optim/lr adam_lr initial_lr eta0 peak_lr lr_scheduler.max_lr",
    Knob.WEIGHT_DECAY: "wd weight_decay l2 alpha decay optim_args/weight_decay optimizer.weight_decay "
    "weightDecay l2_reg",
    Knob.DROPOUT: "dropout dropout_rate model.dropout_rate dropoutRate p_dropout model_dropout hidden_dropout_prob",
    Knob.BATCH_SIZE: "batch_size batchSize bs per_device_train_batch_size train_batch_size data.batch_size "
    "BatchSize train/batch_size",
    Knob.OPTIMIZER: "optimizer optim optimizer.name optimizer._target_ optimizer_type",
    Knob.MOMENTUM: "momentum sgd_momentum optimizer.momentum",
    Knob.BETA1: "beta1 beta_1 adam_beta1 betas[0] optimizer.betas.0",
    Knob.BETA2: "beta2 beta_2 adam_beta2 betas[1]",
    Knob.SCHEDULER: "scheduler lr_scheduler lr_scheduler_type scheduler.name lr_schedule",
    Knob.WARMUP: "warmup warmup_steps warmup_ratio num_warmup_steps warmup_epochs scheduler.warmup_steps",
    Knob.EPOCHS: "epochs num_epochs n_epochs max_epochs num_train_epochs trainer.max_epochs nEpochs EPOCHS",
    Knob.MAX_STEPS: "max_steps total_timesteps max_iter train_steps num_training_steps",
    Knob.CLIP_NORM: "grad_clip max_grad_norm clip_norm gradient_clip_val trainer.gradient_clip_val clip_grad_norm",
    Knob.LABEL_SMOOTHING: "label_smoothing label_smoothing_factor labelSmoothing",
    Knob.WIDTH: "width hidden_size hidden_dim d_model model.hidden_size",
    Knob.DEPTH: "depth num_layers n_layers num_hidden_layers",
    Knob.INIT: "init weight_init kernel_initializer init_method",
    Knob.SEED: "seed random_seed random_state manual_seed",
}


@pytest.mark.parametrize(
    ("name", "expected"), [(name, k) for k, names in NAMES.items() for name in names.split()]
)
def test_a_name_stands_for_its_knob(name: str, expected: Knob) -> None:
    assert knob(name) is expected


def test_every_knob_has_names() -> None:
    assert set(NAMES) == set(Knob)


FALSE_FRIENDS = (
    "lr_decay lr.decay scheduler.decay lr_scheduler_patience scheduler.patience scheduler.gamma dropout_seed "
    "batch_size_val val_batch_size val.batch_size per_device_eval_batch_size min_lr eta_min lrf warmup_bias_lr "
    "warmup_momentum ema_momentum bn_momentum start_epoch save_every_epochs eval_steps logging_steps "
    "gradient_accumulation_steps clip_range early_stopping.patience critic.lr image_width data_seed split_seed "
    "gamma betas keep_prob n_steps gradient_clip_algorithm name"
)


@pytest.mark.parametrize(
    "name",
    FALSE_FRIENDS.split(),
)
def test_a_false_friend_stands_for_no_knob(name: str) -> None:
    assert knob(name) is None


@pytest.mark.parametrize(
    "name", ["", ".", "___", "\x00", "lr" * 10_000, "." * 10_000, "a." * 5_000]
)
def test_a_hostile_name_stands_for_no_knob(name: str) -> None:
    assert knob(name) is None


@pytest.mark.parametrize(
    ("value", "epochs"),
    [
        *[(8, 8.0), ("12", 12.0), (-1, None), (0, None), ("inf", None)],
        *[("nan", None), ("all", None), (True, None), (None, None)],
    ],
)
def test_epochs_are_stated_by_a_number_of_them(value: Scalar, epochs: float | None) -> None:
    settings = {"lr": HParam(0.1, "a file"), "trainer.max_epochs": HParam(value, "a file")}
    assert stated_epochs(settings) == epochs
    assert stated_epochs({"lr": HParam(0.1, "a file")}) is None
