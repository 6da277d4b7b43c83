"""What a hyperparameter is about, by its name."""

from __future__ import annotations

import pytest

from tbdiag.naming.settings import About, about, canonical, goes_by_ratio, is_share

NAMES = {
    About.TRAINING: "lr batch_size per_device_train_batch_size model_name optimizer.name hidden_units "
    "data_augmentation gradient_checkpointing warmup_steps dropout activation",
    About.SEED: "seed random_seed data_seed train.seed",
    About.DATA: "dataset data_path val_size train/dataset data.train_size num_labels fold nClasses "
    "label_noise imbalance env task_name",
    About.MEASURE: "loss loss_fn criterion label_smoothing class_loss_weight",
    About.BOOKKEEPING: "output_dir run_name logging_steps num_workers dataloader_num_workers save_steps "
    "log_every wandb_project local_rank exp_name timestamp report_to eval_steps",
}


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for kind, names in NAMES.items() for name in names.split()]
)
def test_what_a_setting_is_about(name: str, kind: About) -> None:
    assert about(name) is kind


def test_knobs_have_one_name() -> None:
    assert {canonical(each) for each in ("lr", "learning_rate", "optimizer.lr")} == {"lr"}
    assert canonical("my_own") == "my_own"


def test_scales_and_limits() -> None:
    assert all(map(goes_by_ratio, ("lr", "weight_decay", "batch_size", "my_lambda")))
    assert not any(map(goes_by_ratio, ("dropout", "momentum", "layers")))
    assert all(map(is_share, ("dropout", "momentum", "beta1", "label_smoothing")))
    assert not is_share("lr")


def test_a_hostile_name_costs_nothing() -> None:
    assert about("x" * 100_000) is About.BOOKKEEPING
    assert about("") is About.BOOKKEEPING
